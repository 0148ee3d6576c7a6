"""Is the shadow this piece's under this rig: its side, its depth, the light through its holes. Refuses a verdict.

The shadow is measured in the picture, as the share of the bare ground's light that is gone, and held against what a small
caster of the judge's own expects (`pipeline.judge.caster`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.color import luminance
from pipeline.composite import Composite, cautious
from pipeline.judge.caster import DIMMEST, Caster, Shares, casters_of
from pipeline.layout import Piece
from pipeline.rig import Rig
from pipeline.shape.solid import Solid
from pipeline.values import F32, Mask, Scene

CELLS = {"upright": 8, "flat": 4, "hanging": 4}  # pixels of a 1080 frame: a standing piece's shadow is large
REACH = 0.26  # of the long side: how far the shadow of what lies or hangs falls
TURNS = (45, -45, 90, -90, 135, -135, 180)
SHADED = 0.03  # loss from which ground counts as shaded
BLACK = 1e-4
LEAST_TOLD = {
    "upright": 0.12,
    "flat": 0.04,
    "hanging": 0.04,
}  # how unlike itself an expected shadow must be when turned, for its side to be told
THROUGH = 0.25  # loss that a hole spares, from which on its light can be told
LEAST_THROUGH_SHARE = 0.004  # of the piece's area
LEAST_SHADE_SHARE = 0.004
OPEN = 0.02  # alpha under which the ground is seen alone
FEWEST = 8  # grid pixels
FAINTEST = 0.005  # share of the light left from which on a shade is black
UMBRA_SLACK = 0.05  # how much more of the sky a contact may hide than the coarse caster says


View = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Measured:
    """On the grid, (h, w): lost 0..1 share of the ground's light; ground: where it is seen alone. area: the piece's, in its pixels."""

    lost: F32
    ground: Mask
    area: float


def shadow_figures(
    piece: Piece, solid: Solid, composite: Composite, scene: Scene, rig: Rig
) -> dict[str, float]:
    """Figures of the shadow, nan where nothing can be told.

    shadow_strength: its density over the expected one (1 as expected, 0 none). umbra: light left in
    the deepest shade; umbra_excess: by how much more light than all lights together bring is gone. azimuth_error_deg: turn of
    the rig that explains the shadow best, in steps of 45; azimuth_margin: by how much better than no turn at all, in
    shares of what a shadow so turned would differ. hole_shade: 0 light falls through the holes, 1 as if there were none.
    """
    cell = max(1, round(CELLS[piece.pose] * max(piece.alpha.shape) / 1080))
    view = _around(piece)
    caster, filled = casters_of(piece, solid, view, cell, _without_holes(piece.alpha[view]))
    cast = rig.model_copy(update={"lights": tuple(cautious(light, caster.sure) for light in rig.lights)})
    seen, shares = _measure(piece, composite, scene, cast, cell)
    dome = shares.dome(caster)
    expected = shares.loss(caster, 0.0, dome)
    figures = _depth_figures(seen, expected, _most(shares, dome, rig))
    if np.isnan(figures["shadow_strength"]):
        return figures | {"azimuth_error_deg": np.nan, "azimuth_margin": np.nan, "hole_shade": np.nan}
    turned = _turn_figures(seen, shares, caster, dome, expected)
    unlike = turned.pop("azimuth_told")
    if unlike < LEAST_TOLD[piece.pose]:
        turned = dict.fromkeys(turned, np.nan)
    figures |= turned | {"azimuth_told": unlike, "hole_shade": np.nan}
    if filled is not None:
        figures["hole_shade"] = _hole_shade(seen, expected, shares.loss(filled, 0.0, shares.dome(filled)))
    return figures


def _around(piece: Piece) -> View:
    """Where the shadow can lie: anywhere, if the piece stands; else not far from its box."""
    if piece.pose == "upright":
        return slice(None), slice(None)
    box, pad = piece.box, round(REACH * piece.ground.unit_px)
    return slice(max(box.y0 - pad, 0), box.y1 + pad), slice(max(box.x0 - pad, 0), box.x1 + pad)


def _measure(
    piece: Piece, composite: Composite, scene: Scene, rig: Rig, cell: int
) -> tuple[Measured, Shares]:
    """The shadow in the picture, and the set's lights there, on a grid of `cell` frame pixels around the piece."""
    view = _around(piece)
    bare = coarse(composite.bare[view], cell) + BLACK
    lost = 1 - (coarse(composite.shaded[view], cell) + BLACK) / bare
    of = {name: coarse(group[view], cell) / bare for name, group in scene.groups.items()}
    lights = tuple(light for light in rig.lights if float(of[light.name].max()) > DIMMEST)
    thin = _thinned(piece.alpha[view], cell)
    return Measured(lost, thin < OPEN, max(float((thin > 0.5).sum()), 1.0)), Shares(of, lights)


