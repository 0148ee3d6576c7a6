"""Does the ground mirror the piece as its polish says? Owns that figure; refuses a verdict."""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.composite import Composite
from pipeline.judge.shadow import OPEN, coarse
from pipeline.layout import Piece
from pipeline.shape.solid import Solid
from pipeline.values import F32, Mask, Scene

CELL = 4  # pixels of a 1080 frame
LEVELS = 4  # depths of the piece that are mirrored
SMOOTH = 8.0  # grid pixels: wider than this is glow
STEEPEST_DEG = 80.0  # seen from above, a piece hides its own mirror image
COVERED = 0.3
LEAST_CONTRAST = 0.01  # linear; a mirror image no brighter or darker than its ground cannot be told


def mirror_figures(piece: Piece, solid: Solid, composite: Composite, scene: Scene) -> dict[str, float]:
    """How strongly the ground mirrors the piece, and how strongly it should.

    mirror_strength: of the ground's mirror image, share of the piece's own light, where a flipped piece would be seen;
    mirror_wanted: what Fresnel and the surface ask for there. nan from above.

    Measured as the regression of what the ground shows beside its shadow on the piece mirrored by its shape, both without what is
    smooth, so that the glow that any piece throws on any ground does not count.
    """
    if scene.ground.elevation_deg > STEEPEST_DEG:
        return {"mirror_strength": math.nan, "mirror_wanted": math.nan}
    cell = max(1, round(CELL * max(piece.alpha.shape) / 1080))
    ground, shaded, lit = (coarse(one, cell) for one in (composite.ground, composite.shaded, composite.lit))
    alpha = piece.alpha[cell // 2 :: cell, cell // 2 :: cell][: ground.shape[0], : ground.shape[1]]
    cover, image = _mirrored(lit, solid, piece, cell)
    soften = max(0.8, 0.01 * piece.ground.unit_px / cell)
    known = alpha < OPEN
    change = _detail(image - shaded * cover, known, soften)
    seen = _detail(ground - shaded, known, 0.0)
    where = known & (cv2.GaussianBlur(cover, (0, 0), soften) > COVERED)
    if np.count_nonzero(where) < 8 or float(np.abs(change[where]).mean()) < LEAST_CONTRAST:
        return {"mirror_strength": math.nan, "mirror_wanted": _wanted(scene)}
    wanted = change[where]
    strength = float((seen[where] * wanted).sum() / (wanted * wanted).sum())
    return {"mirror_strength": strength, "mirror_wanted": _wanted(scene)}


def _detail(light: F32, known: Mask, soften: float) -> F32:
    """What is finer than `SMOOTH` grid pixels and coarser than `soften`, of the ground alone."""
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), SMOOTH) + np.float32(1e-3)
    wide = cv2.GaussianBlur(np.where(known, light, np.float32(0)), (0, 0), SMOOTH) / weight
    near = cv2.GaussianBlur(light, (0, 0), soften) if soften else light
    detail: F32 = near - wide
    return detail


def _wanted(scene: Scene) -> float:
    """Schlick's Fresnel at the camera's angle, raised as a set asks for, times the surface's weight."""
    cosine = math.sin(math.radians(scene.ground.elevation_deg))
    return scene.reflection * (0.6 + 4 * (scene.f0 + (1 - scene.f0) * (1 - cosine) ** 5))


def _mirrored(lit: F32, solid: Solid, piece: Piece, cell: int) -> tuple[F32, F32]:
    """Cover and premultiplied luminance of the mirror image: a point at height Z lies 2 Z cos(e) lower in the picture."""
    thinned = (slice(cell // 2, None, cell), slice(cell // 2, None, cell))
    y, x = np.nonzero(solid.mask[thinned][: lit.shape[0], : lit.shape[1]])
    top, low = (one[thinned][y, x] / cell for one in (solid.top_px, solid.low_px))
    cover, image = np.zeros_like(lit), np.zeros_like(lit)
    cos = math.cos(math.radians(piece.ground.elevation_deg))
    for share in np.linspace(0, 1, LEVELS):
        row = np.rint(y + 2 * cos * (top + share * (low - top))).astype(np.int32)
        inside = row < lit.shape[0]
        cover[row[inside], x[inside]] = 1
        image[row[inside], x[inside]] = lit[y[inside], x[inside]]
    return cover, image
