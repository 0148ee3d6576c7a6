"""A filmic shoulder that keeps hue. Owns the roll-off of highlights; refuses looks and contrast."""

from __future__ import annotations

import numpy as np

from pipeline.values import F32

KNEE = 0.75


def roll_off(rgb: F32, knee: float = KNEE) -> F32:
    """Compress scene-linear (..., 3) so that no channel passes 1.0, by one gain per pixel.

    With m = max(r, g, b): unchanged for m <= knee; above, m' = knee + (1 - knee)(1 - exp(-(m - knee)/(1 - knee))):
    smooth in value and slope, strictly rising, asymptote 1. The ratio r:g:b stays, and with it hue and purity, where a
    curve per channel bleaches gold (the argument for max-based "luminance preserving" tone curves; compare the
    "max RGB" norm of filmic tone mappers).
    """
    peak = np.max(rgb, axis=-1)
    over = np.maximum(peak - np.float32(knee), 0)
    room = np.float32(1 - knee)
    rolled = np.minimum(peak, np.float32(knee)) - room * np.expm1(-over / room)
    gain = np.where(over > 0, rolled / np.maximum(peak, np.float32(1e-6)), np.float32(1))
    return np.asarray(rgb * gain[..., None], dtype=np.float32)
