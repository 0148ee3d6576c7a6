"""Light that the piece throws on the ground: gold warms the paper it lies on. Owns the glow; refuses shadow and mirror image.

The part of the sky that the piece hides from a ground point (1 - dome visibility) is not dark: the piece stands there, as bright
as it is. What faces the ground is darker than what faces the lens, by `UNDERSIDE`.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.rig import Rig
from pipeline.values import F32, Scene

UNDERSIDE = 0.05
NEAR = 0.10  # of the unit: the stretch of the piece that one ground point sees
STEP = 4


def bounce(scene: Scene, rig: Rig, lit: F32, alpha: F32, sky: F32) -> F32:
    """Radiance (H, W, 3) that the ground gets from the piece.

    lit: (H, W, 3) radiance of the piece, unpremultiplied; alpha: (H, W); sky: (H, W) dome visibility.
    """
    height, width = alpha.shape
    size = (max(1, width // STEP), max(1, height // STEP))
    cover = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    light = cv2.resize(lit * alpha[..., None], size, interpolation=cv2.INTER_AREA)
    sigma = NEAR * scene.ground.unit_px / STEP
    weight = cv2.GaussianBlur(cover, (0, 0), sigma) + np.float32(1e-4)
    near = cv2.resize(
        cv2.GaussianBlur(light, (0, 0), sigma) / weight[..., None],
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    # The dome's share of the ground's radiance, by its irradiance, is what the ground makes of light from above.
    response = scene.groups["ambient"] / np.float32(max(rig.ambient.strength, 1e-3) * 2.0**rig.exposure_ev)
    color = np.asarray(rig.ambient.color, np.float32)
    glow: F32 = response / np.maximum(color, 1e-3) * near * (np.float32(UNDERSIDE) * (1 - sky))[..., None]
    return glow
