"""Faults of light, planted into a taken picture as a broken compositor or a bad matte would make them.

Owns what each fault does to the pixels and where it can be seen at all; refuses to know how it may be found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pipeline.backdrop.backdrop import paint
from pipeline.color import linear_from_oklab, luminance, oklab_from_linear
from pipeline.composite import Composite, compose
from pipeline.layout import Piece, lay_out
from pipeline.light.reflection import mirror
from pipeline.recipe import Recipe
from pipeline.shape.solid import Solid, solid_of
from pipeline.values import F32, Cutout, Scene
from tests.benchmarks.exact import Exact

FAINT = 1e-4
VISIBLE_LOG, VISIBLE_SHARE = (
    0.12,
    0.004,
)  # changed by so much (an eighth of a stop or so), on so much of the piece's area


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture with all that went into it."""

    exact: Exact
    recipe: Recipe
    cutout: Cutout
    piece: Piece
    solid: Solid
    scene: Scene
    composite: Composite


def take_exact(exact: Exact, recipe: Recipe, cutout: Cutout | None = None) -> Taken:
    """Everything up to the composed light, as `pipeline.render.take` does it, with the parts kept."""
    cutout = cutout or exact.cutout()
    piece = lay_out(cutout, recipe)
    solid = solid_of(piece)
    size = (recipe.width_px, recipe.height_px)
    scene = paint(recipe.surface, recipe.rig, piece.view, size, recipe.seed, piece.ground)
    return Taken(exact, recipe, cutout, piece, solid, scene, compose(scene, piece, solid, recipe.rig))


def visible(before: Taken, after: Taken) -> bool:
    """Whether anybody could see the difference in the picture."""
    a, b = (np.maximum(luminance(one.composite.frame), 0) + 0.01 for one in (before, after))
    tone = np.abs(np.log(b / a))
    ratio = (np.maximum(after.composite.frame, 0) + 0.01) / (np.maximum(before.composite.frame, 0) + 0.01)
    colour = np.abs(np.diff(np.log(ratio), axis=-1)).max(-1)
    changed = np.maximum(tone, colour) > VISIBLE_LOG
    return float(changed.sum()) > VISIBLE_SHARE * float((before.piece.alpha > 0.5).sum())


def _reground(taken: Taken, shaded: F32, mirrored: F32 | None = None) -> Taken:
    """With another shadow; `mirrored` (H, W, 3): what the ground shows beside it, None: what it showed before."""
    old = taken.composite
    ground = shaded + (old.ground - old.shaded if mirrored is None else mirrored)
    alpha = taken.piece.alpha[..., None]
    frame = ground * (1 - alpha) + old.lit * alpha
    return replace(taken, composite=replace(old, shaded=shaded, ground=ground, frame=frame))


def _relit(taken: Taken, lit: F32) -> Taken:
    alpha = taken.piece.alpha[..., None]
    old = taken.composite
    return replace(taken, composite=replace(old, lit=lit, frame=old.ground * (1 - alpha) + lit * alpha))


def _shade(taken: Taken) -> F32:
    """What the piece's shadow leaves of the ground's light, (H, W, 3)."""
    return (taken.composite.shaded + FAINT) / (taken.composite.bare + FAINT)


def floating(taken: Taken, px: float) -> Taken | None:
    """The piece pasted `px` off its shadow, which ends where the piece should lie: a lit gap between."""
    if taken.piece.pose == "hanging":
        return None  # a hanging piece is off its wall
    right, down = _away(taken)
    if taken.piece.pose == "upright":
        right, down = 0.0, 1.0
    length = px / math.hypot(right, down)
    old, outside = taken.composite, 1 - taken.piece.alpha[..., None]
    shade = _moved(1 - outside * (1 - _shade(taken)), right * length, down * length)
    mirrored = _moved(outside * (old.ground - old.shaded), right * length, down * length)
    return _reground(taken, old.bare * shade, mirrored)


