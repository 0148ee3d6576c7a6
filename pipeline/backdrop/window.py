"""Which part of a plate a frame shows, and that part in the frame's own size. Owns this geometry; refuses light and files.

A frame is a crop of the plate, enlarged. Enlarging by a ratio of whole numbers is several times quicker than sampling at
free points, so the ratio and the crop are chosen among whole numbers that put every pixel where it belongs, to about
a tenth of one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.backdrop.filters import f32
from pipeline.backdrop.plate_file import Canvas, NotForThis
from pipeline.values import F32, Ground

LARGEST_ZOOM = 1.4  # beyond it the panes on the piece would no longer meet those on the ground
SAME_ELEVATION_DEG = 3.0
REACH = 2  # samples that the cubic filter looks to either side
CHOICE = 40  # lengths, and places, among which the best crop is chosen


@dataclass(frozen=True, slots=True)
class Overlap:
    """A frame along one axis of a picture: samples `first` .. `first + count` become `length`; `skip` of them come before the frame."""

    first: int
    count: int
    length: int
    skip: int


@lru_cache(maxsize=64)
def overlap(step: float, at: float, length: int) -> Overlap:
    """The crop whose samples fall on `at + step * i` for the frame's pixels i, 0 .. length - 1, as nearly as may be.

    step: samples per pixel; at: sample under pixel 0. Both ends are off by at most half a pixel (where `step` is one half or one), mostly
    by a hundredth.
    """
    margin = math.ceil(REACH / step)
    lengths = length + 2 * margin + np.arange(CHOICE)[:, None] + CHOICE
    skips = margin + np.arange(CHOICE)[None]
    counts = np.rint(lengths * step)
    # A crop of `count` samples, made `lengths` long, has its pixel i at (i + 1/2) count / lengths - 1/2.
    ratio = counts / lengths
    near = (skips + 0.5) * ratio - 0.5 - at
    drift = (length - 1) * (ratio - step)
    first = np.rint(-(near + drift / 2))
    off = np.abs(near + first + drift / 2) + np.abs(drift / 2)
    row, column = np.unravel_index(int(off.argmin()), off.shape)
    return Overlap(int(first[row, column]), int(counts[row, 0]), int(lengths[row, 0]), int(skips[0, column]))


@dataclass(frozen=True, slots=True)
class Pane:
    """A frame on one picture of a plate. width, height: of the frame."""

    across: Overlap
    down: Overlap
    width: int
    height: int

    def cut(self, picture: NDArray[Any]) -> F32:
        """The part of (rows, columns, ...) under the frame, float32; beyond the picture its edge is repeated."""
        inside, beyond = [], []
        for one, room in ((self.down, picture.shape[0]), (self.across, picture.shape[1])):
            start, end = one.first, one.first + one.count
            inside.append(slice(min(max(start, 0), room - 1), max(min(end, room), 1)))
            beyond.append((max(-start, 0), max(end - room, 0)))
        part = np.ascontiguousarray(picture[tuple(inside)], dtype=np.float32)
        if beyond == [(0, 0), (0, 0)]:
            return part
        return f32(cv2.copyMakeBorder(part, *beyond[0], *beyond[1], cv2.BORDER_REPLICATE))

    def enlarged(self, part: F32) -> F32:
        """What `cut` gave as the frame sees it, (height, width, ...), cubic, so that it may undershoot; not contiguous."""
        size = (self.across.length, self.down.length)
        whole = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC)
        top, left = self.down.skip, self.across.skip
        return f32(whole[top : top + self.height, left : left + self.width])


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a plate that a frame shows. scale: canvas pixels per frame pixel; at: canvas point of frame pixel (0, 0).

    width, height: of the frame.
    """

    scale: float
    at: tuple[float, float]
    width: int
    height: int

    @classmethod
    def onto(cls, canvas: Canvas, ground: Ground, size_px: tuple[int, int]) -> Window:
        """The window whose unit and origin are the ground's. Raises `NotForThis` when the plate is too small for it."""
        if abs(canvas.elevation_deg - ground.elevation_deg) > SAME_ELEVATION_DEG:
            raise NotForThis("it is seen from another height")
        (x, y), (width, height) = canvas.origin, size_px
        right, below = canvas.size_px[0] - x, canvas.size_px[1] - y
        plain = canvas.unit_px / ground.unit_px
        reach = (ground.origin[0], width - ground.origin[0], ground.origin[1], height - ground.origin[1])
        zoom = max(
            1.0, *(plain * need / room for need, room in zip(reach, (x, right, y, below), strict=True))
        )
        if zoom > LARGEST_ZOOM:
            raise NotForThis("the picture shows more ground than the plate has")
        scale = plain / zoom
        return cls(scale, (x - scale * ground.origin[0], y - scale * ground.origin[1]), width, height)

    def onto_picture(self, shape: tuple[int, ...], canvas: Canvas) -> Pane:
        """Where the frame lies on a picture (rows, columns, ...) of the plate, which shows the whole canvas at any size."""
        smaller = shape[1] / canvas.size_px[0]
        # Frame pixels count from 0 at their centre, as everywhere at run time; a picture's centres are at halves.
        across, down = (
            overlap(self.scale * smaller, smaller * at - 0.5, length)
            for at, length in zip(self.at, (self.width, self.height), strict=True)
        )
        return Pane(across, down, self.width, self.height)
