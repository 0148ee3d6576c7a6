"""What a picture of the shop is called while a model learns from it. Owns the words that are measured; refuses to guess the piece.

Captions end in the words that end every prompt of a painted set, so that a prompt calls up what was learned.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipeline.backdrop.colour_words import nearest
from pipeline.color import linear_from_srgb, luminance, oklab_from_linear
from pipeline.values import F32, Mask

ENDING: Final = "product photography backdrop, macro lens"
DARK, BRIGHT = 0.42, 0.78  # OKLab lightness, median
WARM, COOL = 0.02, -0.015  # OKLab b, median, of grounds that are nearly grey
NEARLY_GREY = 0.06  # chroma
EVEN, DEEP = 0.55, 1.6  # log luminance between the ground's 5th and 95th hundredth


def caption(words: str, srgb: F32, ground: Mask) -> str:
    """The words for a picture. words: the owner's, for all pictures; srgb: (h, w, 3) 0..1; ground: (h, w) what is no piece."""
    seen = srgb[ground] if ground.any() else srgb.reshape(-1, 3)
    return ", ".join(filter(None, (words, colours(seen), tone(seen), light(seen), ENDING)))


def colours(srgb: F32) -> str:
    """Of the darker and of the brighter half, "black and burgundy"; one word where they are alike."""
    level = luminance(srgb[None])[0]
    middle = float(np.median(level))
    halves = (srgb[level <= middle], srgb[level >= middle])
    return " and ".join(dict.fromkeys(nearest(_hex(np.median(half, axis=0))) for half in halves))


def tone(srgb: F32) -> str:
    """How bright, and how warm where there is hardly a colour."""
    L, a, b = (float(one) for one in np.median(oklab_from_linear(linear_from_srgb(srgb)[None])[0], axis=0))
    key = "dark, low key" if L < DARK else "bright, high key" if L > BRIGHT else "mid tones"
    if np.hypot(a, b) > NEARLY_GREY:
        return key
    return f"{key}, warm light" if b > WARM else f"{key}, cool light" if b < COOL else key


def light(srgb: F32) -> str:
    """Even, or with shadows how deep."""
    level = np.log(luminance(linear_from_srgb(srgb)[None])[0] + 1e-3)
    low, high = np.percentile(level, (5, 95))
    spread = float(high - low)
    return (
        "soft even light"
        if spread < EVEN
        else "dramatic light, deep shadows"
        if spread > DEEP
        else "directional light, soft shadows"
    )


def _hex(srgb: F32) -> str:
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in np.clip(srgb, 0, 1))
