"""What else the network says of a piece, against rendered photos: `python -m tests.benchmarks.heads FOLDER [--photos FOLDER]`.

Height, normals, material of each pixel and type of piece, on the same samples as `truth`: kinds that training never saw.
With --photos also the type it sees in photos of one's own, which nobody has labelled. The samples need their layers.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.onnx import open_network
from pipeline.photo.decode import decode
from weights.features import STRIDE, features
from weights.outline import TYPES
from weights.store import network
from weights.train.samples import read_layers

PARTS = ("metal", "clear stone", "coloured stone", "pearl", "other")
LOOK_PX = 640


@dataclass(frozen=True, slots=True)
class Heads:
    """One photo. height: mean error over the piece's height; normal: mean angle, degrees; part: (5, 2) px of overlap and

    union; type: what it says, and what is true.
    """

    height: float
    normal: float
    part: np.ndarray
    said: str
    true: str


def answer(session, srgb):
    """The maps of a picture (h, w, 3) uint8 at half its size, and the shares of the types."""
    height, width = srgb.shape[:2]
    padded = np.pad(features(srgb), ((0, 0), (0, -height % STRIDE), (0, -width % STRIDE)), mode="edge")
    names = ["height", "normal", "part", "type"]
    found = dict(zip(names, session.run(names, {"features": padded[None]}), strict=True))
    size = (-(-height // 2), -(-width // 2))
    maps = {name: found[name][0][:, : size[0], : size[1]] for name in names[:-1]}
    return maps, found["type"][0]


def measured(session, folder, seed) -> Heads:
    """One sample."""
    stem = folder / f"{seed:06d}"
    layers, record = (
        read_layers(stem.with_suffix(".layers.exr")),
        json.loads(stem.with_suffix(".json").read_text()),
    )
    srgb = np.ascontiguousarray(decode(stem.with_suffix(".jpg")).srgb)
    maps, types = answer(session, srgb)
    rows, columns = maps["height"].shape[1:]
    half = {
        name: cv2.resize(
            np.asarray(layers[name], np.float32), (columns, rows), interpolation=cv2.INTER_NEAREST
        )
        for name in ("alpha", "height_px", "normal", "part")
    }
    on = half["alpha"] > 0.5
    tall = max(float(half["height_px"][on].max()), 1.0)
    cosine = (maps["normal"].transpose(1, 2, 0) * half["normal"]).sum(-1)
    cosine /= np.maximum(np.linalg.norm(half["normal"], axis=-1), 1e-6)
    said, true = maps["part"].argmax(0), np.rint(half["part"]).astype(int) - 1
    known = on & (true >= 0)
    part = np.array(
        [
            [((said == k) & (true == k) & known).sum(), (((said == k) | (true == k)) & known).sum()]
            for k in range(len(PARTS))
        ]
    )
    return Heads(
        float(np.abs(maps["height"][0] - half["height_px"])[on].mean() / tall),
        float(np.degrees(np.arccos(np.clip(cosine[on], -1, 1))).mean()),
        part,
        TYPES[int(types.argmax())],
        record["type"],
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.heads", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=Path, help="a folder of photos to name the type of")
    parser.add_argument("--most", type=int, default=200, help="samples")
    asked = parser.parse_args()
    there = sorted(int(path.name.split(".")[0]) for path in asked.folder.glob("*.layers.exr"))
    chosen = [seed for seed in there if seed % 8 == 7][: asked.most]
    if not chosen:
        sys.exit(f"{asked.folder} holds no test samples with layers: make dataset")
    session = open_network(network("piece"))
    all_ = [measured(session, asked.folder, seed) for seed in chosen]
    overlap, union = np.sum([one.part for one in all_], axis=0).T
    shares = overlap / np.maximum(union, 1)
    print(f"{len(all_)} samples of kinds that training never saw")
    print(f"height    {np.mean([h.height for h in all_]):.1%} of the piece's height, mean (asked <= 10 %)")
    print(f"normals   {np.mean([h.normal for h in all_]):.1f} degrees, mean (asked <= 12)")
    each = ", ".join(f"{name} {share:.2f}" for name, share in zip(PARTS, shares, strict=True))
    print(f"materials mIoU {shares.mean():.2f} (asked >= 0.8): {each}")
    print(f"type      {np.mean([h.said == h.true for h in all_]):.0%} right (asked >= 95 %)")
    if asked.photos:
        for path in sorted(
            p for p in asked.photos.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png"}
        ):
            srgb = decode(path).srgb
            scale = min(1.0, LOOK_PX / max(srgb.shape[:2]))
            small = cv2.resize(srgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            _, types = answer(session, np.ascontiguousarray(small))
            best = np.argsort(types)[::-1][:2]
            print(f"  {path.name:<36} {', '.join(f'{TYPES[k]} {types[k]:.0%}' for k in best)}")


if __name__ == "__main__":
    main()
