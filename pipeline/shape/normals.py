"""Where the surface of a piece faces, from its outline alone. Owns the inflation; refuses photometry.

A sheet blown up over the outline: laplacian u = -4 inside, u = 0 on the outline, relief = 0.8 sqrt(u), which for a disk is nearly
the half sphere (after Prasad and Fitzgibbon 2006, "Single view reconstruction of curved surfaces", and Lumo, Johnston 2002).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.shape.membrane import stretched
from pipeline.values import F32, Mask

SWELL = 0.8
SMOOTH_PX = 1.0


def inflated(mask: Mask, elevation: float) -> F32:
    """Unit normals (H, W, 3) in world axes of the inflated outline, seen from `elevation` (radians); 0 outside."""
    relief = cv2.GaussianBlur(SWELL * np.sqrt(np.maximum(stretched(mask, 4.0), 0)), (0, 0), SMOOTH_PX)
    across = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) / 8
    down = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3) / 8
    length = np.sqrt(across * across + down * down + 1)
    right, up, toward = -across / length, down / length, 1 / length
    sin, cos = math.sin(elevation), math.cos(elevation)
    world = np.stack([right, up * sin - toward * cos, up * cos + toward * sin], -1)
    return np.where(mask[..., None], world, 0).astype(np.float32)
