"""Where a stone is veined: distances to cracks and to bedding lines. Owns the pattern; refuses colour and light.

Cracks are the borders of a stretched Voronoi diagram (F2 - F1, Worley 1996, "A Cellular Texture Basis Function"): they
branch and meet as fractures do, and each border has a strength of its own, so many never show. Wisps are zero lines
of a noise, at distance |n| / |grad n| (first-order distance to an implicit curve, Taubin 1994). Both live in warped
coordinates, so that nothing runs straight for long.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.backdrop.filters import f32, gaussian
from pipeline.backdrop.noise import Noise
from pipeline.backdrop.sheet import Sheet
from pipeline.values import F32

LATTICE = 64
RIPPLES = 20.0  # to a unit: the finest that the bedding's warp puts into a line
SPARSE = 4  # of how many samples one is asked which cells are near
FAINTEST = 0.10  # cracks that hardly show still lead from one that does to the next


@dataclass(frozen=True, slots=True)
class Lines:
    """Float32 layers of one shape. distance: to the nearest line, same units as the coordinates, signed for wisps.

    strength: 0..1, how much of that line shows here.
    """

    distance: F32
    strength: F32


@dataclass(frozen=True, slots=True)
class Cells:
    """Where in its square of the lattice each cell's site lies, (2, n, n), and the site's lot, (n, n); both 0..1."""

    jitter: F32
    mark: F32

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Cells:
        """Cells by lot."""
        jitter = rng.uniform(0.08, 0.92, (2, LATTICE, LATTICE)).astype(np.float32)
        return cls(jitter, rng.random((LATTICE, LATTICE), dtype=np.float32))


def cracks(cells: Cells, u: F32, v: F32, size: float, shown: float) -> Lines:
    """Borders of the cells, about `size` across; a share `shown` of them is visible."""
    x, y = u * np.float32(1.0 / size), v * np.float32(1.0 / size)
    sites = _three_nearest(cells, x, y)
    a, b, c = (_squared(site, x, y) for site in sites)
    ab, bc, ca = (
        _strength(one, other, shown) for one, other in zip(sites, sites[1:] + sites[:1], strict=True)
    )
    low, high = np.minimum(a, b), np.maximum(a, b)
    # Of three sites the two nearer ones make the border, whichever of them is nearest.
    strength = np.where(c >= high, _spread(ab, x), np.where(a > b, _spread(bc, x), _spread(ca, x)))
    near, second, third = np.minimum(low, c), np.maximum(low, np.minimum(high, c)), np.maximum(high, c)
    near, second, third = (np.sqrt(one, out=one) for one in (near, second, third))
    to_end = np.clip((third - second) * np.float32(3.2), 0.0, 1.0)
    # Cracks end in a point, strong ones still join.
    strength *= to_end + (1.0 - to_end) * 0.5 * strength
    return Lines((second - near) * np.float32(0.5 * size), f32(strength))


@dataclass(frozen=True, slots=True)
class _Site:
    """One of the cells' sites near each of a few points of the grid, (rows, columns). mark: its lot, 0..1."""

    x: F32
    y: F32
    mark: F32


def _three_nearest(cells: Cells, x: F32, y: F32) -> tuple[_Site, ...]:
    """The sites nearest to every `SPARSE`-th point of the grid, one in each cell of a lattice.

    Which three they are changes slowly, and it does not matter here which of them is the nearest.
    """
    few = np.ix_(*(np.minimum(np.arange(0, n, SPARSE) + SPARSE // 2, n - 1) for n in x.shape))
    few_x, few_y = x[few][..., None], y[few][..., None]
    step_y, step_x = (step.ravel().astype(np.int32) for step in np.mgrid[-1:2, -1:2])
    i, j = np.floor(few_x).astype(np.int32) + step_x, np.floor(few_y).astype(np.int32) + step_y
    index = (j % LATTICE) * LATTICE + i % LATTICE
    at_x, at_y = f32(i + cells.jitter[0].take(index)), f32(j + cells.jitter[1].take(index))
    away = np.square(at_x - few_x) + np.square(at_y - few_y)
    nearest = np.argpartition(away, 2, axis=-1)[..., :3]
    planes = [np.take_along_axis(one, nearest, -1) for one in (at_x, at_y, cells.mark.take(index))]
    return tuple(_Site(*(f32(plane[..., k]) for plane in planes)) for k in range(3))


def _squared(site: _Site, x: F32, y: F32) -> F32:
    """Squared distance of every point of the grid from the site of the few points around it."""
    dx, dy = x - _spread(site.x, x), y - _spread(site.y, x)
    dx *= dx
    dy *= dy
    dx += dy
    return dx


def _strength(one: _Site, other: _Site, shown: float) -> F32:
    """How much the border between two sites shows: by lot, the same from both sides."""
    lot = np.mod((one.mark + other.mark) * np.float32(7.31), np.float32(1.0))
    strength = np.clip((lot - np.float32(1.0 - shown)) * np.float32(1.0 / max(shown, 1e-3)), 0.0, 1.0)
    return f32(FAINTEST + (1.0 - FAINTEST) * strength)


def _spread(few: F32, grid: F32) -> F32:
    """Every `SPARSE`-th sample, repeated over the grid."""
    size = (few.shape[1] * SPARSE, few.shape[0] * SPARSE)
    whole = cv2.resize(np.ascontiguousarray(few), size, interpolation=cv2.INTER_NEAREST)
    return f32(whole[: grid.shape[0], : grid.shape[1]])


def wisps(
    at: Sheet, noise: Noise, across: float, down: float, *, cell: tuple[float, float], offset: float
) -> Lines:
    """Zero lines of `noise` at (across u, down v). cell: (units per row, per column) of the grid, for the gradient."""
    n = at.drawn(lambda u, v: noise(u * across + offset, v * down - offset), RIPPLES)
    gy, gx = np.gradient(n, *cell)
    slope = gaussian(f32(np.sqrt(gx * gx + gy * gy)), 5.0)
    shown = at.noise(noise, across * 0.35, down * 0.35, (-offset, 0.0))
    strength = np.clip(shown * 1.6 + 0.25, 0.0, 1.0)
    return Lines(f32(n / np.maximum(slope, 0.3 * down)), f32(strength))
