"""Every knob of the key light moves what it names, and only ever one way: `python -m tests.benchmarks.knobs`. Never fails on a figure.

Each knob is swept over its range on two pieces, a ring on a table and a pair of earrings from above; its own measure is read off the
composed picture, and Spearman's correlation with the knob is printed (asked: 0.95 or more in size). Pose and gobo are no scales: for
them stands how much of the picture changes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from pipeline.color import luminance
from pipeline.photo.decode import decode
from pipeline.recipe import Recipe
from pipeline.render import Stopwatch, Take, cut, take
from pipeline.rig import Aim
from pipeline.values import F32, Cutout
from presets.library import recipe

SAMPLES = Path(__file__).parents[2] / "presets" / "samples"
PIECES = (
    ("ring_solitaire.jpg", "ring", "minimal-dove-studio"),
    ("earrings_drop.jpg", "earrings", "gradient-pearl-studio"),
)
STEPS = 9
SIDE_DEG = -60.0  # from this side the whole shadow stays in the frame while the light sinks


def lost(taken: Take) -> F32:
    """Share of the light that the piece takes from the ground beside it, (H, W)."""
    left = (luminance(taken.composite.shaded) + 1e-4) / (luminance(taken.composite.bare) + 1e-4)
    return np.where(taken.piece.alpha < 0.02, np.clip(1 - left, 0, 1), 0).astype(np.float32)


def drift(taken: Take) -> tuple[float, float]:
    """Where the middle of the shadow lies on the ground from the middle of the piece, units, to the right and away."""
    shade, ground, box = lost(taken), taken.scene.ground, taken.piece.box
    shade = np.where(shade > 0.1, shade, 0)
    y, x = np.mgrid[0 : shade.shape[0], 0 : shade.shape[1]].astype(np.float32)
    total = max(float(shade.sum()), 1e-6)
    X = float((x * shade).sum()) / total - (box.x0 + box.x1) / 2
    Y = (box.y1 if taken.piece.pose == "upright" else (box.y0 + box.y1) / 2) - float(
        (y * shade).sum()
    ) / total
    return X / ground.unit_px, Y / ground.unit_px / math.sin(math.radians(ground.elevation_deg))


def azimuth(taken: Take) -> float:
    """Side to which the shadow falls, degrees: against the light."""
    X, Y = drift(taken)
    return math.degrees(math.atan2(-X, -Y))


def length(taken: Take) -> float:
    """How far the shadow reaches away from the light, units: all but the last twentieth of it."""
    shade, ground = lost(taken), taken.scene.ground
    y, x = np.nonzero(shade > 0.35)
    X, Y = (x - ground.origin[0]) / ground.unit_px, (ground.origin[1] - y) / ground.unit_px
    side = math.radians(SIDE_DEG)
    away = -(X * math.sin(side) + Y / math.sin(math.radians(ground.elevation_deg)) * math.cos(side))
    return float(np.percentile(away, 95))


def softness(taken: Take) -> float:
    """Width of the shadow's edges, px: its area over its steepness."""
    shade = lost(taken)
    slope = (
        np.hypot(cv2.Sobel(shade, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(shade, cv2.CV_32F, 0, 1, ksize=3)) / 8
    )
    edge = (taken.piece.alpha < 0.001) & (slope > 0.002)
    return 1 / max(float(np.percentile(slope[edge], 97)), 1e-6)


def brightness(taken: Take) -> float:
    """Mean luminance of the bare set."""
    return float(luminance(taken.composite.bare).mean())


def depth(taken: Take) -> float:
    """How dark the shadow's core is."""
    return float(np.percentile(lost(taken)[taken.piece.alpha < 0.02], 99.5))


KNOBS: dict[str, tuple[tuple[float, float], Callable[[Take], float]]] = {
    "azimuth_deg": ((-80, 80), azimuth),
    "elevation_deg": ((35, 85), length),
    "size_deg": ((1, 25), softness),
    "intensity_ev": ((-1.5, 1.5), brightness),
    "spread": ((0.1, 0.9), depth),
}


def swept(cutout: Cutout, wanted: Recipe, knob: str) -> tuple[list[float], list[float]]:
    """Settings of a knob and what its measure says of each."""
    (low, high), measure = KNOBS[knob]
    values = np.linspace(low, high, STEPS).tolist()
    still = Aim(azimuth_deg=SIDE_DEG) if knob == "elevation_deg" else Aim()
    aims = [still.joined(Aim.model_validate({knob: value})) for value in values]
    return values, [measure(taken(cutout, wanted, aim)) for aim in aims]


def taken(cutout: Cutout, wanted: Recipe, aim: Aim) -> Take:
    """The picture under a changed key."""
    lone = wanted.rig.model_copy(
        update={"lights": (wanted.rig.key,)}
    )  # one shadow, so that there is one to measure
    return take(cutout, wanted.model_copy(update={"rig": lone.aimed(aim)}), Stopwatch())


def changed(one: Take, other: Take) -> float:
    """Share of the pixels whose light differs by a twentieth of a stop or more."""
    pair = [np.log2(luminance(each.composite.frame) + 1e-3) for each in (one, other)]
    return float((np.abs(pair[0] - pair[1]) > 0.05).mean())


def main() -> None:
    """Measure and print."""
    table = Table("piece", "knob", "from", "to", "its measure", "Spearman", title="Knobs of the key light")
    for file, kind, template in PIECES:
        wanted = recipe(template, kind, size_px=(720, 720), fill=0.3)  # room for long shadows
        cutout = cut(decode(SAMPLES / file), wanted)
        for knob, ((low, high), measure) in KNOBS.items():
            values, read = swept(cutout, wanted, knob)
            rank: Any = spearmanr(values, read)
            shown = f"{read[0]:.3g} .. {read[-1]:.3g}"
            table.add_row(
                file, knob, f"{low:g}", f"{high:g}", f"{measure.__name__} {shown}", f"{rank.statistic:+.3f}"
            )
        gobos = {name: taken(cutout, wanted, Aim(gobo=name)) for name in ("none", "window", "palm")}
        for one, other in itertools.combinations(gobos, 2):
            table.add_row(
                file, "gobo", one, other, f"{changed(gobos[one], gobos[other]):.0%} of the picture", ""
            )
        lain = taken(
            cutout,
            wanted.model_copy(update={"pose": "flat" if kind == "ring" else "upright", "view": "table"}),
            Aim(),
        )
        stood = taken(
            cutout,
            wanted.model_copy(update={"pose": "upright" if kind == "ring" else "flat", "view": "table"}),
            Aim(),
        )
        table.add_row(file, "pose", "upright", "flat", f"{changed(lain, stood):.0%} of the picture", "")
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
