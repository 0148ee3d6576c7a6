"""What the network that reads shape sees of an outline. Owns the frame and the encoding, shared by training and the pipeline."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX: Final = 128
"""Of the square frame, a multiple of 32."""
UNIT_PX: Final = 112.0
"""Pixels of the piece's long side, which lies in the middle of the frame."""
POSES: Final = ("upright", "flat", "hanging")
TYPES: Final = ("ring", "earrings", "pendant", "necklace", "bracelet", "bangle", "watch", "brooch", "set")
CHANNELS: Final = 6 + len(POSES) + len(TYPES)
_DEEP: Final = 0.25
"""Units of distance that fill the range 0..1."""


def outline_features(alpha: NDArray[np.float32], *, above: bool, pose: str, kind: str) -> NDArray[np.float32]:
    """(CHANNELS, SIDE_PX, SIDE_PX) of a piece's alpha (SIDE_PX, SIDE_PX): alpha, distances to the outline from inside and outside, place, view, pose, type.

    above: seen from above, else by a camera 30 degrees over the ground. kind: one of `TYPES`; any other word leaves it open.
    """
    mask = (alpha > 0.5).astype(np.uint8)
    out = np.zeros((CHANNELS, SIDE_PX, SIDE_PX), np.float32)
    out[0] = alpha
    for channel, one in ((1, mask), (2, 1 - mask)):
        away = cv2.distanceTransform(one, cv2.DIST_L2, 5)
        out[channel] = np.minimum(away / np.float32(_DEEP * UNIT_PX), 1)
    place = np.linspace(-1, 1, SIDE_PX, dtype=np.float32)
    out[3], out[4] = place[None, :], place[:, None]
    out[5] = above
    for start, names, name in ((6, POSES, pose), (6 + len(POSES), TYPES, kind)):
        if name in names:
            out[start + names.index(name)] = 1
    return out
