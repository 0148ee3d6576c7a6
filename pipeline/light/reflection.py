"""The piece mirrored in a polished ground. Owns the mirror image; refuses the ground's colour.

A point at pixel height p = Z cos(e) above its foot is mirrored p below it: y' = y + 2p. Blur grows with p and the
roughness; Schlick's Fresnel at the camera's angle times the surface's artistic weight gives its strength.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.shape.solid import Solid
from pipeline.values import F32, Scene

CONE_DEG = 20.0  # blur cone of a fully rough surface
FADE = 0.45  # of the unit: height at which the mirror image has faded to 1/e
STRONGEST = 0.6


def mirror(premul: F32, solid: Solid, scene: Scene) -> tuple[F32, F32]:
    """Reflection of the piece (premultiplied (H, W, 3)): its premultiplied image and its alpha (H, W), weight included."""
    height, width = solid.mask.shape
    ground = scene.ground
    rise = solid.top_px * math.cos(math.radians(ground.elevation_deg))
    y, x = np.nonzero(solid.mask)
    p = rise[y, x]
    order = np.argsort(-p, kind="stable")  # low points last: they lie in front
    y, x, p = y[order], x[order], p[order]
    to_y = np.rint(y + 2 * p).astype(np.int32)
    inside = to_y < height
    image = np.zeros((height, width, 4), np.float32)
    source = premul[y[inside], x[inside]]
    fade = _strength(scene) * np.exp(-p[inside] / (FADE * ground.unit_px))
    image[to_y[inside], x[inside], :3] = source * fade[:, None]
    image[to_y[inside], x[inside], 3] = fade
    image = cv2.morphologyEx(image, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    blur = max(0.6, 0.25 * ground.unit_px * math.tan(math.radians(scene.roughness * CONE_DEG)))
    image = cv2.GaussianBlur(image, (0, 0), blur)
    return image[..., :3], image[..., 3]


def _strength(scene: Scene) -> float:
    cosine = math.sin(math.radians(scene.ground.elevation_deg))
    fresnel = scene.f0 + (1 - scene.f0) * (1 - cosine) ** 5
    return min(scene.reflection * (0.6 + 4 * fresnel), STRONGEST)
