"""The shadow of the piece on the ground, per light. Owns visibility; refuses colour.

Forward splatting of an area light: the light is a disk of Hammersley points; for each, every solid point is carried
along the light to the ground and marked; the mean over the points is the visibility. The penumbra grows with height
by itself. Counters are integers, so the result does not depend on threads.
Geometry: a point at height Z over the pixel (x, y) shades (x - Z*lx/lz, y + Z*(cos e + sin e * ly/lz)).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.rig import Light
from pipeline.shape.solid import Solid
from pipeline.values import F32, Ground

STEP = 2  # frame pixels per shadow pixel
KEY_SAMPLES, FILL_SAMPLES, DOME_SAMPLES = 32, 16, 32
DEPTH_STEPS = 4  # points through the thickness
DOME_DEG = 72.0
SOFTEN_PX = 1.1  # shadow pixels; hides the sampling


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
    count = KEY_SAMPLES if light.role == "key" else FILL_SAMPLES
    return _splat(solid, ground, light_directions(light.direction, light.size_deg, count))


def dome_visibility(solid: Solid, ground: Ground) -> F32:
    """Share of the sky that each ground pixel sees, cosine weighted, (H, W) 0..1: the contact shadow."""
    return _splat(solid, ground, light_directions((0.0, 0.0, 1.0), DOME_DEG, DOME_SAMPLES))


def _splat(solid: Solid, ground: Ground, directions: F32) -> F32:
    height, width = solid.mask.shape
    rows, columns = height // STEP, width // STEP
    y, x = np.nonzero(solid.mask[::STEP, ::STEP])
    top = solid.top_px[::STEP, ::STEP][y, x] / STEP
    low = solid.low_px[::STEP, ::STEP][y, x] / STEP
    levels = np.linspace(0, 1, DEPTH_STEPS, dtype=np.float32)[:, None]
    heights = (low + (top - low) * levels).ravel()
    x, y = np.tile(x, DEPTH_STEPS).astype(np.float32), np.tile(y, DEPTH_STEPS).astype(np.float32)
    elevation = math.radians(ground.elevation_deg)
    cos, sin = math.cos(elevation), math.sin(elevation)
    kernel = np.ones((3, 3), np.uint8)
    total = np.zeros((rows, columns), np.float32)
    weights = directions[:, 2] / directions[:, 2].sum()
    for (lx, ly, lz), weight in zip(directions, weights, strict=True):
        to_x = np.rint(x - heights * (lx / lz)).astype(np.int32)
        to_y = np.rint(y + heights * (cos + sin * ly / lz)).astype(np.int32)
        inside = (to_x >= 0) & (to_x < columns) & (to_y >= 0) & (to_y < rows)
        hit = np.zeros((rows, columns), np.uint8)
        hit[to_y[inside], to_x[inside]] = 1
        total += weight * cv2.morphologyEx(hit, cv2.MORPH_CLOSE, kernel)
    soft = cv2.GaussianBlur(1 - total, (0, 0), SOFTEN_PX)
    full: F32 = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(full, 0, 1)