def _away(taken: Taken) -> tuple[float, float]:
    """Where the key sends a shadow on the screen: right, down."""
    lx, ly, lz = taken.recipe.rig.key.direction
    elevation = math.radians(taken.piece.ground.elevation_deg)
    return -lx / lz, math.cos(elevation) + math.sin(elevation) * ly / lz


def _moved(image: F32, dx: float, dy: float) -> F32:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def risen(taken: Taken, px: float) -> Taken | None:
    """The piece in the air, `px` over the ground it should rest on; its light is cast from there."""
    if taken.piece.pose == "hanging":
        return None
    lift = np.float32(px)
    solid = taken.solid
    up = replace(solid, top_px=solid.top_px + lift * solid.mask, low_px=solid.low_px + lift * solid.mask)
    shaded = compose(taken.scene, taken.piece, up, taken.recipe.rig)
    return _reground(taken, shaded.shaded, shaded.ground - shaded.shaded)


def turned(taken: Taken, degrees: float) -> Taken:
    """Shadows of a rig that stands elsewhere than the one that lit set and piece."""
    rig = taken.recipe.rig
    lights = tuple(
        one.model_copy(update={"azimuth_deg": (one.azimuth_deg + degrees + 180) % 360 - 180})
        for one in rig.lights
    )
    other = compose(taken.scene, taken.piece, taken.solid, rig.model_copy(update={"lights": lights})).shaded
    return _reground(taken, other)


def shadowless(taken: Taken, _: float) -> Taken:
    """No shadow at all."""
    return _reground(taken, taken.composite.bare)


def doubled(taken: Taken, times: float) -> Taken:
    """The shadow laid over itself; `times` 3 and more is nearly black."""
    return _reground(taken, taken.composite.bare * _shade(taken) ** times)


def unmirrored(taken: Taken, _: float) -> Taken | None:
    """A polished ground without the piece's mirror image."""
    if taken.scene.reflection == 0 or taken.scene.ground.elevation_deg > 80:
        return None
    dull = compose(replace(taken.scene, reflection=0.0), taken.piece, taken.solid, taken.recipe.rig)
    return _reground(taken, taken.composite.shaded, dull.ground - dull.shaded)


def mirrored_in_cloth(taken: Taken, weight: float) -> Taken | None:
    """A mirror image in what cannot mirror."""
    if taken.scene.reflection > 0 or taken.scene.ground.elevation_deg > 80:
        return None
    old = taken.composite
    polished = replace(taken.scene, reflection=weight, roughness=0.1)
    image, cover = mirror(old.lit * taken.piece.alpha[..., None], taken.solid, polished)
    return _reground(taken, old.shaded, old.ground - old.shaded + image - old.ground * cover[..., None])


def hue_drifted(taken: Taken, degrees: float) -> Taken | None:
    """All colours of the piece turned on the OKLab circle."""
    lab = oklab_from_linear(taken.composite.lit)
    turn = math.radians(degrees)
    cos, sin = math.cos(turn), math.sin(turn)
    a, b = lab[..., 1].copy(), lab[..., 2].copy()
    lab[..., 1], lab[..., 2] = a * cos - b * sin, a * sin + b * cos
    return _relit(taken, np.maximum(linear_from_oklab(lab), 0))


def too_bright(taken: Taken, ev: float) -> Taken:
    """The piece exposed by another light than the set's."""
    return _relit(taken, taken.composite.lit * np.float32(2**ev))


def too_blue(taken: Taken, log: float) -> Taken:
    """The piece under bluer light than the set's: blue over red raised by `log` (natural)."""
    gain = np.exp(np.array([-0.5, 0.0, 0.5], np.float32) * log)
    gain /= float(gain @ np.array([0.2126, 0.7152, 0.0722], np.float32))
    return _relit(taken, taken.composite.lit * gain)


