"""The piece as a solid: how high each pixel stands, how deep it is, where it faces. Owns pose and geometry.

The camera is orthographic, `elevation` above the ground. A pixel at height Z stands over the ground point that the
camera sees Z*cos(elevation) further down. Heights are in frame pixels of world length (unit_px of them are one unit).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from pipeline.layout import Piece
from pipeline.shape.hoop import Hoop, find_hoop, find_lying, metal_of
from pipeline.shape.membrane import stretched
from pipeline.shape.normals import inflated
from pipeline.shape.relief import Relief, learned
from pipeline.shape.thickness import distance_inside, local_radius, thickness
from pipeline.values import F32, Ground, Mask

Pose = Literal["upright", "flat", "hanging"]
SQUARE_DEG = 85.0  # from here on the camera looks straight down
FLAT_LIMIT = (
    0.10  # thickest a piece that lies may be, share of its long side: watches and pendants are no balls
)
UPRIGHT_LIMIT = 0.25
PART_SHARE = 0.02  # smaller parts stand on the ground of the largest
OVAL = 0.85  # height over width of what lies and is seen from the side: links and settings are flatter than they are wide
CARRIED = 0.15  # of the long side: how far a thick part holds up a thin one
UNSURE = 0.4  # of a standing piece without a hole that tells its turn
SHELL_WEIGHT, ROUNDING = 2.0, 0.006  # against the inflated outline; of the unit
THINNEST = 0.25  # of the depth that the outline suggests
CONTACT_SLOPE = 0.15  # rows for each column
DEEP, GUESS_WEIGHT = (
    0.01,
    (0.3, 6.0),
)  # units from the outline at which a guessed normal weighs as much as an inflated one; least and most
MARGIN_PX = 8
HANGING_OWN = 0.5  # share of the outline's own tubes and domes in what hangs
HANG_SHARE = 0.035  # of the long side: how far a hanging piece keeps from its wall


@dataclass(frozen=True, slots=True)
class Solid:
    """All (H, W), frame pixels. mask; top_px: height of the seen surface; low_px: height of the underside there.

    normal: (H, W, 3) unit vectors in world axes (X right, Y away, Z up), smooth, 0 outside. sure: 0..1, of how the piece is turned.
    """

    mask: Mask
    top_px: F32
    low_px: F32
    normal: F32
    sure: float = 1.0


def solid_of(piece: Piece) -> Solid:
    """Solid of a piece on its frame, by its outline and what the network knows of its kind. Only the piece's own box is worked on."""
    whole = piece.alpha > 0.5
    view = _around(whole)
    x, y = piece.ground.origin
    ground = replace(piece.ground, origin=(x - view[1].start, y - view[0].start))
    alpha = np.ascontiguousarray(piece.alpha[view])
    part = solidify(alpha, ground, piece.pose, learned(alpha, ground, piece.pose, piece.kind))
    top, low = np.zeros(whole.shape, np.float32), np.zeros(whole.shape, np.float32)
    normal = np.zeros((*whole.shape, 3), np.float32)
    top[view], low[view], normal[view] = part.top_px, part.low_px, part.normal
    return Solid(whole, top, low, normal, part.sure)


def _around(mask: Mask) -> tuple[slice, slice]:
    """The mask's box and a little more."""
    spans = []
    for axis in (1, 0):
        at = np.flatnonzero(mask.any(axis))
        first, last = (int(at[0]), int(at[-1])) if at.size else (0, mask.shape[1 - axis] - 1)
        spans.append(slice(max(0, first - MARGIN_PX), min(mask.shape[1 - axis], last + 1 + MARGIN_PX)))
    return spans[0], spans[1]


