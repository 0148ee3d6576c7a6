"""Does the judge see broken light? Planted faults, caught or not: `python -m tests.benchmarks.light_judge [FOLDER]`.

Pieces of exact matte are rendered under four rigs on many sets; each render is judged as it is and with each fault planted.
FOLDER is a dataset of `make dataset`: thresholds are set by the first pieces of it (`--tune`), figures are printed for others, which
nobody looked at. Without FOLDER the project's own samples serve: too few to prove anything, enough to see it work.
`--keep FILE` keeps all figures, and `--kept FILE` prints them by today's thresholds without rendering anything. Never fails on a figure.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.develop import develop
from pipeline.judge.judge import judge
from pipeline.judge.light import FAULTS as FINDINGS
from pipeline.judge.light import light_doubts, light_figures
from presets.library import recipe
from tests.benchmarks.exact import Exact, exact_pieces
from tests.benchmarks.faults import ASKED, FAULTS, OF_THE_MATTE, OF_THE_PIECE, Taken, take_exact, visible

RIGS = ("moody", "soft-glow", "spotlight", "studio")
SETS = (
    "velvet-navy-moody", "marble-white-studio", "paper-white-studio", "gradient-champagne-soft-glow",
    "festive-gold-soft-glow", "velvet-ivory-soft-glow", "marble-black-studio",
)  # fmt: skip
SEEN = 160  # pieces of the dataset's order that thresholds may be set by
ASKED_CAUGHT, ASKED_FALSE = 0.95, 0.05


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.light_judge", description=__doc__)
    cli.add_argument("folder", type=Path, nargs="?", help="dataset of `make dataset`")
    cli.add_argument("--pieces", type=int, default=44)
    cli.add_argument("--size", type=int, default=720, help="pixels of the square pictures")
    cli.add_argument("--tune", action="store_true", help="the pieces that thresholds are set by")
    cli.add_argument("--only", nargs="*", default=[], help="faults")
    cli.add_argument("--keep", type=Path, help="file for all figures, a line a render")
    cli.add_argument("--kept", type=Path, help="such a file, to be printed by today's thresholds")
    cli.add_argument("--figures", action="store_true", help="where each figure lies, too")
    asked = cli.parse_args()
    cv2.setNumThreads(1)
    begun = time.perf_counter()
    rows = again(asked.kept) if asked.kept else list(kept(judged_all(asked), asked.keep))
    if not rows:
        sys.exit(f"{asked.folder} holds no pieces to judge: make dataset")
    whose = (
        "the project's samples" if asked.folder is None else "to tune by" if asked.tune else "never looked at"
    )
    pieces, renders = len({row["piece"] for row in rows}), sum(not row["fault"] for row in rows)
    title = f"{pieces} pieces ({whose}), {renders} renders, {time.perf_counter() - begun:.0f} s"
    console = Console(width=None if sys.stdout.isatty() else 130)
    console.print(report(rows, title))
    if asked.figures:
        console.print(spreads(rows))
    light = [row["light_ms"] for row in rows if "light_ms" in row]
    told = f", its light {np.median(light):.0f} ms" if light else ""
    console.print(f"a verdict took {np.median([row['ms'] for row in rows]):.0f} ms{told} (medians)")


def judged_all(asked: argparse.Namespace) -> Iterator[dict]:
    """Rows of all pieces that are asked for."""
    skip = 0 if asked.tune or asked.folder is None else SEEN
    for number, exact in enumerate(exact_pieces(asked.folder, skip + asked.pieces)):
        if number >= skip:
            yield from judged(exact, number, asked.size, asked.only)


def judged(exact: Exact, number: int, size: int, only: list[str]) -> Iterator[dict]:
    """One row a render: piece, kind, rig, set, fault ("" for none), strength, seen, codes, figures, ms."""
    for turn, rig in enumerate(RIGS):
        template = SETS[(3 * number + 2 * turn) % len(SETS)]
        wanted = recipe(template, exact.kind, lighting=rig, size_px=(size, size), pose=exact.pose)
        clean = take_exact(exact, wanted)
        about = {
            "piece": exact.name,
            "kind": exact.kind,
            "pose": clean.piece.pose,
            "rig": rig,
            "set": template,
        }
        good = verdict(clean)
        yield about | {"fault": "", "strength": 0, "seen": True} | good
        for place, (name, (plant, strengths)) in enumerate(FAULTS.items()):
            if (only and name not in only) or (name in OF_THE_MATTE and (number + turn + place) % 2):
                continue  # what the photo alone decides is the same under every rig
            strength = strengths[(number + turn) % len(strengths)]
            broken = plant(clean, strength)
            if broken is None:
                continue
            found = verdict(broken) if name in OF_THE_PIECE else of_the_ground(broken, good)
            yield about | {"fault": name, "strength": strength, "seen": bool(visible(clean, broken))} | found


def verdict(taken: Taken) -> dict:
    """Codes and figures of the judge."""
    srgb = develop(taken.composite.frame, taken.piece, taken.recipe)
    begun = time.perf_counter()
    found = judge(
        taken.cutout, taken.piece, taken.solid, taken.composite, taken.scene, recipe=taken.recipe, srgb=srgb
    )
    ms = (time.perf_counter() - begun) * 1000
    return {"codes": [note.code for note in found.reasons], "figures": dict(found.figures), "ms": ms}


def of_the_ground(taken: Taken, good: dict) -> dict:
    """The same for a picture whose piece is that of the `good` one: only its light is judged anew."""
    begun = time.perf_counter()
    figures = light_figures(taken.piece, taken.solid, taken.composite, taken.scene, taken.recipe.rig)
    ms = (time.perf_counter() - begun) * 1000
    told = {name: None if math.isnan(value) else value for name, value in figures.items()}
    return rejudged(
        {"codes": good["codes"], "figures": good["figures"] | told, "light_ms": ms, "ms": good["ms"]}
    )


def kept(rows: Iterator[dict], file: Path | None) -> Iterator[dict]:
    """The rows, written down as they come: what was made stays when the run is cut off."""
    if file is None:
        yield from rows
        return
    with file.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row) + "\n")
            stream.flush()
            yield row


def again(file: Path) -> list[dict]:
    """Kept rows, their light judged by today's thresholds."""
    return [rejudged(json.loads(line)) for line in file.read_text().splitlines()]


