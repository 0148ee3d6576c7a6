"""The colours of a piece as plain words, for a caption or a description. Owns the words; refuses to guess metals or stones.

"yellow" may be gold or brass: what it is, only its owner knows.
"""

from __future__ import annotations

import numpy as np

from pipeline.color import srgb_from_linear
from pipeline.values import F32, Cutout

_SOLID = 0.9  # alpha from which a pixel is the piece alone
_FAINT = 0.13  # chroma (max - min of sRGB) below which a pixel has no colour
_DARK, _BRIGHT = 0.25, 0.72
_LEAST, _LEAST_PLAIN = 0.06, 0.25  # share of the piece that makes a colour worth a word; shading is grey, too
_PLAIN = ("white", "grey", "black")
_MOST = 3
# Upper end of each hue in degrees; sRGB hue circle, red around 0.
_HUES = (
    (15.0, "red"), (40.0, "orange"), (68.0, "yellow"), (165.0, "green"), (195.0, "turquoise"),
    (255.0, "blue"), (290.0, "violet"), (345.0, "pink"), (360.0, "red"),
)  # fmt: skip
COLOURS = tuple(dict.fromkeys([*(name for _, name in _HUES), *_PLAIN]))


def colours_of(cutout: Cutout) -> tuple[str, ...]:
    """At most three words, the most frequent first; () for a piece with next to no solid pixel."""
    pixels = srgb_from_linear(np.clip(cutout.rgb[cutout.alpha >= _SOLID], 0.0, 1.0))
    if len(pixels) < 16:
        return ()
    names = _names(np.asarray(pixels, np.float32))
    found, counts = np.unique(names, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    least = {name: _LEAST_PLAIN if name in _PLAIN else _LEAST for name in map(str, found)}
    words = [str(found[at]) for at in order if counts[at] >= least[str(found[at])] * len(names)]
    return tuple(words[:_MOST])


def _names(srgb: F32) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """(n,) a word for each of (n, 3) sRGB pixels 0..1."""
    high, low = srgb.max(axis=1), srgb.min(axis=1)
    chroma = high - low
    hue = _hue(srgb, high, np.maximum(chroma, 1e-6))
    ends = np.array([end for end, _ in _HUES])
    words = np.array([name for _, name in _HUES])[np.minimum(np.searchsorted(ends, hue), len(_HUES) - 1)]
    plain = np.where(high < _DARK, "black", np.where(high > _BRIGHT, "white", "grey"))
    return np.where(chroma < _FAINT, plain, words)


def _hue(srgb: F32, high: F32, chroma: F32) -> F32:
    """Degrees (Smith 1978)."""
    red, green, blue = srgb[:, 0], srgb[:, 1], srgb[:, 2]
    turn = np.where(
        high == red,
        ((green - blue) / chroma) % 6.0,
        np.where(high == green, (blue - red) / chroma + 2.0, (red - green) / chroma + 4.0),
    )
    return np.asarray(turn * 60.0, np.float32)
