"""What enlarges a picture, as the pipeline sees it, and the one that needs no network. Refuses torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from pipeline.errors import Misconfigured
from pipeline.values import F32, U8


class Upscaler(Protocol):
    """Brings a picture to a size. Safe to call again and again; what it needs is loaded by the first call."""

    def __call__(self, srgb: F32, size_px: tuple[int, int]) -> F32:
        """(height, width, 3) float32 0..1 of `size_px` (width, height), from (h, w, 3) float32 0..1 in sRGB encoding.

        Raises Misconfigured (what it needs is missing or unfit), Busy (no memory for it now).
        """
        ...


Upscalers = Callable[[str], Upscaler]
"""The upscaler of that name. Raises Misconfigured when there is none."""


def no_upscalers(name: str) -> Upscaler:
    """The upscalers of a program that was given none."""
    raise Misconfigured(
        f'The upscaler "{name}" cannot be used: no folder for weights was set up.', "Name a studio folder."
    )


def resized(srgb: F32, size_px: tuple[int, int]) -> F32:
    """An `Upscaler` without invention: Lanczos (a = 4) where the picture grows, averages where it shrinks."""
    height, width = srgb.shape[:2]
    if (width, height) == size_px:
        return srgb
    smaller = size_px[0] <= width and size_px[1] <= height
    method = cv2.INTER_AREA if smaller else cv2.INTER_LANCZOS4
    made: F32 = np.clip(cv2.resize(srgb, size_px, interpolation=method), 0, 1)
    return made


def in_eight_bits(upscaler: Upscaler, srgb: U8, size_px: tuple[int, int]) -> U8:
    """The same on codes (h, w, 3) uint8, for pictures that come and go as such. Raises as the upscaler does."""
    made = upscaler(srgb.astype(np.float32) / np.float32(255), size_px)
    return np.rint(made * 255).astype(np.uint8)
