"""Renderers for the daemon's tests: real workers load them by name, real files go in and out, in milliseconds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.errors import BadInput, Busy, Misconfigured, Unfit
from pipeline.values import Note, Render, Verdict


def render(photo, recipe, max_pixels, name):
    """Decode and resize. What the file's name cannot say, its first pixel's colour or a folder of flags can."""
    try:
        with Image.open(photo) as image:
            picture = np.asarray(image.convert("RGB").resize((64, 64)))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadInput("The file is not a picture.", "Drop a JPEG or PNG.") from error
    rng = np.random.Generator(np.random.PCG64(recipe.seed))
    picture = picture ^ rng.integers(0, 4, picture.shape, dtype=np.uint8)
    return Render(picture, Verdict("pass", (), {"identity": 1.0}), {"decode": 0.001})


def behave(photo, recipe, max_pixels, name):
    """What the test wrote into the file $VITRINE_TEST_FLAGS/behave decides; then it renders."""
    flags = Path(os.environ["VITRINE_TEST_FLAGS"])
    with (flags / "calls").open("a") as calls:
        calls.write(f"{os.getpid()}\n")
    orders = (flags / "behave").read_text().split() if (flags / "behave").exists() else []
    for order in orders:
        _obey(order, flags)
    rendered = render(photo, recipe, max_pixels, name)
    if "unsure" in orders:
        return Render(
            rendered.srgb, Verdict("review", (Note("matte.holes", "The chain has holes."),), {}), {}
        )
    return rendered


def _obey(order, flags):
    if order == "abort":
        os.abort()
    if order == "unfit":
        raise Unfit("No piece was found.", "Use a plain background.")
    if order == "busy":
        raise Busy("The disk is full.")
    if order == "misconfigured":
        raise Misconfigured("The preset is missing.")
    if order == "defect":
        raise ZeroDivisionError("by zero")
    if order == "memory":
        np.ones(1 << 40)
    if order == "hang":
        (flags / "hanging").write_text(str(os.getpid()))
        while (flags / "behave").exists() and "hang" in (flags / "behave").read_text():
            time.sleep(0.01)
