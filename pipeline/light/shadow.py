"""The shadow of the piece on the ground, per light. Owns visibility; refuses colour.

An area light is many points. For each, the piece is carried to the ground along the light, slice by slice of its height,
and the ground it meets is marked; the mean over the points is the visibility. The penumbra grows with height by itself.
Marks are bits and moves are whole pixels, so the result does not depend on threads.

Geometry: a point at height Z over the pixel (x, y) stands on (x, y + Z cos e). Light from far away carries it by
(-Z lx/lz, Z sin e ly/lz); a lamp nearby, at A, scales the slice by Az / (Az - Z) about the origin, and lx/lz becomes Ax / (Az - Z).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.rig import Light
from pipeline.shape.solid import Solid
from pipeline.values import F32, U8, Ground

Ints = NDArray[np.integer[Any]]
Direction = tuple[float, float, float]

KEY_STEP, LOW_STEP, FILL_STEP, DOME_STEP = 2, 1, 4, 3  # frame pixels per shadow pixel
LEAST_POINTS, MOST_POINTS = 24, 64
LOW = 0.3  # units: the key's shadow of what is lower is short and sharp, and cut finer
GAP_PX = 5.0  # shadow pixels: two neighbouring points of a light may move the top of the piece so far apart
DOME_POINTS = 48
ZENITH, HORIZON = 1.25, 0.5  # radiance of the sky
LEAST_RUN, MOST_RUN = (
    0.7,
    3.5,
)  # shadow pixels on the ground for one of height, between which slices are cut finer or coarser
COVERED = 0.5  # share of a shadow pixel from which it belongs to the piece
COVERED_WIDE = 0.35  # the same of a coarse one, or chains would throw no shadow
STRIDE_PX = 0.9  # shadow pixels that two slices may lie apart on the ground: under 1, so that no gap is left between them
SOFTEN_PX = 1.0  # shadow pixels; hides the sampling


def _radical_inverse(count: int) -> F32:
    """Van der Corput sequence in base 2."""
    bits = np.arange(count, dtype=np.uint32)
    out = np.zeros(count)
    scale = 0.5
    while bits.any():
        out += scale * (bits & 1)
        bits >>= 1
        scale /= 2
    return out.astype(np.float32)


def light_directions(direction: tuple[float, float, float], radius_deg: float, count: int) -> F32:
    """(count, 3) unit vectors over the disk of angular radius `radius_deg` around `direction`; all stay above ground."""
    axis = np.asarray(direction, np.float64)
    side = np.cross(axis, (0.0, 0.0, 1.0) if abs(axis[2]) < 0.99 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)
    radius = np.tan(math.radians(min(radius_deg, 80))) * np.sqrt((np.arange(count) + 0.5) / count)
    turn = 2 * np.pi * _radical_inverse(count)
    points = axis + (radius * np.cos(turn))[:, None] * side + (radius * np.sin(turn))[:, None] * other
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points[:, 2] = np.maximum(points[:, 2], 0.12)
    directions: F32 = points.astype(np.float32)
    return directions


def visibility(solid: Solid, ground: Ground, light: Light) -> F32:
    """Share of `light` that reaches each ground pixel, (H, W) 0..1."""
    highest = float(solid.top_px.max(initial=0))
    step = FILL_STEP
    if light.role == "key":
        step = LOW_STEP if highest < LOW * ground.unit_px else KEY_STEP
    tall = highest / step
    wide = 2 * tall * math.tan(math.radians(light.size_deg)) / light.direction[2] ** 2
    count = int(np.clip((wide / GAP_PX) ** 2, LEAST_POINTS, MOST_POINTS))
    directions = light_directions(light.direction, light.size_deg, count)
    points = _Points(light.direction, directions, directions[:, 2] / directions[:, 2].sum(), light.distance)
    return _carried(solid, ground, points, step)


def dome_visibility(solid: Solid, ground: Ground) -> F32:
    """Share of the sky's light that each ground pixel gets, (H, W) 0..1: the contact shadow. The sky is brighter overhead."""
    directions, weights = dome_directions(DOME_POINTS)
    return _carried(solid, ground, _Points((0.0, 0.0, 1.0), directions, weights, math.inf), DOME_STEP)


def dome_directions(count: int) -> tuple[F32, F32]:
    """(count, 3) unit vectors over the sky, dense as the ground weighs them (by their cosine), and weights (sum 1) by its brightness."""
    share = (np.arange(count) + 0.5) / count
    sine, cosine = np.sqrt(share), np.sqrt(1 - share)
    turn = 2 * np.pi * _radical_inverse(count)
    directions = np.stack([sine * np.cos(turn), sine * np.sin(turn), np.maximum(cosine, 0.12)], 1)
    weights = HORIZON + (ZENITH - HORIZON) * cosine
    return directions.astype(np.float32), (weights / weights.sum()).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Slice:
    """Part of the piece about height z (shadow pixels), carried to the ground along the middle of the light.

    bits: 0 or 1; x, y: pixel of the first.
    """

    z: float
    bits: U8
    x: int
    y: int

    def joined(self, other: _Slice) -> _Slice:
        """Both in one."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.bits.shape[1], other.x + other.bits.shape[1])
        below = max(self.y + self.bits.shape[0], other.y + other.bits.shape[0])
        bits = np.zeros((below - y, right - x), np.uint8)
        for one in (self, other):
            _mark(bits, one, -x, -y)
        return _Slice((self.z + other.z) / 2, bits, x, y)


@dataclass(frozen=True, slots=True)
class _Rays:
    """How far a point of a light carries a slice. direction: to it; lamp: its distance, shadow pixels; sin: of the camera's elevation."""

    direction: Direction
    lamp: float
    sin: float

    def carried(self, z: float) -> tuple[float, float]:
        """Pixels right and down for height z."""
        lx, ly, lz = self.direction
        run = z / lz if math.isinf(self.lamp) else z * self.lamp / max(self.lamp * lz - z, 1e-3)
        return -run * lx, run * self.sin * ly


