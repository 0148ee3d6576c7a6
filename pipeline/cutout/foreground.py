"""The piece's own colours at its edge, free of paper. Owns the multi-level estimator.

Germer, Uelwer, Conrad, Harmeling, "Fast multi-level foreground estimation" (ICPR 2020): per pixel the foreground and
background colours that explain the photo and agree with their neighbours, from the coarsest level to the finest.
Here every sweep updates all pixels at once (Jacobi), so that the result does not depend on an order.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.values import F32

SMOOTH = 1e-4  # weight of the neighbours' agreement
SMOOTH_BY_EDGE = 0.3  # further weight where alpha changes
SWEEPS_COARSE, SWEEPS_FINE = 10, 2


def foreground_colors(rgb: F32, alpha: F32) -> F32:
    """Estimate unpremultiplied foreground (h, w, 3) of `rgb` (linear) under `alpha` (h, w)."""
    height, width = alpha.shape
    levels = max(1, int(np.ceil(np.log2(max(height, width)))))
    mean = np.full((1, 1, 3), 0.5, np.float32)
    front, back = mean, mean
    for level in range(levels + 1):
        size = (max(1, round(width ** (level / levels))), max(1, round(height ** (level / levels))))
        image = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 3)
        matte = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0])
        front = cv2.resize(front, size, interpolation=cv2.INTER_NEAREST).reshape(size[1], size[0], 3)
        back = cv2.resize(back, size, interpolation=cv2.INTER_NEAREST).reshape(size[1], size[0], 3)
        for _ in range(SWEEPS_COARSE if max(size) <= 32 else SWEEPS_FINE):
            front, back = _sweep(image, matte, front, back)
    return front


def _shifted(plane: F32) -> list[F32]:
    """The four neighbours of each pixel, the border repeated."""
    padded = cv2.copyMakeBorder(plane, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    padded = padded.reshape(plane.shape[0] + 2, plane.shape[1] + 2, *plane.shape[2:])
    return [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]


def _sweep(image: F32, alpha: F32, front: F32, back: F32) -> tuple[F32, F32]:
    """One update: minimise the compositing error plus the neighbours' disagreement, 2 x 2 in closed form."""
    weight = np.zeros_like(alpha)
    front_sum, back_sum = np.zeros_like(front), np.zeros_like(back)
    for near_alpha, near_front, near_back in zip(_shifted(alpha), _shifted(front), _shifted(back), strict=True):
        pull = SMOOTH + SMOOTH_BY_EDGE * np.abs(alpha - near_alpha)
        weight += pull
        front_sum += pull[..., None] * near_front
        back_sum += pull[..., None] * near_back
    rest = 1 - alpha
    a, b, c = alpha * alpha + weight, alpha * rest, rest * rest + weight
    scale = 1 / np.maximum(a * c - b * b, 1e-12)
    right_front = alpha[..., None] * image + front_sum
    right_back = rest[..., None] * image + back_sum
    new_front = (c[..., None] * right_front - b[..., None] * right_back) * scale[..., None]
    new_back = (a[..., None] * right_back - b[..., None] * right_front) * scale[..., None]
    return np.clip(new_front, 0, None), np.clip(new_back, 0, None)
