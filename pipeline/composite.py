"""Piece and set become one picture, in linear light. Owns the order: set, shadow, reflection, piece."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pipeline.color import luminance
from pipeline.layout import Piece
from pipeline.light.bounce import bounce
from pipeline.light.reflection import mirror
from pipeline.light.relight import relight_gain
from pipeline.light.shadow import dome_visibility, visibility
from pipeline.light.spill import spill
from pipeline.light.stones import Stones, clear_stones
from pipeline.rig import Light, Rig
from pipeline.shape.solid import Solid
from pipeline.values import F32, Scene

STEEPEST_MIRROR_DEG = 80.0  # seen from above, a piece hides its own mirror image
HIGHER, SOFTER_DEG = (
    0.35,
    8.0,
)  # share of the way to the zenith, and angular radius, for a piece of unknown turn
FAINT = 1e-4  # radiance that counts as none
DARKEST = 0.05  # share of a light that reaches even the deepest contact: dust, bounce, the lens


def shaded_ground(scene: Scene, solid: Solid, rig: Rig, sky: F32, stones: Stones | None) -> F32:
    """The set with the piece's shadows: every light's group darkened by that light's own visibility. (H, W, 3).

    sky: (H, W) dome visibility. stones: clear ones, through which the key shines in their colour.
    """
    lights = [cautious(light, solid.sure) for light in rig.lights]
    seen = {light.name: visibility(solid, scene.ground, light)[..., None] for light in lights}
    seen["ambient"] = sky[..., None]
    if stones:
        opaque = replace(solid, mask=solid.mask & ~stones.mask)
        past = visibility(opaque, scene.ground, cautious(rig.key, solid.sure))[..., None]
        seen[rig.key.name] = seen[rig.key.name] + np.maximum(past - seen[rig.key.name], 0) * stones.tint
    ground = np.zeros_like(next(iter(scene.groups.values())))
    for name, radiance in scene.groups.items():
        ground += radiance * (DARKEST + (1 - DARKEST) * seen[name])
    return ground


def cautious(light: Light, sure: float) -> Light:
    """The light as it casts the shadow of a piece whose turn is not `sure` (0..1): softer and higher, so that less hangs on it."""
    doubt = 1 - sure
    higher = light.elevation_deg + doubt * HIGHER * (90 - light.elevation_deg)
    return light.model_copy(
        update={"elevation_deg": higher, "size_deg": min(light.size_deg + doubt * SOFTER_DEG, 45.0)}
    )


@dataclass(frozen=True, slots=True)
class Composite:
    """Light in front of the lens, all (H, W, 3) linear.

    bare: the set without the piece; shaded: with its shadow; ground: with its glow and reflection too; lit: the piece's own colours under the rig,
    unpremultiplied; frame: piece over ground.
    """

    bare: F32
    shaded: F32
    ground: F32
    lit: F32
    frame: F32


def compose(scene: Scene, piece: Piece, solid: Solid, rig: Rig) -> Composite:
    """Put the piece into the set. The piece's pixels change by one smooth gain, and at its lower edges by a trace of the ground."""
    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        light = pool.submit(_relit, scene, piece, solid, rig)
        stones = pool.submit(clear_stones, piece.rgb, piece.alpha, scene.ground.unit_px)
        sky = dome_visibility(solid, scene.ground)
        shaded = shaded_ground(scene, solid, rig, sky, stones.result())
        lit = light.result()
    bare: F32 = np.add.reduce(list(scene.groups.values()))
    ground = shaded + bounce(scene, rig, lit, piece.alpha, sky)
    if scene.reflection > 0 and scene.ground.elevation_deg < STEEPEST_MIRROR_DEG:
        image, cover = mirror(lit * piece.alpha[..., None], solid, scene)
        # What is mirrored is the underside, and that sees the ground, which is dark where the piece shades it.
        left = np.minimum(luminance(shaded) / np.maximum(luminance(bare), np.float32(FAINT)), 1)
        ground = ground * (1 - cover[..., None]) + image * left[..., None]
    alpha = piece.alpha[..., None]
    return Composite(bare, shaded, ground, lit, ground * (1 - alpha) + lit * alpha)


def _relit(scene: Scene, piece: Piece, solid: Solid, rig: Rig) -> F32:
    return spill(piece.rgb * relight_gain(piece, solid, rig)[..., None], piece.rgb, solid, scene)
