"""The verdict on one render: pass, review or fail, with reasons and all figures. Owns the thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from pipeline.color import linear_from_srgb_u8
from pipeline.composite import Composite
from pipeline.judge.hue import hue_shifts
from pipeline.judge.identity import identity_figures
from pipeline.judge.light import light_doubts, light_figures
from pipeline.judge.technical import technical_figures
from pipeline.layout import Piece
from pipeline.recipe import Recipe
from pipeline.shape.solid import Solid
from pipeline.values import F32, U8, Box, Cutout, Note, Scene, Verdict

LEAST_CONFIDENCE = 0.91  # set where, on real photos, swallowed shadows begin to show
DRAFT_CONFIDENCE = 0.75  # a draft's coarser matte has wider margins; it is looked at, not posted
LEAST_PSNR_DB = 45.0
MOST_HUE_METAL_DEG, MOST_HUE_GEM_DEG = 2.0, 3.0
MOST_ENLARGEMENT = 2.0
MOST_BARE_SHARE = 0.035
AROUND_PX = 8
LEAST_SEPARATION = 0.02  # linear; where piece and ground differ less, alpha cannot be read off the picture


def judge(
    cutout: Cutout,
    piece: Piece,
    solid: Solid,
    composite: Composite,
    scene: Scene,
    *,
    recipe: Recipe,
    srgb: U8,
) -> Verdict:
    """Judge a finished picture `srgb` (H, W, 3). Identity is measured on what was composed, colours on what is shown."""
    figures: dict[str, float] = {"confidence": cutout.confidence, "enlargement": piece.enlargement}
    figures |= {f"matte_{name}": value for name, value in cutout.figures.items()}
    view = _around(piece.box, piece.alpha.shape)
    own, alpha = piece.rgb[view], piece.alpha[view]
    ground, frame, lit = composite.ground[view], composite.frame[view], composite.lit[view]
    seen = drawn_alpha(alpha, ground, frame, lit)
    figures |= identity_figures(own, alpha, drawn_colors(alpha, ground, frame, lit), seen)
    figures["growth_px"] += _strayed_px(piece, composite)
    figures |= _shown_hues(piece, srgb)
    figures |= light_figures(piece, solid, composite, scene, recipe.rig)
    figures |= technical_figures(srgb, None)
    figures |= _composition(piece, recipe)
    faults = tuple(_faults(figures))
    doubts = (*_doubts(figures, cutout, recipe), *light_doubts(figures))
    outcome = "fail" if faults else "review" if doubts else "pass"
    return Verdict(outcome, faults + doubts, {name: _tidy(value) for name, value in figures.items()})


def _around(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Index of the piece's box with a small margin: identity costs by the pixel."""
    return (
        slice(max(box.y0 - AROUND_PX, 0), min(box.y1 + AROUND_PX, shape[0])),
        slice(max(box.x0 - AROUND_PX, 0), min(box.x1 + AROUND_PX, shape[1])),
    )


def drawn_alpha(alpha: F32, ground: F32, frame: F32, lit: F32) -> F32:
    """Alpha (h, w) as read off the composed frame: the share of `lit` over `ground` that explains each pixel."""
    contrast, change = lit - ground, frame - ground
    energy = _dot(contrast, contrast)
    share = _dot(change, contrast) / np.maximum(energy, 1e-9)
    changed = _dot(change, change) > 1e-12
    clear = energy > LEAST_SEPARATION**2
    return np.where(clear, np.clip(share, 0, 1), np.where(changed, alpha, 0)).astype(np.float32)


def drawn_colors(alpha: F32, ground: F32, frame: F32, lit: F32) -> F32:
    """The piece's colours (h, w, 3) as read off the composed frame, the ground's share taken out again."""
    cover = alpha[..., None]
    own = (frame - (1 - cover) * ground) / np.maximum(cover, 0.5)
    return np.where(cover > 0.5, np.clip(own, 0, None), lit).astype(np.float32)


