"""Does the shadow begin where the piece ends? Owns the profile of the shade beside the piece's outline; refuses a verdict."""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.composite import Composite
from pipeline.judge.caster import away
from pipeline.judge.shadow import BLACK, OPEN, coarse
from pipeline.layout import Piece
from pipeline.rig import Rig
from pipeline.values import F32, Mask

STEP = 2  # pixels of a 1080 frame
REACH = 24  # steps from the outline
NEAR, BEYOND = 2, 14  # steps: shade next to the piece, and where else it would be darkest
FACING = 0.7  # cosine between outline and shadow from which on ground is on the shadow's side
CONTACT_SHARE = (
    0.03  # of the long side: what of a standing piece is this near to its lowest point touches the ground
)
LEAST_SHADE = 0.05
FEWEST = 8  # ground pixels a step


def contact_figures(piece: Piece, composite: Composite, rig: Rig) -> dict[str, float]:
    """How the shade begins at the piece; nan for what hangs, and where there is no shade.

    contact_shade: shade next to the piece over the deepest shade near it, 1 and more where it touches, 0 with light between;
    contact_gap_px: steps to the deepest, in frame pixels.
    """
    unknown = {"contact_shade": math.nan, "contact_gap_px": math.nan}
    if piece.pose == "hanging":
        return unknown
    step = max(1, round(STEP * max(piece.alpha.shape) / 1080))
    box, pad = piece.box, REACH * step + 4
    view = (slice(max(box.y0 - pad, 0), box.y1 + pad), slice(max(box.x0 - pad, 0), box.x1 + pad))
    bare, shaded = (coarse(one[view], step) + BLACK for one in (composite.bare, composite.shaded))
    alpha = piece.alpha[view][step // 2 :: step, step // 2 :: step][: bare.shape[0], : bare.shape[1]]
    profile = _profile(1 - shaded / bare, alpha, piece, rig, piece.ground.unit_px / step)
    deepest = float(profile[NEAR:BEYOND].max()) if profile.size >= BEYOND else 0.0
    if deepest < LEAST_SHADE:
        return unknown
    first = int(np.argmax(profile[:BEYOND] > 0.7 * profile[:BEYOND].max()))
    return {"contact_shade": float(profile[:NEAR].mean()) / deepest, "contact_gap_px": float(first * step)}


def _profile(lost: F32, alpha: F32, piece: Piece, rig: Rig, unit: float) -> F32:
    """Mean loss by distance from the piece (in steps), on the side where its shadow lies. Empty when there is no such ground."""
    elevation = math.radians(piece.ground.elevation_deg)
    right, down = (0.0, 1.0) if piece.pose == "upright" else away(rig.key.direction, elevation)
    distance = cv2.distanceTransform((alpha <= OPEN).astype(np.uint8), cv2.DIST_L2, 5)
    smooth = cv2.blur(distance, (3, 3))
    slope = (
        cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3) * right
        + cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3) * down
    )
    beside: Mask = (distance > 0) & (distance < REACH) & (slope > 8 * FACING * math.hypot(right, down))
    if piece.pose == "upright":
        rows = np.flatnonzero((alpha > 0.5).any(1))
        beside &= np.arange(alpha.shape[0])[:, None] > (rows[-1] if rows.size else 0) - CONTACT_SHARE * unit
    steps = distance[beside].astype(np.int32)
    counts = np.bincount(steps, minlength=REACH + 1)[1:]
    if counts[:NEAR].min() < FEWEST:
        return np.zeros(0, np.float32)
    sums = np.bincount(steps, lost[beside], minlength=REACH + 1)[1:]
    return np.where(counts >= FEWEST, sums / np.maximum(counts, 1), 0).astype(np.float32)
