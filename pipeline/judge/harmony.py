"""Does the piece stand in the set's light: its exposure and tint. Owns the zones that are compared; refuses a verdict.

Xue, Agarwala, Dorsey, Rushmeier, "Understanding and improving the realism of image composites" (2012): of all statistics
the luminance and the colour of the highlights tell a composite best. A jewel's own colours are sacred, so it is
held against its own photo first, and may follow the set's light from there, but not go beyond it.
"""

from __future__ import annotations

import numpy as np

from pipeline.color import luminance
from pipeline.composite import Composite
from pipeline.layout import Piece
from pipeline.rig import Rig
from pipeline.values import F32

CELL = 3  # pixels of a 1080 frame
SOLID = 0.95
BRIGHT, BRIGHTEST = (
    75.0,
    90.0,
)  # percentiles of luminance: highlights of the piece; of piece and set as they are seen
DARK = 0.01
FEWEST = 50


def harmony_figures(piece: Piece, composite: Composite, rig: Rig) -> dict[str, float]:
    """Exposure and tint of the piece's highlights, nan when it has too few solid pixels.

    lit_ev: exposure of the piece's highlights against its own photo; lit_tint: the same of blue over red, natural log;
    light_tint: blue over red of the rig's light on open ground. zone_ev, zone_tint: highlights of the piece over the set's.
    """
    cell = max(1, round(CELL * max(piece.alpha.shape) / 1080))
    view = piece.box.slices
    solid = piece.alpha[view][::cell, ::cell] > SOLID
    own, lit = (image[view][::cell, ::cell][solid] for image in (piece.rgb, composite.frame))
    names = ("lit_ev", "lit_tint", "light_tint", "zone_ev", "zone_tint")
    if own.shape[0] < FEWEST:
        return dict.fromkeys(names, float("nan"))
    light = luminance(own[None])[0]
    bright = light >= np.percentile(light, BRIGHT)
    change = np.log((np.maximum(lit, 0) + DARK) / (np.maximum(own, 0) + DARK))[bright]
    mean = luminance(lit[bright][None])[0] + DARK
    set_rgb = composite.ground[:: 2 * cell, :: 2 * cell].reshape(-1, 3)
    piece_zone, set_zone = _highlight(lit), _highlight(set_rgb)
    return {
        "lit_ev": float(np.median(np.log2(mean / (light[bright] + DARK)))),
        "lit_tint": float(np.median(change[:, 2] - change[:, 0])),
        "light_tint": light_tint(rig),
        "zone_ev": float(np.log2((piece_zone @ _LUMA + DARK) / (set_zone @ _LUMA + DARK))),
        "zone_tint": _tint(piece_zone) - _tint(set_zone),
    }


_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def _highlight(rgb: F32) -> F32:
    """Median colour (3,) of the brightest of (n, 3)."""
    light = luminance(np.ascontiguousarray(rgb)[None])[0]
    zone: F32 = np.median(rgb[light >= np.percentile(light, BRIGHTEST)], 0)
    return zone


def _tint(rgb: F32) -> float:
    """Blue over red, natural log."""
    return float(np.log((max(float(rgb[2]), 0) + DARK) / (max(float(rgb[0]), 0) + DARK)))


def light_tint(rig: Rig) -> float:
    """Blue over red of all light on open ground, natural log."""
    total = np.asarray(rig.ambient.color) * rig.ambient.strength
    for light in rig.lights:
        total = total + np.asarray(light.color) * light.strength * light.direction[2]
    return _tint(total.astype(np.float32))
