"""Renderers for the daemon's tests: real workers load them by name, real files go in and out, in milliseconds."""

from __future__ import annotations

import ctypes
import hashlib
import os
import time
from pathlib import Path

import cv2
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


def nothing(photo, recipe, max_pixels, name):
    """No render at all: what is left is the daemon's own work. Notes which photo it was asked for."""
    with (Path(os.environ["VITRINE_TEST_FLAGS"]) / "calls").open("a") as calls:
        calls.write(f"{name}\n")
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:8, :32] = np.frombuffer(hashlib.sha256(name.encode()).digest(), np.uint8)[None, :, None]
    return Render(picture, Verdict("pass", (), {}), {})


def linger(photo, recipe, max_pixels, name):
    """Take as long as a small picture takes, so that a worker is often at work when it is killed."""
    digits = sum(photo.read_bytes()[-64:])
    time.sleep(0.05 + digits % 100 / 400)
    return behave(photo, recipe, max_pixels, name)


def with_network(photo, recipe, max_pixels, name):
    """Ask one of rembg's networks, from the folder $VITRINE_TEST_NETWORKS, as a renderer with a segmenter does."""
    from pipeline.cutout.rembg_sessions import RembgSegmenter

    with (Path(os.environ["VITRINE_TEST_FLAGS"]) / "calls").open("a") as calls:
        calls.write(f"{os.getpid()}\n")
    segmenter = RembgSegmenter("u2netp", Path(os.environ["VITRINE_TEST_NETWORKS"]))
    segmenter.segment(render(photo, recipe, max_pixels, name).srgb)
    return render(photo, recipe, max_pixels, name)


def decoding(photo, recipe, max_pixels, name):
    """Decode as the pipeline does, with all its refusals; then only resize."""
    from pipeline.photo.decode import decode

    srgb = decode(photo, max_pixels=max_pixels, name=name).srgb
    full = np.uint8(srgb >> 8) if srgb.dtype == np.uint16 else srgb
    picture = np.asarray(Image.fromarray(full).resize((64, 64)))
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


def _run_out(order):
    if order == "memory":
        np.ones(1 << 40)
    if order == "cuda":
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    if order == "opencv":
        cv2.copyMakeBorder(np.zeros((4, 4), np.uint8), 0, 1 << 20, 0, 1 << 28, cv2.BORDER_CONSTANT)


class OutOfMemoryError(RuntimeError):
    """Named, based and worded like torch's; torch is not needed for it."""


def _swallow(flags):
    """Take memory until somebody objects; it waits for the word, so that a limit can be put on the process first."""
    while not (flags / "limited").exists():
        time.sleep(0.005)
    taken = []
    while True:
        taken.append(np.ones(4 << 20, np.uint8))


def _obey(order, flags):
    _run_out(order)
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
    if order == "segfault":
        ctypes.string_at(0)
    if order == "swallow":
        (flags / "hanging").write_text(str(os.getpid()))
        _swallow(flags)
    if order == "hang":
        (flags / "hanging").write_text(str(os.getpid()))
        while (flags / "behave").exists() and "hang" in (flags / "behave").read_text():
            time.sleep(0.01)
