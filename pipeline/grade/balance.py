"""Auto-exposure and auto-contrast. Owns the metering of a frame and two bounded corrections; refuses colour.

Both are one gain per pixel, so no hue moves. Exposure is metered on the highlights and contrast turns about the frame's own
median: a low-key picture stays low-key, which metering to mid-grey would destroy.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.color import luminance
from pipeline.values import F32

MAX_EV = 0.35
MOST_LIFT_EV = 0.12  # contrast deepens the dark; a piece must not be bleached because its set is black
_HIGHLIGHT = 1.0  # where the brightest half percent should stand before the shoulder: glints may pass white
_SPREAD_STOPS = 5.0  # a full picture's distance between its 5th and 95th percentile
_LEAST_POWER, _MOST_POWER = 0.95, 1.18
_STEP = 3  # metering every third pixel each way is plenty
_FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Balance:
    """exposure_ev: gain in stops. power: exponent of luminance about `pivot` (scene-linear luminance)."""

    exposure_ev: float
    power: float
    pivot: float


def meter(rgb: F32, strength: float) -> Balance:
    """Corrections for a scene-linear (H, W, 3) frame; strength 0 (none) .. 1."""
    sample = rgb[::_STEP, ::_STEP]
    light = np.maximum(luminance(sample), _FLOOR)
    dark, middle, bright = (float(v) for v in np.percentile(light, (5, 50, 95)))
    peak = max(float(np.percentile(sample.max(axis=-1), 99.5)), _FLOOR)
    exposure = float(np.clip(strength * np.log2(_HIGHLIGHT / peak), -MAX_EV, MAX_EV))
    spread = max(float(np.log2(bright / dark)), 0.5)
    power = float(np.clip((_SPREAD_STOPS / spread) ** (0.5 * strength), _LEAST_POWER, _MOST_POWER))
    return Balance(exposure, power, float(np.clip(middle, 0.01, 0.4)))


def apply(rgb: F32, balance: Balance) -> F32:
    """Gain each pixel of a scene-linear (H, W, 3) frame: 2^ev (Y / pivot)^(power - 1), at most half a stop down by contrast."""
    relative = np.maximum(luminance(rgb), np.float32(_FLOOR)) / np.float32(balance.pivot)
    bend = np.asarray(cv2.pow(relative, balance.power - 1), dtype=np.float32)
    gain = np.clip(bend, np.float32(2**-0.5), np.float32(2**MOST_LIFT_EV)) * np.float32(
        2**balance.exposure_ev
    )
    return np.asarray(rgb * gain[..., None], dtype=np.float32)
