"""Piece and set become one picture, in linear light. Owns the order: set, shadow, reflection, piece."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.layout import Piece
from pipeline.light.bounce import bounce
from pipeline.light.reflection import mirror
from pipeline.light.relight import relight_gain
from pipeline.light.shadow import dome_visibility, visibility
from pipeline.light.stones import clear_stones
from pipeline.rig import Rig
from pipeline.shape.solid import Solid
from pipeline.values import F32, Scene

STEEPEST_MIRROR_DEG = 80.0  # seen from above, a piece hides its own mirror image
DARKEST = 0.05  # share of a light that reaches even the deepest contact: dust, bounce, the lens


def shaded_ground(scene: Scene, piece: Piece, solid: Solid, rig: Rig, sky: F32) -> F32:
    """The set with the piece's shadows: every light's group darkened by that light's own visibility. (H, W, 3).

    sky: (H, W) dome visibility. The key shines through clear stones in their colour.
    """
    seen = {light.name: visibility(solid, scene.ground, light)[..., None] for light in rig.lights}
    seen["ambient"] = sky[..., None]
    stones = clear_stones(piece.rgb, piece.alpha, scene.ground.unit_px)
    if stones:
        opaque = replace(solid, mask=solid.mask & ~stones.mask)
        past = visibility(opaque, scene.ground, rig.key)[..., None]
        seen[rig.key.name] = seen[rig.key.name] + np.maximum(past - seen[rig.key.name], 0) * stones.tint
    ground = np.zeros_like(next(iter(scene.groups.values())))
    for name, radiance in scene.groups.items():
        ground += radiance * (DARKEST + (1 - DARKEST) * seen[name])
    return ground


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
    """Put the piece into the set. The piece's pixels change by one smooth gain and nothing else."""
    lit = piece.rgb * relight_gain(piece, solid, rig)[..., None]
    sky = dome_visibility(solid, scene.ground)
    shaded = shaded_ground(scene, piece, solid, rig, sky)
    ground = shaded + bounce(scene, rig, lit, piece.alpha, sky)
    if scene.reflection > 0 and scene.ground.elevation_deg < STEEPEST_MIRROR_DEG:
        image, cover = mirror(lit * piece.alpha[..., None], solid, scene)
        ground = ground * (1 - cover[..., None]) + image
    alpha = piece.alpha[..., None]
    bare: F32 = np.add.reduce(list(scene.groups.values()))
    return Composite(bare, shaded, ground, lit, ground * (1 - alpha) + lit * alpha)
