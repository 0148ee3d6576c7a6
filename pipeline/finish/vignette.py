"""Darkens towards the corners. Owns the falloff; refuses to be seen as a shape."""

from __future__ import annotations

import numpy as np

from pipeline.values import F32


def vignette(rgb: F32, ev: float) -> F32:
    """Scene-linear (H, W, 3) with the natural falloff of a lens, `ev` stops at the corners (0 = none).

    cos^4 of the field angle, 1 / (1 + (k r)^2)^2, k such that the corners lose `ev`: no edge, no ring, and about a fifth of
    it at half the way to a corner.
    """
    if ev <= 0:
        return rgb
    height, width = rgb.shape[:2]
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / height * 2 - 1
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / width * 2 - 1
    diagonal = float(np.hypot(height, width))
    radius_sq = (y * (height / diagonal))[:, None] ** 2 + (x * (width / diagonal))[None, :] ** 2
    falloff = (1 + np.float32(2 ** (ev / 2) - 1) * radius_sq) ** -2
    return np.asarray(rgb * falloff[..., None], dtype=np.float32)
