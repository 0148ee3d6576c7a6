"""The whole imaging algorithm on one screen: a photo and a recipe become a render.

photo -> cut-out -> layout -> solid -> backdrop -> light and composite (-> path tracer) -> develop -> judge
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from threadpoolctl import threadpool_limits

from pipeline.backdrop.backdrop import paint
from pipeline.composite import Composite, compose
from pipeline.cutout.cut import DRAFT_PX, WORKING_PX, cut_out
from pipeline.cutout.engines import segmenter_for
from pipeline.develop import develop
from pipeline.judge.colours import colours_of
from pipeline.judge.judge import judge
from pipeline.layout import Piece, lay_out
from pipeline.light.traced import NotTraced, Tracer, no_tracer, raytraced, standing_of, untraced
from pipeline.memory import keep_big_blocks
from pipeline.recipe import Recipe
from pipeline.shape.solid import solidify
from pipeline.values import Cutout, Note, Photo, Render, Scene


def render(photo: Photo, recipe: Recipe, tracer: Tracer = no_tracer) -> Render:
    """Render `photo` by `recipe`; `tracer` for recipes that want a path-traced ground.

    Same photo, recipe and version give the same bytes on any number of threads. Raises `Unfit` when there is no
    piece to be found, `Misconfigured` when the recipe asks for what is not there.
    """
    clock = Stopwatch()
    taken = take(photo, recipe, clock, tracer)
    with clock.step("develop"):
        srgb = develop(taken.composite.frame, taken.piece, recipe)
    with clock.step("judge"):
        verdict = judge(taken.cutout, taken.piece, taken.composite, taken.scene, recipe=recipe, srgb=srgb)
    notes = (*photo.notes, *taken.cutout.notes, *taken.piece.notes, *taken.scene.notes, *taken.notes)
    return Render(srgb, verdict, clock.seconds, notes, colours_of(taken.cutout))


@dataclass(frozen=True, slots=True)
class Take:
    """The picture as light, before the darkroom."""

    cutout: Cutout
    piece: Piece
    scene: Scene
    composite: Composite
    notes: tuple[Note, ...] = ()


def take(photo: Photo, recipe: Recipe, clock: Stopwatch, tracer: Tracer = no_tracer) -> Take:
    """Everything up to the composed light. Raises as `render` does.

    A ground that cannot be path-traced costs nothing but a note: the ordinary one is there already.
    """
    keep_big_blocks()
    with threadpool_limits(1, "blas"):  # sums split over threads would round differently
        with clock.step("cut-out"):
            working_px = DRAFT_PX if recipe.draft else WORKING_PX
            cutout = cut_out(photo, segmenter_for(recipe), working_px=working_px)
        with clock.step("layout"):
            piece = lay_out(cutout, recipe)
        with clock.step("shape"):
            solid = solidify(piece.alpha, piece.ground, piece.pose)
        with clock.step("backdrop"):
            size = (recipe.width_px, recipe.height_px)
            scene = paint(recipe.surface, recipe.rig, piece.view, size, recipe.seed, piece.ground)
        with clock.step("light"):
            composite = compose(scene, piece, solid, recipe.rig)
        if recipe.renderer == "fast":
            return Take(cutout, piece, scene, composite)
        with clock.step("path tracing"):
            try:
                traced = tracer(standing_of(recipe, piece, solid, composite))
            except NotTraced as error:
                return Take(cutout, piece, scene, composite, (untraced(error),))
            return Take(cutout, piece, scene, raytraced(composite, traced, piece))


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
