"""What the network sees of a picture. Owns the encoding, shared by training and the pipeline; refuses to know either."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

CHANNELS: Final = 6
STRIDE: Final = 32
"""Sides of what the network sees are multiples of this."""
FLOOR: Final = 0.004
RING_SHARE: Final = 0.04
LOG_SPAN: Final = (-4.0, 2.0)
_CODES: Final = np.arange(256) / 255
_LINEAR: Final = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
_LOG: Final = np.log(_LINEAR + FLOOR).astype(np.float32)


def ground_tone(srgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Log of the linear colour (3,) that the picture's rim shows most: the paper's, if there is paper."""
    depth = max(2, round(RING_SHARE * min(srgb.shape[:2])))
    sides = (srgb[:depth], srgb[-depth:], srgb[depth:-depth, :depth], srgb[depth:-depth, -depth:])
    rim = np.concatenate([side.reshape(-1, 3) for side in sides])
    tone: NDArray[np.float32] = _LOG[np.median(rim, axis=0).astype(np.uint8)]
    return tone


def features(srgb: NDArray[np.uint8], tone: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """(6, h, w): the sRGB codes in -1..1, and half the log of the linear ratio to `tone` (default: `ground_tone`).

    The ratio makes grey paper and white paper, warm light and cold light the same; the codes keep what is clipped.
    """
    tone = ground_tone(srgb) if tone is None else tone
    out = np.empty((CHANNELS, *srgb.shape[:2]), np.float32)
    for band in range(3):
        plane = np.ascontiguousarray(srgb[..., band])
        out[band] = plane * np.float32(2 / 255) - 1
        table = np.clip(_LOG - tone[band], *LOG_SPAN).astype(np.float32) / 2
        out[3 + band] = cv2.LUT(plane, table)
    return out
