"""Seeded noise for materials: smooth noise at free points, and fine texture on the pixel grid.

Owns randomness of the sets; refuses light and colour. One generator (PCG64) per purpose, so that adding a layer to
one material never moves another. Nothing depends on the number of threads.

Sources: gradient noise with quintic fade (Perlin 2002, "Improving Noise"); fractal sum (fBm) and ridged sum
(Musgrave, in Ebert et al., "Texturing and Modeling"); domain warping (Quilez, "Domain warping").
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from pipeline.backdrop.filters import enlarged_smoothly, gaussian
from pipeline.values import F32

TABLE = 256
LEAST_SUM = 0.6  # sigma from which a pixel of grain is a sum of many


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A generator for one purpose of one seed. Purposes are spelled, not numbered, so that they stay apart."""
    return np.random.Generator(np.random.PCG64([seed, *purpose.encode()]))


class Noise:
    """Smooth gradient noise over the plane, about -1..1, period 256 cells."""

    def __init__(self, rng: np.random.Generator) -> None:
        angle = rng.uniform(0.0, 2.0 * math.pi, (TABLE, TABLE)).astype(np.float32)
        self._gx: F32 = np.pad(np.cos(angle), (0, 1), mode="wrap").ravel()
        self._gy: F32 = np.pad(np.sin(angle), (0, 1), mode="wrap").ravel()

    def __call__(self, x: F32, y: F32) -> F32:
        """Noise at float32 points of one shape; cells have size 1."""
        x0, y0 = np.floor(x), np.floor(y)
        fx, fy = x - x0, y - y0
        corner = x0.astype(np.int32) & (TABLE - 1)
        corner += (y0.astype(np.int32) & (TABLE - 1)) * (TABLE + 1)
        u = fx * fx * fx * (fx * (fx * 6.0 - 15.0) + 10.0)
        gx, gy, below = self._gx, self._gy, TABLE + 1
        px, py = fx - 1.0, fy - 1.0
        low = gx.take(corner) * fx + gy.take(corner) * fy
        low += u * (gx.take(corner + 1) * px + gy.take(corner + 1) * fy - low)
        corner += below
        high = gx.take(corner) * fx + gy.take(corner) * py
        corner += 1
        right = gx.take(corner) * px + gy.take(corner) * py
        right -= high
        high += u * right
        v = fy * fy * fy * (fy * (fy * 6.0 - 15.0) + 10.0)
        high -= low
        low += v * high
        low *= np.float32(1.5)
        result: F32 = low
        return result

    def fbm(self, x: F32, y: F32, count: int, gain: float = 0.5) -> F32:
        """Fractal sum of `count` octaves, about -1..1; see `octaves`."""
        total = np.zeros_like(x)
        for weight, scale, away in octaves(count, gain):
            total += np.float32(weight) * self(
                x * np.float32(scale) + np.float32(away), y * np.float32(scale) - np.float32(away)
            )
        return total


def octaves(count: int, gain: float) -> Iterator[tuple[float, float, float]]:
    """(weight, frequency, shift apart) of the octaves of a fractal sum: each has about twice the frequency and `gain` of the weight."""
    norm = sum(gain**k for k in range(count))
    for k in range(count):
        yield gain**k / norm, 2.03**k, 17.31 * k


def grain(rng: np.random.Generator, shape: tuple[int, int], sigma_x: float, sigma_y: float) -> F32:
    """White noise through a Gaussian of `sigma` pixels each way, mean 0, standard deviation 1. Float32 (H, W).

    Wide Gaussians are made on a coarser lattice, which looks the same and costs less; so does even noise instead of normal
    noise, once a few samples are summed.
    """
    step_x, step_y = max(1, int(sigma_x / 1.5)), max(1, int(sigma_y / 1.5))
    size = (-(-shape[0] // step_y) + 2, -(-shape[1] // step_x) + 2)
    few = min(sigma_x, sigma_y) < LEAST_SUM
    field = rng.standard_normal(size, dtype=np.float32) if few else rng.random(size, dtype=np.float32)
    field = gaussian(field, sigma_x / step_x, sigma_y / step_y)
    if (step_x, step_y) != (1, 1):
        field = enlarged_smoothly(field, (size[0] * step_y, size[1] * step_x))
    field = np.ascontiguousarray(field[: shape[0], : shape[1]], dtype=np.float32)
    mean, deviation = (float(one[0, 0]) for one in cv2.meanStdDev(field))
    field -= np.float32(mean)
    field *= np.float32(1.0 / max(deviation, 1e-6))
    return field
