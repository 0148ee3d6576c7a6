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

# Width and height of the buckets.
SHAPES = ((1, 1), (4, 5), (5, 4), (3, 4), (4, 3), (2, 3), (3, 2), (9, 16), (16, 9))
TRUSTED = 0.8  # confidence of a cut-out, from which on it is believed
SURE = 0.9  # of the network's answer
BESIDE = 0.05  # area beside the largest part's, from which on a part is piece
GAP = 0.06  # of the long side, half of what is closed
RIM = 0.025  # of the long side, around the piece: its fringe, its glow on the ground
LOOK_PX = 24


@dataclass(frozen=True, slots=True)
class Prepared:
    """srgb: (h, w, 3) with the piece gone; weight: (h, w) 0 where it was, else 255; look: see `difference`."""

    srgb: U8
    weight: U8
    caption: str
    look: bytes


def prepared(photo: Photo, segmenter: Segmenter, words: str, side_px: int) -> Prepared:
    """The ground of `photo` in the bucket nearest to its shape, as many pixels as a square of `side_px`.

    A photo on which no piece is found is all ground. Raises BadInput for one that has no ground.
    """
    if photo.alpha is not None and not photo.alpha.all():
        raise BadInput(
            "its ground is transparent, so there is nothing to learn from", "Name photos on their ground."
        )
    srgb: U8 = (photo.srgb >> (0 if photo.srgb.dtype == np.uint8 else 8)).astype(np.uint8)
    piece = _piece(photo, srgb, segmenter)
    size = bucket(photo.width, photo.height, side_px)
    view = _middle(photo.width, photo.height, size)
    look = _look(srgb)
    small: U8 = cv2.resize(srgb[view], size, interpolation=cv2.INTER_AREA)
    gone = cv2.resize(piece[view].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    gone = cv2.dilate(gone.astype(np.uint8), _disc(max(1, round(RIM * max(size))))) > 0
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
        height, width = levels[-1][1].shape
        size = (-(-width // 2), -(-height // 2))
        color, weight = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in levels[-1])
        levels.append((color, weight))
    color, weight = levels[-1]
    mean = (levels[0][0].sum((0, 1)) / levels[0][1].sum()).astype(np.float32)
    filled = np.where(weight[..., None] > 0, color / np.maximum(weight[..., None], 1e-6), mean)
    for color, weight in reversed(levels[:-1]):
        above = cv2.resize(filled, weight.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(color.shape)
        share = np.minimum(weight, 1)[..., None]
        filled = above * (1 - share) + color
    return np.asarray(np.where(gone[..., None], filled, rgb), np.float32)


def difference(one: bytes, other: bytes) -> float:
    """Of two looks, in levels of 255, RMS; one of them brought to the other's brightness and contrast first."""
    a, b = (np.frombuffer(look, np.uint8).astype(np.float32) for look in (one, other))
    spread = max(float(b.std()), 1.0)
    return float(np.sqrt(np.mean(((b - b.mean()) * (float(a.std()) / spread) + a.mean() - a) ** 2)))


def _piece(photo: Photo, srgb: U8, segmenter: Segmenter) -> Mask:
    """Where the piece is on the photo's own grid.

    The cut-out is made for paper. On a set it takes lit folds for piece, and does not trust itself: there the network's first
    look is asked, and only what it is sure of counts, without what is small beside it (veins, specks of light).
    """
    mask = np.zeros((photo.height, photo.width), np.bool_)
    try:
        cutout = cut_out(photo, segmenter, working_px=DRAFT_PX, settle=False)
    except Unfit:
        return mask
    if cutout.confidence >= TRUSTED:
        size = (cutout.box.width, cutout.box.height)
        mask[cutout.box.slices] = cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_LINEAR) > 0.02
        return mask
    size = (photo.width, photo.height)
    return np.asarray(cv2.resize(_sure(srgb, segmenter), size, interpolation=cv2.INTER_LINEAR) > 0.5)


def _sure(srgb: U8, segmenter: Segmenter) -> F32:
    """(h, w) at about `DRAFT_PX`: 1 where the first look is sure of a piece, gaps in it closed."""
    scale = min(1.0, DRAFT_PX / max(srgb.shape))
    size = (max(1, round(srgb.shape[1] * scale)), max(1, round(srgb.shape[0] * scale)))
    sure = (segmenter.segment(cv2.resize(srgb, size, interpolation=cv2.INTER_AREA)) > SURE).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(sure, connectivity=8)
    if count < 2:
        return sure.astype(np.float32)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = np.flatnonzero(areas >= BESIDE * areas.max()) + 1
    closed: F32 = cv2.morphologyEx(
        np.isin(labels, large).astype(np.float32), cv2.MORPH_CLOSE, _disc(round(GAP * max(size)))
    )
    return closed


def _disc(radius: int) -> U8:
    disc: U8 = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return disc


def _middle(width: int, height: int, size: tuple[int, int]) -> tuple[slice, slice]:
    """The largest middle part in the shape of `size`."""
    scale = min(width / size[0], height / size[1])
    w, h = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    x, y = (width - w) // 2, (height - h) // 2
    return slice(y, y + h), slice(x, x + w)


def _look(srgb: U8) -> bytes:
    """The picture, very small."""
    small: U8 = cv2.resize(srgb, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_AREA)
    return small.tobytes()
