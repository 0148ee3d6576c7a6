"""Where the piece stands in the picture. Owns scale, position and the ground under it; refuses light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from pipeline.format import FORMATS
from pipeline.recipe import JewelryType, Recipe, Surface
from pipeline.shape.kind import guess_kind
from pipeline.stance import stance_for
from pipeline.upscale.product import LEAST_ENLARGEMENT, enlarged
from pipeline.upscale.upscaler import Upscalers, no_upscalers
from pipeline.values import F32, Area, Box, Cutout, Ground, Note

TABLE_ELEVATION = 30.0
CONTACT_AT = 0.70  # of the free height: where an upright piece stands
MIDDLE_AT = 0.50
LONGEST_SHARE = 0.80  # of the free frame: no piece may come nearer to the edge
LARGEST_ENLARGEMENT = 2.5  # of the photo's own pixels
LARGEST_SET = 1.4  # of its own size, so that a piece keeps away from what stands around
NEAR = 0.01  # units: of the safe area's border


@dataclass(frozen=True, slots=True)
class Piece:
    """The piece on the frame. rgb: (H, W, 3) unpremultiplied; alpha: (H, W); box: its tight box on the frame.

    enlargement: frame pixels per photo pixel. kind: what the recipe says it is.
    """

    rgb: F32
    alpha: F32
    box: Box
    ground: Ground
    view: Literal["table", "flat"]
    pose: Literal["upright", "flat", "hanging"]
    enlargement: float
    notes: tuple[Note, ...] = ()
    kind: JewelryType = "auto"


SafeArea = Callable[[Surface, Literal["table", "flat"], int], Area | None]
"""Where a piece may stand on a surface, seen so, with that seed."""


def anywhere(_surface: Surface, _view: str, _seed: int) -> Area | None:
    """The safe area of sets that have no places to avoid."""
    return None


def lay_out(
    cutout: Cutout, recipe: Recipe, upscalers: Upscalers = no_upscalers, safe_area: SafeArea = anywhere
) -> Piece:
    """Scale the cut-out so that it is `recipe.fill` of the free frame, whichever side is reached first, and set it down.

    upscalers: for recipes that name one. safe_area: of the set; the set is taken larger until the piece fits into it.
    """
    kind = guess_kind(cutout.alpha) if recipe.jewelry_type == "auto" else recipe.jewelry_type
    view, pose = stance_for(kind, recipe.view, recipe.pose)
    tight = _tight_box(cutout.alpha)
    free = free_frame(recipe)
    zoom = min(_zoom(tight, free, recipe), LARGEST_ENLARGEMENT / cutout.scale)
    size = (max(1, round(tight.width * zoom)), max(1, round(tight.height * zoom)))
    x0 = round((recipe.width_px - size[0]) / 2)
    standing = view == "table" and pose == "upright"
    y0 = (
        round(free.y0 + CONTACT_AT * free.height - size[1])
        if standing
        else round(free.y0 + MIDDLE_AT * free.height - size[1] / 2)
    )
    y0 = max(y0, round(free.y0 + 0.5 * (1 - LONGEST_SHARE) * free.height))
    enlargement = zoom * cutout.scale
    rgb, alpha = _resampled(cutout, tight, size)
    more: tuple[Note, ...] = ()
    if recipe.enlarge and enlargement > LEAST_ENLARGEMENT:
        rgb, more = enlarged(cutout, tight, size, recipe.enlarge, upscalers)
    rgb, alpha = _placed(rgb, alpha, (x0, y0), recipe)
    box = Box(x0, y0, x0 + size[0], y0 + size[1])
    origin = (x0 + size[0] / 2, float(box.y1) if standing else y0 + size[1] / 2)
    unit_px = _unit_px(size, safe_area(recipe.surface, view, recipe.seed), standing=standing)
    ground = Ground(TABLE_ELEVATION if view == "table" else 90.0, unit_px, origin)
    notes = (*_notes(enlargement, cutout), *more)
    return Piece(rgb, alpha, box, ground, view, pose, enlargement, notes, recipe.jewelry_type)


def stands_safely(piece: Piece, safe: Area | None) -> tuple[Note, ...]:
    """A note where the piece reaches beyond its set's safe area."""
    if safe is None:
        return ()
    (x, y), unit, box = piece.ground.origin, piece.ground.unit_px, piece.box
    reach = ((box.x0 - x) / unit, (box.y0 - y) / unit, (box.x1 - x) / unit, (box.y1 - y) / unit)
    within = all(
        one >= least - NEAR if low else one <= least + NEAR
        for one, least, low in zip(reach, safe, (True, True, False, False), strict=True)
    )
    if within:
        return ()
    text = "The piece reaches beyond the place that this set keeps free for it; choose another template or a smaller `fill`."
    return (Note("beyond-set", text),)


