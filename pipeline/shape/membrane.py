"""Sheets stretched over an outline: Poisson's equation inside the piece. Owns the solver; refuses to know what a sheet stands for."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import factorized

from pipeline.values import F32, Mask

FINEST_PX = 14_000  # unknowns; a larger piece is solved on a coarser grid


def stretched(inside: Mask, source: float, edge: F32 | None = None) -> F32:
    """The sheet u (H, W) with laplacian u = -source inside the piece, in pixels, and u = `edge` on its outline (None: 0). 0 outside.

    Solved directly on a grid of at most `FINEST_PX` unknowns and enlarged, so it is smooth.
    """
    height, width = inside.shape
    step = max(1, int(np.ceil(np.sqrt(int(inside.sum()) / FINEST_PX))))
    size = (-(-width // step), -(-height // step))
    cover = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    mask = cover > 0.5
    if not mask.any():
        return np.zeros((height, width), np.float32)
    border = np.zeros(mask.shape, np.float32)
    if edge is not None:
        weighted = cv2.resize(edge * inside, size, interpolation=cv2.INTER_AREA) / np.maximum(cover, 1e-3)
        border = _spread(weighted.astype(np.float32), mask)
    u = border.copy()
    u[mask] = _solve(mask, source * step * step, border)
    whole = cv2.resize(u, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(inside, whole, np.float32(0)).astype(np.float32)


def _spread(values: F32, mask: Mask) -> F32:
    """Values of the outermost pixels carried to their neighbours outside."""
    weight = cv2.blur(mask.astype(np.float32), (3, 3))
    near = cv2.blur(values * mask, (3, 3)) / np.maximum(weight, 1e-3)
    return np.where(mask, values, near).astype(np.float32)


def _solve(mask: Mask, source: float, border: F32) -> F32:
    """Five-point Laplacian with Dirichlet values just outside the mask."""
    wide, values = np.pad(mask, 1), np.pad(border, 1)
    number = np.full(wide.shape, -1, np.int32)
    y, x = np.nonzero(wide)
    number[y, x] = np.arange(y.size, dtype=np.int32)
    right = np.full(y.size, source, np.float64)
    rows, columns = [number[y, x]], [number[y, x]]
    data = [np.full(y.size, 4.0)]
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        other = number[y + dy, x + dx]
        within = other >= 0
        rows.append(number[y, x][within])
        columns.append(other[within])
        data.append(np.full(int(within.sum()), -1.0))
        right += np.where(within, 0.0, values[y + dy, x + dx])
    entries = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
    matrix: csc_matrix = coo_matrix(entries, shape=(y.size, y.size)).tocsc()
    return np.asarray(factorized(matrix)(right), np.float32)