@dataclass(frozen=True, slots=True)
class _Points:
    """An area light. directions: (n, 3) to its points, about `middle`; weights: (n,), sum 1; distance: units, or infinite."""

    middle: Direction
    directions: F32
    weights: F32
    distance: float


def _carried(solid: Solid, ground: Ground, light: _Points, step: int) -> F32:
    """Share of the light that reaches each ground pixel."""
    height, width = solid.mask.shape
    rows, columns = -(-height // step), -(-width // step)
    lamp, sin = light.distance * ground.unit_px / step, math.sin(math.radians(ground.elevation_deg))
    center = _Rays(light.middle, lamp, sin)
    levels = _levels(_slices(solid, ground, step, center))
    total = np.zeros((rows, columns), np.float32)
    for direction, weight in zip(light.directions.tolist(), light.weights, strict=True):
        total += weight * _hit((rows, columns), levels, center, _Rays(tuple(direction), lamp, sin))
    soft = cv2.GaussianBlur(1 - total, (0, 0), SOFTEN_PX)
    full: F32 = cv2.resize(soft, (columns * step, rows * step), interpolation=cv2.INTER_LINEAR)
    return np.clip(full[:height, :width], 0, 1)


def _hit(shape: tuple[int, int], levels: list[list[_Slice]], center: _Rays, rays: _Rays) -> U8:
    """What one point of the light shades. Slices that it moves alike, to a pixel, are moved together."""
    hit = np.zeros(shape, np.uint8)
    if not levels[0]:
        return hit
    highest = levels[0][-1].z
    (x, y), (mx, my) = rays.carried(highest), center.carried(highest)
    moves = max(math.hypot(x - mx, y - my) / STRIDE_PX, 1.0)
    level = int(np.clip(math.floor(math.log2(max(len(levels[0]) / moves, 1))), 0, len(levels) - 1))
    for one in levels[level]:
        (x, y), (mx, my) = rays.carried(one.z), center.carried(one.z)
        _mark(hit, one, round(x - mx), round(y - my))
    return hit


def _mark(hit: U8, one: _Slice, dx: int, dy: int) -> None:
    x, y = one.x + dx, one.y + dy
    high, wide = one.bits.shape
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + wide, hit.shape[1]), min(y + high, hit.shape[0])
    if x0 < x1 and y0 < y1:
        hit[y0:y1, x0:x1] |= one.bits[y0 - y : y1 - y, x0 - x : x1 - x]


def _levels(slices: list[_Slice]) -> list[list[_Slice]]:
    """The slices, then joined by twos, by fours and so on."""
    levels = [slices]
    while len(levels[-1]) > 1:
        last = levels[-1]
        pairs = [one.joined(other) for one, other in zip(last[::2], last[1::2], strict=False)]
        levels.append(pairs + last[len(pairs) * 2 :])
    return levels


def _slices(solid: Solid, ground: Ground, step: int, center: _Rays) -> list[_Slice]:
    """The piece cut at heights that lie `STRIDE_PX` apart where the middle of the light carries them, the lowest first."""
    size = (-(-solid.mask.shape[1] // step), -(-solid.mask.shape[0] // step))
    cover = cv2.resize(solid.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    top, low = (
        cv2.resize(one * solid.mask, size, interpolation=cv2.INTER_AREA) / np.maximum(cover, 1e-3) / step
        for one in (solid.top_px, solid.low_px)
    )
    y, x = np.nonzero(cover > (COVERED if step <= KEY_STEP else COVERED_WIDE))
    spacing = STRIDE_PX / float(np.clip(math.hypot(*center.carried(1.0)), LEAST_RUN, MOST_RUN))
    first = np.floor(low[y, x] / spacing).astype(np.int32)
    last = np.maximum(np.floor(top[y, x] / spacing).astype(np.int32), first)
    made = []
    for level in range(int(last.max(initial=-1)) + 1):
        here = (first <= level) & (level <= last)
        if here.any():
            made.append(_slice(x[here], y[here], (level + 0.5) * spacing, ground, step=step, center=center))
    return made


def _slice(x: Ints, y: Ints, z: float, ground: Ground, *, step: int, center: _Rays) -> _Slice:
    left, above = ((value + 0.5) / step - 0.5 for value in ground.origin)
    lamp_z = center.lamp * center.direction[2]
    scale = 1.0 if math.isinf(lamp_z) else lamp_z / max(lamp_z - z, 1e-3)
    right, down = center.carried(z)
    drop = z * math.cos(math.radians(ground.elevation_deg))
    ix = np.rint(left + (x - left) * scale + right).astype(np.int32)
    iy = np.rint(above + (y + drop - above) * scale + down).astype(np.int32)
    x0, y0 = int(ix.min()), int(iy.min())
    bits = np.zeros((int(iy.max()) - y0 + 1, int(ix.max()) - x0 + 1), np.uint8)
    bits[iy - y0, ix - x0] = 1
    return _Slice(z, bits, x0, y0)