def _unit_px(size: tuple[int, int], safe: Area | None, *, standing: bool) -> float:
    """Pixels of the set's unit: the piece's long side, or more where a part of the set is in its way."""
    longest = float(max(size))
    if safe is None:
        return longest
    above, below = (size[1], 0.0) if standing else (size[1] / 2, size[1] / 2)
    x0, y0, x1, y1 = safe
    needs = ((size[0] / 2, -x0), (size[0] / 2, x1), (above, -y0), (below, y1))
    least = max(need / max(room, 1e-6) for need, room in needs)
    return min(max(longest, least), LARGEST_SET * longest)


def free_frame(recipe: Recipe) -> Box:
    """The part of the frame that nothing of Instagram's lies over; set and light go on beyond it."""
    shape = FORMATS[recipe.format]
    bottom = recipe.height_px - round(shape.bottom * recipe.height_px)
    return Box(0, round(shape.top * recipe.height_px), recipe.width_px, bottom)


def _tight_box(alpha: F32) -> Box:
    rows, columns = np.flatnonzero((alpha > 0.1).any(1)), np.flatnonzero((alpha > 0.1).any(0))
    if not rows.size:
        return Box(0, 0, alpha.shape[1], alpha.shape[0])
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _zoom(tight: Box, free: Box, recipe: Recipe) -> float:
    """To `fill` of the free frame's width or height, a little more for slender pieces, which would look lost."""
    slender = min(tight.width, tight.height) / max(tight.width, tight.height)
    share = min(recipe.fill * (1 + 0.25 * (1 - slender)), LONGEST_SHARE)
    return min(share * free.width / tight.width, share * free.height / tight.height)


def _resampled(cutout: Cutout, tight: Box, size: tuple[int, int]) -> tuple[F32, F32]:
    """Colours and alpha at `size`, resampled premultiplied: averaging straight colours would drag the estimator's guesses in."""
    alpha = np.ascontiguousarray(cutout.alpha[tight.slices])
    premul = cutout.rgb[tight.slices] * alpha[..., None]
    method = cv2.INTER_AREA if size[0] < tight.width else cv2.INTER_CUBIC
    premul = np.clip(cv2.resize(premul, size, interpolation=method), 0, None)
    alpha = np.clip(cv2.resize(alpha, size, interpolation=method), 0, 1)
    spread = cv2.resize(cutout.rgb[tight.slices], size, interpolation=cv2.INTER_LINEAR)
    solid = alpha[..., None] > 0.05
    return np.where(solid, premul / np.maximum(alpha[..., None], 0.05), spread), alpha


def _placed(rgb: F32, alpha: F32, at: tuple[int, int], recipe: Recipe) -> tuple[F32, F32]:
    """Both on the frame, their corner at `at` (x, y); what stands over is cut off."""
    frame_rgb = np.zeros((recipe.height_px, recipe.width_px, 3), np.float32)
    frame_alpha = np.zeros((recipe.height_px, recipe.width_px), np.float32)
    x, y = at
    height, width = alpha.shape
    y1, x1 = min(y + height, recipe.height_px), min(x + width, recipe.width_px)
    frame_rgb[max(y, 0) : y1, max(x, 0) : x1] = rgb[max(-y, 0) : y1 - y, max(-x, 0) : x1 - x]
    frame_alpha[max(y, 0) : y1, max(x, 0) : x1] = alpha[max(-y, 0) : y1 - y, max(-x, 0) : x1 - x]
    return frame_rgb, frame_alpha


def _notes(enlargement: float, cutout: Cutout) -> tuple[Note, ...]:
    notes = []
    if enlargement > LEAST_ENLARGEMENT:
        notes.append(
            Note(
                "small-photo",
                f"The piece is shown {enlargement:.1f} times larger than it was photographed; move the camera nearer for a sharper picture.",
            )
        )
    if cutout.touches:
        notes.append(
            Note(
                "cut-off",
                f"The piece runs out of the photo at the {' and '.join(cutout.touches)}; photograph it with room around it.",
            )
        )
    return tuple(notes)