def rejudged(row: dict) -> dict:
    """The row with codes of light that its figures give today; the other codes stay."""
    of_light = {code for code, _, _ in FINDINGS}
    figures = {name: math.nan if value is None else value for name, value in row["figures"].items()}
    others = [code for code in row["codes"] if code not in of_light]
    return row | {"codes": others + [note.code for note in light_doubts(figures)]}


def report(rows: list[dict], title: str) -> Table:
    """A line a fault; the last line: renders without one."""
    table = Table(
        "fault", "planted", "to be seen", "caught", "", "found as", title=title, title_justify="left"
    )
    for name in FAULTS:
        planted = [row for row in rows if row["fault"] == name]
        seen = [row for row in planted if row["seen"]]
        if planted:
            table.add_row(name, str(len(planted)), str(len(seen)), *_caught(seen))
    must = [row for row in rows if row["fault"] in ASKED and row["seen"]]
    if must:
        table.add_row("faults that must be caught", "", str(len(must)), *_caught(must)[:2], ", ".join(ASKED))
    seen = [row for row in rows if row["fault"] and row["seen"]]
    table.add_row("all faults", "", str(len(seen)), *_caught(seen)[:2], "")
    clean = [row for row in rows if not row["fault"]]
    alarms = [row for row in clean if row["codes"]]
    share = len(alarms) / len(clean)
    short = "" if share <= ASKED_FALSE else "over"
    table.add_row("no fault", str(len(clean)), "", f"{share:.1%} false", short, _codes(alarms))
    return table


def _caught(seen: list[dict]) -> tuple[str, str, str]:
    """Share, whether that is short of what is asked, and as what."""
    if not seen:
        return "", "", ""
    caught = [row for row in seen if row["codes"]]
    share = len(caught) / len(seen)
    return f"{share:.1%}", "" if share >= ASKED_CAUGHT else "short", _codes(caught)


def _codes(rows: list[dict]) -> str:
    counts = Counter(code for row in rows for code in row["codes"])
    return ", ".join(f"{code} {count}" for code, count in counts.most_common(4))


FIGURES = {  # figure -> faults that should move it
    "azimuth_margin": ("light turned",),
    "shadow_strength": ("shadow missing", "shadow doubled"),
    "umbra_excess": ("shadow doubled",),
    "contact_shade": ("floating", "light under the piece", "risen"),
    "hole_shade": ("hole casts shadow",),
    "mirror_strength": ("reflection missing", "reflection on cloth"),
    "lit_ev": ("piece too bright",),
    "lit_tint": ("piece too blue",),
    "matte_lined_share": ("halo of paper",),
    "matte_patch_share": ("hole filled",),
}


def spreads(rows: list[dict]) -> Table:
    """Percentiles of each figure with and without the faults it is for, and how often it was not told."""
    ends = (0, 2, 5, 25, 50, 75, 95, 98, 100)
    table = Table("figure", "fault", "not told", *(f"{end} %" for end in ends))
    for figure, faults in FIGURES.items():
        for name in ("", *faults):
            found = [row["figures"].get(figure) for row in rows if row["fault"] == name and row["seen"]]
            told = [value for value in found if value is not None and not math.isnan(value)]
            shown = [f"{value:.2f}" for value in np.percentile(told, ends)] if told else []
            table.add_row(figure, name or "none", f"{len(found) - len(told)} of {len(found)}", *shown)
    return table


if __name__ == "__main__":
    main()
