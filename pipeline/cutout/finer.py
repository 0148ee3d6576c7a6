"""The cut-out for a picture that shows more pixels than the piece was cut out at. Owns the colours' detail; leaves the matte's shape."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from pipeline.photo.crop import linear_crop
from pipeline.values import F32, Cutout, Photo

SURE = 0.995  # alpha from which on the photo's own pixels are the piece's


def finer(photo: Photo, cutout: Cutout, working_px: int) -> Cutout:
    """`cutout` at `working_px` (long side of its crop) or the photo's own pixels, whichever is less; as it is when it has them.

    Inside, the photo's own pixels under the cut-out's white balance; in the fringe, where paper shines through, the piece's
    estimated colours; the matte is the one that was found at working scale.
    """
    scale = min(working_px / max(cutout.box.width, cutout.box.height), 1.0)
    if scale <= cutout.scale:
        return cutout
    rgb = linear_crop(photo, cutout.box, scale) * _balance(photo, cutout)
    size = (rgb.shape[1], rgb.shape[0])
    alpha: F32 = np.clip(cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_CUBIC), 0, 1)
    fringe = alpha < SURE
    rgb[fringe] = cv2.resize(cutout.rgb, size, interpolation=cv2.INTER_LINEAR)[fringe]
    return replace(cutout, rgb=rgb, alpha=alpha, scale=scale)


def _balance(photo: Photo, cutout: Cutout) -> F32:
    """The gain (3,) that white balance put on the piece."""
    opaque = cutout.alpha >= SURE
    if not opaque.any():
        return np.ones(3, np.float32)
    seen = linear_crop(photo, cutout.box, cutout.scale)
    before, after = (one[opaque].sum(0, dtype=np.float64) for one in (seen, cutout.rgb))
    return np.asarray(after / np.maximum(before, 1e-9), np.float32)
