"""A photo of the shop, made ready for training: the ground alone, at a size of its own, and the words for it.

Owns what the model gets to see. The piece is taken out before anything else: where it and its rim stood, the ground is spread over
it, and what was spread carries no weight. So not a pixel of the piece can reach the model, whatever the loss does.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.cutout.cut import DRAFT_PX, cut_out
from pipeline.cutout.segmenter import Segmenter
from pipeline.diffusion.finetune.words import caption
from pipeline.diffusion.order import size_for
from pipeline.errors import BadInput, Unfit
from pipeline.values import F32, U8, Mask, Photo

SHAPES = (
    (1, 1),
    (4, 5),
    (5, 4),
    (3, 4),
    (4, 3),
    (2, 3),
    (3, 2),
    (9, 16),
    (16, 9),
)  # width, height of the buckets
RIM = 0.02  # of the long side, around the piece: its fringe, its glow on the ground
HASH_PX = 8


@dataclass(frozen=True, slots=True)
class Prepared:
    """srgb: (h, w, 3) with the piece gone; weight: (h, w) 0 where it was, else 255; look: 64 bits, alike for pictures that are."""

    srgb: U8
    weight: U8
    caption: str
    look: int


def prepared(photo: Photo, segmenter: Segmenter, words: str, side_px: int) -> Prepared:
    """The ground of `photo` in the bucket nearest to its shape, as many pixels as a square of `side_px`.

    A photo on which no piece is found is all ground. Raises BadInput for one that has no ground.
    """
    if photo.alpha is not None and not photo.alpha.all():
        raise BadInput(
            "its ground is transparent, so there is nothing to learn from", "Name photos on their ground."
        )
    srgb: U8 = (photo.srgb >> (0 if photo.srgb.dtype == np.uint8 else 8)).astype(np.uint8)
    piece = _piece(photo, segmenter)
    size = bucket(photo.width, photo.height, side_px)
    view = _middle(photo.width, photo.height, size)
    look = _look(srgb)
    small: U8 = cv2.resize(srgb[view], size, interpolation=cv2.INTER_AREA)
    gone = cv2.resize(piece[view].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    rim = max(1, round(RIM * max(size)))
    gone = (
        cv2.dilate(gone.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1,) * 2))
        > 0
    )
    ground = small.astype(np.float32) / np.float32(255)
    spread = np.rint(spread_over(ground, gone) * 255).astype(np.uint8)
    return Prepared(spread, np.where(gone, 0, 255).astype(np.uint8), caption(words, ground, ~gone), look)


def bucket(width: int, height: int, side_px: int) -> tuple[int, int]:
    """The size (width, height) for a photo of that shape."""
    ratio = np.log(width / height)
    shape = min(SHAPES, key=lambda one: abs(np.log(one[0] / one[1]) - ratio))
    return size_for(shape, side_px)


def spread_over(rgb: F32, gone: Mask) -> F32:
    """(h, w, 3) with what is `gone` filled from around it (pull-push over a pyramid, Gortler 1996); nothing of it is used."""
    if gone.all():
        return np.full_like(rgb, 0.5)
    kept = (~gone).astype(np.float32)
    levels = [(rgb * kept[..., None], kept)]
    while min(levels[-1][1].shape) > 1 and (levels[-1][1] <= 0).any():
        color, weight = levels[-1]
        size = (-(-weight.shape[1] // 2), -(-weight.shape[0] // 2))
        levels.append(
            (
                cv2.resize(color, size, interpolation=cv2.INTER_AREA),
                cv2.resize(weight, size, interpolation=cv2.INTER_AREA),
            )
        )
    color, weight = levels[-1]
    mean = (levels[0][0].sum((0, 1)) / levels[0][1].sum()).astype(np.float32)
    filled = np.where(weight[..., None] > 0, color / np.maximum(weight[..., None], 1e-6), mean)
    for color, weight in reversed(levels[:-1]):
        above = cv2.resize(
            filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR
        ).reshape(color.shape)
        share = np.minimum(weight, 1)[..., None]
        filled = above * (1 - share) + color
    return np.asarray(np.where(gone[..., None], filled, rgb), np.float32)


def alike(one: int, other: int) -> int:
    """Bits in which two looks differ: a few for the same picture saved, cut or exposed otherwise."""
    return (one ^ other).bit_count()


def _piece(photo: Photo, segmenter: Segmenter) -> Mask:
    """Where the piece is on the photo's own grid."""
    mask = np.zeros((photo.height, photo.width), np.bool_)
    try:
        cutout = cut_out(photo, segmenter, working_px=DRAFT_PX, settle=False)
    except Unfit:
        return mask
    size = (cutout.box.width, cutout.box.height)
    mask[cutout.box.slices] = cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_LINEAR) > 0.02
    return mask


def _middle(width: int, height: int, size: tuple[int, int]) -> tuple[slice, slice]:
    """The largest middle part in the shape of `size`."""
    scale = min(width / size[0], height / size[1])
    w, h = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    x, y = (width - w) // 2, (height - h) // 2
    return slice(y, y + h), slice(x, x + w)


def _look(srgb: U8) -> int:
    """The difference hash (Krawetz 2013): whether each of 64 spots is brighter than the one to its left."""
    grey = cv2.resize(
        cv2.cvtColor(srgb, cv2.COLOR_RGB2GRAY), (HASH_PX + 1, HASH_PX), interpolation=cv2.INTER_AREA
    )
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
