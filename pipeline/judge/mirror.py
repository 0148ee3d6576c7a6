"""Does the ground mirror the piece as its polish says? Owns that figure; refuses a verdict."""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.composite import Composite
from pipeline.judge.shadow import OPEN, coarse
from pipeline.layout import Piece
from pipeline.values import F32, Scene

CELL = 4  # pixels of a 1080 frame
PART_SHARE = 0.02
STEEPEST_DEG = 80.0  # seen from above, a piece hides its own mirror image
COVERED = 0.3
LIES_AS_HIGH = 0.02  # of the long side: how far below a lying piece its mirror image looks out
LEAST_CONTRAST = 0.01  # linear; a mirror image no brighter or darker than its ground cannot be told


def mirror_figures(piece: Piece, composite: Composite, scene: Scene) -> dict[str, float]:
    """How strongly the ground mirrors the piece, and how strongly it should.

    mirror_strength: of the ground's mirror image, share of the piece's own light, where a flipped piece would be seen;
    mirror_wanted: what Fresnel and the surface ask for there. nan from above.

    Measured as the regression of what the ground shows beside its shadow on the piece flipped over its lowest row (what
    lies: let down a little), so that glow without shape counts little.
    """
    if scene.ground.elevation_deg > STEEPEST_DEG:
        return {"mirror_strength": math.nan, "mirror_wanted": math.nan}
    cell = max(1, round(CELL * max(piece.alpha.shape) / 1080))
    ground, shaded, lit = (coarse(one, cell) for one in (composite.ground, composite.shaded, composite.lit))
    alpha = piece.alpha[cell // 2 :: cell, cell // 2 :: cell][: ground.shape[0], : ground.shape[1]]
    cover, image = _flipped(alpha, lit) if piece.pose == "upright" else _let_down(alpha, lit, piece, cell)
    soften = max(0.8, 0.01 * piece.ground.unit_px / cell)
    change = cv2.GaussianBlur(image - shaded * cover, (0, 0), soften)
    where = (alpha < OPEN) & (cv2.GaussianBlur(cover, (0, 0), soften) > COVERED)
    if np.count_nonzero(where) < 8 or float(np.abs(change[where]).mean()) < LEAST_CONTRAST:
        return {"mirror_strength": math.nan, "mirror_wanted": _wanted(scene)}
    wanted = change[where]
    strength = float(((ground - shaded)[where] * wanted).sum() / (wanted * wanted).sum())
    return {"mirror_strength": strength, "mirror_wanted": _wanted(scene)}


def _wanted(scene: Scene) -> float:
    """Schlick's Fresnel at the camera's angle, raised as a set asks for, times the surface's weight."""
    cosine = math.sin(math.radians(scene.ground.elevation_deg))
    return scene.reflection * (0.6 + 4 * (scene.f0 + (1 - scene.f0) * (1 - cosine) ** 5))


def _flipped(alpha: F32, lit: F32) -> tuple[F32, F32]:
    """Cover and premultiplied luminance of a standing piece's mirror image, each part flipped over its lowest row."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.5).astype(np.uint8), connectivity=8)
    cover, image = np.zeros_like(alpha), np.zeros_like(alpha)
    largest = stats[1:, cv2.CC_STAT_AREA].max(initial=1)
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] < PART_SHARE * largest:
            continue
        foot = int(stats[part, cv2.CC_STAT_TOP] + stats[part, cv2.CC_STAT_HEIGHT])
        rows = min(foot, alpha.shape[0] - foot)
        own = np.where(labels == part, alpha, 0)[foot - rows : foot][::-1]
        shown = slice(foot, foot + rows)
        image[shown] += own * lit[foot - rows : foot][::-1]
        cover[shown] = np.maximum(cover[shown], own)
    return cover, image


def _let_down(alpha: F32, lit: F32, piece: Piece, cell: int) -> tuple[F32, F32]:
    """The same of a lying piece: what looks out under it, as bright as the piece on the whole."""
    rows = max(1, round(LIES_AS_HIGH * piece.ground.unit_px / cell))
    cover = np.zeros_like(alpha)
    cover[rows:] = alpha[:-rows]
    solid = alpha > 0.5
    return cover, cover * (float(lit[solid].mean()) if solid.any() else 0.0)
