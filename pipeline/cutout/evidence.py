"""What tells piece from paper and shadow, pixel by pixel. Owns the measurements; decides nothing.

A cast shadow scales all channels alike and fades; the piece ends in an edge. So the measurements are the ratio to
the paper, its chroma, and the edge strength of its logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.cutout.paper import FLOOR, Paper, border_ring, strongest
from pipeline.values import F32, Mask

ROUGHEST = 0.03  # no paper is rougher than this; what is, belongs to the piece


@dataclass(frozen=True, slots=True)
class Evidence:
    """All (h, w). level: mean ratio to the paper, 1 = paper; chroma: 0..1 spread between channels of that ratio.

    edge: log change per pixel, strongest channel. noise: typical edge of bare paper there, one number or (h, w).
    tint: median chroma of the paper's rim.
    """

    level: F32
    chroma: F32
    edge: F32
    noise: F32 | float
    tint: float


def measure(rgb: F32, paper: Paper, noise: F32 | float | None = None, blur_px: float = 0.7) -> Evidence:
    """Measure `rgb` (h, w, 3) linear against `paper`; `noise` as known from an earlier round."""
    ratio = cv2.GaussianBlur((rgb + FLOOR) / (paper.rgb + FLOOR), (0, 0), blur_px)
    high, low = strongest(ratio), -strongest(-ratio)
    level = cv2.transform(ratio, np.full((1, 3), 1 / 3, np.float32))
    log_ratio = np.log(ratio + 0.03)
    edge = np.zeros(level.shape, np.float32)
    for channel in range(3):
        plane = np.ascontiguousarray(log_ratio[..., channel])
        across, down = cv2.Scharr(plane, cv2.CV_32F, 1, 0), cv2.Scharr(plane, cv2.CV_32F, 0, 1)
        np.maximum(edge, cv2.magnitude(across, down) / 32, out=edge)
    calm = border_ring(*level.shape) & (np.abs(np.log(level + 0.01)) < 0.15)
    if noise is None:
        noise = float(np.median(edge[calm])) if calm.any() else 0.01
    chroma: F32 = np.divide(high - low, np.maximum(high, 0.05), dtype=np.float32)
    tint = float(np.median(chroma[calm])) if calm.any() else 0.0
    return Evidence(level, chroma, edge, noise, tint)


def local_noise(evidence: Evidence, is_paper: Mask) -> F32:
    """Mean edge of the paper around each pixel: a textured paper is rough where it is in focus. (h, w)."""
    height, width = is_paper.shape
    small = (max(width // 8, 8), max(height // 8, 8))
    clear = cv2.erode(is_paper.astype(np.uint8), np.ones((9, 9), np.uint8), borderType=cv2.BORDER_REPLICATE)
    weight = (clear * (evidence.level > 0.7)).astype(np.float32)
    sums = cv2.resize(evidence.edge * weight, small, interpolation=cv2.INTER_AREA)
    counts = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
    reach = 0.06 * max(small)
    mean = cv2.GaussianBlur(sums, (0, 0), reach) / (cv2.GaussianBlur(counts, (0, 0), reach) + 1e-6)
    noise: F32 = cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.minimum(noise, ROUGHEST)