def coarse(rgb: F32, cell: int) -> F32:
    """Luminance of every `cell`-th pixel."""
    return luminance(np.ascontiguousarray(_thinned(rgb, cell)))


def _thinned(image: F32, cell: int) -> F32:
    rows, columns = image.shape[0] // cell, image.shape[1] // cell
    return image[cell // 2 :: cell, cell // 2 :: cell][:rows, :columns]


def _likeness(a: F32, b: F32, where: Mask) -> float:
    """Zero-mean normalised correlation."""
    if np.count_nonzero(where) < FEWEST:
        return 0.0
    x, y = a[where], b[where]
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum() + 1e-9))


def _most(shares: Shares, dome: F32, rig: Rig) -> F32:
    """The most light that can be gone: every lamp's, and of the sky's what is hidden nearby."""
    lamps = np.add.reduce([shares.of[light.name] for light in rig.lights])
    sky = shares.of["ambient"]
    hidden = cv2.blur(cv2.dilate(dome / np.maximum(sky, 1e-3), np.ones((5, 5), np.uint8)), (5, 5))
    most: F32 = lamps + sky * np.minimum(hidden + UMBRA_SLACK, 1)
    return most


def _depth_figures(seen: Measured, expected: F32, most: F32) -> dict[str, float]:
    where = seen.ground & (expected > SHADED)
    if where.sum() < max(LEAST_SHADE_SHARE * seen.area, FEWEST):
        return dict.fromkeys(("shadow_strength", "umbra", "umbra_excess", "shadow_share"), np.nan)
    shaded = where | (seen.ground & (seen.lost > SHADED))
    return {
        "shadow_strength": _strength(_density(seen.lost), _density(expected), where, shaded),
        "umbra": float(1 - np.percentile(seen.lost[where], 99)),
        "umbra_excess": float(np.percentile((seen.lost - most)[shaded], 99)),
        "shadow_share": float((seen.lost[seen.ground] > SHADED).sum()) / seen.area,
    }


def _density(lost: F32) -> F32:
    """Optical density (natural): a shadow laid over itself has twice of it."""
    density: F32 = -np.log(np.clip(1 - lost, FAINTEST, 1))
    return density


def _strength(seen: F32, wanted: F32, where: Mask, shaded: Mask) -> float:
    """Geometric mean of three readings of how much denser one shadow is than the other: the coarse caster may be wrong on one."""
    a, b = seen[where], wanted[where]
    slope = float((a * b).sum() / (b * b).sum())
    deepest = float(np.percentile(seen[shaded], 98) / max(float(np.percentile(wanted[shaded], 98)), 1e-3))
    usual = float(np.median(a / b))
    return float(np.prod(np.maximum((slope, deepest, usual), 0.01)) ** (1 / 3))


def _turn_figures(
    seen: Measured, shares: Shares, caster: Caster, dome: F32, straight: F32
) -> dict[str, float]:
    """Which turn of the rig explains the shadow best."""
    losses = {0: straight} | {turn: shares.loss(caster, turn, dome) for turn in TURNS}
    anywhere = np.maximum.reduce(list(losses.values()))
    where = seen.ground & ((anywhere > SHADED) | (seen.lost > SHADED))
    fits = {turn: _likeness(seen.lost, loss, where) for turn, loss in losses.items()}
    best = max(TURNS, key=lambda turn: fits[turn])
    told = 1 - _likeness(straight, losses[best], where)
    margin = (fits[best] - fits[0]) / max(told, 1e-3)
    error = float(abs(best)) if margin > 0 else 0.0
    return {"azimuth_error_deg": error, "azimuth_margin": margin, "azimuth_told": told}


def _without_holes(alpha: F32) -> F32 | None:
    """The matte with its openings closed; None when it has none."""
    small = alpha[::4, ::4]
    count, labels = cv2.connectedComponents((small < 0.3).astype(np.uint8), connectivity=4)
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = (~np.isin(labels, rim)).astype(np.float32)
    if count < 2 or not (inside[small < 0.3]).any():
        return None
    full: F32 = np.maximum(alpha, cv2.resize(inside, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return full


def _hole_shade(seen: Measured, expected: F32, filled: F32) -> float:
    spared = filled - expected
    where = seen.ground & (spared > THROUGH)
    if where.sum() < max(LEAST_THROUGH_SHARE * seen.area, FEWEST):
        return float("nan")
    weight = spared[where]
    return float(((seen.lost - expected)[where] * weight).sum() / (weight * weight).sum())
