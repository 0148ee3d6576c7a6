"""The piece's own colours at its edge, free of paper. Owns the multi-level estimator.

Germer, Uelwer, Conrad, Harmeling, "Fast multi-level foreground estimation" (ICPR 2020): per pixel the foreground and
background colours that explain the photo and agree with their neighbours, from the coarsest level to the finest.
Here every sweep updates all pixels at once (Jacobi), so that the result does not depend on an order.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.values import F32

SMOOTH = 1e-4  # weight of the neighbours' agreement
SMOOTH_BY_EDGE = 0.3  # further weight where alpha changes
SWEEPS_COARSE, SWEEPS_FINE = 10, 2
FULL_SWEEP_PX = 40_000


def foreground_colors(rgb: F32, alpha: F32) -> F32:
    """Estimate unpremultiplied foreground (h, w, 3) of `rgb` (linear) under `alpha` (h, w)."""
    front = back = np.full((1, 1, 3), 0.5, np.float32)
    for image, matte in reversed(_pyramid(rgb, alpha)):
        height, width = matte.shape
        front, back = (
            cv2.resize(one, (width, height), interpolation=cv2.INTER_NEAREST).reshape(height, width, 3)
            for one in (front, back)
        )
        fringe = _fringe(matte)
        for _ in range(SWEEPS_COARSE if max(height, width) <= 32 else SWEEPS_FINE):
            _sweep(image, matte, front, back, fringe)
    return np.where(alpha[..., None] >= 1, rgb, front)


def _pyramid(rgb: F32, alpha: F32) -> list[tuple[F32, F32]]:
    """`rgb` and `alpha` at falling sizes down to a single pixel, each shrunk from the one before."""
    height, width = alpha.shape
    levels = max(1, int(np.ceil(np.log2(max(height, width)))))
    found = [(rgb, alpha)]
    for level in range(levels - 1, -1, -1):
        size = (max(1, round(width ** (level / levels))), max(1, round(height ** (level / levels))))
        image, matte = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in found[-1])
        found.append((image.reshape(size[1], size[0], 3), matte.reshape(size[1], size[0])))
    return found


def _fringe(alpha: F32) -> NDArray[np.intp]:
    """Flat indices of the pixels worth a sweep: elsewhere the colours of the coarser level do."""
    if alpha.size < FULL_SWEEP_PX:
        return np.arange(alpha.size)
    mixed = ((alpha > 0) & (alpha < 1)).astype(np.uint8)
    return np.flatnonzero(cv2.dilate(mixed, np.ones((5, 5), np.uint8)))


def _sweep(image: F32, alpha: F32, front: F32, back: F32, where: NDArray[np.intp]) -> None:
    """One update of `front` and `back` at the pixels `where`: compositing error plus the neighbours' disagreement.

    2 x 2 in closed form; everything is read before anything is written.
    """
    height, width = alpha.shape
    row, column = np.divmod(where, width)
    near = (
        np.maximum(row - 1, 0) * width + column,
        np.minimum(row + 1, height - 1) * width + column,
        row * width + np.maximum(column - 1, 0),
        row * width + np.minimum(column + 1, width - 1),
    )
    flat_alpha, flat_front, flat_back = alpha.ravel(), front.reshape(-1, 3), back.reshape(-1, 3)
    here = flat_alpha[where]
    weight = np.zeros_like(here)
    front_sum, back_sum = np.zeros((where.size, 3), np.float32), np.zeros((where.size, 3), np.float32)
    for index in near:
        pull = SMOOTH + SMOOTH_BY_EDGE * np.abs(here - flat_alpha[index])
        weight += pull
        front_sum += pull[:, None] * flat_front[index]
        back_sum += pull[:, None] * flat_back[index]
    rest = 1 - here
    a, b, c = here * here + weight, here * rest, rest * rest + weight
    scale = 1 / np.maximum(a * c - b * b, 1e-12)
    colors = image.reshape(-1, 3)[where]
    right_front = here[:, None] * colors + front_sum
    right_back = rest[:, None] * colors + back_sum
    flat_front[where] = np.clip(
        (c * scale)[:, None] * right_front - (b * scale)[:, None] * right_back, 0, None
    )
    flat_back[where] = np.clip(
        (a * scale)[:, None] * right_back - (b * scale)[:, None] * right_front, 0, None
    )
