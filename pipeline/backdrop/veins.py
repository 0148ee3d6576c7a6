"""Where a stone is veined: distances to cracks and to bedding lines. Owns the pattern; refuses colour and light.

Cracks are the borders of a stretched Voronoi diagram (F2 - F1, Worley 1996, "A Cellular Texture Basis Function"): they
branch and meet as fractures do, and each border has a strength of its own, so many never show. Wisps are zero lines
of a noise, at distance |n| / |grad n| (first-order distance to an implicit curve, Taubin 1994). Both live in warped
coordinates, so that nothing runs straight for long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.backdrop.filters import gaussian
from pipeline.backdrop.noise import Noise
from pipeline.values import F32

LATTICE = 64
FAINTEST = 0.10  # cracks that hardly show still lead from one that does to the next


@dataclass(frozen=True, slots=True)
class Lines:
    """Float32 layers of one shape. distance: to the nearest line, same units as the coordinates, signed for wisps.

    strength: 0..1, how much of that line shows here.
    """

    distance: F32
    strength: F32


def cracks(rng: np.random.Generator, u: F32, v: F32, size: float, shown: float) -> Lines:
    """Borders of Voronoi cells about `size` across; a share `shown` of them is visible."""
    x, y = u * np.float32(1.0 / size), v * np.float32(1.0 / size)
    jitter = rng.uniform(0.08, 0.92, (2, LATTICE, LATTICE)).astype(np.float32)
    mark = rng.random((LATTICE, LATTICE), dtype=np.float32)
    cell_x, cell_y = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    near, second, third = (np.full_like(x, 9.0) for _ in range(3))
    near_mark, second_mark = np.zeros_like(x), np.zeros_like(x)
    for step_y in (-1, 0, 1):
        for step_x in (-1, 0, 1):
            i, j = cell_x + step_x, cell_y + step_y
            index = (j % LATTICE) * LATTICE + i % LATTICE
            dx = i + jitter[0].take(index) - x
            dy = j + jitter[1].take(index) - y
            away = dx * dx + dy * dy
            own = mark.take(index)
            closer = away < near
            behind = np.where(closer, near, away)
            behind_mark = np.where(closer, near_mark, own)
            nearer = behind < second
            third = np.minimum(third, np.where(nearer, second, behind))
            second = np.where(nearer, behind, second)
            second_mark = np.where(nearer, behind_mark, second_mark)
            near = np.where(closer, away, near)
            near_mark = np.where(closer, own, near_mark)
    distance = (np.sqrt(second) - np.sqrt(near)) * np.float32(0.5 * size)
    pair = np.mod((near_mark + second_mark) * np.float32(7.31), 1.0)  # the same from both sides of a border
    strength = np.clip((pair - np.float32(1.0 - shown)) * np.float32(1.0 / max(shown, 1e-3)), 0.0, 1.0)
    strength = FAINTEST + (1.0 - FAINTEST) * strength
    to_end = np.clip((np.sqrt(third) - np.sqrt(second)) * 3.2, 0.0, 1.0)
    strength = strength * (
        to_end + (1.0 - to_end) * 0.5 * strength
    )  # cracks end in a point, strong ones still join
    return Lines(distance.astype(np.float32), strength.astype(np.float32))


def wisps(
    noise: Noise, u: F32, v: F32, frequency: float, *, cell: tuple[float, float], offset: float
) -> Lines:
    """Zero lines of `noise`. cell: (units per row, per column) of the arrays, for the gradient."""
    f = np.float32(frequency)
    n = noise(u * f + np.float32(offset), v * f - np.float32(offset))
    gy, gx = np.gradient(n, *cell)
    slope = gaussian(np.sqrt(gx * gx + gy * gy).astype(np.float32), 5.0)
    shown = noise(u * f * np.float32(0.35) - np.float32(offset), v * f * np.float32(0.35))
    strength = np.clip(shown * 1.6 + 0.25, 0.0, 1.0)
    return Lines((n / np.maximum(slope, 0.3 * f)).astype(np.float32), strength.astype(np.float32))
