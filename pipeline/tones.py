"""What a piece is like as a patch of colour: its metal, how light it is, the hue of its stones. Owns these measures.

Refuses to say what it is made of: "yellow-gold" is a colour here, brass has it too. Sources: hues of metals from
RENDERING.md section 6 (measured reflectances of gold, silver, copper) in OKLCh (Ottosson 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.color import oklab_from_linear, oklch_from_oklab
from pipeline.judge.hue import METAL_HUES_DEG, METAL_SATURATION
from pipeline.recipe import Metal
from pipeline.values import F32, Cutout, Mask

SOLID = 0.95  # alpha from which a pixel is the piece alone
MOST_PX = 40_000
NEUTRAL = 0.035  # chroma over lightness below which a pixel has no hue
ROSE_TO_DEG = 68.0  # rose gold lies about 50, yellow gold about 85
DARK = 0.42  # median lightness below which neutral metal is dark: oxidised silver, steel, black stones
PEARLY = 0.72  # a piece whose darkest tenth is lighter is pearl: metal always mirrors something dark
LEAST_STONES = 0.06  # share of the piece that makes its stones worth a thought


@dataclass(frozen=True, slots=True)
class Tones:
    """metal: the colour that most of the metal has. lab: OKLab of the piece, medians; low: lightness of its darkest tenth.

    stones_deg: OKLCh hue 0..360 of what is coloured and no metal, None when there is hardly any; stones: its share 0..1.
    """

    metal: Metal
    lab: tuple[float, float, float]
    low: float
    stones_deg: float | None = None
    stones: float = 0.0


def tones_of(cutout: Cutout) -> Tones:
    """Measure the piece's solid pixels."""
    solid = cutout.rgb[cutout.alpha >= SOLID]
    solid = solid[:: 1 + len(solid) // MOST_PX]
    if len(solid) < 16:
        return Tones("white-metal", (0.7, 0.0, 0.0), 0.5)
    lab = oklab_from_linear(np.clip(solid, 0, 1)[None])[0]
    lch = oklch_from_oklab(lab)
    lightness, hue = lch[:, 0], np.degrees(lch[:, 2]) % 360
    saturation = lch[:, 1] / np.maximum(lightness, 0.05)
    low = float(np.percentile(lightness, 10))
    middle = (float(np.median(lab[:, 0])), float(np.median(lab[:, 1])), float(np.median(lab[:, 2])))
    neutral = (saturation < NEUTRAL) | (lightness < 0.12)
    warm = (
        (hue >= METAL_HUES_DEG[0]) & (hue <= METAL_HUES_DEG[1]) & (saturation < METAL_SATURATION) & ~neutral
    )
    stones = ~neutral & ~warm
    share = float(stones.mean())
    metal: Metal = "pearl" if low > PEARLY else _metal(lightness, hue, neutral, warm)
    if share < LEAST_STONES:
        return Tones(metal, middle, low)
    return Tones(metal, middle, low, _mean_deg(hue[stones], lch[stones, 1]), share)


def _metal(lightness: F32, hue: F32, neutral: Mask, warm: Mask) -> Metal:
    """Warm metal reflects much that has no hue, so a quarter of warm pixels among the metal is enough to call it gold."""
    if warm.sum() > 0.25 * max(int(neutral.sum() + warm.sum()), 1):
        return "rose-gold" if float(np.median(hue[warm])) < ROSE_TO_DEG else "yellow-gold"
    dark = neutral.any() and float(np.median(lightness[neutral])) < DARK
    return "dark-metal" if dark else "white-metal"


def _mean_deg(hue: F32, weight: F32) -> float:
    """Mean direction of hues in degrees, the stronger colours counting more."""
    angle = np.radians(hue)
    return float(np.degrees(np.arctan2((np.sin(angle) * weight).sum(), (np.cos(angle) * weight).sum())) % 360)
