"""The ground's colour on the lower edges of the piece. Owns the spill, which is small; refuses the ground.

What faces down near the ground mirrors it: the piece's own colour times the light that the set throws back, there only, and never
more than two hundredths of what the pixel already shows, so that silver does not turn blue on a blue cloth.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.color import luminance
from pipeline.shape.solid import Solid
from pipeline.values import F32, Scene

STRENGTH = 0.25
REACH = 0.12  # of the unit: height at which the spill has faded to 1/e
MOST = 0.02  # of the pixel's own luminance
SOFT = 0.01  # of the unit


def spill(lit: F32, rgb: F32, solid: Solid, scene: Scene) -> F32:
    """`lit` (H, W, 3) with the spill added. rgb: the piece's own colours, paper at 1."""
    unit = np.float32(scene.ground.unit_px)
    down = np.clip(0.15 - solid.normal[..., 2], 0, 1) * np.exp(-solid.low_px / (np.float32(REACH) * unit))
    weight = cv2.GaussianBlur(np.where(solid.mask, down, np.float32(0)), (0, 0), SOFT * float(unit))
    added = rgb * scene.spill_rgb * (np.float32(STRENGTH) * weight)[..., None]
    bound = np.float32(MOST) * luminance(lit) / np.maximum(luminance(added), np.float32(1e-6))
    spilled: F32 = lit + added * np.minimum(bound, np.float32(1))[..., None]
    return spilled