def solidify(alpha: F32, ground: Ground, pose: Pose, relief: Relief | None = None) -> Solid:
    """Solid of the matte (H, W) under `pose`.

    On a table a hoop is a shell; what else stands is a card on its contact line, each part on its own. What lies or hangs is made of
    tubes and domes.

    relief: what is known better than the matte tells. Of hoops and of what stands a guess tells only where they face: what stands must touch
    the ground where its outline does, and shops stand rings on their heads, too, which no network here has seen.
    """
    mask = alpha > 0.5
    elevation = math.radians(ground.elevation_deg)
    found = _heights(mask, ground, pose, alone=_needed(relief, pose))
    normal = inflated(mask, elevation)
    if found.shell is not None:
        normal = _blended(normal, found.shell, ground.unit_px)
    top, low, sure = found.top_px, found.low_px, found.sure
    if relief and relief.exact:
        drop = None if found.shell is None else top - low
        top, sure = relief.top_px, 1.0
        behind = top - _behind(mask, top, elevation, drop) if relief.low_px is None else relief.low_px
        low = np.maximum(behind, 0)
    elif relief and pose != "upright" and found.shell is None:
        top, low = _guessed(found, relief, pose)
    if relief and relief.normal is not None:
        deep = np.clip(distance_inside(mask) / np.float32(DEEP * ground.unit_px), *GUESS_WEIGHT)
        normal = _unit(normal + deep[..., None] * relief.normal) * mask[..., None]
    top = np.where(mask, top, np.float32(0)).astype(np.float32)
    return Solid(mask, top, low.astype(np.float32), normal, sure)


def _needed(relief: Relief | None, pose: Pose) -> bool:
    """Whether heights by the outline are used at all."""
    return relief is None or (pose != "flat" and not relief.exact)


def _guessed(found: _Heights, relief: Relief, pose: Pose) -> tuple[F32, F32]:
    """Heights (top, low) that a network guessed of what lies; what hangs is between them and tubes."""
    assert relief.low_px is not None  # noqa: S101 - a guess has both sides
    own = np.float32(HANGING_OWN if pose == "hanging" else 0)
    pairs = ((found.top_px, relief.top_px), (found.low_px, relief.low_px))
    top, low = (guess + own * (drawn - guess) for drawn, guess in pairs)
    return top, np.clip(low, 0, np.maximum(top, 0))


def _unit(vectors: F32) -> F32:
    unit: F32 = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-6))
    return unit


@dataclass(frozen=True, slots=True)
class _Heights:
    """Of seen surface and underside, (H, W) px; shell: normals of a hoop's shank (see `metal_of`), None for what is no hoop; sure: see `Solid`."""

    top_px: F32
    low_px: F32
    shell: F32 | None
    sure: float


def _heights(mask: Mask, ground: Ground, pose: Pose, *, alone: bool) -> _Heights:
    """How high the pixels of a piece stand, from its mask (H, W) alone. alone: whether that is to tell of what is no hoop, too; else 0."""
    elevation = math.radians(ground.elevation_deg)
    upright = pose == "upright" and ground.elevation_deg < SQUARE_DEG
    hoop = _hoop(mask, ground, pose)
    if hoop:
        most = UPRIGHT_LIMIT if upright else FLAT_LIMIT
        top, low, shell = metal_of(hoop, mask, np.minimum(thickness(mask), most * ground.unit_px))
        return _Heights(top, low, shell, 1.0)
    if not alone:
        none = np.zeros(mask.shape, np.float32)
        return _Heights(none, none, None, 1.0)
    if upright:
        top = _height_over_contact(mask) / math.cos(elevation)
        depth = np.minimum(thickness(mask), UPRIGHT_LIMIT * ground.unit_px)
        return _Heights(top, np.maximum(top - depth * math.sin(elevation), 0), None, UNSURE)
    top, low = _lying(mask, ground.unit_px, elevation, rigid=pose == "hanging")
    gap = np.float32(HANG_SHARE * ground.unit_px if pose == "hanging" else 0)
    return _Heights(top + gap, low + gap, None, 1.0)


def _blended(swollen: F32, shell: F32, unit_px: float) -> F32:
    """Normals of a shank whose section is rounded: between those of its shell and of its inflated outline."""
    soft = cv2.GaussianBlur(shell, (0, 0), ROUNDING * unit_px)
    return _unit((swollen + SHELL_WEIGHT * soft).astype(np.float32))


