"""Does the judge see broken light? Planted faults, caught or not: `python -m tests.benchmarks.light_judge [FOLDER]`.

Pieces of exact matte are rendered under four rigs on many sets; each render is judged as it is and with each fault planted.
FOLDER is a dataset of `make dataset`: thresholds are set by the first pieces of it, figures are printed for the others, which
nobody looked at (`--tune` prints the first half's instead, and where each figure lies). Without FOLDER the project's own samples
serve: too few to prove anything, enough to see it work. Prints figures, never fails on one.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.develop import develop
from pipeline.judge.judge import judge
from pipeline.values import U8
from presets.library import recipe
from tests.benchmarks.exact import exact_pieces
from tests.benchmarks.faults import FAULTS, OF_THE_PIECE, Taken, take_exact, visible

RIGS = ("moody", "soft-glow", "spotlight", "studio")
SETS = (
    "velvet-navy-moody", "marble-white-studio", "paper-white-studio", "gradient-champagne-soft-glow",
    "festive-gold-soft-glow", "velvet-ivory-soft-glow", "marble-black-studio",
)  # fmt: skip
SEEN = 120  # pieces of the dataset's order that thresholds may be set by
ASKED_CAUGHT, ASKED_FALSE = 0.95, 0.05


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.light_judge", description=__doc__)
    cli.add_argument("folder", type=Path, nargs="?", help="dataset of `make dataset`")
    cli.add_argument("--pieces", type=int, default=44)
    cli.add_argument("--size", type=int, default=720, help="pixels of the square pictures")
    cli.add_argument("--tune", action="store_true", help="the half that thresholds are set by")
    cli.add_argument("--only", nargs="*", default=[], help="faults")
    cli.add_argument("--keep", type=Path, default=None, help="JSON lines of all figures")
    asked = cli.parse_args()
    cv2.setNumThreads(1)
    skip = 0 if asked.tune or asked.folder is None else SEEN
    begun = time.perf_counter()
    rows = list(judged(asked.folder, skip, asked.pieces, asked.size, asked.only))
    if not rows:
        sys.exit(f"{asked.folder} holds no pieces to judge: make dataset")
    if asked.keep:
        asked.keep.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pieces = len({row["piece"] for row in rows})
    half = "the project's samples" if asked.folder is None else "pieces set by" if asked.tune else "pieces never looked at"
    title = f"{pieces} {half}, {sum(not row['fault'] for row in rows)} renders at {asked.size} px, {time.perf_counter() - begun:.0f} s"
    console = Console(width=None if sys.stdout.isatty() else 130)
    console.print(report(rows, title))
    console.print(f"the light's checks took {np.median([row['ms'] for row in rows]):.0f} ms a render (median)")


def judged(folder: Path | None, skip: int, most: int, size: int, only: list[str]) -> Iterator[dict]:
    """One row a render: piece, kind, rig, set, fault ("" for none), strength, seen, codes, figures, ms."""
    pieces = exact_pieces(folder, skip + most)
    for number, exact in enumerate(pieces):
        if number < skip:
            continue
        for turn, rig in enumerate(RIGS):
            template = SETS[(3 * number + 2 * turn) % len(SETS)]
            wanted = recipe(template, exact.kind, lighting=rig, size_px=(size, size), pose=exact.pose)
            clean = take_exact(exact, wanted)
            about = {"piece": exact.name, "kind": exact.kind, "pose": clean.piece.pose, "rig": rig, "set": template}
            srgb = develop(clean.composite.frame, clean.piece, wanted)
            yield about | {"fault": "", "strength": 0, "seen": True} | verdict(clean, srgb)
            for name, (plant, strengths) in FAULTS.items():
                if only and name not in only:
                    continue
                strength = strengths[(number + turn) % len(strengths)]
                broken = plant(clean, strength)
                if broken is None:
                    continue
                shown = develop(broken.composite.frame, broken.piece, wanted) if name in OF_THE_PIECE else srgb
                seen = bool(visible(clean, broken))
                yield about | {"fault": name, "strength": strength, "seen": seen} | verdict(broken, shown)


def verdict(taken: Taken, srgb: U8) -> dict:
    """Codes and figures of the judge."""
    begun = time.perf_counter()
    found = judge(taken.cutout, taken.piece, taken.composite, taken.scene, recipe=taken.recipe, srgb=srgb)
    ms = (time.perf_counter() - begun) * 1000
    return {"codes": [note.code for note in found.reasons], "figures": dict(found.figures), "ms": ms}


def report(rows: list[dict], title: str) -> Table:
    """A line a fault; the last line: renders without one."""
    table = Table("fault", "planted", "to be seen", "caught", "", "found as", title=title, title_justify="left")
    for name in FAULTS:
        planted = [row for row in rows if row["fault"] == name]
        seen = [row for row in planted if row["seen"]]
        if not planted:
            continue
        caught = [row for row in seen if row["codes"]]
        share = len(caught) / len(seen) if seen else math.nan
        table.add_row(name, str(len(planted)), str(len(seen)), f"{share:.1%}", _mark(share >= ASKED_CAUGHT), _codes(caught))
    seen = [row for row in rows if row["fault"] and row["seen"]]
    if seen:
        share = sum(bool(row["codes"]) for row in seen) / len(seen)
        table.add_row("all faults", "", str(len(seen)), f"{share:.1%}", _mark(share >= ASKED_CAUGHT), "")
    clean = [row for row in rows if not row["fault"]]
    alarms = [row for row in clean if row["codes"]]
    share = len(alarms) / len(clean)
    table.add_row("no fault", str(len(clean)), "", f"{share:.1%} false", _mark(share <= ASKED_FALSE), _codes(alarms))
    return table


def _mark(good: bool) -> str:
    return "" if good else "short"


def _codes(rows: list[dict]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        for code in row["codes"]:
            counts[code] = counts.get(code, 0) + 1
    return ", ".join(f"{code} {count}" for code, count in sorted(counts.items(), key=lambda item: -item[1])[:4])


if __name__ == "__main__":
    main()
