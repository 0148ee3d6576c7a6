"""From the composed light to the finished picture. Owns the order of glow, vignette, grade, sharpening and grain."""

from __future__ import annotations

from pipeline.finish.quantize import quantize
from pipeline.finish.sharpen import sharpen
from pipeline.finish.vignette import vignette
from pipeline.grade.hue import lock_hue
from pipeline.grade.look import grade
from pipeline.layout import Piece
from pipeline.light.bloom import bloom
from pipeline.recipe import Recipe
from pipeline.values import F32, U8


def develop(frame: F32, piece: Piece, recipe: Recipe) -> U8:
    """Develop a linear frame (H, W, 3) to sRGB (H, W, 3) uint8.

    Glow and vignette are the lens's, so they come first, in linear light; the grade follows; hue is given back to the
    piece after it, because a look may tint a room but not gold; sharpening last, before noise and dither.
    """
    exposed = vignette(bloom(frame, piece.alpha, recipe.rig.bloom), recipe.look.vignette_ev)
    graded = lock_hue(grade(exposed, recipe.look), frame, piece.alpha)
    return quantize(sharpen(graded, piece.alpha, recipe.look.sharpen), recipe.seed, recipe.look.grain)
