"""The piece mirrored in a polished ground. Owns the mirror image; refuses the ground's colour.

A point at pixel height p = Z cos(e) above its foot is mirrored p below it: y' = y + 2p; between the seen surface and the
underside the piece is as it is seen. Blur grows with the height and the roughness; Schlick's Fresnel at the camera's angle times the surface's artistic weight gives its strength.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.shape.solid import Solid
from pipeline.values import F32, Scene

CONE_DEG = 20.0  # blur cone of a fully rough surface
FADE = 0.35  # of the unit: height at which the mirror image has faded to 1/e
STRONGEST = 0.5
NEAR, FAR = (
    0.02,
    0.25,
)  # of the unit: heights whose image is as sharp as the polish, and as blurred as it gets
SHARPEST = 0.25  # of the blur, at the contact
LEVEL_PX = 6.0  # between two depths of the piece that are mirrored


def mirror(premul: F32, solid: Solid, scene: Scene) -> tuple[F32, F32]:
    """Reflection of the piece (premultiplied (H, W, 3)): its premultiplied image and its alpha (H, W), weight included."""
    height, width = solid.mask.shape
    ground = scene.ground
    cos = math.cos(math.radians(ground.elevation_deg))
    y, x = np.nonzero(solid.mask)
    top, low = (field[y, x] * cos for field in (solid.top_px, solid.low_px))
    deep = max(1, int(np.ceil(float((top - low).max(initial=0)) / LEVEL_PX)))
    image = np.zeros((height, width, 5), np.float32)  # light, cover, and height times cover
    strongest = _strength(scene) * (1 + solid.sure) / 2  # where the turn is not sure, less of it is shown
    source = premul[y, x]
    # The mirror sees the piece from below: what lies lower is nearer to it, and is written last.
    for share in np.linspace(0, 1, deep + 1, dtype=np.float32):
        p = top + (low - top) * share
        order = np.argsort(-p, kind="stable") if share in {0, 1} else slice(None)
        to_y = np.rint(y + 2 * p).astype(np.int32)[order]
        inside = to_y < height
        fade = (strongest * np.exp(-p / (FADE * ground.unit_px)))[order][inside]
        at = (to_y[inside], x[order][inside])
        image[(*at, slice(0, 3))] = source[order][inside] * fade[:, None]
        image[(*at, 3)] = fade
        image[(*at, 4)] = fade * p[order][inside] / np.float32(ground.unit_px)
    image = cv2.morphologyEx(image, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    wide = max(0.6, 0.25 * ground.unit_px * math.tan(math.radians(scene.roughness * CONE_DEG)))
    soft = cv2.GaussianBlur(image, (0, 0), wide)
    sharp = cv2.GaussianBlur(image, (0, 0), max(0.6, wide * SHARPEST))
    rise = soft[..., 4] / np.maximum(soft[..., 3], np.float32(1e-4))
    share = np.clip((rise - NEAR) / (FAR - NEAR), 0, 1)[..., None]
    mixed = sharp + (soft - sharp) * share
    return mixed[..., :3], mixed[..., 3]


def _strength(scene: Scene) -> float:
    cosine = math.sin(math.radians(scene.ground.elevation_deg))
    fresnel = scene.f0 + (1 - scene.f0) * (1 - cosine) ** 5
    return min(scene.reflection * (0.6 + 4 * fresnel), STRONGEST)
