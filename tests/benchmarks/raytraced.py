"""Path-traced pictures beside ordinary ones: `python -m tests.benchmarks.raytraced FOLDER`. Prints figures, never fails on one.

For each photo: seconds of the ordinary picture and of the path-traced one; then how well Vitrine's own shadow agrees with
Blender's. Both are seen as the share of light that is left on the ground, where nothing of the piece is and one of them is shaded:
RMSE, and ZNCC (1 is the same shape, 0 none of it). `--out` keeps both pictures side by side.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from pipeline.color import luminance
from pipeline.develop import develop
from pipeline.photo.decode import decode
from pipeline.recipe import Recipe
from pipeline.render import Stopwatch, Take, cut, take
from pipeline.values import F32, Photo
from presets.bake.tracer import BlenderTracer, beside_the_program, has_blender
from presets.library import recipe
from presets.styles import choose, find_style
from rules.wording import type_in_name
from tests.benchmarks.evaluate import SUFFIXES, kinds_of

SHADED = 0.97  # share of light below which the ground counts as shaded


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.raytraced", description=__doc__)
    cli.add_argument("photos", type=Path, help="folder with photos")
    cli.add_argument("--only", nargs="*", default=[], help="parts of file names")
    cli.add_argument("--style", nargs="*", default=["velvet-navy-moody"], help="styles, taken in turns")
    cli.add_argument("--size", type=int, default=1080)
    cli.add_argument("--draft", action="store_true")
    cli.add_argument("--blender", type=Path, default=beside_the_program())
    cli.add_argument("--out", type=Path, default=None, help="folder for the pictures")
    args = cli.parse_args()
    if not has_blender(args.blender):
        cli.error(f"there is no Blender in {args.blender}; `make blender` installs it")
    threads = len(os.sched_getaffinity(0))
    cv2.setNumThreads(threads)
    tracer = BlenderTracer(args.blender, 3600.0, threads)
    kinds = kinds_of(args.photos / "manifest.csv")
    found = sorted(path for path in args.photos.iterdir() if path.suffix.lower() in SUFFIXES)
    chosen = [path for path in found if not args.only or any(part in path.name for part in args.only)]
    table = Table("photo", "style", "ordinary s", "path-traced s", "RMSE", "ZNCC", title=f"{args.size} px")
    for number, path in enumerate(chosen):
        style = args.style[number % len(args.style)]
        kind = kinds.get(path.name) or type_in_name(path.name) or "auto"
        choice = choose(find_style(style), kind)
        wanted = recipe(
            choice.template, kind, lighting=choice.lighting, size_px=(args.size, args.size), draft=args.draft
        )
        table.add_row(path.name, style, *compared(decode(path), wanted, tracer, args.out, path.stem))
    Console(width=120).print(table)


def compared(photo: Photo, wanted: Recipe, tracer: BlenderTracer, out: Path | None, stem: str) -> list[str]:
    """The row of one photo."""
    clock, slow = Stopwatch(), Stopwatch()
    with clock.step("cut-out"):
        cutout = cut(photo, wanted)
    slow.seconds |= clock.seconds
    own = take(cutout, wanted, clock)
    traced = take(cutout, wanted.model_copy(update={"renderer": "blender"}), slow, tracer)
    if traced.notes:
        return ["", traced.notes[0].text, "", ""]
    if out:
        out.mkdir(parents=True, exist_ok=True)
        pair = [develop(one.composite.frame, one.piece, wanted) for one in (own, traced)]
        Image.fromarray(np.concatenate(pair, 1)).save(out / f"{stem}-{wanted.template}.png")
    rmse, zncc = agreement(own, traced)
    seconds = [sum(one.seconds.values()) for one in (clock, slow)]
    return [f"{seconds[0]:.1f}", f"{seconds[1]:.0f}", f"{rmse:.3f}", f"{zncc:.3f}"]


def agreement(own: Take, traced: Take) -> tuple[float, float]:
    """RMSE and ZNCC of the shares of light left, on shaded ground."""
    ours, theirs = (left(one) for one in (own, traced))
    ground = (own.piece.alpha < 0.02) & ((ours < SHADED) | (theirs < SHADED))
    a, b = ours[ground], theirs[ground]
    if a.size < 2 or not (a.std() and b.std()):
        return float("nan"), float("nan")
    return float(np.sqrt(np.mean((a - b) ** 2))), float(np.corrcoef(a, b)[0, 1])


def left(one: Take) -> F32:
    """Share of the open ground's light that the shadow leaves, (H, W) 0..1."""
    shade = (luminance(one.composite.shaded) + 1e-3) / (luminance(one.composite.bare) + 1e-3)
    return np.clip(shade, 0, 1)


if __name__ == "__main__":
    main()
