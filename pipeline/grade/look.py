"""Grades a frame: balance, then the look. Owns their order; the parts live beside it."""

from __future__ import annotations

from pipeline.grade import balance
from pipeline.grade.ocio import apply_look
from pipeline.recipe import Look
from pipeline.values import F32


def grade(rgb: F32, look: Look) -> F32:
    """Scene-linear (H, W, 3) frame -> display-encoded sRGB (H, W, 3), float32 in 0..1.

    Auto-exposure and auto-contrast (strength `look.contrast`), the look as an ASC CDL in ACEScct, a shoulder that keeps
    hue, the un-tone-mapped sRGB view.
    """
    return apply_look(balance.apply(rgb, balance.meter(rgb, look.contrast)), look)
