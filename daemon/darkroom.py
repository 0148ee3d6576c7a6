"""The daemon's one door to pixels: a private copy in, a judged render and its JPEG files out. Only workers come here.

Everything heavy is imported inside the functions, so that the supervisor may import this module's neighbours freely.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from daemon.deliver import Pictures
from pipeline.errors import Misconfigured
from pipeline.format import FORMATS, FormatName
from pipeline.recipe import Recipe
from rules.flatter import choose

if TYPE_CHECKING:
    from daemon.backgrounds import Library
    from daemon.settings import Settings
    from daemon.studio import Studio
    from pipeline.backdrop.diffused import Backgrounds
    from pipeline.light.traced import Tracer
    from pipeline.upscale.upscaler import Upscaler, Upscalers
    from pipeline.values import Cutout, Photo, Render
    from rules.plan import Watermark

RENDERER_VARIABLE = "VITRINE_RENDERER"


class Renderer(Protocol):
    """Makes a picture of a photo. Raises BadInput, Unfit, Busy, Misconfigured; anything else is a defect."""

    def __call__(self, photo: Path, recipe: Recipe, max_pixels: int, name: str) -> Render:
        """Render the file `photo`, which its owner calls `name`; refuse more than `max_pixels` before decoding."""


# Of the photo that was worked on last, and of no other.
_last: dict[tuple[object, ...], tuple[Photo, Cutout]] = {}


def load_renderer(settings: Settings | None = None, studio: Studio | None = None) -> Renderer:
    """The pipeline with the path tracer and the painter of the settings, or what VITRINE_RENDERER=module:name says (tests put quick or failing renderers there).

    Loads it now: the first photo does not wait, and a broken installation is no photo's fault (Misconfigured).
    """
    module, _, name = os.environ.get(RENDERER_VARIABLE, "daemon.darkroom:develop").partition(":")
    try:
        renderer: Renderer = getattr(importlib.import_module(module), name)
        if renderer is develop:
            importlib.import_module("pipeline.photo.decode")
            importlib.import_module("pipeline.render")
            more: dict[str, Any] = {"tracer": tracer_of(settings)} if settings else {}
            if settings and studio:
                more["backgrounds"] = library_of(settings, studio)
                more["upscalers"] = upscalers_of(settings, studio)
            return partial(develop, **more)
    except ImportError as error:
        raise Misconfigured(f"Vitrine is not installed completely: {error}.", "Install it anew.") from error
    return renderer


def tracer_of(settings: Settings) -> Tracer:
    """Blender where the settings say, or beside the program."""
    from presets.bake.tracer import BlenderTracer, beside_the_program  # noqa: PLC0415

    said = settings.raytracing
    python = Path(said.blender).expanduser() if said.blender else beside_the_program()
    return BlenderTracer(python, said.timeout_s, settings.worker_threads)


def upscalers_of(settings: Settings, studio: Studio) -> Upscalers:
    """The networks in the studio's `weights/upscale/`; each is loaded once in this process."""
    from pipeline.upscale.network_upscaler import find_upscaler  # noqa: PLC0415

    folder = studio.weights(settings.diffusion.weights) / "upscale"

    @cache
    def named(name: str) -> Upscaler:
        return find_upscaler(folder, name, settings.upscaling.device)

    return named


def library_of(settings: Settings, studio: Studio) -> Library:
    """The studio's painted backgrounds; nothing of torch is imported."""
    from daemon.background_files import BackgroundFiles  # noqa: PLC0415
    from daemon.backgrounds import Library  # noqa: PLC0415
    from daemon.digests import Digests  # noqa: PLC0415
    from pipeline.diffusion.load import Machine  # noqa: PLC0415
    from pipeline.diffusion.painter import Painter  # noqa: PLC0415
    from pipeline.diffusion.shelf import Shelf  # noqa: PLC0415

    said = settings.diffusion
    weights = studio.weights(said.weights)
    machine = Machine(said.device, said.dtype, said.offload, said.attention)
    return Library(
        BackgroundFiles(studio.backgrounds, said.keep_mb),
        Shelf(weights),
        Digests(studio.private / "digests.json"),
        Painter(weights, machine, said.batch, said.idle_s, said.timeout_s),
        studio.private / "painting.lock",
        upscalers_of(settings, studio),
    )


def develop(
    photo: Path,
    recipe: Recipe,
    max_pixels: int,
    name: str,
    tracer: Tracer | None = None,
    *,
    upscalers: Upscalers | None = None,
    backgrounds: Backgrounds | None = None,
) -> Render:
    """Decode and render with the real pipeline. Pictures of one photo, one after the other, share its cut-out."""
    from pipeline.backdrop.diffused import no_backgrounds  # noqa: PLC0415
    from pipeline.light.traced import no_tracer  # noqa: PLC0415
    from pipeline.photo.decode import decode  # noqa: PLC0415
    from pipeline.render import Stopwatch, cut, detail_px, render  # noqa: PLC0415
    from pipeline.upscale.upscaler import no_upscalers  # noqa: PLC0415

    key = (
        photo,
        max_pixels,
        name,
        recipe.segmenter,
        detail_px(recipe),
    )  # a private copy's bytes never change
    clock = Stopwatch()
    if key not in _last:
        _last.clear()
        decoded = decode(photo, max_pixels=max_pixels, name=name)
        with clock.step("cut-out"):
            _last[key] = decoded, cut(decoded, recipe)
    decoded, cutout = _last[key]
    made = render(
        decoded,
        recipe,
        choose,
        cutout,
        tracer or no_tracer,
        backgrounds=backgrounds or no_backgrounds,
        upscalers=upscalers or no_upscalers,
    )
    return replace(made, seconds={**clock.seconds, **made.seconds})


def print_pictures(
    render: Render, mark: Watermark | None, studio: Path, shape: FormatName = "square"
) -> Pictures:
    """The files to deliver: clean, and marked if a mark is asked for. Raises Misconfigured (the logo).

    shape: the mark stands where nothing of Instagram's lies over it.
    """
    from pipeline.finish.encode import encode_jpeg  # noqa: PLC0415
    from pipeline.finish.watermark import Watermark as Stamp  # noqa: PLC0415
    from pipeline.finish.watermark import stamp  # noqa: PLC0415

    clean = encode_jpeg(render.srgb)
    if mark is None:
        return Pictures(clean, colours=render.colours)
    own = Stamp(
        text="" if mark.logo else mark.text,
        logo=_logo(studio, mark.logo) if mark.logo else None,
        position=mark.position,
        opacity=mark.opacity,
        size=min(mark.scale, 0.5) if mark.logo else None,
    )
    free, height = FORMATS[shape], render.srgb.shape[0]
    rows = slice(round(free.top * height), height - round(free.bottom * height))
    marked = render.srgb.copy()
    try:
        marked[rows] = stamp(marked[rows], own)
        return Pictures(clean, encode_jpeg(marked), render.colours)
    except ValueError as error:
        raise Misconfigured(
            f"{mark.logo}: the logo is not a picture ({error}).", "Save it as PNG."
        ) from error


def _logo(studio: Path, name: str) -> bytes:
    path = (studio / name).resolve()
    if not path.is_relative_to(studio.resolve()):
        raise Misconfigured(f"{name}: the logo must lie in the studio folder.", "Copy it there.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"{name}: the logo cannot be read ({error.strerror}).",
            "Put the file into the studio folder, or take watermark.logo out of vitrine.toml.",
        ) from error


def limit_threads(threads: int) -> None:
    """Threads of the imaging libraries in this process; pixels do not depend on it."""
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(threads)
