"""The parts of a picture, for those who go on in an image editor. Owns their separation; refuses the grade.

`piece` over `ground` is the picture before glow, vignette, look and grain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.backdrop.diffused import Backgrounds, no_backgrounds
from pipeline.color import srgb_from_linear
from pipeline.light.traced import Tracer, no_tracer
from pipeline.recipe import Recipe
from pipeline.render import Stopwatch, cut, take
from pipeline.upscale.upscaler import Upscalers, no_upscalers
from pipeline.values import F32, U8, Photo


@dataclass(frozen=True, slots=True)
class Layers:
    """All on the picture's grid, sRGB uint8 (H, W, 3).

    piece: the relit piece, unpremultiplied, with its alpha (H, W) 0..255; ground: the set with the piece's shadows and
    reflection; bare: the set without a trace of the piece.
    """

    piece: U8
    alpha: U8
    ground: U8
    bare: U8


def layers(
    photo: Photo,
    recipe: Recipe,
    tracer: Tracer = no_tracer,
    *,
    backgrounds: Backgrounds = no_backgrounds,
    upscalers: Upscalers = no_upscalers,
) -> Layers:
    """Take the picture of `photo` by `recipe` apart. Raises as `pipeline.render.render` does."""
    clock = Stopwatch()
    taken = take(cut(photo, recipe), recipe, clock, tracer, backgrounds=backgrounds, upscalers=upscalers)
    piece, composite = taken.piece, taken.composite
    alpha = np.rint(np.clip(piece.alpha, 0, 1) * 255).astype(np.uint8)
    lit = composite.lit * (alpha[..., None] > 0)
    return Layers(_encoded(lit), alpha, _encoded(composite.ground), _encoded(composite.bare))


def _encoded(rgb: F32) -> U8:
    return np.rint(srgb_from_linear(np.clip(rgb, 0, 1)) * 255).astype(np.uint8)
