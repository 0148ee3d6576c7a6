"""The piece as a closed mesh: what `pipeline.shape` knows of it, for a path tracer. Owns the mesh; refuses Blender.

Every pixel of the piece is a small box along the line of sight, from the seen surface back to the underside. Neighbours
share their corners, so front and back are smooth sheets; walls close them along the outline and around every hole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.shape.solid import Solid
from pipeline.values import F32, Ground, Mask

MOST_CELLS = 90_000  # a larger piece is taken at every second pixel: its shadow does not show it
# Shares of the glow that reach matte ground. The side away from the lens is darker than the one we know, and what faces the
# ground has only a dark gap to send back. A mirror sees nearly what the lens sees, but darker towards the contact.
FRONT, UNDERSIDE, CONTACT = 0.6, 0.3, 0.5
SMEAR = 0.006  # units: walls show their edge's colour all the way down, and a dark gap there would become a stripe
I32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Card:
    """points: (n, 3) world units; faces: (m, 4) corners, outwards.

    glow: (n, 4) linear radiance, and the share of it that reaches matte ground.
    """

    points: F32
    faces: I32
    glow: F32


def card(solid: Solid, glow: F32, ground: Ground) -> Card:
    """The mesh of a solid that glows with (H, W, 3) radiance."""
    step = 2 if int(solid.mask.sum()) > MOST_CELLS else 1
    cell = slice(step // 2, None, step)
    mask = solid.mask[cell, cell]
    soft = _smeared(glow, solid.mask, SMEAR * ground.unit_px)
    top, low, light = (_at_corners(field[cell, cell], mask) for field in (solid.top_px, solid.low_px, soft))
    used = _corner_sum(mask.astype(np.float32)) > 0
    rows, columns = np.nonzero(used)
    number = np.full(used.shape, -1, np.int32)
    number[rows, columns] = np.arange(rows.size, dtype=np.int32)
    shift = step // 2 - step / 2
    x, y = columns * step + shift, rows * step + shift
    sheets = [_world(x, y, height[rows, columns], ground) for height in (top, low)]
    faces = _faces(mask, number, rows.size)
    both = np.concatenate(sheets).astype(np.float32)
    share = np.repeat([FRONT, UNDERSIDE], rows.size)[:, None]
    seen = np.concatenate([light[rows, columns], CONTACT * light[rows, columns]])
    return Card(both, faces, np.concatenate([seen, share], 1).astype(np.float32))


def _world(x: NDArray[Any], y: NDArray[Any], height_px: F32, ground: Ground) -> NDArray[Any]:
    """World points (n, 3) at that height behind frame pixels; pixels count from 0 at their centre."""
    e = math.radians(ground.elevation_deg)
    Z = height_px / ground.unit_px
    X = (x - ground.origin[0]) / ground.unit_px
    Y = -((y - ground.origin[1]) / ground.unit_px + Z * math.cos(e)) / math.sin(e)
    return np.stack([X, Y, Z], -1)


def _smeared(glow: F32, mask: Mask, sigma: float) -> F32:
    """Gaussian mean inside the piece."""
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)
    light = cv2.GaussianBlur(glow * mask[..., None], (0, 0), sigma)
    mean: F32 = light / np.maximum(weight, np.float32(1e-3))[..., None]
    return mean


def _corner_sum(field: F32) -> F32:
    """Sum of the four cells around each corner, (rows + 1, columns + 1)."""
    wide = np.pad(field, 1)
    total: F32 = wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:]
    return total


def _at_corners(field: F32, mask: Mask) -> F32:
    """Mean of the piece's cells around each corner; 0 where there are none."""
    inside = mask.astype(np.float32)
    if field.ndim == 3:
        return np.stack([_at_corners(channel, mask) for channel in np.moveaxis(field, -1, 0)], -1)
    mean: F32 = np.divide(_corner_sum(field * inside), np.maximum(_corner_sum(inside), 1), dtype=np.float32)
    return mean


def _faces(mask: Mask, number: I32, back: int) -> I32:
    """Front and back sheets and the walls between them. back: what a corner's number grows by on the back sheet."""
    y, x = np.nonzero(mask)
    near_left, near_right = number[y + 1, x], number[y + 1, x + 1]
    far_left, far_right = number[y, x], number[y, x + 1]
    front = np.stack([near_left, near_right, far_right, far_left], -1)
    edges = {(1, 0): (near_left, near_right), (0, 1): (near_right, far_right)}
    edges |= {(-1, 0): (far_right, far_left), (0, -1): (far_left, near_left)}
    wide = np.pad(mask, 1)
    walls = []
    for (down, right), ends in edges.items():
        open_side = ~wide[y + 1 + down, x + 1 + right]
        a, b = (corner[open_side] for corner in ends)
        walls.append(np.stack([a, a + back, b + back, b], -1))
    return np.concatenate([front, front[:, ::-1] + back, *walls]).astype(np.int32)
