"""Where a rig must throw the piece's shadow: a small caster of the judge's own, so that it does not ask the code it checks.

A standing piece is a card on the lowest row of each of its parts, as deep as its metal is wide; what lies is a slab half
as thick as it is wide. On a coarse grid, with few rays a light: good for where a shadow lies and how much light it takes,
not for its edge. Owns that model; refuses to know what the picture shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from pipeline.layout import Piece
from pipeline.light.shadow import light_directions
from pipeline.rig import Light
from pipeline.values import F32, U8

FLAT_LIMIT = 0.11  # thickest a piece that lies may be, share of its long side
UPRIGHT_LIMIT = 0.25
HANG_SHARE = 0.035
RAYS = {"key": 6, "fill": 4, "rim": 4}
DOME_RAYS, DOME_DEG = 12, 66.0
LEVELS = 10
PART_SHARE = 0.02


class Caster(Protocol):
    """A piece that takes light from its ground."""

    def shade(self, directions: F32) -> F32:
        """Share of light from (n, 3) `directions` that does not reach the ground, (h, w) 0..1."""
        ...


@dataclass(frozen=True, slots=True)
class Slab:
    """What lies. cover: (h, w) 0..255 on the grid; layers: (height in grid pixels, cover of what is as high as that)."""

    cover: U8
    layers: tuple[tuple[float, U8], ...]
    elevation: float

    def shade(self, directions: F32) -> F32:
        """See `Caster`."""
        total = np.zeros(self.cover.shape, np.float32)
        weights = directions[:, 2] / directions[:, 2].sum()
        for direction, weight in zip(directions, weights, strict=True):
            right, down = away(direction, self.elevation)
            shade = self.cover.copy()
            for height, layer in self.layers:
                _raise_to(shade, layer, round(right * height), round(down * height))
            total += np.float32(weight / 255) * shade
        return total


@dataclass(frozen=True, slots=True)
class Card:
    """What stands, as points: x, y on the grid, height above the ground there, in grid pixels; shape: of the grid."""

    x: F32
    y: F32
    height: F32
    shape: tuple[int, int]
    elevation: float

    def shade(self, directions: F32) -> F32:
        """See `Caster`."""
        rows, columns = self.shape
        total = np.zeros(rows * columns, np.float32)
        weights = directions[:, 2] / directions[:, 2].sum()
        for direction, weight in zip(directions, weights, strict=True):
            right, down = away(direction, self.elevation)
            to_x = np.rint(self.x + right * self.height).astype(np.int32)
            to_y = np.rint(self.y + down * self.height).astype(np.int32)
            inside = (to_x >= 0) & (to_x < columns) & (to_y >= 0) & (to_y < rows)
            hit = np.zeros(rows * columns, np.float32)
            hit[(to_y * columns + to_x)[inside]] = weight
            total += hit
        return cv2.blur(total.reshape(rows, columns), (3, 3))


def away(direction: F32, elevation: float) -> tuple[float, float]:
    """Where the shadow of a point goes for each pixel of its height: to the right, down."""
    lx, ly, lz = (float(part) for part in direction)
    return -lx / lz, math.cos(elevation) + math.sin(elevation) * ly / lz


def caster_of(piece: Piece, cell: int) -> Caster:
    """The piece on a grid of `cell` frame pixels."""
    height, width = piece.alpha.shape
    size = (width // cell, height // cell)
    elevation = math.radians(piece.ground.elevation_deg)
    depth = _depth(piece)
    if piece.pose == "upright":
        return _card(piece, depth, cell, elevation)
    cover = np.rint(cv2.resize(piece.alpha, size, interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
    top = cv2.resize(depth, size, interpolation=cv2.INTER_AREA) / cell
    lift = HANG_SHARE * piece.ground.unit_px / cell if piece.pose == "hanging" else 0.0
    heights = np.linspace(0, float(top.max()), LEVELS + 1)[1:]
    layers = tuple((float(h + lift), np.where(top >= h, cover, np.uint8(0))) for h in heights)
    return Slab(cover, layers, elevation)


def _depth(piece: Piece) -> F32:
    """How deep the piece is at each pixel of half the frame's grid, in frame pixels: as round as it is wide."""
    share = UPRIGHT_LIMIT if piece.pose == "upright" else FLAT_LIMIT
    most = share * piece.ground.unit_px
    inside = 2 * cv2.distanceTransform((piece.alpha[::2, ::2] > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inside = np.minimum(inside, most / 2)
    reach = min(2 * math.ceil(float(inside.max()) / 2) + 1, 41)
    radius = cv2.dilate(inside, np.ones((reach, reach), np.uint8))
    depth: F32 = np.minimum(radius + np.sqrt(np.maximum(radius**2 - (radius - inside) ** 2, 0)), most)
    return np.where(inside > 0, depth, np.float32(0))


def _card(piece: Piece, depth: F32, cell: int, elevation: float) -> Card:
    solid = piece.alpha[::2, ::2] > 0.5
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    foot = (stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT]).astype(np.float32)
    if count > 1:
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        foot[stats[:, cv2.CC_STAT_AREA] < PART_SHARE * stats[largest, cv2.CC_STAT_AREA]] = foot[largest]
    y, x = np.nonzero(solid)
    rise = (foot[labels[y, x]] - y) / np.float32(math.cos(elevation))
    deep = depth[y, x] / 2 * np.float32(math.sin(elevation))
    levels = np.linspace(0, 1, 3, dtype=np.float32)[:, None]
    heights = np.maximum(rise - deep * levels, 0).ravel()
    scale = np.float32(2 / cell)
    rows, columns = piece.alpha.shape
    return Card(np.tile(x, 3) * scale, np.tile(y, 3) * scale, heights * scale, (rows // cell, columns // cell), elevation)


def _raise_to(shade: U8, layer: U8, dx: int, dy: int) -> None:
    """shade = max(shade, layer moved by (dx, dy)), in place."""
    height, width = shade.shape
    if abs(dx) >= width or abs(dy) >= height:
        return
    to = (slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0)))
    of = (slice(max(-dy, 0), height - max(dy, 0)), slice(max(-dx, 0), width - max(dx, 0)))
    np.maximum(shade[to], layer[of], out=shade[to])


def turned_directions(light: Light, degrees: float) -> F32:
    """Rays of the light, were it turned about the piece."""
    one = light.model_copy(update={"azimuth_deg": (light.azimuth_deg + degrees + 180) % 360 - 180})
    return light_directions(one.direction, one.size_deg, RAYS[one.role])


def dome_directions() -> F32:
    """Rays of the sky."""
    return light_directions((0.0, 0.0, 1.0), DOME_DEG, DOME_RAYS)


def expected_loss(caster, lights, shares, degrees, dome):
    loss = dome.copy()
    for light in lights:
        loss += shares[light.name] * caster.shade(turned_directions(light, degrees))
    return loss
