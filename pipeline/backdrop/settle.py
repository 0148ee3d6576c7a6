"""The optional last touch of a painted set: its model paints over shadow and reflection, around the piece. Owns where, and what stays.

It works on the finished picture, so that nothing that is done to a frame as a whole can carry a change into the piece: wherever the
matte is not nought, the picture stays as it was, bit for bit.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.backdrop.diffused import NotPainted
from pipeline.color import luminance
from pipeline.values import F32, U8, Note, Scene

SEEN = 0.03  # share of the ground's light by which the piece changes it, from which on that is shadow or reflection
FEATHER = 1 / 90  # of the long side, on both sides of the border


def touched(bare: F32, ground: F32, alpha: F32) -> F32:
    """Where the model may paint, (H, W) 0..1 with soft borders: shadow and reflection, and nothing of the piece.

    bare, ground: (H, W, 3) linear, the set without the piece and with its shadow and reflection; alpha: (H, W), the matte.
    """
    before, after = luminance(bare), luminance(ground)
    changed = (np.abs(after - before) > SEEN * (before + np.float32(0.01))).astype(np.uint8)
    sigma = FEATHER * max(alpha.shape)
    spread = cv2.dilate(
        changed, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(2 * sigma) + 1,) * 2)
    )
    soft = cv2.GaussianBlur(spread.astype(np.float32), (0, 0), sigma)
    return np.where(alpha > 0, np.float32(0), np.clip(soft, 0, 1)).astype(np.float32)


def settled(srgb: U8, scene: Scene, where: F32) -> tuple[U8, tuple[Note, ...]]:
    """The finished picture (H, W, 3) with that part of the ground painted over; notes say why it was not.

    where: see `touched`.
    """
    if scene.settle is None or not where.any():
        return srgb, ()
    try:
        made = scene.settle(srgb, where)
    except NotPainted as error:
        return srgb, (Note("not-settled", f"Shadow and reflection were not painted over: {error}."),)
    share = where[..., None]
    mixed = np.rint(srgb * (1 - share) + made.astype(np.float32) * share).astype(np.uint8)
    return np.where(share > 0, mixed, srgb), ()