def _strayed_px(piece: Piece, composite: Composite) -> float:
    """Pixels outside the matte altogether where the composed frame is not the ground."""
    change = composite.frame - composite.ground
    outside = piece.alpha <= 0
    view = _around(piece.box, piece.alpha.shape)
    outside[view] = False  # there identity has counted already
    return float((_dot(change, change)[outside] > 1e-12).sum())


def _dot(a: F32, b: F32) -> F32:
    """Sum over channels; many times faster than a sum over a last axis of three."""
    total: F32 = a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]
    return total


def _shown_hues(piece: Piece, srgb: U8) -> dict[str, float]:
    """Hue shift of metal and stones between the cut-out and the finished picture."""
    view = _around(piece.box, piece.alpha.shape)
    inside = piece.alpha[view] > 0.98
    shifts = hue_shifts(piece.rgb[view], linear_from_srgb_u8(srgb[view]), inside) if inside.any() else {}
    return {f"shown_hue_{kind}_deg": shift.degrees for kind, shift in shifts.items()}


def _composition(piece: Piece, recipe: Recipe) -> dict[str, float]:
    long_side = max(piece.box.width / recipe.width_px, piece.box.height / recipe.height_px)
    middle = (
        (piece.box.x0 + piece.box.x1) / 2 / recipe.width_px,
        (piece.box.y0 + piece.box.y1) / 2 / recipe.height_px,
    )
    return {"fill": long_side, "offset": math.hypot(middle[0] - 0.5, middle[1] - 0.5)}


def _tidy(value: float) -> float | None:
    """Short, and None (null in JSON, which has no nan) for what could not be told."""
    return None if math.isnan(value) else round(float(value), 5)


def _faults(figures: Mapping[str, float]) -> list[Note]:
    """What must never be published: the piece is not the piece any more."""
    found = []
    if figures["growth_px"] > 0:
        found.append(Note("piece-grew", f"The piece grew by {figures['growth_px']:.0f} pixels."))
    if figures["topology_same"] < 1:
        found.append(Note("piece-changed", "Holes or parts of the piece were lost or added."))
    if figures["psnr_db"] < LEAST_PSNR_DB:
        found.append(Note("detail-changed", f"Details of the piece changed ({figures['psnr_db']:.1f} dB)."))
    metal, gem = figures.get("shown_hue_metal_deg", 0.0), figures.get("shown_hue_gem_deg", 0.0)
    if metal > MOST_HUE_METAL_DEG or gem > MOST_HUE_GEM_DEG:
        found.append(
            Note("hue-drift", f"The colour of the piece moved (metal {metal:.1f}°, stones {gem:.1f}°).")
        )
    return found


def _doubts(figures: Mapping[str, float], cutout: Cutout, recipe: Recipe) -> list[Note]:
    """What a person should see before it is published."""
    found = []
    if cutout.touches:
        sides = " and ".join(cutout.touches)
        found.append(
            Note(
                "cut-off",
                f"The piece runs out of the photo at the {sides}. Photograph it with room around it.",
            )
        )
    if cutout.confidence < (DRAFT_CONFIDENCE if recipe.draft else LEAST_CONFIDENCE):
        why = " ".join(note.text for note in cutout.notes) or "The cut-out is uncertain."
        found.append(
            Note(
                "unsure-cutout",
                f"{why} Photograph the piece on plainer paper with softer light, or save a PNG with a transparent background.",
            )
        )
    bare = figures.get("matte_bare_share", 0.0)
    if bare > MOST_BARE_SHARE:
        why = "so paper may have stayed between its parts, or parts may be missing"
        found.append(
            Note(
                "white-on-white",
                f"{bare:.0%} of the piece cannot be told from the white paper, {why}. Photograph it on grey or coloured paper.",
            )
        )
    if figures["enlargement"] > MOST_ENLARGEMENT:
        found.append(Note("too-small", "The piece is too small in the photo; move the camera nearer."))
    return found
