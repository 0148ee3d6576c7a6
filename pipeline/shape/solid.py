"""The piece as a solid: how high each pixel stands, how deep it is, where it faces. Owns pose and geometry.

The camera is orthographic, `elevation` above the ground. A pixel at height Z stands over the ground point that the
camera sees Z*cos(elevation) further down. Heights are in frame pixels of world length (unit_px of them are one unit).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from pipeline.shape.thickness import thickness
from pipeline.values import F32, Ground, Mask

FLAT_LIMIT = (
    0.11  # thickest a piece that lies may be, share of its long side: watches and pendants are no balls
)
UPRIGHT_LIMIT = 0.25
PART_SHARE = 0.02  # smaller parts stand on the ground of the largest
CONTACT_SLOPE = 0.3
HANG_SHARE = 0.035  # of the long side: how far a hanging piece keeps from its wall
LIFT_PX = 0.6  # a lying piece touches; its lower edge is not in the ground


@dataclass(frozen=True, slots=True)
class Solid:
    """All (H, W), frame pixels. mask; top_px: height of the seen surface; low_px: height of the underside there.

    normal: (H, W, 3) unit vectors in world axes (X right, Y away, Z up), smooth, 0 outside.
    """

    mask: Mask
    top_px: F32
    low_px: F32
    normal: F32


def solidify(alpha: F32, ground: Ground, pose: Literal["upright", "flat", "hanging"]) -> Solid:
    """Solid of the matte (H, W) under `pose`. Upright: a card on its contact line, each part on its own."""
    mask = alpha > 0.5
    depth = thickness(mask)
    elevation = math.radians(ground.elevation_deg)
    if pose == "upright" and ground.elevation_deg < 85:
        depth = np.minimum(depth, UPRIGHT_LIMIT * ground.unit_px)
        top = _height_over_contact(mask) / math.cos(elevation)
        low = np.maximum(top - depth * math.sin(elevation), 0)
    else:
        depth = np.minimum(depth, FLAT_LIMIT * ground.unit_px)
        lift = np.float32(HANG_SHARE * ground.unit_px if pose == "hanging" else LIFT_PX)
        top, low = depth + lift, np.where(mask, lift, np.float32(0))
    top = np.where(mask, top, np.float32(0)).astype(np.float32)
    return Solid(mask, top, low.astype(np.float32), _normals(mask, depth, elevation, ground.unit_px))


def _height_over_contact(mask: Mask) -> F32:
    """Pixel rows above the contact line of the part each pixel belongs to; two earrings touch the ground each."""
    height, width = mask.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    foot = np.zeros((count, width), np.float32)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if count > 1 else 0
    for part in [largest, *range(1, count)]:
        small = stats[part, cv2.CC_STAT_AREA] < PART_SHARE * stats[largest, cv2.CC_STAT_AREA]
        foot[part] = foot[largest] if small else _contact_line(labels == part)
    rows = np.arange(height, dtype=np.float32)[:, None]
    above: F32 = np.clip(foot[labels, np.arange(width)[None, :]] - rows, 0, None)
    return above


def _contact_line(part: Mask) -> F32:
    """Row (W,) where the ground is under each column: the lower hull of the outline, at most CONTACT_SLOPE steep.

    A piece rests on the lowest points of its hull; a turned ring rests further back, so higher in the picture, at its
    far end. The bound keeps an upright circle from lying down.
    """
    height, width = part.shape
    columns = np.flatnonzero(part.any(0))
    bottoms = height - 1 - np.argmax(part[::-1, columns], axis=0)
    hull = cv2.convexHull(np.stack([columns, bottoms], 1).astype(np.int32)).reshape(-1, 2)
    hull = hull[np.argsort(hull[:, 0], kind="stable")]
    below = hull[hull[:, 1] >= np.interp(hull[:, 0], hull[[0, -1], 0], hull[[0, -1], 1]) - 0.5]
    x = np.arange(width, dtype=np.float32)
    line = np.interp(x, below[:, 0], below[:, 1])
    lowest = columns[int(bottoms.argmax())]
    bound = bottoms.max() - CONTACT_SLOPE * np.abs(x - lowest)
    contact: F32 = np.maximum(line, bound).astype(np.float32)
    return contact


def _normals(mask: Mask, depth: F32, elevation: float, unit_px: float) -> F32:
    """Unit normals of the inflated outline: half the thickness as relief, smoothed, from image to world axes."""
    relief = cv2.GaussianBlur(depth / 2, (0, 0), max(1.0, 0.006 * unit_px))
    across = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) / 8
    down = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3) / 8
    length = np.sqrt(across * across + down * down + 1)
    right, up, toward = -across / length, down / length, 1 / length
    sin, cos = math.sin(elevation), math.cos(elevation)
    world = np.stack([right, up * sin - toward * cos, up * cos + toward * sin], -1)
    return np.where(mask[..., None], world, 0).astype(np.float32)
