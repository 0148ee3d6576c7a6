"""A height field as the oblique camera sees it, with its own shadows. Owns geometry; refuses materials.

The field lives on a ground raster. The camera looks along Y, so each picture column is a march over one raster
column: the visible point at screen height v is the first whose `Y sin e + Z cos e` reaches v (a running maximum, as
in the floating-horizon method, Wright 1973). Shadows and sky visibility come from horizon angles (Max 1988).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.backdrop.filters import enlarged, f32, gaussian, halved, sampled, shifted
from pipeline.backdrop.stage import Stage
from pipeline.rig import Light
from pipeline.values import F32

CELL_PX = 3.4  # raster cell, pixels of a 1080 frame
MAX_CELLS = 520_000
SKY_STEPS = (0.03, 0.08, 0.18, 0.36)
DISK = ((0.0, 0.0), (0.75, 0.1), (-0.75, -0.1), (0.1, 0.75), (-0.1, -0.75), (0.45, -0.45), (-0.45, 0.45))
SHADOW_EDGE = 0.012  # units of height over which a shadow closes, hides the small number of disk samples


@dataclass(frozen=True, slots=True)
class Raster:
    """Ground grid: X, Y float32 (rows, columns), rows away from the camera, `cell` units apart."""

    X: F32
    Y: F32
    cell: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What the camera sees on the coarse grid, float32 (rows, columns) each.

    X, Y, Z: the point. nx, ny, nz: unit normal. where: (row, column) maps into the raster, for `pick`.
    """

    X: F32
    Y: F32
    Z: F32
    nx: F32
    ny: F32
    nz: F32
    map_column: F32
    map_row: F32

    def pick(self, raster_layer: F32) -> F32:
        """A raster layer at the visible points."""
        return sampled(raster_layer, self.map_column, self.map_row)


def raster_for(stage: Stage, tallest: float) -> Raster:
    """A raster under the whole frame, with margin for relief up to `tallest` units and for its shadows."""
    scale, (ox, oy) = stage.ground.unit_px, stage.ground.origin
    margin = 0.15 + tallest
    x0, x1 = -ox / scale - margin, (stage.width - ox) / scale + margin
    lean = tallest * stage.cos_e / stage.sin_e
    y0 = (oy - stage.height) / (scale * stage.sin_e) - lean - 0.15
    y1 = oy / (scale * stage.sin_e) + margin
    cell = max(CELL_PX * stage.px / scale, math.sqrt((x1 - x0) * (y1 - y0) / MAX_CELLS))
    columns, rows = math.ceil((x1 - x0) / cell) + 1, math.ceil((y1 - y0) / cell) + 1
    x = (x0 + cell * np.arange(columns)).astype(np.float32)
    y = (y0 + cell * np.arange(rows)).astype(np.float32)
    X, Y = np.meshgrid(x, y)
    return Raster(X, Y, cell)


def see(stage: Stage, raster: Raster, Z: F32) -> Seen:
    """Project the height field Z (units) into the coarse picture grid."""
    x, y = stage.screen()
    X = (x - np.float32(stage.ground.origin[0])) / np.float32(stage.ground.unit_px)
    v = (stage.ground.origin[1] - y[:, 0].astype(np.float64)) / stage.ground.unit_px
    map_column = (X - raster.X[0, 0]) / np.float32(raster.cell)
    map_row = _march(stage, raster, Z, map_column[0], v)
    zy, zx = np.gradient(Z, raster.cell)
    seen = Seen(X, X, X, X, X, X, map_column, map_row)
    stretched = gaussian(f32(np.abs(np.gradient(map_row, axis=0))), 1.0)  # raster rows under one sample
    far = np.clip((stretched - 2.0) * np.float32(0.2), 0.0, 1.0)
    sx, sy = (_averaged(seen, f32(slope), far) for slope in (zx, zy))
    nz = f32(1.0 / np.sqrt(1.0 + sx * sx + sy * sy))
    Y = raster.Y[0, 0] + map_row * np.float32(raster.cell)
    return Seen(X, f32(Y), seen.pick(Z), f32(-sx * nz), f32(-sy * nz), nz, map_column, map_row)


