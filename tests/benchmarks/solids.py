"""The shape network on meshes of families it never saw: `python -m tests.benchmarks.solids FOLDER`. Prints figures, never fails on one.

FOLDER: from `make solids`. By pose, means over looks: height of the seen surface and of the underside, error in percent of the tallest point
(at least 5 % of the long side); normals, degrees. `--split train`: only those that training kept apart.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pipeline.onnx import open_network
from weights.outline import SIDE_PX, outline_features
from weights.store import network
from weights.train.solid.dataset import default_folder
from weights.train.solid.looks import Look, looks, samples

LEAST_TALL = 0.05
HELD_OUT = (3, 32)  # as `weights.train.fit`, which needs torch


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.solids", description=__doc__)
    cli.add_argument("folder", type=Path, nargs="?", default=default_folder())
    cli.add_argument("--split", choices=("train", "test"), default="test")
    cli.add_argument("--network", type=Path, default=None, help="instead of the one that ships")
    args = cli.parse_args()
    paths = samples(args.folder, args.split)
    if args.split == "train":
        paths = [path for path in paths if int(path.stem) % HELD_OUT[1] == HELD_OUT[0]]
    if not paths:
        cli.error(f"{args.folder} holds no such piece; `make solids` makes them")
    session = open_network(args.network or network("solid"))
    rows: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for path in track(paths, console=Console(stderr=True)):
        for look in looks(path):
            found = errors(look, session)
            for group in ("all", f"{look['pose']}, {'above' if look['above'] else 'table'}", look["kind"]):
                rows[group].append(found)
    table = Table(
        "", "looks", "height %", "underside %", "normals", title=f"{len(paths)} pieces, {args.split}"
    )
    for group, found in sorted(rows.items()):
        high, low, facing = np.mean(found, axis=0)
        table.add_row(group, str(len(found)), f"{high:.1f}", f"{low:.1f}", f"{facing:.1f}")
    Console(width=100).print(table)


def errors(look: Look, session: object) -> tuple[float, float, float]:
    """Of one look: height and underside, percent of the tallest; normals, degrees."""
    alpha = look["alpha"].astype(np.float32) / 255
    seen = outline_features(alpha, above=look["above"], pose=look["pose"], kind=look["kind"])
    said = session.run(["top", "low", "normal"], {"features": seen[None]})  # type: ignore[attr-defined]
    half = (SIDE_PX // 2, SIDE_PX // 2)
    share = cv2.resize(alpha, half, interpolation=cv2.INTER_AREA)
    on = share > 0.3
    true = {
        name: cv2.resize(_weighed(look[name].astype(np.float32), alpha), half, interpolation=cv2.INTER_AREA)
        for name in ("top", "low", "normal")
    }
    top, low = (true[name][on] / share[on] for name in ("top", "low"))
    tallest = max(float(top.max()), LEAST_TALL)
    facing = true["normal"][on]
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-6)
    ours = np.moveaxis(said[2][0], 0, -1)[on]
    angle = np.degrees(np.arccos(np.clip((facing * ours).sum(1), -1, 1)))
    return (
        100 * float(np.abs(said[0][0, 0][on] - top).mean()) / tallest,
        100 * float(np.abs(said[1][0, 0][on] - low).mean()) / tallest,
        float(angle.mean()),
    )


def _weighed(plane: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return plane * (alpha if plane.ndim == 2 else alpha[..., None])


if __name__ == "__main__":
    main()
