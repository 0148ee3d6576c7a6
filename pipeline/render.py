"""The whole imaging algorithm on one screen: a photo and a recipe become a render.

photo -> cut-out (-> choice of the set) -> layout -> solid -> backdrop -> light and composite (-> path tracer) -> develop
-> judge
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from threadpoolctl import threadpool_limits

from pipeline.backdrop.backdrop import paint
from pipeline.backdrop.diffused import Backgrounds, no_backgrounds
from pipeline.backdrop.plate import safe_area
from pipeline.backdrop.settle import settled, touched
from pipeline.composite import Composite, compose
from pipeline.cutout.cut import DRAFT_PX, WORKING_PX, cut_out
from pipeline.cutout.engines import segmenter_for
from pipeline.cutout.finer import finer
from pipeline.develop import develop
from pipeline.format import FORMATS
from pipeline.judge.colours import colours_of
from pipeline.judge.judge import judge
from pipeline.layout import Piece, anywhere, lay_out, stands_safely
from pipeline.light.traced import NotTraced, Tracer, no_tracer, raytraced, standing_of, untraced
from pipeline.memory import keep_big_blocks
from pipeline.recipe import Recipe
from pipeline.shape.solid import Solid, solid_of
from pipeline.tones import Tones, tones_of
from pipeline.upscale.upscaler import Upscalers, no_upscalers
from pipeline.values import Cutout, Note, Photo, Render, Scene

Choose = Callable[[Recipe, Tones], tuple[Recipe, str]]
"""Settle a recipe that leaves a choice of sets, for a piece of these tones; and why so, in words ("" when it had none)."""


def as_it_is(recipe: Recipe, _tones: Tones) -> tuple[Recipe, str]:
    """The recipe's own set."""
    return recipe, ""


def render(
    photo: Photo,
    recipe: Recipe,
    choose: Choose = as_it_is,
    cutout: Cutout | None = None,
    tracer: Tracer = no_tracer,
    *,
    backgrounds: Backgrounds = no_backgrounds,
    upscalers: Upscalers = no_upscalers,
) -> Render:
    """Render `photo` by `recipe`; `choose` settles which of its sets is taken.

    cutout: from `cut`, if it is known already; another format or variant needs the same. tracer: for recipes that want a
    path-traced ground. backgrounds: for recipes that want a set painted by a diffusion model. upscalers: for recipes that want a
    small piece enlarged by one.

    Same photo, recipe and version give the same bytes on any number of threads. Raises `Unfit` when there is no
    piece to be found, `Misconfigured` when the recipe asks for what is not there.
    """
    clock = Stopwatch()
    if cutout is None:
        with clock.step("cut-out"):
            cutout = cut(photo, recipe)
    settled, why = choose(recipe, tones_of(cutout)) if recipe.pool else (recipe, "")
    made = render_cutout(
        cutout, settled, clock, photo.notes, tracer, backgrounds=backgrounds, upscalers=upscalers
    )
    return replace(made, recipe=settled, why=why)


def cut(photo: Photo, recipe: Recipe) -> Cutout:
    """The piece without its paper: of the recipe, only the segmenter and `detail_px` matter. Raises as `render` does."""
    keep_big_blocks()
    with threadpool_limits(1, "blas"):  # sums split over threads would round differently
        cutout = cut_out(photo, segmenter_for(recipe), working_px=min(detail_px(recipe), WORKING_PX))
        return finer(photo, cutout, detail_px(recipe))


def detail_px(recipe: Recipe) -> int:
    """How large the piece's crop is wanted, long side: more for a picture that is wider than usual."""
    if recipe.draft:
        return DRAFT_PX
    return max(WORKING_PX, round(WORKING_PX * recipe.width_px / FORMATS[recipe.format].size_px[0]))


def render_cutout(
    cutout: Cutout,
    recipe: Recipe,
    clock: Stopwatch | None = None,
    notes: tuple[Note, ...] = (),
    tracer: Tracer = no_tracer,
    *,
    backgrounds: Backgrounds = no_backgrounds,
    upscalers: Upscalers = no_upscalers,
) -> Render:
    """Render a piece that is cut out already, on the recipe's own set; `notes`: what is known of its photo."""
    clock = clock or Stopwatch()
    taken = take(cutout, recipe, clock, tracer, backgrounds=backgrounds, upscalers=upscalers)
    with clock.step("develop"):
        srgb = develop(taken.composite.frame, taken.piece, recipe)
    more: tuple[Note, ...] = ()
    if taken.scene.settle:
        with clock.step("settle"):
            where = touched(taken.composite.bare, taken.composite.ground, taken.piece.alpha)
            srgb, more = settled(srgb, taken.scene, where)
    with clock.step("judge"):
        verdict = judge(
            cutout, taken.piece, taken.solid, taken.composite, taken.scene, recipe=recipe, srgb=srgb
        )
    notes = (*notes, *cutout.notes, *taken.piece.notes, *taken.scene.notes, *taken.notes, *more)
    return Render(srgb, verdict, clock.seconds, notes, colours_of(cutout))


@dataclass(frozen=True, slots=True)
class Take:
    """The picture as light, before the darkroom."""

    piece: Piece
    solid: Solid
    scene: Scene
    composite: Composite
    notes: tuple[Note, ...] = ()


def take(
    cutout: Cutout,
    recipe: Recipe,
    clock: Stopwatch,
    tracer: Tracer = no_tracer,
    *,
    backgrounds: Backgrounds = no_backgrounds,
    upscalers: Upscalers = no_upscalers,
) -> Take:
    """Everything from the cut-out to the composed light. Raises as `render` does.

    A ground that cannot be path-traced costs nothing but a note: the ordinary one is there already.
    """
    keep_big_blocks()
    with threadpool_limits(1, "blas"):
        with clock.step("layout"):
            piece = lay_out(cutout, recipe, upscalers, anywhere if recipe.painting else safe_area)
        with clock.step("shape"):
            solid = solid_of(piece)
        with clock.step("backdrop"):
            size = (recipe.width_px, recipe.height_px)
            scene = paint(
                recipe.surface,
                recipe.rig,
                piece.view,
                size,
                recipe.seed,
                piece.ground,
                recipe.painting,
                backgrounds,
            )
            safely = stands_safely(piece, scene.safe)
        with clock.step("light"):
            composite = compose(scene, piece, solid, recipe.rig)
        if recipe.renderer == "fast":
            return Take(piece, solid, scene, composite, safely)
        with clock.step("path tracing"):
            try:
                traced = tracer(standing_of(recipe, piece, solid, composite))
            except NotTraced as error:
                return Take(piece, solid, scene, composite, (*safely, untraced(error)))
            return Take(piece, solid, scene, raytraced(composite, traced, piece), safely)


@dataclass(slots=True)
class Stopwatch:
    """Wall seconds by step, for the figures that the benchmark prints."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block under `name`."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
