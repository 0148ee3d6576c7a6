"""Closed-form matting in a narrow band. Owns the Laplacian and its solution; refuses to choose the band.

Levin, Lischinski, Weiss, "A closed-form solution to natural image matting" (TPAMI 2008). Only windows that touch
an unknown pixel are built and only unknown pixels are solved for, so memory and time follow the length of the
contour, not the size of the photo. (The usual library builds all windows, 400 MB a megapixel, and its compiler
needs a minute at the first import.)
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from pipeline.values import F32, Mask

WINDOW = 9  # pixels of a 3 x 3 window
EPSILON = 1e-5  # regularises the colour line of a window; larger = smoother mattes
CHUNK = 60_000  # windows built at a time, bounds memory
ROUNDS = 400
TOLERANCE = 1e-4


def band_matte(rgb: F32, known: F32, unknown: Mask) -> F32:
    """Solve alpha (h, w) in `unknown`; elsewhere it is `known` (0 or 1).

    rgb: (h, w, 3), any encoding in 0..1; perceptual encoding gives better mattes. A pixel that no seed reaches
    keeps 0.5. Deterministic: conjugate gradients with a diagonal preconditioner, one thread.
    """
    alpha = known.astype(np.float32).copy()
    if not unknown.any():
        return alpha
    windows = _windows(unknown)
    index = np.full(unknown.size, -1, np.int64)
    index[unknown.ravel()] = np.arange(int(unknown.sum()))
    laplacian, pull = _system(rgb.reshape(-1, 3), windows, index, known.ravel())
    diagonal = laplacian.diagonal() + 1e-9
    inverse = sparse.diags_array(1 / diagonal)
    start = np.full(laplacian.shape[0], 0.5)
    solved, _ = linalg.cg(laplacian, pull, x0=start, rtol=TOLERANCE, maxiter=ROUNDS, M=inverse)
    alpha[unknown] = np.clip(solved, 0, 1).astype(np.float32)
    return alpha


def _windows(unknown: Mask) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Flat pixel indices (n, 9) of all 3 x 3 windows that hold an unknown pixel."""
    width = unknown.shape[1]
    centers = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    centers[0], centers[-1], centers[:, 0], centers[:, -1] = False, False, False, False
    flat = np.flatnonzero(centers)
    offsets = np.array([dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    return flat[:, None] + offsets[None, :]


def _system(pixels: F32, windows: np.ndarray, index: np.ndarray, known: np.ndarray):  # type: ignore[no-untyped-def, type-arg]
    """The Laplacian restricted to the unknown pixels, and the pull of their known neighbours."""
    size = int(index.max()) + 1
    total = sparse.csr_array((size, size))
    pull = np.zeros(size)
    for start in range(0, len(windows), CHUNK):
        part = windows[start : start + CHUNK]
        weights = _affinity(pixels[part].astype(np.float64))
        rows, columns = np.repeat(part, WINDOW, 1).ravel(), np.tile(part, (1, WINDOW)).ravel()
        values = weights.ravel()
        i, j = index[rows], index[columns]
        both = (i >= 0) & (j >= 0)
        total = total + sparse.coo_array((-values[both], (i[both], j[both])), shape=(size, size)).tocsr()
        touching = i >= 0
        degree = np.bincount(i[touching], values[touching], size)
        total = total + sparse.diags_array(degree).tocsr()
        edge = touching & (j < 0)
        pull += np.bincount(i[edge], values[edge] * known[columns[edge]], size)
    return total, pull


def _affinity(colors: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Matting affinity (n, 9, 9) of windows (n, 9, 3): Levin et al., equation 12, without the Kronecker delta."""
    centered = colors - colors.mean(1, keepdims=True)
    covariance = np.einsum("nki,nkj->nij", centered, centered) / WINDOW
    covariance += np.eye(3) * (EPSILON / WINDOW)
    projected = np.linalg.solve(covariance, centered.transpose(0, 2, 1))
    affinity: np.ndarray = (1 + centered @ projected) / WINDOW  # type: ignore[type-arg]
    return affinity
