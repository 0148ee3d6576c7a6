"""Crops of a photo at working scale. Owns resampling in linear light; refuses anything about content."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.color import linear_from_srgb
from pipeline.values import F32, Box, Photo

_BAND_ROWS = 256
_LINEAR_OF_U8 = linear_from_srgb(np.arange(256, dtype=np.float32) / np.float32(255))


def linear_crop(photo: Photo, box: Box, scale: float) -> F32:
    """The photo inside `box` as scene-linear Rec.709, white at 1.0, averaged as light and not as codes.

    Returns (h, w, 3) with h = max(1, round(box.height * scale)) and w alike. Shrinking averages areas (exact box
    filter), enlarging is bicubic, clamped at 0. Memory beyond the result: one band of rows, and rows already
    shrunk in width. Raises ValueError when the box is empty or leaves the photo.
    """
    _check(photo, box)
    width, height = cropped_size(box, scale)
    table = _LINEAR_OF_U8 if photo.srgb.dtype == np.uint8 else _linear_of_u16()
    source = photo.srgb[box.slices]
    if scale >= 1:
        return _resized(table[source], width, height)
    return _shrunk(source, table, width, height)


def alpha_crop(photo: Photo, box: Box, scale: float) -> F32:
    """The photo's own alpha (0..1) inside `box`, (h, w) as `linear_crop`; ones when the photo has none."""
    _check(photo, box)
    width, height = cropped_size(box, scale)
    if photo.alpha is None:
        return np.ones((height, width), dtype=np.float32)
    alpha = photo.alpha[box.slices].astype(np.float32) / np.float32(255)
    return np.clip(_resized(alpha, width, height), 0, 1)


def cropped_size(box: Box, scale: float) -> tuple[int, int]:
    """(width, height) in pixels of a crop at `scale` working pixels per photo pixel."""
    return max(1, round(box.width * scale)), max(1, round(box.height * scale))


def _check(photo: Photo, box: Box) -> None:
    inside = 0 <= box.x0 < box.x1 <= photo.width and 0 <= box.y0 < box.y1 <= photo.height
    if not inside:
        raise ValueError(f"{box} is empty or leaves the photo of {photo.width} x {photo.height}")


def _shrunk(source: NDArray[Any], table: F32, width: int, height: int) -> F32:
    """The area filter is separable: bands of rows are decoded and shrunk in width, then all in height."""
    rows = source.shape[0]
    narrow = np.empty((rows, width, 3), dtype=np.float32)
    for top in range(0, rows, _BAND_ROWS):
        band = table[source[top : top + _BAND_ROWS]]
        narrow[top : top + _BAND_ROWS] = cv2.resize(
            band, (width, band.shape[0]), interpolation=cv2.INTER_AREA
        )
    return np.asarray(cv2.resize(narrow, (width, height), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _resized(pixels: F32, width: int, height: int) -> F32:
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized = cv2.resize(pixels, (width, height), interpolation=how)
    return np.asarray(np.maximum(resized, 0), dtype=np.float32)


def _linear_of_u16() -> F32:
    return linear_from_srgb(np.arange(65536, dtype=np.float32) / np.float32(65535))
