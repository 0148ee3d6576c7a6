"""Light that spills over in the lens. Owns the glow of highlights, with bounded energy."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.color import luminance
from pipeline.values import F32

THRESHOLD = 0.75
SPREAD = ((1.5, 0.6), (4.0, 0.3), (12.0, 0.1))  # sigma in px of a 1080 frame, share of the energy
ON_PIECE = 0.15  # share of the glow that falls on the piece itself, whose detail it must not veil


def bloom(rgb: F32, alpha: F32, amount: float) -> F32:
    """Add `amount` (0..0.04) of the energy above the threshold, spread by three Gaussians. (H, W, 3) linear."""
    if amount <= 0:
        return rgb
    scale = max(rgb.shape[:2]) / 1080
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    level = luminance(small)
    excess = small * (np.clip(level - THRESHOLD, 0, 1.5) / (level + 1e-4))[..., None]
    glow = np.zeros_like(small)
    for sigma, share in SPREAD:
        glow += share * cv2.GaussianBlur(excess, (0, 0), sigma * scale / 2)
    glow = cv2.resize(glow, (width, height), interpolation=cv2.INTER_LINEAR)
    glowing: F32 = rgb + (25 * amount) * glow * (1 - (1 - ON_PIECE) * alpha)[..., None]
    return glowing