def _hoop(mask: Mask, ground: Ground, pose: Pose) -> Hoop | None:
    """The hoop that the piece is, if it surely is one; from above its depth cannot be told."""
    if pose == "hanging" or ground.elevation_deg >= SQUARE_DEG:
        return None
    hoop = find_hoop(mask, ground) if pose == "upright" else find_lying(mask, ground)
    return hoop if hoop and hoop.sure else None


def _lying(mask: Mask, unit_px: float, elevation: float, *, rigid: bool) -> tuple[F32, F32]:
    """Top and underside (H, W) of tubes and domes that lie on the ground, none thicker than `FLAT_LIMIT`.

    A tube's axis is as high as its radius; a pixel stands off the axis across the line of sight, and the tube reaches half
    its depth to either side of that along it.
    """
    radius, inside = local_radius(mask), distance_inside(mask)
    most_px = (UPRIGHT_LIMIT if rigid else FLAT_LIMIT) * unit_px / 2
    off = np.clip(radius - inside, 0, None)
    tall = 1.0 if elevation >= math.radians(SQUARE_DEG) else OVAL
    flatter = np.minimum(tall * radius, most_px) / np.maximum(radius, 1e-3)
    half = np.sqrt(np.clip(np.square(radius) - np.square(off), 0, None)) * flatter
    smooth = cv2.GaussianBlur(inside, (0, 0), 1.2)
    down, across = (cv2.Sobel(smooth, cv2.CV_32F, dx, dy, ksize=3) / 8 for dx, dy in ((0, 1), (1, 0)))
    above = off * down / np.maximum(np.hypot(down, across), 1e-2)
    axis = _carried(radius * flatter, mask, unit_px, rigid=rigid)
    middle = axis + above * flatter * math.cos(elevation)
    top, low = middle + half * math.sin(elevation), middle - half * math.sin(elevation)
    return np.maximum(top, 0).astype(np.float32), np.maximum(low, 0).astype(np.float32)


def _carried(radius: F32, mask: Mask, unit_px: float, *, rigid: bool) -> F32:
    """Height of the axis: parts much thinner than others close by are held up by them; all of it if the piece is one rigid body."""
    if rigid:
        return np.where(mask, radius.max(initial=0), 0).astype(np.float32)
    reach_px = CARRIED * unit_px
    step = max(1, round(reach_px / 8))
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.15 * reach_px)
    mean = cv2.GaussianBlur(radius, (0, 0), 0.15 * reach_px) / np.maximum(weight, 1e-3) * mask
    small = cv2.dilate(mean, np.ones((step, step), np.uint8))[::step, ::step]
    side = 2 * round(reach_px / step) + 1
    wide = cv2.dilate(small, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    wide = cv2.GaussianBlur(wide, (0, 0), 0.4 * reach_px / step)
    whole = cv2.resize(wide, radius.shape[::-1], interpolation=cv2.INTER_LINEAR)
    held = np.clip((whole / np.maximum(mean, 1e-3) - 1.2) / 0.3, 0, 1)
    return np.where(mask, mean + held * (whole - mean), 0).astype(np.float32)


def _behind(mask: Mask, height_px: F32, elevation: float, drop: F32 | None) -> F32:
    """How much lower (H, W) the underside is than a seen surface whose height is known.

    drop: as a hoop's outline has it. From above the outline's thickness is the best there is; else the body is as thick behind as
    it swells before a sheet stretched over its outline.
    """
    if drop is not None or elevation >= math.radians(SQUARE_DEG):
        return thickness(mask) if drop is None else drop
    rows = np.arange(mask.shape[0], dtype=np.float32)[:, None]
    toward = ((height_px + rows * math.cos(elevation)) / math.sin(elevation)).astype(np.float32)
    swell = 2 * np.clip(toward - stretched(mask, 0.0, toward), 0, None)
    tube = thickness(mask)
    behind: F32 = np.minimum(tube, swell + THINNEST * tube) * np.float32(math.sin(elevation))
    return behind


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
    far end. The bound leaves the rest in the air: where a shank without a visible hole touches cannot be told.
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
