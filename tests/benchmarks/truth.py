"""The cut-out against rendered photos whose alpha is exact: `python -m tests.benchmarks.truth FOLDER`.

FOLDER is a dataset of `make dataset`; only its test split is looked at (families, metals, stones, grounds and lights
that training never saw), so no figure here was trained on. The whole cut-out is measured, not the network alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipeline.cutout.classical import ClassicalSegmenter
from pipeline.cutout.cut import cut_out
from pipeline.cutout.network import NetworkSegmenter
from pipeline.cutout.segmenter import Segmenter
from pipeline.errors import Unfit
from pipeline.judge.judge import LEAST_CONFIDENCE
from pipeline.photo.decode import decode
from tests.benchmarks.matte import compare

SILVERS = {"platinum", "silver_hammered", "white_gold", "silver", "steel", "silver_satin"}
WHITES = {"clipped_paper", "silver_paper", "ivory_paper", "white_paper", "cream_paper"}
FAILED = 0.9
TOLERANCE_PX = 2
ENGINES: dict[str, Callable[[], Segmenter]] = {"network": NetworkSegmenter, "classical": ClassicalSegmenter}


@dataclass(frozen=True, slots=True)
class Score:
    """One photo. sad: sum of alpha's error over 1000, at the photo's 640 px; thin: recall, within a pixel, of what is

    at most 2 px wide (nan without any); edge_f: F of the outline within 2 px.
    """

    seed: int
    record: dict
    iou: float
    holes: float
    thin: float
    sad: float
    edge_f: float
    confidence: float
    seconds: float


def score(folder: Path, seed: int, segmenter: Segmenter) -> Score:
    """Cut one sample out as a render does."""
    record = json.loads((folder / f"{seed:06d}.json").read_text())
    with Image.open(folder / f"{seed:06d}.alpha.png") as image:
        truth = np.asarray(image, np.float32) / 255
    photo = decode(folder / f"{seed:06d}.jpg")
    found, confidence = np.zeros_like(truth), 0.0
    begun = time.perf_counter()
    try:
        cutout = cut_out(photo, segmenter)
    except Unfit:
        pass  # nothing found: judged as an empty cut-out, and certain to be looked at
    else:
        size = (cutout.box.width, cutout.box.height)
        found[cutout.box.slices] = cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_AREA)
        confidence = cutout.confidence
    seconds = time.perf_counter() - begun
    against = compare(found, truth, confidence)
    return Score(
        seed,
        record,
        against.iou,
        against.holes_found,
        _thin(found, truth),
        float(np.abs(found - truth).sum() / 1000),
        _edge_f(found > 0.5, truth > 0.5),
        confidence,
        seconds,
    )


def _thin(found, truth) -> float:
    solid = (truth > 0.4).astype(np.uint8)
    thin = (solid > 0) & (cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) == 0)
    if thin.sum() < 20:
        return float("nan")
    near = cv2.dilate((found > 0.4).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float(near[thin].mean())


def _edge_f(mine, true) -> float:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * TOLERANCE_PX + 1,) * 2)

    def outline(mask):
        return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, cross)

    ours, theirs = outline(mine), outline(true)
    if not ours.any() or not theirs.any():
        return 0.0
    precise = float((cv2.dilate(theirs, reach) > 0)[ours > 0].mean())
    recalled = float((cv2.dilate(ours, reach) > 0)[theirs > 0].mean())
    return 2 * precise * recalled / max(precise + recalled, 1e-9)


def groups(scores: list[Score]) -> Iterator[tuple[str, list[Score]]]:
    """The slices that are asked for by name."""
    yield "all", scores
    yield (
        "silver on white",
        [s for s in scores if s.record["metal"] in SILVERS and s.record["ground"] in WHITES],
    )
    clear = {"diamond", "topaz_white", "opal"}
    yield "clear main stone", [s for s in scores if s.record["stone"] in clear]
    yield "plain paper", [s for s in scores if "paper" in s.record["ground"]]
    yield "other grounds", [s for s in scores if "paper" not in s.record["ground"]]


def line(name: str, scores: list[Score]) -> str:
    """The means of a group."""
    if not scores:
        return f"{name:<18} none"
    thin = [s.thin for s in scores if not np.isnan(s.thin)]
    return (
        f"{name:<18} {len(scores):4d}  IoU {np.mean([s.iou for s in scores]):.3f}"
        f" (median {np.median([s.iou for s in scores]):.3f})  holes {np.mean([s.holes for s in scores]):.3f}"
        f"  thin {np.mean(thin) if thin else float('nan'):.3f} of {len(thin)}"
        f"  SAD {np.mean([s.sad for s in scores]):.2f}k (median {np.median([s.sad for s in scores]):.2f})"
        f"  edge F {np.mean([s.edge_f for s in scores]):.3f}"
    )


def flagged(scores: list[Score], threshold: float) -> str:
    """How well a confidence under `threshold` tells failures."""
    failed = [s for s in scores if s.iou < FAILED]
    good = [s for s in scores if s.iou >= FAILED]
    caught = np.mean([s.confidence < threshold for s in failed]) if failed else float("nan")
    alarms = np.mean([s.confidence < threshold for s in good]) if good else float("nan")
    return f"{len(failed)} failures (IoU < {FAILED}): {caught:.0%} flagged, false alarms {alarms:.0%} of {len(good)}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.truth", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", choices=ENGINES, default="network")
    parser.add_argument("--most", type=int, default=200, help="photos")
    parser.add_argument("--split", choices=("test", "held-out"), default="test")
    parser.add_argument(
        "--threshold",
        type=float,
        default=LEAST_CONFIDENCE,
        help="of the confidence under which a person looks",
    )
    parser.add_argument("--worst", type=int, default=10, help="photos to name")
    asked = parser.parse_args()
    there = sorted(int(path.stem) for path in asked.folder.glob("*.json") if path.stem.isdigit())
    chosen = [seed for seed in there if (seed % 8 == 7 if asked.split == "test" else seed % 32 == 3)][
        : asked.most
    ]
    if not chosen:
        sys.exit(f"{asked.folder} holds no test samples: make dataset")
    segmenter = ENGINES[asked.engine]()
    scores = [score(asked.folder, seed, segmenter) for seed in chosen]
    print(f"{asked.engine}, {asked.split} split, {np.median([s.seconds for s in scores]):.2f} s a photo")
    for name, group in groups(scores):
        print(line(name, group))
    print(flagged(scores, asked.threshold))
    for one in sorted(scores, key=lambda s: s.iou)[: asked.worst]:
        about = " ".join(str(one.record[key]) for key in ("family", "metal", "ground", "light", "lie"))
        print(
            f"  {one.seed:06d} IoU {one.iou:.3f} holes {one.holes:.2f} confidence {one.confidence:.2f}  {about}"
        )


if __name__ == "__main__":
    main()
