"""The outline where paper and piece hardly differ. Owns contrast across the contour and its smoothing there.

Where silver fades into white paper the matte follows noise. A made thing has a smooth outline, so there, and only
there, the contour is replaced by its own low-pass.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.cutout.paper import FLOOR, strongest
from pipeline.shape.thickness import local_radius
from pipeline.values import F32, Mask

FAINT_LOG, CLEAR_LOG = 0.12, 0.3  # contrast from which the contour is smoothed fully, not at all
REACH_PX = 4.0
SMOOTHING_PX = 4.0
EDGE_PX = 2.0  # width of the new ramp
BODY_PX = 3.0
CHOKE_PX, RAMP_PX = 0.45, 1.4  # the ramp must be short enough to reach 1 inside
TEETH = ((4.0, 1.4), (25.0, 3.0))  # from this local radius on, teeth of this size go
THICK_PX = 9.0  # thinner parts keep their matte: a low-pass would eat them


def edge_contrast(log_rgb: F32, alpha: F32, reach_px: float) -> F32:
    """Log difference between the colours on both sides of the contour, strongest channel, (h, w); at half size inside."""
    height, width = alpha.shape
    size = (max(1, width // 2), max(1, height // 2))
    small = cv2.resize(log_rgb, size, interpolation=cv2.INTER_AREA)
    matte = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    inside, outside = (
        local_mean(small, matte > 0.9, reach_px / 2),
        local_mean(small, matte < 0.1, reach_px / 2),
    )
    contrast: F32 = cv2.resize(
        strongest(np.abs(inside - outside)), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return contrast


def smooth_weak_contour(rgb: F32, alpha: F32) -> F32:
    """Alpha (h, w) with its outline smoothed where contrast is faint. rgb: (h, w, 3) linear."""
    contrast = cv2.GaussianBlur(edge_contrast(np.log(rgb + FLOOR), alpha, REACH_PX), (0, 0), REACH_PX)
    faint = np.clip((CLEAR_LOG - contrast) / (CLEAR_LOG - FAINT_LOG), 0, 1)
    solid = alpha > 0.5
    band = cv2.dilate(
        (solid ^ (cv2.erode(solid.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)).astype(np.uint8),
        np.ones((13, 13), np.uint8),
    )
    if not (faint * band).any():
        return alpha
    thick = cv2.dilate(np.minimum(local_radius(solid), THICK_PX), np.ones((13, 13), np.uint8)) / np.float32(
        THICK_PX
    )
    weight = faint * band * (thick >= 1)
    if not weight.any():
        return alpha
    low = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), SMOOTHING_PX)
    ramp = np.clip((low - 0.5) * np.float32(SMOOTHING_PX * np.sqrt(2 * np.pi) / EDGE_PX) + 0.5, 0, 1)
    weight = cv2.GaussianBlur(weight.astype(np.float32), (0, 0), 2.0)
    smoothed: F32 = alpha + weight * (ramp - alpha)
    return smoothed


def choke(alpha: F32) -> F32:
    """Alpha (h, w) with the teeth of JPEG ringing smoothed off and CHOKE_PX taken in, where the piece is thick enough.

    The outermost pixel of a photographed piece is never its own: it holds paper, ringing and the camera's sharpening.
    Wires and chains, where it would be most of them, keep their matte.
    """
    solid = alpha > 0.5
    body = (
        cv2.GaussianBlur(solid.astype(np.float32), (0, 0), BODY_PX) > 0.5
    )  # teeth have a medial axis of their own
    radius = cv2.dilate(local_radius(body), np.ones((9, 9), np.uint8))
    for thinnest_px, teeth_px in TEETH:
        thick = cv2.GaussianBlur(np.clip((radius - thinnest_px) / thinnest_px, 0, 1), (0, 0), 1.5)
        soft = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), teeth_px)
        slope = np.float32(teeth_px * np.sqrt(2 * np.pi))  # pixels per unit of a blurred step, at its middle
        ramp = np.clip((soft - 0.5) * slope / RAMP_PX + 0.5 - CHOKE_PX / RAMP_PX, 0, 1)
        alpha = alpha + thick * (ramp - alpha)
    return alpha


def local_mean(values: F32, where: Mask, reach_px: float) -> F32:
    """Gaussian mean of `values` (h, w) or (h, w, 3) over the pixels `where`; 0 far from all of them."""
    weight = where.astype(np.float32)
    sums = cv2.GaussianBlur(
        values * (weight if values.ndim == weight.ndim else weight[..., None]), (0, 0), reach_px
    )
    counts = cv2.GaussianBlur(weight, (0, 0), reach_px) + np.float32(1e-4)
    mean: F32 = sums / (counts if values.ndim == weight.ndim else counts[..., None])
    return mean
