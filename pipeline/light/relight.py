"""The piece follows the rig: one bounded, low-frequency gain. Owns the gain; never touches hue or detail.

G = 2^clip(w * LP[log2(S_new / S_ref)]), S the shading of the smooth normals: S_new by the rig (with its panes bending
over the piece), S_ref by the light tent the photo was made in. A scalar per pixel keeps every facet and every hue.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.color import luminance
from pipeline.layout import Piece
from pipeline.light.gobo import light_pattern
from pipeline.rig import Rig
from pipeline.shape.solid import Solid
from pipeline.values import F32

STEP = 4  # frame pixels per sample of the gain
LOW_PASS = 0.06  # of the piece's long side
MOST_EV = 0.7
TENT_FLOOR = 0.75  # a tent lights all sides; from above a little more
METAL_FILL = 0.45  # metal mirrors the whole room, so that no side of it goes black
# The hero of the picture is hardly darker than it lay on its paper, however dark the set; a dark stone stays dark.
LIFT_EV = (-0.1, 0.05)
SHINE_SOFTNESS = 0.05


def relight_gain(piece: Piece, solid: Solid, rig: Rig) -> F32:
    """Scalar gain (H, W) for the piece's linear colours; 1 outside. Worked out on a coarse grid: nothing finer is wanted."""
    height, width = piece.alpha.shape
    size = (max(1, width // STEP), max(1, height // STEP))
    weight = cv2.resize(piece.alpha, size, interpolation=cv2.INTER_AREA)
    normal = cv2.resize(solid.normal, size, interpolation=cv2.INTER_AREA)
    top_px = cv2.resize(solid.top_px, size, interpolation=cv2.INTER_AREA)
    long_side = piece.ground.unit_px / STEP
    new = _rig_shading(piece, normal, top_px, rig)
    old = TENT_FLOOR + (1 - TENT_FLOOR) * np.clip(normal[..., 2], 0, 1)
    change = _low_pass(np.log2((new + 0.05) / (old + 0.05)), weight, LOW_PASS * long_side)
    mean = float((change * weight).sum() / max(float(weight.sum()), 1e-6))
    light = cv2.resize(luminance(piece.rgb) * piece.alpha, size, interpolation=cv2.INTER_AREA)
    shine = _shine(light / np.maximum(weight, 1e-3), weight, long_side)
    change = rig.relight * (change - mean) + _lift(piece) + rig.shine_ev * shine
    gain = cv2.resize(
        np.exp2(np.clip(change, -MOST_EV, MOST_EV)), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return np.where(piece.alpha > 0, gain, np.float32(1)).astype(np.float32)


def _lift(piece: Piece) -> float:
    """Exposure of the whole piece (EV): up as far as its highlights have room."""
    opaque = piece.alpha > 0.9
    if not opaque.any():
        return 0.0
    bright = float(np.percentile(luminance(piece.rgb[opaque][None])[0], 90))
    return float(np.clip(np.log2(0.8 / max(bright, 1e-3)), *LIFT_EV))


def _rig_shading(piece: Piece, normal: F32, top_px: F32, rig: Rig) -> F32:
    """Irradiance of the smooth normals under the rig, relative to open ground, on the coarse grid."""
    X, Y, Z = _world(piece, top_px)
    total = np.full(top_px.shape, rig.ambient.strength + METAL_FILL, np.float32)
    for light in rig.lights:
        lx, ly, lz = (np.float32(part) for part in light.direction)
        facing = np.clip(normal[..., 0] * lx + normal[..., 1] * ly + normal[..., 2] * lz, 0, None)
        total += light.strength * facing * light_pattern(light, X, Y, Z)
    return total


def _world(piece: Piece, top_px: F32) -> tuple[F32, F32, F32]:
    """World coordinates (units of the piece) of the seen surface, on the coarse grid."""
    rows, columns = top_px.shape
    ground = piece.ground
    elevation = math.radians(ground.elevation_deg)
    y, x = (np.mgrid[0:rows, 0:columns].astype(np.float32) + np.float32(0.5)) * np.float32(STEP)
    Z = top_px / np.float32(ground.unit_px)
    X = (x - np.float32(ground.origin[0])) / np.float32(ground.unit_px)
    down = (y - np.float32(ground.origin[1])) / np.float32(ground.unit_px)
    Y = -(down + Z * np.float32(math.cos(elevation))) / np.float32(math.sin(elevation))
    return X, Y, Z


def _shine(light: F32, weight: F32, long_side: float) -> F32:
    """Where the piece is brighter than its surroundings, 0..1, soft: there its highlights may grow."""
    around = _low_pass(light, weight, LOW_PASS * long_side)
    peak: F32 = np.clip((light / (around + 0.02) - 1.15) / 0.8, 0, 1).astype(np.float32)
    return _low_pass(peak, weight, SHINE_SOFTNESS * long_side)


def _low_pass(values: F32, weight: F32, sigma: float) -> F32:
    """Gaussian mean inside the matte (normalised convolution)."""
    counts = cv2.GaussianBlur(weight, (0, 0), sigma) + np.float32(1e-4)
    mean: F32 = cv2.GaussianBlur(values * weight, (0, 0), sigma) / counts
    return mean
