"""Keeps the piece's own hue through the grade. Owns the lock and its gamut mapping; refuses the background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.color import linear_from_oklab, linear_from_srgb, oklab_from_linear, srgb_from_linear
from pipeline.values import F32

_SEEN = 0.004  # alpha below this cannot be seen in 8 bits
# Chroma may follow the look within these factors of what the same material would have at the graded lightness.
# `_NEUTRAL` is what counts as no colour: silver of a random hue must not become colourful silver of that hue.
_LEAST, _MOST, _NEUTRAL = 0.75, 1.25, 0.003
_GAMUT_STEPS = 10
_GAMUT_SLACK = 2e-5


def lock_hue(graded_srgb: F32, frame_rgb: F32, alpha: F32) -> F32:
    """Give the piece back the OKLCh hue that it had before the look, in proportion to its alpha.

    graded_srgb: (H, W, 3) display-encoded 0..1; frame_rgb: (H, W, 3) scene-linear frame with the piece in it, before the
    look; alpha: (H, W) 0..1 of the piece. Lightness comes from the grade; chroma too, within bounds that keep neutral metal
    neutral and gold golden. What leaves the sRGB gamut loses chroma only. Returns a new (H, W, 3), 0..1; pixels
    without the piece are untouched.
    """
    out = graded_srgb.copy()
    where = alpha > _SEEN
    if not where.any():
        return out
    graded = oklab_from_linear(linear_from_srgb(graded_srgb[where]))
    before = oklab_from_linear(np.maximum(frame_rgb[where], 0))
    share = np.minimum(alpha[where], 1)[:, None]
    lightness = np.clip(graded[:, :1], 0, 1)
    locked = before[:, 1:] * _chroma_gain(graded, before)[:, None]
    plane = graded[:, 1:] + share * (locked - graded[:, 1:])
    rgb = _into_gamut(lightness, plane)
    out[where] = np.clip(srgb_from_linear(np.clip(rgb, 0, 1)), 0, 1)
    return out


def _chroma_gain(graded: F32, before: F32) -> F32:
    """Factor on the old (a, b): the graded chroma, bounded. A gain of light scales L and chroma alike in OKLab."""
    chroma = np.hypot(before[:, 1], before[:, 2])
    wanted = np.hypot(graded[:, 1], graded[:, 2])
    natural = chroma * np.clip(graded[:, 0], 0, 1) / np.maximum(before[:, 0], np.float32(0.02))
    bounded = np.clip(wanted, np.float32(_LEAST) * natural, np.float32(_MOST) * natural)
    neutral = chroma < np.float32(_NEUTRAL)
    return np.where(neutral, np.float32(1), bounded / np.maximum(chroma, np.float32(1e-6))).astype(np.float32)


def _into_gamut(lightness: F32, plane: F32) -> F32:
    """Linear Rec.709 of OKLab with chroma lowered, by bisection, just so far that it fits 0..1."""
    rgb = linear_from_oklab(np.concatenate([lightness, plane], axis=1))
    outside = _outside(rgb)
    if outside.any():
        light, full = lightness[outside], plane[outside]
        low, high = np.zeros_like(light), np.ones_like(light)
        for _ in range(_GAMUT_STEPS):
            middle = (low + high) / 2
            leaves = _outside(linear_from_oklab(np.concatenate([light, full * middle], axis=1)))[:, None]
            low, high = np.where(leaves, low, middle), np.where(leaves, middle, high)
        rgb[outside] = linear_from_oklab(np.concatenate([light, full * low], axis=1))
    return rgb


def _outside(rgb: F32) -> NDArray[np.bool_]:
    return np.asarray(((rgb < -_GAMUT_SLACK) | (rgb > 1 + _GAMUT_SLACK)).any(axis=-1))
