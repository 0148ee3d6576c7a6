"""Clear coloured stones let light through in their colour. Owns which pixels are such a stone, and its tint; refuses diamonds.

Colourless stones look like silver in a matte, so they shade as metal does. An opaque stone is as colourful as a clear one, but
evenly so: facets throw light about, and their luminance varies from spot to spot.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.color import luminance, oklab_from_linear
from pipeline.judge.hue import METAL_HUES_DEG, METAL_SATURATION
from pipeline.values import F32, Mask

CHROMA, SATURATION = 0.025, 0.10  # OKLab; saturation is chroma over lightness, for dark stones
LIVELY = 0.18  # standard deviation of log2 luminance inside a window, from which a stone counts as faceted
WINDOW = 0.02  # of the unit
LEAST_SHARE = 0.02  # of the piece
THROUGH = 0.35  # of the light that meets a stone


@dataclass(frozen=True, slots=True)
class Stones:
    """mask: (H, W) pixels of clear coloured stones; tint: (3,) share of light that passes, by channel."""

    mask: Mask
    tint: F32


def clear_stones(rgb: F32, alpha: F32, unit_px: float) -> Stones | None:
    """The clear coloured stones of a piece, (H, W, 3) linear under (H, W); None when there are none worth a colour."""
    inside = alpha > 0.9
    lab = oklab_from_linear(rgb)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    metal = (hue > METAL_HUES_DEG[0]) & (hue < METAL_HUES_DEG[1])
    saturation = chroma / np.maximum(lab[..., 0], 1e-3)
    metal &= saturation < METAL_SATURATION
    coloured = inside & (chroma > CHROMA) & (saturation > SATURATION) & ~metal
    side = 2 * max(1, round(WINDOW * unit_px / 2)) + 1
    weight = cv2.blur(coloured.astype(np.float32), (side, side)) + np.float32(1e-4)
    light = np.where(coloured, np.log2(luminance(rgb) + 0.02), 0).astype(np.float32)
    mean, square = (cv2.blur(one, (side, side)) / weight for one in (light, light * light))
    lively = np.sqrt(np.maximum(square - mean * mean, 0))
    if (
        coloured.sum() < LEAST_SHARE * max(int(inside.sum()), 1)
        or float(np.median(lively[coloured])) < LIVELY
    ):
        return None
    mask = cv2.morphologyEx(coloured.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
    color = rgb[coloured].mean(0)
    return Stones(mask & inside, (THROUGH * color / max(float(color.max()), 1e-3)).astype(np.float32))
