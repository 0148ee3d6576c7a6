"""The cut-out on the photo's own grid. Owns the step back from working scale; refuses to touch the piece's pixels.

Where the piece is opaque the photo's own pixels stay bit for bit, white balance and all. Only in the fringe, where
paper shines through, are they replaced by the estimated colours of the piece.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from pipeline.color import srgb_from_linear
from pipeline.cutout.cut import cut_out
from pipeline.cutout.segmenter import Segmenter
from pipeline.photo.crop import linear_crop
from pipeline.values import F32, U8, U16, Cutout, Note, Photo

MOST_WORKING_PX = 2000


@dataclass(frozen=True, slots=True)
class FullSize:
    """The piece at the photo's size and depth, straight alpha.

    srgb: (H, W, 3) uint8 or uint16; alpha: (H, W) of the same type, 0 to its largest number. confidence: 0..1.
    """

    srgb: U8 | U16
    alpha: U8 | U16
    confidence: float
    notes: tuple[Note, ...] = ()


def full_size(photo: Photo, segmenter: Segmenter, *, most_px: int = MOST_WORKING_PX) -> FullSize:
    """Cut the piece out of `photo` without changing its size.

    most_px: largest long side of the crop that is worked on; a smaller crop is worked on as it is. A photo that brings
    its own transparency comes back as it is. Raises `Unfit` when there is no piece to be found.
    """
    with threadpool_limits(1, "blas"):
        cutout = cut_out(photo, segmenter, working_px=most_px, settle=False)
        if photo.alpha is not None:
            deep = photo.alpha.astype(np.uint16) * 257 if photo.srgb.dtype == np.uint16 else photo.alpha
            return FullSize(photo.srgb, deep, 1.0, cutout.notes)
        if cutout.scale > 1:  # enlarged, which renders may need but here only softens the edge
            own_px = max(cutout.box.width, cutout.box.height)
            cutout = cut_out(photo, segmenter, working_px=own_px, settle=False)
        return _on_the_photo(photo, cutout)


def _on_the_photo(photo: Photo, cutout: Cutout) -> FullSize:
    kind = photo.srgb.dtype
    most = np.iinfo(kind).max
    size = (cutout.box.width, cutout.box.height)
    share = cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_LINEAR)
    codes = np.rint(np.clip(share, 0, 1) * most).astype(kind)
    encoded = srgb_from_linear(np.clip(_unbalanced(photo, cutout), 0, 1)) * most
    colors = cv2.resize(encoded.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    colors = np.rint(colors).astype(kind)
    opaque = codes == most
    colors[opaque] = photo.srgb[cutout.box.slices][opaque]
    srgb = np.zeros_like(photo.srgb)
    alpha = np.zeros(photo.srgb.shape[:2], kind)
    srgb[cutout.box.slices], alpha[cutout.box.slices] = colors, codes
    return FullSize(srgb, alpha, cutout.confidence, cutout.notes)


def _unbalanced(photo: Photo, cutout: Cutout) -> F32:
    """The piece's colours (h, w, 3) as photographed: the gain that white balance put on opaque pixels is divided out."""
    seen = linear_crop(photo, cutout.box, cutout.scale)
    opaque = cutout.alpha >= 1
    if not opaque.any():
        return cutout.rgb
    before, after = (one[opaque].sum(0, dtype=np.float64) for one in (seen, cutout.rgb))
    return np.asarray(cutout.rgb * (before / np.maximum(after, 1e-9)), dtype=np.float32)
