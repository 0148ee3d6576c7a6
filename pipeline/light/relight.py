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

LOW_PASS = 0.06  # of the piece's long side
MOST_EV = 0.7
TENT_FLOOR = 0.75  # a tent lights all sides; from above a little more
METAL_FILL = 0.45  # metal mirrors the whole room, so that no side of it goes black
# The hero of the picture is hardly darker than it lay on its paper, however dark the set; a dark stone stays dark.
LIFT_EV = (-0.1, 0.05)
SHINE_SOFTNESS = 0.05


def relight_gain(piece: Piece, solid: Solid, rig: Rig) -> F32:
    """Scalar gain (H, W) for the piece's linear colours; 1 outside."""
    new = _rig_shading(piece, solid, rig)
    old = TENT_FLOOR + (1 - TENT_FLOOR) * np.clip(solid.normal[..., 2], 0, 1)
    change = np.log2((new + 0.05) / (old + 0.05))
    weight = piece.alpha
    change = _low_pass(change, weight, LOW_PASS * piece.ground.unit_px)
    mean = float((change * weight).sum() / max(float(weight.sum()), 1e-6))
    change = rig.relight * (change - mean) + _lift(piece) + _shine(piece, rig)
    bounded = np.clip(change, -MOST_EV, MOST_EV)
    return np.where(weight > 0, np.exp2(bounded), np.float32(1)).astype(np.float32)


def _lift(piece: Piece) -> float:
    """Exposure of the whole piece (EV): up as far as its highlights have room."""
    opaque = piece.alpha > 0.9
    if not opaque.any():
        return 0.0
    bright = float(np.percentile(luminance(piece.rgb[opaque][None])[0], 90))
    return float(np.clip(np.log2(0.8 / max(bright, 1e-3)), *LIFT_EV))


def _rig_shading(piece: Piece, solid: Solid, rig: Rig) -> F32:
    """Irradiance of the smooth normals under the rig, relative to open ground."""
    X, Y, Z = _world(piece, solid)
    total = np.full(solid.mask.shape, rig.ambient.strength + METAL_FILL, np.float32)
    for light in rig.lights:
        facing = np.clip(solid.normal @ np.asarray(light.direction, np.float32), 0, None)
        total += light.strength * facing * light_pattern(light, X, Y, Z)
    return total


def _world(piece: Piece, solid: Solid) -> tuple[F32, F32, F32]:
    """World coordinates (units of the piece) of the seen surface."""
    height, width = solid.mask.shape
    ground = piece.ground
    elevation = math.radians(ground.elevation_deg)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    Z = solid.top_px / np.float32(ground.unit_px)
    X = (x - np.float32(ground.origin[0])) / np.float32(ground.unit_px)
    down = (y - np.float32(ground.origin[1])) / np.float32(ground.unit_px)
    Y = -(down + Z * np.float32(math.cos(elevation))) / np.float32(math.sin(elevation))
    return X, Y, Z


def _shine(piece: Piece, rig: Rig) -> F32:
    """Highlights a little brighter (EV, at most `rig.shine_ev`): where the piece is brighter than its surroundings."""
    light = luminance(piece.rgb)
    around = _low_pass(light, piece.alpha, LOW_PASS * piece.ground.unit_px)
    peak: F32 = np.clip((light / (around + 0.02) - 1.15) / 0.8, 0, 1).astype(np.float32)
    return rig.shine_ev * _low_pass(peak, piece.alpha, SHINE_SOFTNESS * piece.ground.unit_px)


def _low_pass(values: F32, weight: F32, sigma: float) -> F32:
    """Gaussian mean inside the matte (normalised convolution), at quarter size: nothing finer is wanted."""
    height, width = values.shape
    small = (max(1, width // 4), max(1, height // 4))
    sums = cv2.resize(values * weight, small, interpolation=cv2.INTER_AREA)
    counts = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
    mean = cv2.GaussianBlur(sums, (0, 0), sigma / 4) / (cv2.GaussianBlur(counts, (0, 0), sigma / 4) + 1e-4)
    full: F32 = cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR)
    return full
