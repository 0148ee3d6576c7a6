"""Where a rig must throw the piece's shadow: a small caster of the judge's own, so that it does not ask the code it checks.

What lies is a slab as thick as it is wide; what stands is a card on the lowest points of each of its parts. On a coarse
grid, with few rays a light: good for where a shadow lies and how much light it takes, not for its edge.
Owns that model; refuses to know what the picture shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from pipeline.layout import Piece
from pipeline.rig import Light
from pipeline.values import F32, U8, Mask

FLAT_LIMIT, UPRIGHT_LIMIT = 0.11, 0.25  # thickest a piece may be, share of its long side
HANG_SHARE = 0.035  # how far a hanging piece is off its wall, share of its long side
LEVELS = 7  # slices of a slab
DEEPS = 2  # points through a card
PART_SHARE = 0.02  # smaller parts stand where the largest does
LEANS = (
    -0.25,
    0.0,
    0.25,
)  # slopes of the contact line in the picture: a ring may be turned, and no one can be sure
REACH_PX = 41  # how far the middle of a part tells its rim how thick it is, in halves of a frame pixel
RAYS = {"key": 4, "fill": 3, "rim": 2}
DOME_RAYS, DOME_DEG = 10, 66.0
LOWEST = 0.12  # sine of the elevation under which no ray comes
DIMMEST = 0.06  # share of the ground's light from which on a light is asked


class Caster(Protocol):
    """A piece that takes light from its ground."""

    def shade(self, rays: F32) -> F32:
        """Share of light from directions `rays` (n, 3) that does not reach the ground, (h, w) 0..1."""
        ...


@dataclass(frozen=True, slots=True)
class Slab:
    """What lies or hangs. layers: (height in grid pixels, (h, w) 0..255 cover of what is as high as that), lowest first."""

    layers: tuple[tuple[float, U8], ...]
    elevation: float

    def shade(self, rays: F32) -> F32:
        """See `Caster`."""
        total = np.zeros(self.layers[0][1].shape, np.float32)
        for ray, weight in zip(rays, _weights(rays), strict=True):
            right, down = away(ray, self.elevation)
            shade = np.zeros(total.shape, np.uint8)
            for height, layer in self.layers:
                _lay_over(shade, layer, round(right * height), round(down * height))
            total += np.float32(weight / 255) * shade
        return total


@dataclass(frozen=True, slots=True)
class Card:
    """What stands, as points: x, y (n,) on the grid and their height over the ground there, in grid pixels."""

    x: F32
    y: F32
    height: F32
    shape: tuple[int, int]
    elevation: float

    def shade(self, rays: F32) -> F32:
        """See `Caster`."""
        rows, columns = self.shape
        total = np.zeros((rows + 2) * (columns + 2), np.float32)  # what misses the grid falls on its rim
        for ray, weight in zip(rays, _weights(rays), strict=True):
            right, down = away(ray, self.elevation)
            to_x = np.clip(self.x + right * self.height + 1.5, 0, columns + 1).astype(np.int32)
            to_y = np.clip(self.y + down * self.height + 1.5, 0, rows + 1).astype(np.int32)
            hit = np.zeros(total.shape, np.bool_)
            hit[to_y * (columns + 2) + to_x] = True
            total += np.float32(weight) * hit
        inner = np.ascontiguousarray(total.reshape(rows + 2, columns + 2)[1:-1, 1:-1])
        shade: F32 = cv2.blur(inner, (3, 3))
        return shade


def away(ray: Sequence[float] | F32, elevation: float) -> tuple[float, float]:
    """Where the shadow of a point goes on the screen for each pixel of its height: to the right, down."""
    x, y, z = (float(part) for part in ray)
    return -x / z, math.cos(elevation) + math.sin(elevation) * y / z


def casters_of(piece: Piece, alpha: F32, cell: int) -> tuple[Caster, ...]:
    """The piece on a grid of `cell` frame pixels, with `alpha` (H, W) for its matte: every way it may stand there."""
    elevation = math.radians(piece.ground.elevation_deg)
    depth = _depth(piece, alpha)
    if piece.pose == "upright":
        return tuple(_card(alpha, depth, lean, cell, elevation) for lean in LEANS)
    return (_slab(piece, alpha, depth, cell, elevation),)


def _depth(piece: Piece, alpha: F32) -> F32:
    """How deep the piece is, in frame pixels, on half the frame's grid: as deep as it is wide there, rounded off."""
    most = (UPRIGHT_LIMIT if piece.pose == "upright" else FLAT_LIMIT) * piece.ground.unit_px
    inside = 2 * cv2.distanceTransform((alpha[::2, ::2] > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inside = np.minimum(inside, most / 2)
    reach = min(2 * math.ceil(float(inside.max()) / 2) + 1, REACH_PX)
    radius = cv2.dilate(inside, np.ones((reach, reach), np.uint8))
    depth = radius + np.sqrt(np.maximum(radius**2 - (radius - inside) ** 2, 0))
    return np.where(inside > 0, np.minimum(depth, most), 0).astype(np.float32)


def _slab(piece: Piece, alpha: F32, depth: F32, cell: int, elevation: float) -> Slab:
    size = (alpha.shape[1] // cell, alpha.shape[0] // cell)
    cover = np.rint(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
    top = cv2.resize(depth, size, interpolation=cv2.INTER_AREA) / cell
    lift = HANG_SHARE * piece.ground.unit_px / cell if piece.pose == "hanging" else 0.0
    heights = np.linspace(0, float(top.max()), LEVELS + 1)
    layers = [(float(h + lift), np.where(top >= h, cover, np.uint8(0))) for h in heights]
    return Slab(tuple(layers), elevation)


def _card(alpha: F32, depth: F32, lean: float, cell: int, elevation: float) -> Card:
    stride = max(1, round(0.75 * cell))
    solid = alpha[::stride, ::stride] > 0.5
    y, x = np.nonzero(solid)
    drop = y - lean * x  # rows above the contact line, but for a constant of each part
    above = _feet(solid, drop)[y, x] + 1 - drop
    deep = cv2.resize(depth, solid.shape[::-1], interpolation=cv2.INTER_NEAREST)[y, x]
    levels = np.linspace(0, math.sin(elevation), DEEPS)[:, None]
    heights = np.maximum(above * stride / math.cos(elevation) - deep * levels, 0).ravel() / cell
    across, down = (np.tile(one, DEEPS).astype(np.float32) * np.float32(stride / cell) for one in (x, y))
    shape = (alpha.shape[0] // cell, alpha.shape[1] // cell)
    return Card(across, down, heights.astype(np.float32), shape, elevation)


def _feet(solid: Mask, drop: F32) -> F32:
    """Lowest `drop` (n,) of the part that each solid pixel belongs to, (h, w)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    lowest = np.full(count, -np.inf)
    np.maximum.at(lowest, labels[solid], drop)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    lowest[areas < PART_SHARE * areas.max()] = lowest[areas.argmax()]
    feet: F32 = lowest[labels]
    return feet


def _lay_over(shade: U8, layer: U8, dx: int, dy: int) -> None:
    """Lay `layer`, moved by (dx, dy), over `shade`: the deeper of both, in place."""
    height, width = shade.shape
    if abs(dx) >= width or abs(dy) >= height:
        return
    to = (slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0)))
    of = (slice(max(-dy, 0), height - max(dy, 0)), slice(max(-dx, 0), width - max(dx, 0)))
    np.maximum(shade[to], layer[of], out=shade[to])


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
            total += self.of[light.name] * caster.shade(rays)
        return total

    def dome(self, caster: Caster) -> F32:
        """The sky's part of the loss."""
        return self.of["ambient"] * caster.shade(rays_to(0.0, 90.0, DOME_DEG, DOME_RAYS))
