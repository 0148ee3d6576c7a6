"""How far the colour of metal and of stones moved. Owns which pixels count as metal or gem; refuses a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.color import oklab_from_linear
from pipeline.values import F32, Mask

CHROMA_FLOOR = 0.03
"""OKLab chroma under which a hue is noise: neutral highlights, silver, clear stones."""
METAL_HUES_DEG = (35.0, 115.0)
"""From rose gold (about 45) over yellow gold (85) to greenish gold, OKLCh."""
METAL_SATURATION = 0.24
"""Chroma over lightness. Gold reflecting gold stays under it; an orange or yellow stone goes over it."""
FEWEST_PX = 24
MOST_PX = 20_000
"""A median needs no more."""


@dataclass(frozen=True, slots=True)
class HueShift:
    """Of one kind of area: chroma-weighted medians. `share` of the piece's opaque pixels.

    degrees: |hue difference|, raised by noise; drift_deg: the signed one, in which noise cancels; saturation_ratio: chroma over lightness, after / before (1 = unchanged; both ignore
    the light's strength). 0 and 1 when the area is too small to say.
    """

    degrees: float
    drift_deg: float
    saturation_ratio: float
    share: float


def hue_shifts(reference_rgb: F32, piece_rgb: F32, inside: Mask) -> dict[str, HueShift]:
    """Shifts of "metal" and "gem". rgb: (h, w, 3) scene-linear; inside: (h, w) opaque pixels of both."""
    step = 1 + np.count_nonzero(inside) // MOST_PX
    before = oklab_from_linear(reference_rgb[inside][::step][None])[0].astype(np.float64)
    after = oklab_from_linear(piece_rgb[inside][::step][None])[0].astype(np.float64)
    chroma = np.hypot(before[:, 1], before[:, 2])
    saturation = chroma / np.maximum(before[:, 0], 1e-4)
    hue = np.degrees(np.arctan2(before[:, 2], before[:, 1]))
    warm = (hue >= METAL_HUES_DEG[0]) & (hue <= METAL_HUES_DEG[1])
    metal = warm & (saturation < METAL_SATURATION)
    colored = chroma >= CHROMA_FLOOR
    return {
        "metal": _shift(before, after, colored & metal),
        "gem": _shift(before, after, colored & ~metal),
    }


def _shift(before: NDArray[np.float64], after: NDArray[np.float64], chosen: NDArray[np.bool_]) -> HueShift:
    share = float(chosen.mean()) if chosen.size else 0.0
    if np.count_nonzero(chosen) < FEWEST_PX:
        return HueShift(0.0, 0.0, 1.0, share)
    a, b = before[chosen], after[chosen]
    chroma_a, chroma_b = np.hypot(a[:, 1], a[:, 2]), np.hypot(b[:, 1], b[:, 2])
    ratio = (chroma_b / np.maximum(b[:, 0], 1e-4)) / (chroma_a / np.maximum(a[:, 0], 1e-4))
    saturation_ratio = weighted_median(ratio, chroma_a)
    hued = chroma_b >= CHROMA_FLOOR
    if np.count_nonzero(hued) < FEWEST_PX:  # bleached: the ratio tells, a hue would be noise
        return HueShift(0.0, 0.0, saturation_ratio, share)
    turn = np.arctan2(a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1], a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])
    turn, weight = np.degrees(turn[hued]), chroma_a[hued]
    degrees, drift = weighted_median(np.abs(turn), weight), weighted_median(turn, weight)
    return HueShift(degrees, drift, saturation_ratio, share)


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value under and over which half of the weight lies; 1-D, not empty."""
    order = np.argsort(values, kind="stable")
    heap = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(heap, 0.5 * heap[-1])])