def _averaged(seen: Seen, slope: F32, far: F32) -> F32:
    """Slope at the visible points; where a crest turns away, the mean of what one sample covers, so it cannot beat."""
    sharp = seen.pick(slope)
    return f32(sharp + far * (seen.pick(gaussian(slope, 0.5, 4.5)) - sharp))


def _march(stage: Stage, raster: Raster, Z: F32, column: F32, v: NDArray[np.float64]) -> F32:
    """Raster row of the first point of each picture column that reaches each screen height."""
    rows = Z.shape[0]
    grid_row = np.repeat(np.arange(rows, dtype=np.float32)[:, None], column.size, axis=1)
    grid_column = np.repeat(column[None, :], rows, axis=0)
    height = sampled(Z, grid_column, grid_row)
    rise = raster.Y[:, :1].astype(np.float64) * stage.sin_e + height.astype(np.float64) * stage.cos_e
    rise = np.maximum.accumulate(rise, axis=0)
    span = float(max(rise.max(), v.max()) - min(rise.min(), v.min())) + 1.0
    offset = span * np.arange(column.size)
    found = np.interp(
        (v[:, None] + offset[None, :]).T.ravel(),
        (rise + offset[None, :]).T.ravel(),
        np.tile(np.arange(rows, dtype=np.float64), column.size),
    )
    result: F32 = np.clip(found.reshape(column.size, v.size).T, 0, rows - 1).astype(np.float32)
    return np.ascontiguousarray(result)


def _horizon(Z: F32, cell: float, toward: tuple[float, float], distances: tuple[float, ...]) -> F32:
    """Tangent of the horizon's elevation in one direction (unit vector over the ground), at least 0."""
    horizon = np.zeros_like(Z)
    for distance in distances:
        beyond = shifted(Z, toward[0] * distance / cell, toward[1] * distance / cell)
        np.maximum(horizon, (beyond - Z) * np.float32(1.0 / distance), out=horizon)
    return horizon


def light_visibility(raster: Raster, Z: F32, light: Light) -> F32:
    """Share 0..1 of the light's disk that the relief leaves open, on the raster. Penumbra from `size_deg`.

    For each sample of the disk the height of the shadow volume, `S(p) = max over d of Z(p + d) - d tan(elevation)`,
    is found by doubling: the maximum over 2d is that over d and over d shifted by d (max-plus prefix scan).
    """
    if light.elevation_deg > 86.0 or float(Z.max() - Z.min()) < 0.01:
        return np.ones_like(Z)
    small = halved(Z)
    total = np.zeros_like(small)
    for around, above in DISK:
        elevation = math.radians(min(max(light.elevation_deg + above * light.size_deg, 4.0), 86.0))
        azimuth = math.radians(light.azimuth_deg + around * light.size_deg)
        roof = _shadow_roof(small, 2 * raster.cell, azimuth, math.tan(elevation))
        total += np.clip((roof - small) * np.float32(-1.0 / SHADOW_EDGE) + 1.0, 0.0, 1.0)
    return gaussian(enlarged(total / np.float32(len(DISK)), Z.shape), 1.5)


def _shadow_roof(Z: F32, cell: float, azimuth: float, slope: float) -> F32:
    """Height below which a point lies in shadow."""
    roof, reach = Z, cell
    farthest = (float(Z.max()) - float(Z.min())) / slope
    east, north = math.sin(azimuth), math.cos(azimuth)
    while reach < 2.0 * farthest:
        beyond = shifted(roof, east * reach / cell, north * reach / cell)
        roof = np.maximum(roof, beyond - np.float32(reach * slope))
        reach *= 2.0
    return roof


def sky_visibility(raster: Raster, Z: F32, directions: int = 8) -> F32:
    """Share 0..1 of the dome that each raster point sees: mean of cos^2 of the horizon angle over directions."""
    small = halved(Z)
    total = np.zeros_like(small)
    for k in range(directions):
        angle = 2.0 * math.pi * (k + 0.5) / directions
        horizon = _horizon(small, 2 * raster.cell, (math.cos(angle), math.sin(angle)), SKY_STEPS)
        total += 1.0 / (1.0 + horizon * horizon)
    return enlarged(gaussian(total / np.float32(directions), 1.5), Z.shape)
