"""From float to 8 bits without bands. Owns grain and dither; refuses everything that is not noise."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.color import LUMA
from pipeline.values import F32, U8

_GRAIN_SIGMA_PX = 0.6
# Codes: least deviation of the grain. Where a tone lies on a whole code, the dither alone leaves three pixels of four as they
# are, and by chance a run of 24 of them; with this much there is none in a whole dark picture.
FOG, FOG_FROM = 0.7, 1.5  # the second: codes from black, or from white, up to which it fades in


def quantize(srgb: F32, seed: int, grain: float) -> U8:
    """Round encoded (H, W, 3) 0..1 to uint8 with film-like grain and dither.

    grain: standard deviation of the luminance grain in mid-tones, in encoded units (0 = none); it fades to nothing in black
    and white, as film does, but keeps `FOG` to the last tones before them. The dither has a triangular density of +-1 code, which makes the error's mean and variance
    independent of the picture (Lipshitz, Wannamaker and Vanderkooy 1992); it is the difference of neighbouring uniforms,
    so its energy lies in high frequencies. Both are the same in all channels: no coloured noise. Deterministic by `seed`.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    height, width = srgb.shape[:2]
    uniform = rng.random((height, width + 1), dtype=np.float32)
    noise = uniform[:, 1:] - uniform[:, :-1]
    if grain > 0:
        noise += _grain(rng, srgb, 255 * grain)
    codes = srgb * np.float32(255)
    codes += noise[..., None]
    codes += np.float32(0.5)
    return np.clip(codes, 0, 255, out=codes).astype(np.uint8)


def _grain(rng: np.random.Generator, srgb: F32, codes: float) -> F32:
    """(H, W) grain of that deviation in mid-tones, in codes, slightly clumped."""
    raw = rng.standard_normal(srgb.shape[:2], dtype=np.float32)
    kernel = np.asarray(cv2.getGaussianKernel(5, _GRAIN_SIGMA_PX), dtype=np.float32)
    unit = kernel / np.float32(np.linalg.norm(kernel))  # keeps the deviation of white noise
    clumped = np.asarray(cv2.sepFilter2D(raw, -1, unit, unit), dtype=np.float32)
    tone = np.clip(srgb @ LUMA, 0, 1)
    fog = np.minimum(np.minimum(tone, 1 - tone) * np.float32(255 * FOG / FOG_FROM), np.float32(FOG))
    deviation = np.maximum(np.float32(2 * codes) * np.sqrt(tone * (1 - tone)), fog)
    return np.asarray(clumped * deviation, dtype=np.float32)
