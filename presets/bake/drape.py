"""Cloth too wide for its bed, as a height field: where it rises in folds and how. Owns the shape; refuses materials and light.

The sheet minimises bending + weight + what is left of its excess width, above the table:

    E = B/2 (lap h)^2 + g h + k/4 (<h_u^2> - 2 excess)^2 + kv/2 h_v^2,   h >= 0

u runs across the folds, around a gathering point far away, v along them. Steepest descent, the stiff terms implicit in
Fourier space. Rucks of free width, forks and tapering ends come out of it, none of them drawn. (Thin sheets under
compression: Cerda & Mahadevan 2003, "Geometry and physics of wrinkling"; rucks under gravity: Vella et al. 2009.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
STEP = 0.02  # of descent
NEIGHBOURHOOD = 0.35  # units over which excess width is shared


@dataclass(frozen=True, slots=True)
class Bed:
    """The ground under the cloth: x from `left`, y from `near`, in units; `cell` apart."""

    left: float
    near: float
    width: float
    depth: float
    cell: float = 0.03

    def grid(self) -> tuple[F32, F32]:
        """(X, Y) of the cells, rows from near to far."""
        x = self.left + (np.arange(round(self.width / self.cell)) + 0.5) * self.cell
        y = self.near + (np.arange(round(self.depth / self.cell)) + 0.5) * self.cell
        X, Y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        return X, Y


@dataclass(frozen=True, slots=True)
class Cloth:
    """excess: 0.1 is a tenth too wide; bending: wider folds; weight: flatter valleys; gather: where folds come together.

    calm: (x, y, radius x, radius y) of the ellipse that a hand has smoothed. wander: radians the folds swing.
    """

    excess: float
    bending: float
    weight: float
    gather: tuple[float, float]
    calm: tuple[float, float, float, float]
    wander: float = 0.25
    steps: int = 1200
    tallest: float = 0.42


def smoothed(field: F32, sigma: float) -> F32:
    """Gaussian blur on the torus, sigma in cells."""
    rows, columns = np.fft.fftfreq(field.shape[0]), np.fft.rfftfreq(field.shape[1])
    low = np.exp(-2 * (np.pi * sigma) ** 2 * (rows[:, None] ** 2 + columns[None] ** 2))
    result: F32 = np.asarray(np.fft.irfft2(np.fft.rfft2(field) * low, s=field.shape), dtype=np.float32)
    return result


def wave(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> F32:
    """Smooth noise of deviation 1, features about `sigma` cells wide."""
    field = smoothed(rng.standard_normal(shape, dtype=np.float32), sigma)
    return np.asarray(field / field.std(), dtype=np.float32)


def drape(bed: Bed, cloth: Cloth, seed: int) -> F32:
    """Heights (rows, columns) of the cloth on the bed's grid, units, 0..`tallest`."""
    rng = np.random.Generator(np.random.PCG64(seed))
    X, Y = bed.grid()
    shape, cell = X.shape, bed.cell
    turn = np.arctan2(Y - cloth.gather[1], X - cloth.gather[0]) + np.pi / 2
    turn = turn + cloth.wander * wave(rng, shape, 0.9 / cell)
    cos, sin = np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)
    excess = _excess(rng, bed, cloth)
    h = np.maximum(0.03 + 0.02 * wave(rng, shape, 0.12 / cell), 0).astype(np.float32)
    fy, fx = (2 * np.pi * f for f in (np.fft.fftfreq(shape[0], cell), np.fft.rfftfreq(shape[1], cell)))
    k2 = (fy[:, None] ** 2 + fx[None] ** 2).astype(np.float32)
    most = 2 * cloth.excess
    implicit = 1 / (1 + STEP * (cloth.bending * k2 * k2 + most * k2))
    for _ in range(cloth.steps):
        hx, hy = _slope(h, 1, cell), _slope(h, 0, cell)
        u, v = cos * hx + sin * hy, cos * hy - sin * hx
        tension = np.clip(smoothed(u * u, NEIGHBOURHOOD / cell) - 2 * excess, -1.5 * most, 1.5 * most)
        along_u, along_v = tension * u, np.float32(0.25 * most) * v
        pull = _slope(cos * along_u - sin * along_v, 1, cell) + _slope(sin * along_u + cos * along_v, 0, cell)
        spectrum = np.fft.rfft2(h + STEP * (pull - cloth.weight)) + STEP * most * k2 * np.fft.rfft2(h)
        h = np.maximum(np.fft.irfft2(spectrum * implicit, s=shape), 0).astype(np.float32)
    return _bounded(smoothed(h, 0.6), cloth.tallest)


def _excess(rng: np.random.Generator, bed: Bed, cloth: Cloth) -> F32:
    """Excess width by place: none where a hand has smoothed the cloth, uneven elsewhere."""
    X, Y = bed.grid()
    x, y, radius_x, radius_y = cloth.calm
    away = np.hypot((X - x) / radius_x, (Y - y) / radius_y) + 0.18 * wave(rng, X.shape, 0.5 / bed.cell)
    rise = np.clip((away - 0.6) / 0.9, 0, 1)
    rise = 0.03 + 0.97 * rise * rise * (3 - 2 * rise)
    uneven = np.exp(0.5 * wave(rng, X.shape, 0.8 / bed.cell))
    return np.asarray(cloth.excess * rise * uneven, dtype=np.float32)


def _slope(field: F32, axis: int, cell: float) -> F32:
    """Central difference on the torus."""
    change = np.roll(field, -1, axis) - np.roll(field, 1, axis)
    return np.asarray(change / np.float32(2 * cell), dtype=np.float32)


def _bounded(h: F32, tallest: float) -> F32:
    """Heights eased to stay under `tallest`."""
    half = np.float32(tallest / 2)
    eased = np.where(h > half, half + half * np.tanh((h - half) / half), h)
    return np.maximum(eased, 0).astype(np.float32)
