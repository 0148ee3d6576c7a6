"""Where a rig must throw the piece's shadow: a small caster of the judge's own, so that it does not ask the code it checks.

What it shares with the engine is the piece's shape (`pipeline.shape`). It takes it as points, on a coarse grid and with few rays a
light: good for where a shadow lies and how much light it takes, not for its edge.
Owns that model; refuses to know what the picture shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pipeline.layout import Piece
from pipeline.rig import Light
from pipeline.shape.solid import Solid
from pipeline.values import F32, Mask

DEEPS = 4  # points from the seen surface to the underside
RAYS = {"key": 4, "fill": 3, "rim": 2}
DOME_RAYS, DOME_DEG = 10, 66.0
LOWEST = 0.12  # sine of the elevation under which no ray comes
DIMMEST = 0.06  # share of the ground's light from which on a light is asked


@dataclass(frozen=True, slots=True)
class Caster:
    """A piece that takes light from its ground, as points: x, y, height (n,) and all else in pixels of a grid.

    shape: of the grid; origin: the ground's, unit: of the world; elevation: of the camera, radians; sure: see `Solid`.
    """

    x: F32
    y: F32
    height: F32
    shape: tuple[int, int]
    origin: tuple[float, float]
    unit: float
    elevation: float
    sure: float

    def shade(self, rays: F32, distance: float = math.inf) -> F32:
        """Share of light from directions `rays` (n, 3), `distance` units away, that does not reach the ground, (h, w) 0..1."""
        rows, columns = self.shape
        total = np.zeros((rows + 2) * (columns + 2), np.float32)  # what misses the grid falls on its rim
        foot = self.y + math.cos(self.elevation) * self.height
        for ray, weight in zip(rays, _weights(rays), strict=True):
            x, y, z = (float(part) for part in ray)
            lamp = distance * self.unit
            near = np.float32(1) if math.isinf(lamp) else lamp * z / np.maximum(lamp * z - self.height, 1e-3)
            run = near * self.height / z
            to_x = self.origin[0] + (self.x - self.origin[0]) * near - x * run
            to_y = self.origin[1] + (foot - self.origin[1]) * near + math.sin(self.elevation) * y * run
            column = np.clip(to_x + 1.5, 0, columns + 1).astype(np.int32)
            row = np.clip(to_y + 1.5, 0, rows + 1).astype(np.int32)
            hit = np.zeros(total.shape, np.bool_)
            hit[row * (columns + 2) + column] = True
            total += np.float32(weight) * hit
        inner = np.ascontiguousarray(total.reshape(rows + 2, columns + 2)[1:-1, 1:-1])
        shade: F32 = cv2.blur(inner, (3, 3))
        return shade


def away(ray: Sequence[float] | F32, elevation: float) -> tuple[float, float]:
    """Where the shadow of a point goes on the screen for each pixel of its height: to the right, down."""
    x, y, z = (float(part) for part in ray)
    return -x / z, math.cos(elevation) + math.sin(elevation) * y / z


def casters_of(
    piece: Piece, solid: Solid, view: tuple[slice, slice], cell: int, filled: F32 | None
) -> tuple[Caster, Caster | None]:
    """The piece on a grid of `cell` frame pixels over that part of the frame, and as it would be with `filled` for its matte there."""
    stride = max(1, round(0.5 * cell))
    thinned = (slice(stride // 2, None, stride), slice(stride // 2, None, stride))
    mask = solid.mask[view][thinned]
    top, low = (one[view][thinned] for one in (solid.top_px, solid.low_px))
    height, width = solid.mask[view].shape
    (x, y), at = piece.ground.origin, (view[1].start or 0, view[0].start or 0)
    grid = Caster(
        x=np.zeros(0, np.float32),
        y=np.zeros(0, np.float32),
        height=np.zeros(0, np.float32),
        shape=(height // cell, width // cell),
        origin=((x - at[0]) / cell, (y - at[1]) / cell),
        unit=piece.ground.unit_px / cell,
        elevation=math.radians(piece.ground.elevation_deg),
        sure=solid.sure,
    )
    own = _holding(grid, mask, (top, low), stride, cell)
    if filled is None:
        return own, None
    closed = (_spread(top, mask), _spread(low, mask))
    return own, _holding(grid, filled[thinned] > 0.5, closed, stride, cell)


def _holding(grid: Caster, mask: Mask, top_low: tuple[F32, F32], stride: int, cell: int) -> Caster:
    """The grid with the points of a mask of every `stride`-th frame pixel, from seen surface to underside (frame pixels)."""
    y, x = np.nonzero(mask)
    top, low = (one[y, x] for one in top_low)
    share = np.linspace(0, 1, DEEPS, dtype=np.float32)[:, None]
    height = ((low + (top - low) * share) / cell).ravel().astype(np.float32)
    across, down = (np.tile(one, DEEPS).astype(np.float32) * np.float32(stride / cell) for one in (x, y))
    return replace(grid, x=across, y=down, height=height)


def _spread(values: F32, mask: Mask) -> F32:
    """Values carried into the openings around which they lie."""
    reach = max(3, min(mask.shape) // 8)
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), reach / 3) + np.float32(1e-4)
    near = (
        cv2.GaussianBlur(np.where(mask, values, np.float32(0)).astype(np.float32), (0, 0), reach / 3) / weight
    )
    return np.where(mask, values, near).astype(np.float32)


def _weights(rays: F32) -> F32:
    weights: F32 = rays[:, 2] / rays[:, 2].sum()
    return weights


def rays_to(azimuth_deg: float, elevation_deg: float, radius_deg: float, count: int) -> F32:
    """(count, 3) unit vectors over a disk of angular radius `radius_deg`: a sunflower (Vogel 1979), all above ground."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    toward = np.array(
        [
            math.cos(elevation) * math.sin(azimuth),
            math.cos(elevation) * math.cos(azimuth),
            math.sin(elevation),
        ]
    )
    side = np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
    up = np.cross(side, toward)
    turn = np.arange(count) * math.pi * (3 - math.sqrt(5))
    radius = math.tan(math.radians(radius_deg)) * np.sqrt((np.arange(count) + 0.5) / count)
    rays = toward + (radius * np.cos(turn))[:, None] * side + (radius * np.sin(turn))[:, None] * up
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    rays[:, 2] = np.maximum(rays[:, 2], LOWEST)
    found: F32 = rays.astype(np.float32)
    return found


@dataclass(frozen=True, slots=True)
class Shares:
    """What each light is of the bare ground's luminance, (h, w) by name; lights: those that count."""

    of: Mapping[str, F32]
    lights: tuple[Light, ...]

    def loss(self, caster: Caster, turn_deg: float, dome: F32) -> F32:
        """Share of the ground's light that the shadow takes, were the rig turned by `turn_deg`. dome: the sky's part."""
        total = dome.copy()
        for light in self.lights:
            rays = rays_to(
                light.azimuth_deg + turn_deg, light.elevation_deg, light.size_deg, RAYS[light.role]
            )
            total += self.of[light.name] * caster.shade(rays, light.distance)
        return total

    def dome(self, caster: Caster) -> F32:
        """The sky's part of the loss."""
        return self.of["ambient"] * caster.shade(rays_to(0.0, 90.0, DOME_DEG, DOME_RAYS))
