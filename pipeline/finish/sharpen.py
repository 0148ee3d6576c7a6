"""Unsharp mask on the piece. Owns crispness after resampling; refuses halos, colour and the background."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.color import LUMA
from pipeline.values import F32

_SIGMA_PX = 0.85  # what one resampling softens
_GAIN = 1.6  # detail gain at amount 1
_OVERSHOOT = 0.02  # how far beyond its neighbours' range (encoded) a pixel may go
_COVERED = np.float32(0.85)
_WINDOW = np.ones((3, 3), dtype=np.uint8)


def sharpen(srgb: F32, alpha: F32, amount: float) -> F32:
    """Sharpen encoded (H, W, 3) 0..1 where the piece is; alpha (H, W) 0..1; amount 0..1.

    The blur is taken inside the matte only (normalised convolution), so the contour neither rings into the piece nor out
    of it. One gain per pixel on encoded values: under the nearly pure power of the sRGB curve the ratio of the linear
    channels, and so the hue, stays. Overshoot is bounded by the 3x3 neighbourhood.
    """
    where = alpha > 0
    if amount <= 0 or not where.any():
        return srgb
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    out = srgb.copy()
    out[part] = _sharpened(srgb[part], alpha[part], amount)
    return out


def _sharpened(srgb: F32, alpha: F32, amount: float) -> F32:
    luma = np.ascontiguousarray(srgb @ LUMA)
    weight = np.clip(alpha, 0, 1)
    solid = (
        np.clip((weight - _COVERED) / (1 - _COVERED), 0, 1) ** 2
    )  # mixed pixels show the ground: they do not count
    spread = np.maximum(cv2.GaussianBlur(solid, (0, 0), _SIGMA_PX), np.float32(1e-3))
    inside = cv2.GaussianBlur(luma * solid, (0, 0), _SIGMA_PX) / spread
    detail = (luma - inside) * solid * np.float32(amount * _GAIN)
    low = cv2.erode(luma, _WINDOW) - np.float32(_OVERSHOOT)
    high = cv2.dilate(luma, _WINDOW) + np.float32(_OVERSHOOT)
    wanted = np.clip(luma + detail, np.maximum(low, 0), high)
    gain = wanted / np.maximum(luma, np.float32(1e-3))
    # At white the gain stops before a channel clips: clipping one channel turns the hue.
    gain = np.minimum(gain, np.maximum(1, 1 / np.maximum(srgb.max(axis=-1), np.float32(1e-3))))
    gain = np.where(weight > 0, np.clip(gain, 0, 3), np.float32(1))
    return np.asarray(srgb * gain[..., None], dtype=np.float32)
