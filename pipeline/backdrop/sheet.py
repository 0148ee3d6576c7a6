"""Smooth layers at the price of the few samples that they need. Owns the choice of grid; refuses materials and light.

A layer of noise whose cells are wide is drawn on a coarser grid and enlarged: with n samples to a cell, linear enlarging is
off by (pi / n)^2 / 8 of the layer's own amplitude at most: 5 percent with `ENOUGH`, which only the finest layers come to.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from pipeline.backdrop.filters import enlarged, f32
from pipeline.backdrop.noise import Noise, octaves
from pipeline.values import F32

ENOUGH = 5.0  # samples to a cell of noise
COARSEST = 8


class Sheet:
    """Coordinates (u, v) over a grid, and the same on coarser ones.

    u, v: float32 (rows, columns). samples: (along the rows, down the columns) to one unit of u and v.
    """

    def __init__(self, u: F32, v: F32, samples: tuple[float, float]) -> None:
        self.u, self.v, self._samples = u, v, samples
        self._coarser: dict[tuple[int, int], tuple[F32, F32]] = {}

    def drawn(self, layer: Callable[[F32, F32], F32], frequency: float) -> F32:
        """`layer(u, v)` on the whole grid. frequency: cells of its finest noise to a unit."""
        across, down = (
            min(max(int(samples / (frequency * ENOUGH)), 1), COARSEST) for samples in self._samples
        )
        if (across, down) == (1, 1):
            return layer(self.u, self.v)
        few = f32(layer(*self._at(across, down)))
        whole = enlarged(few, (few.shape[0] * down, few.shape[1] * across))
        return whole[: self.u.shape[0], : self.u.shape[1]]

    def noise(self, noise: Noise, across: float, down: float, shift: tuple[float, float] = (0.0, 0.0)) -> F32:
        """Noise at (across u, down v) + shift."""
        return self.drawn(lambda u, v: noise(u * across + shift[0], v * down + shift[1]), max(across, down))

    def fbm(  # noqa: PLR0917 - as `Noise.fbm`
        self,
        noise: Noise,
        across: float,
        down: float,
        count: int,
        gain: float = 0.5,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> F32:
        """`Noise.fbm` of `count` octaves at (across u, down v) + shift, each on a grid of its own."""
        total: F32 | None = None
        for weight, scale, away in octaves(count, gain):
            at = (scale * shift[0] + away, scale * shift[1] - away)
            one = self.noise(noise, scale * across, scale * down, at)
            one *= weight
            total = one if total is None else total.__iadd__(one)
        assert total is not None  # noqa: S101 - there is one octave at least
        return total

    def _at(self, across: int, down: int) -> tuple[F32, F32]:
        """Coordinates in the middle of blocks."""
        if (across, down) not in self._coarser:
            self._coarser[across, down] = (_few(self.u, across, down), _few(self.v, across, down))
        return self._coarser[across, down]


def _few(plane: F32, across: int, down: int) -> F32:
    """The plane in the middle of blocks, which for an even number lies between samples; the last block may be cut off."""
    picked = [plane[row::down, column::across] for row in _middle(down) for column in _middle(across)]
    rows, columns = -(-plane.shape[0] // down), -(-plane.shape[1] // across)
    whole = [
        one
        if one.shape == (rows, columns)
        else cv2.copyMakeBorder(
            np.ascontiguousarray(one), 0, rows - one.shape[0], 0, columns - one.shape[1], cv2.BORDER_REPLICATE
        )
        for one in picked
    ]
    return f32(np.add.reduce(whole) * np.float32(1 / len(whole)))


def _middle(step: int) -> tuple[int, ...]:
    return (step // 2,) if step % 2 else (step // 2 - 1, step // 2)
