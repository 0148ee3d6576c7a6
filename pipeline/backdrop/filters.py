"""The few image filters that sets are made with, typed: float32 in, float32 out. Owns the calls of OpenCV.

All of them work pixel by pixel from their input, so their result does not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pipeline.values import F32

LEAST_EXPONENT = -80.0  # below it processors crawl through numbers next to 0


def f32(values: Any) -> F32:
    """Array as float32, without a copy when it is already: keeps a stray double from spreading."""
    return np.asarray(values, dtype=np.float32)


def gaussian(layer: F32, sigma: float, sigma_y: float | None = None) -> F32:
    """Gaussian blur, sigma in samples; sigma_y: another one down the rows."""
    down = sigma if sigma_y is None else sigma_y
    return np.asarray(
        cv2.GaussianBlur(layer, (0, 0), max(sigma, 0.2), sigmaY=max(down, 0.2)), dtype=np.float32
    )


def wide_gaussian(layer: F32, sigma: float) -> F32:
    """Gaussian blur that is made on a smaller copy when wide: the same to the eye, and cheap."""
    factor = max(1, int(sigma / 2.0))
    if factor == 1:
        return gaussian(layer, max(sigma, 0.3))
    rows, columns = layer.shape[:2]
    small = shrunk(layer, (-(-rows // factor), -(-columns // factor)))
    return enlarged(gaussian(small, sigma / factor), (rows, columns))


def enlarged(layer: F32, shape: tuple[int, int]) -> F32:
    """Layer resampled to (rows, columns), linear."""
    return np.asarray(
        cv2.resize(layer, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )


def enlarged_smoothly(layer: F32, shape: tuple[int, int]) -> F32:
    """Layer resampled to (rows, columns), cubic: no visible facets, may overshoot a little."""
    return np.asarray(
        cv2.resize(layer, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), dtype=np.float32
    )


def shrunk(layer: F32, shape: tuple[int, int]) -> F32:
    """Layer averaged down to (rows, columns)."""
    return np.asarray(cv2.resize(layer, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), dtype=np.float32)


def halved(layer: F32) -> F32:
    """Layer at half the size."""
    return shrunk(layer, (layer.shape[0] // 2, layer.shape[1] // 2))


def sampled(layer: F32, column: F32, row: F32) -> F32:
    """Layer at fractional (column, row), linear, edges repeated."""
    picked = cv2.remap(layer, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picked, dtype=np.float32)


def shifted(layer: F32, columns: float, rows: float) -> F32:
    """Layer read `columns` and `rows` further on, linear, edges repeated."""
    move = np.array([[1, 0, columns], [0, 1, rows]], dtype=np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (layer.shape[1], layer.shape[0])
    moved = cv2.warpAffine(layer, move, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)


def correlated(layer: F32, kernel: F32) -> F32:
    """Layer correlated with a small kernel, edges mirrored."""
    return np.asarray(cv2.filter2D(layer, -1, kernel, borderType=cv2.BORDER_REFLECT), dtype=np.float32)


def exp(layer: F32) -> F32:
    """E to the layer; OpenCV is several times quicker than numpy here, where the result does not vanish."""
    return np.asarray(cv2.exp(np.maximum(layer, np.float32(LEAST_EXPONENT))), dtype=np.float32)


def power(layer: F32, exponent: float) -> F32:
    """A layer of one channel, not below 0, to a power."""
    return np.asarray(cv2.pow(layer, exponent), dtype=np.float32)
