"""How different the templates look: `python -m tests.benchmarks.templates`. Prints distances and the closest pairs.

Every template is rendered small with one ring (seen across a table) and one pair of earrings (seen from above). The distance
of two pictures has two parts, each divided by its median over all pairs of templates:
- colour: sliced earth mover's distance (Rabin et al. 2012) in OKLab with a and b doubled (as in deltaEOK2, CSS Color 4), of
  the whole picture and of its nine parts;
- form: a histogram of oriented gradients of lightness (Dalal & Triggs 2005) in 6 x 6 cells, not normalised, so that a faint
  fold counts little.
The distance of two templates is the smaller of their two pictures' distances, so that it is not enough to differ in one view.

The threshold comes from the templates themselves: each is rendered with a second seed (other folds, veins and lights), and
three quarters of those pairs are nearer than the threshold: two templates that differ by less differ no more than one does
from itself. Templates are compared with the same seed, so their folds and panes lie alike; in a feed they differ more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from pipeline.color import linear_from_srgb_u8, oklab_from_linear
from pipeline.photo.decode import decode
from pipeline.recipe import JewelryType
from pipeline.render import cut, render_cutout
from pipeline.values import F32, U8, Cutout
from presets.library import HOME, library, recipe
from tests.benchmarks.kept import mark

PIECES: tuple[tuple[JewelryType, str], ...] = (("ring", "ring_solitaire"), ("earrings", "earrings_drop"))
SIZE_PX, SMALL_PX = 432, 108
SEEDS = (0, 1)
CELLS, TURNS, QUANTILES = 6, 9, 64
SHARE = 75  # percentile of the distances between seeds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.templates", description=__doc__)
    parser.add_argument("names", nargs="*", help="templates; all when none is given")
    parser.add_argument("--closest", type=int, default=20, help="pairs to name")
    parser.add_argument(
        "--out", type=Path, default=Path("out/templates"), help="where what was measured is kept"
    )
    asked = parser.parse_args()
    names = asked.names or list(library().templates)
    marks = measured(names, asked.out)
    pairs, seeds, unit = distances(marks)
    threshold = float(np.percentile(seeds, SHARE))
    upper = np.triu_indices(len(names), 1)
    told = pairs[upper]
    order = np.argsort(told)
    close = int((told < threshold).sum())
    print(f"templates                     {len(names)}")
    print(f"units: colour {unit[0]:.4f} OKLab, form {unit[1]:.4f}")
    print(
        f"two seeds of one template     median {np.median(seeds):.3f}, {SHARE} % below {threshold:.3f} = threshold"
    )
    print(f"two templates, mean           {told.mean():.3f}")
    print(f"two templates, least          {told.min():.3f}  ({told.min() / threshold:.2f} of the threshold)")
    print(f"pairs below the threshold     {close} of {told.size}   {'ok' if close == 0 else 'TOO CLOSE'}")
    for at in order[: asked.closest]:
        print(f"  {told[at]:.3f}  {names[upper[0][at]]}  ~  {names[upper[1][at]]}")
    sys.exit(close > 0)


def measured(names: Sequence[str], out: Path) -> F32:
    """Descriptors (templates, seeds, pieces, length) of all pictures; those that are kept in `out` are not made again."""
    out.mkdir(parents=True, exist_ok=True)
    pieces = [(kind, _cutout(stem)) for kind, stem in PIECES]
    console = Console(stderr=True)
    rows = [
        [[_mark(name, piece, seed, out) for piece in pieces] for seed in SEEDS]
        for name in track(names, "Templates", console=console, disable=not sys.stderr.isatty())
    ]
    return np.asarray(rows, np.float32)


def _mark(name: str, piece: tuple[JewelryType, Cutout], seed: int, out: Path) -> F32:
    kind, cutout = piece
    asked = recipe(name, kind, size_px=(SIZE_PX, SIZE_PX), seed=seed, draft=True)
    kept = out / f"{mark(asked)}.npy"
    if not kept.exists():
        np.save(kept, descriptor(render_cutout(cutout, asked).srgb))
    return np.asarray(np.load(kept), np.float32)


def _cutout(stem: str) -> Cutout:
    asked = recipe("velvet-navy-moody", draft=True)
    return cut(decode(HOME / "samples" / f"{stem}.jpg"), asked)


def descriptor(srgb: U8) -> F32:
    """Colour part, then form part, of a picture (H, W, 3), as one vector; distances in it are sums of differences."""
    small = cv2.resize(srgb, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA)
    lab = oklab_from_linear(linear_from_srgb_u8(small)) * np.array([1, 2, 2], np.float32)
    third = SMALL_PX // 3
    parts = [
        lab,
        *(
            lab[y : y + third, x : x + third]
            for y in range(0, SMALL_PX, third)
            for x in range(0, SMALL_PX, third)
        ),
    ]
    color = [0.5 * sliced(parts[0]), *(0.5 / 9 * sliced(part) for part in parts[1:])]
    return np.concatenate([*color, oriented(lab[..., 0])])


COLOR_LENGTH = 10 * 12 * QUANTILES


def sliced(lab: F32) -> F32:
    """Quantiles of the pixels along 12 directions: the mean difference of two such is the sliced earth mover's distance."""
    turn = np.random.Generator(np.random.PCG64(5)).normal(size=(12, 3))
    turn /= np.linalg.norm(turn, axis=1, keepdims=True)
    along = np.sort(lab.reshape(-1, 3) @ turn.T.astype(np.float32), axis=0)
    at = np.linspace(0, len(along) - 1, QUANTILES).round().astype(int)
    return (along[at] / (12 * QUANTILES)).T.ravel().astype(np.float32)


def oriented(lightness: F32) -> F32:
    """Strength of edges by cell and direction."""
    gy, gx = np.gradient(cv2.GaussianBlur(lightness, (0, 0), 0.8))
    strength, turn = np.hypot(gx, gy), np.arctan2(gy, gx) % np.pi
    bins = np.minimum((turn / np.pi * TURNS).astype(int), TURNS - 1)
    cell = SMALL_PX // CELLS
    y, x = np.indices(lightness.shape) // cell
    index = (y * CELLS + x) * TURNS + bins
    total = np.bincount(index.ravel(), strength.ravel(), CELLS * CELLS * TURNS)
    return np.asarray(total / (lightness.size / (CELLS * CELLS)) / (CELLS * CELLS), np.float32)


def distances(marks: F32) -> tuple[F32, F32, tuple[float, float]]:
    """Between templates (n, n), between the seeds of each (n,), and the units of colour and form."""
    n = len(marks)
    color, form = np.zeros((n, n, marks.shape[2])), np.zeros((n, n, marks.shape[2]))
    for i in range(n):
        away = np.abs(marks[:, 0] - marks[i, 0])
        color[i], form[i] = away[..., :COLOR_LENGTH].sum(-1), away[..., COLOR_LENGTH:].sum(-1)
    upper = np.triu_indices(n, 1)
    unit = float(np.median(color[upper])), float(np.median(form[upper]))
    own = np.abs(marks[:, 0] - marks[:, 1])
    seeds = own[..., :COLOR_LENGTH].sum(-1) / unit[0] + own[..., COLOR_LENGTH:].sum(-1) / unit[1]
    return (color / unit[0] + form / unit[1]).min(-1) / 2, seeds.min(-1) / 2, unit


if __name__ == "__main__":
    main()
