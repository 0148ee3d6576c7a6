"""Closed-form matting in a narrow band. Owns the Laplacian and its solution; refuses to choose the band.

Levin, Lischinski, Weiss, "A closed-form solution to natural image matting" (TPAMI 2008). Only windows that touch
an unknown pixel are built and only unknown pixels are solved for, so memory and time follow the length of the
contour, not the size of the photo. (The usual library builds all windows, 400 MB a megapixel, and its compiler
needs a minute at the first import.)
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from pipeline.values import F32, Mask

WINDOW = 9  # pixels of a 3 x 3 window
EPSILON = 1e-5  # regularises the colour line of a window; larger = smoother mattes
STENCIL = 5  # pixels that share a window with a given one
CHUNK = 60_000  # windows built at a time, bounds memory
GUESS_WEIGHT = 0.03  # of the guess at a pixel, whose neighbours' affinities sum up to about 8
ROUNDS = 400
TOLERANCE = 1e-4


def band_matte(rgb: F32, known: F32, unknown: Mask, guess: F32 | None = None) -> F32:
    """Solve alpha (h, w) in `unknown`; elsewhere it is `known` (0 or 1).

    rgb: (h, w, 3), any encoding in 0..1; perceptual encoding gives better mattes. guess: alpha (h, w) as another method
    sees it, which decides where colours do not: a data term as in Wang, Cohen, "Optimized color sampling for robust
    matting" (CVPR 2007). A pixel that neither seed nor guess reaches keeps 0.5. Deterministic: conjugate gradients with a
    diagonal preconditioner, one thread.
    """
    alpha = known.astype(np.float32).copy()
    if not unknown.any():
        return alpha
    windows = _windows(unknown)
    index = np.full(unknown.size, -1, np.int64)
    index[unknown.ravel()] = np.arange(int(unknown.sum()))
    laplacian, pull = _system(rgb.reshape(-1, 3), windows, index, known.ravel(), unknown.shape[1])
    start = np.full(laplacian.shape[0], 0.5)
    if guess is not None:
        start = guess[unknown].astype(np.float64)
        laplacian = laplacian + sparse.diags_array(np.full(start.size, GUESS_WEIGHT))
        pull = pull + GUESS_WEIGHT * start
    diagonal = laplacian.diagonal() + 1e-9
    inverse = sparse.diags_array(1 / diagonal)
    solved, _ = linalg.cg(laplacian, pull, x0=start, rtol=TOLERANCE, maxiter=ROUNDS, M=inverse)
    alpha[unknown] = np.clip(solved, 0, 1).astype(np.float32)
    return alpha


def _windows(unknown: Mask) -> NDArray[np.int64]:
    """Flat pixel indices (n, 9) of all 3 x 3 windows that hold an unknown pixel."""
    width = unknown.shape[1]
    centers = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    centers[0], centers[-1], centers[:, 0], centers[:, -1] = False, False, False, False
    flat = np.flatnonzero(centers)
    offsets = np.array([dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    windows: NDArray[np.int64] = flat[:, None] + offsets[None, :]
    return windows


def _system(
    pixels: F32, windows: NDArray[np.int64], index: NDArray[np.int64], known: F32, width: int
) -> tuple[sparse.csr_array, NDArray[np.float64]]:
    """The Laplacian restricted to the unknown pixels, and the pull of their known neighbours.

    Affinities are gathered per pixel and neighbour offset (5 x 5): in one place of the window every pixel occurs at
    most once, so plain indexed addition is exact.
    """
    size = int(index.max()) + 1
    rows = np.where(index[windows] >= 0, index[windows], size)  # row `size` takes what nobody asks for
    sums = np.zeros((STENCIL * STENCIL, size + 1))
    places = [(y, x) for y in range(3) for x in range(3)]
    for start in range(0, len(windows), CHUNK):
        part = slice(start, start + CHUNK)
        weights = np.ascontiguousarray(_affinity(pixels[windows[part]].astype(np.float64)).transpose(1, 2, 0))
        for k, (ky, kx) in enumerate(places):
            row = np.ascontiguousarray(rows[part, k])
            for other, (ly, lx) in enumerate(places):
                sums[(ly - ky + 2) * STENCIL + (lx - kx + 2)][row] += weights[k, other]
    stencil = np.ascontiguousarray(sums[:, :size].T)
    offsets = np.array([y * width + x for y in range(-2, 3) for x in range(-2, 3)])
    near = np.flatnonzero(index >= 0)[:, None] + offsets[None, :]
    np.clip(near, 0, index.size - 1, out=near)
    column = index[near]
    inside = (column >= 0) & (stencil != 0)
    pull = np.where(column < 0, stencil * known[near], 0).sum(1)
    values = -stencil
    values[:, STENCIL * STENCIL // 2] += stencil.sum(1)
    starts = np.concatenate([[0], np.cumsum(inside.sum(1))])
    return sparse.csr_array((values[inside], column[inside], starts), shape=(size, size)), pull


def _affinity(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matting affinity (n, 9, 9) of windows (n, 9, 3): Levin et al., equation 12, without the Kronecker delta."""
    centered = colors - colors.mean(1, keepdims=True)
    across = np.ascontiguousarray(centered.transpose(0, 2, 1))
    covariance = across @ centered / WINDOW
    covariance += np.eye(3) * (EPSILON / WINDOW)
    affinity: NDArray[np.float64] = centered @ (_inverse(covariance) @ across)
    affinity += 1
    affinity /= WINDOW
    return affinity


def _inverse(symmetric: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverses of symmetric matrices (n, 3, 3) by their cofactors: several times faster than a solver for each."""
    a, b, c = symmetric[:, 0].T
    _, d, e = symmetric[:, 1].T
    f = symmetric[:, 2, 2]
    rows = (d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b)
    determinant = a * rows[0] + b * rows[1] + c * rows[2]
    upper = np.stack(rows, 1) / determinant[:, None]
    inverse: NDArray[np.float64] = upper[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
    return inverse
