"""Shadow, reflection and glow by a path tracer. Owns what it is told, and how its answer enters the picture; refuses to trace.

The tracer takes two pictures of the ground, the piece unseen by the lens: with the piece standing there, and without.
What the piece takes away is a share of the light, so it scales with whatever lies on the ground; what it gives (its
mirror image, its glow) is light of its own, so it adds. The piece itself is never touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.composite import Composite
from pipeline.layout import Piece
from pipeline.recipe import Recipe
from pipeline.shape.solid import Solid
from pipeline.values import F32, Note

FAINT = 1e-3  # radiance below which the share that is left cannot be told from noise


@dataclass(frozen=True, slots=True)
class Standing:
    """A piece on its ground, as it is handed to a path tracer. glow: (H, W, 3) its radiance before the rig's exposure."""

    recipe: Recipe
    piece: Piece
    solid: Solid
    glow: F32


@dataclass(frozen=True, slots=True)
class Traced:
    """The ground without (`bare`) and with the piece (`shaded`), (H, W, 3) linear, the rig's exposure in it.

    whole: `shaded` is the set itself and takes the place of the relit one, `bare` may be coarser; else only the change
    from one to the other counts.
    """

    bare: F32
    shaded: F32
    whole: bool


class NotTraced(Exception):  # noqa: N818 - a state of one picture, not a failure of the job
    """The picture could not be path-traced; the text is for the owner, without a full stop."""


Tracer = Callable[[Standing], Traced]  # raises `NotTraced`


def no_tracer(_standing: Standing) -> Traced:
    """The tracer of a program that was given none."""
    raise NotTraced("no path tracer was set up")


def raytraced(composite: Composite, traced: Traced, piece: Piece) -> Composite:
    """The composite on the traced ground. The piece's own light is the same to the last bit."""
    if traced.whole:
        bare, ground = traced.bare, traced.shaded
        shaded = np.minimum(ground, bare)
    else:
        bare = composite.bare
        shaded = bare * np.minimum((traced.shaded + FAINT) / (traced.bare + FAINT), 1)
        ground = shaded + np.maximum(traced.shaded - traced.bare, 0)
    alpha = piece.alpha[..., None]
    frame = ground * (1 - alpha) + composite.lit * alpha
    return replace(composite, bare=bare, shaded=shaded, ground=ground, frame=frame)


def standing_of(recipe: Recipe, piece: Piece, solid: Solid, composite: Composite) -> Standing:
    """What the tracer is told of a composed picture."""
    return Standing(recipe, piece, solid, composite.lit * np.float32(2.0**-recipe.rig.exposure_ev))


def untraced(error: NotTraced) -> Note:
    """The warning of a picture that was wanted path-traced and is not."""
    text = f"The picture was made the ordinary way instead of path-traced: {error}."
    return Note("not-raytraced", text)