def haloed(taken: Taken, px: float) -> Taken:
    """A matte that takes a rim of the photo's own paper along, `px` of the picture wide."""
    alpha = taken.exact.alpha
    reach = px / taken.piece.enlargement
    outside = cv2.distanceTransform((alpha <= 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    wide = np.maximum(alpha, np.clip(reach + 1 - outside, 0, 1)).astype(np.float32)
    return take_exact(taken.exact, taken.recipe, taken.exact.cutout(wide))


def hole_filled(taken: Taken, share: float) -> Taken | None:
    """The paper seen through the largest hole taken for piece, if that is `share` of the solid piece and more."""
    hole = largest_hole(taken.exact.alpha, share)
    if hole is None:
        return None
    near = cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return take_exact(
        taken.exact, taken.recipe, taken.exact.cutout(np.where(near, np.float32(1), taken.exact.alpha))
    )


def largest_hole(alpha: F32, share: float):
    """The largest enclosed opening of a matte, if it is `share` of its solid area and more."""
    solid = alpha > 0.1
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~solid).astype(np.uint8), connectivity=4)
    height, width = alpha.shape
    holes = [
        at
        for at in range(1, count)
        if stats[at, 0] > 0 and stats[at, 1] > 0 and stats[at, 0] + stats[at, 2] < width
        and stats[at, 1] + stats[at, 3] < height
    ]  # fmt: skip
    best = max(holes, key=lambda at: stats[at, cv2.CC_STAT_AREA], default=None)
    if best is None or stats[best, cv2.CC_STAT_AREA] < share * solid.sum():
        return None
    return labels == best


def opaque_hole(taken: Taken, share: float) -> Taken | None:
    """A shadow as if the piece had no holes: no light falls through the ring."""
    alpha = taken.piece.alpha
    hole = largest_hole(alpha, share)
    if hole is None:
        return None
    full = alpha.copy()
    _, labels = cv2.connectedComponents((alpha <= 0.1).astype(np.uint8), connectivity=4)
    outside = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    full[~np.isin(labels, outside)] = 1
    piece = replace(taken.piece, alpha=full)
    solid = solid_of(piece)
    return _reground(taken, compose(taken.scene, piece, solid, taken.recipe.rig).shaded)


def lit_under(taken: Taken, px: float) -> Taken:
    """Light where the piece rests: the shadow fades away `px` before it reaches the piece."""
    near = cv2.distanceTransform(
        (taken.piece.alpha < 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    share = np.clip(near / px - 0.5, 0, 1)[..., None]
    return _reground(taken, taken.composite.bare * (1 - share * (1 - _shade(taken))))


def drop_shadow(taken: Taken, px: float) -> Taken:
    """A shadow blurred everywhere alike, as an image editor's."""
    blurred = cv2.GaussianBlur(_shade(taken), (0, 0), px)
    return _reground(taken, taken.composite.bare * blurred)


Plant = Callable[[Taken, float], "Taken | None"]
FAULTS: Mapping[str, tuple[Plant, tuple[float, ...]]] = {  # name -> plant, strengths taken in turns
    "floating": (floating, (4, 8, 12, 20)),
    "risen": (risen, (30, 60)),
    "light turned": (turned, (60, -90, 180, -60, 120, -150)),
    "shadow missing": (shadowless, (0,)),
    "shadow doubled": (doubled, (2, 3)),
    "reflection missing": (unmirrored, (0,)),
    "reflection on cloth": (mirrored_in_cloth, (0.25, 0.4)),
    "halo of paper": (haloed, (1, 2, 3)),
    "hole filled": (hole_filled, (0.05,)),
    "hole casts shadow": (opaque_hole, (0.05,)),
    "light under the piece": (lit_under, (12, 20)),
    "hue drift": (hue_drifted, (6, -10, 20, -6, 10, -20)),
    "piece too bright": (too_bright, (0.8, 1.2)),
    "piece too blue": (too_blue, (0.35, 0.6)),
}
ASKED = (
    "floating",
    "light turned",
    "halo of paper",
    "hole filled",
    "shadow missing",
    "hue drift",
)  # those that must be caught
OF_THE_MATTE = {"halo of paper", "hole filled"}
OF_THE_PIECE = OF_THE_MATTE | {"hue drift", "piece too bright", "piece too blue"}
