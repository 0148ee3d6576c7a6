"""Does the light agree with itself: shadow, mirror image, exposure, the matte's leftovers. Owns the thresholds and the reasons.

No reference picture is needed: what is in the picture is held against rig, matte and photo. Where a check cannot tell
(soft light from above, a piece of paper's colour, a black ground) its figure is nan, and it finds no fault.
Limits were set by what `python -m tests.benchmarks.light_judge` prints: for few false alarms first, then for planted faults. Those of
the matte's leftovers are the weakest: a rim of white paper around silver looks like silver.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from pipeline.composite import Composite
from pipeline.judge.contact import contact_figures
from pipeline.judge.harmony import harmony_figures
from pipeline.judge.mirror import mirror_figures
from pipeline.judge.shadow import shadow_figures
from pipeline.layout import Piece
from pipeline.rig import Rig
from pipeline.shape.solid import Solid
from pipeline.values import Note, Scene

MOST_TURN = 0.1
MOST_STRENGTH = 1.2
MOST_HOLE_SHADE = 0.4
LEAST_STRENGTH = 0.3
MOST_EXCESS = 0.04
LEAST_CONTACT = 0.6
LEAST_MIRROR, MOST_MIRROR_IN_CLOTH = 0.1, 0.085
LIT_EV = (-0.6, 0.45)
MOST_TINT = 0.15
MOST_LINED = 0.65
SHARP_PATCH, SHARP_RADIUS, WIDE_PATCH, WIDE_RADIUS = 0.04, 0.05, 0.15, 0.09
SHARP_EDGE, SHARP_NOISE, WIDE_NOISE = 0.9, 0.06, 0.1
OF_THE_MATTE = ("lined_share", "patch_share", "patch_radius", "patch_edge", "patch_noise")

Figures = Mapping[str, float]
Fault = tuple[str, Callable[[Figures], bool], str]
"""Code, whether the figures show it, and the reason in words. A comparison with nan is false, so what is not told is no fault."""


def filled(figures: Figures) -> bool:
    """Whether the calm patch of the matte that looks like paper is a hole: small and cut out sharply, or large and wide."""
    share, radius = figures["matte_patch_share"], figures["matte_patch_radius"]
    noise, edge = figures["matte_patch_noise"], figures["matte_patch_edge"]
    sharp = share > SHARP_PATCH and radius > SHARP_RADIUS and noise < SHARP_NOISE and edge > SHARP_EDGE
    return sharp or (share > WIDE_PATCH and radius > WIDE_RADIUS and noise < WIDE_NOISE)


FAULTS: tuple[Fault, ...] = (
    (
        "light-turned",
        lambda f: f["azimuth_margin"] > MOST_TURN,
        "The shadow falls to another side than the light of the set would throw it.",
    ),
    (
        "shadow-missing",
        lambda f: f["shadow_strength"] < LEAST_STRENGTH,
        "The piece throws hardly any shadow on its ground.",
    ),
    (
        "shadow-too-dark",
        lambda f: f["shadow_strength"] > MOST_STRENGTH or f["umbra_excess"] > MOST_EXCESS,
        "The shadow is darker than the light of the set can make it.",
    ),
    (
        "floating",
        lambda f: f["contact_shade"] < LEAST_CONTACT,
        "Light falls between the piece and its shadow, so the piece seems to float.",
    ),
    (
        "hole-in-the-dark",
        lambda f: f["hole_shade"] > MOST_HOLE_SHADE,
        "No light falls through the openings of the piece.",
    ),
    (
        "mirror-missing",
        lambda f: f["mirror_wanted"] > 0 and f["mirror_strength"] < LEAST_MIRROR * f["mirror_wanted"],
        "The polished ground does not mirror the piece.",
    ),
    (
        "mirror-in-cloth",
        lambda f: f["mirror_wanted"] == 0 and abs(f["mirror_strength"]) > MOST_MIRROR_IN_CLOTH,
        "The ground mirrors the piece, which this material cannot.",
    ),
    (
        "other-exposure",
        lambda f: f["lit_ev"] < LIT_EV[0] or f["lit_ev"] > LIT_EV[1],
        "The piece is much brighter or darker than the light of the set makes it.",
    ),
    (
        "other-tint",
        lambda f: f["lit_tint"] > max(f["light_tint"], 0) + MOST_TINT or f["lit_tint"] < min(f["light_tint"], 0) - MOST_TINT,
        "The piece is bluer or warmer than its photo and the light of the set.",
    ),
    (
        "halo",
        lambda f: f["matte_lined_share"] > MOST_LINED,
        "A rim of the photo's ground lines the piece.",
    ),
    (
        "filled-hole",
        filled,
        "A part of the piece looks like the photo's empty paper: an opening may have been taken for metal.",
    ),
)  # fmt: skip


def light_figures(
    piece: Piece, solid: Solid, composite: Composite, scene: Scene, rig: Rig
) -> dict[str, float]:
    """All figures of light, nan where a check abstains."""
    figures = shadow_figures(piece, solid, composite, scene, rig)
    figures |= contact_figures(piece, composite, rig)
    figures |= mirror_figures(piece, solid, composite, scene)
    return figures | harmony_figures(piece, composite, rig)


def light_doubts(figures: Figures) -> list[Note]:
    """What a person should see before it is published. figures: `light_figures` and, as matte_*, those of the cut-out."""
    known = {f"matte_{name}": math.nan for name in OF_THE_MATTE} | dict(figures)
    return [Note(code, text) for code, found, text in FAULTS if found(known)]
