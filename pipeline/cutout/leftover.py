"""What of the ground stayed in a matte: a rim of paper around the piece, paper in its openings. Owns the evidence in the photo.

Beyond the matte only the photo knows the ground, so this is measured where both are at hand; the judge decides.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.cutout.paper import strongest
from pipeline.values import F32, Mask

DARK = 0.02  # linear; keeps the logarithm of black from running away
OFFSETS = np.arange(-3.5, 5.01, 0.5, dtype=np.float32)  # pixels inwards from the contour
MOST_POINTS = 3000
OUTSIDE, WITHIN, RIM = (-3.5, -2.0), (2.5, 5.0), 0.5
LEAST_CONTRAST = 0.2  # log change between ground and piece from which on a rim can be told
FEWEST = 60
UNLIKE = 0.4  # of that contrast: under it a rim still is ground
STEEPER = 0.6  # an edge at the contour weaker than this share of one further in is not the piece's
CALM_EDGE = 0.035  # log change per pixel
PATCH_LEVEL, PATCH_CHROMA = (-0.45, 0.12), 0.09  # log; against the paper


def leftover_figures(rgb: F32, alpha: F32, paper_rgb: F32) -> dict[str, float]:
    """rgb, paper_rgb: (h, w, 3) linear photo and its bare paper; alpha: (h, w).

    lined_share: of the contour where it can be told, where the photo changes inside the contour instead of at it (mean of two
    ways to see that; nan where it can hardly be told). patch_share: the largest calm patch of paper's colour inside the matte, of the
    solid piece; patch_radius: its widest place, of the root of that area; patch_edge: share of its rim that
    ends steeply; patch_noise: its unevenness, log.
    """
    return {"lined_share": _lined_share(rgb, alpha)} | _patch(rgb, alpha > 0.9, paper_rgb)


def _lined_share(rgb: F32, alpha: F32) -> float:
    x, y = _across(alpha)
    if not x.size:
        return float("nan")
    light = cv2.remap(np.log(np.maximum(rgb, 0) + DARK), x, y, cv2.INTER_LINEAR)
    cover = cv2.remap(alpha, x, y, cv2.INTER_LINEAR)
    outside, within = (light[:, _from_to(*ends)].mean(1) for ends in (OUTSIDE, WITHIN))
    contrast = np.abs(within - outside).max(-1)
    clear = (cover[:, _from_to(*WITHIN)] > 0.9).all(1) & (cover[:, _from_to(*OUTSIDE)] < 0.1).all(1)
    told = clear & (contrast > LEAST_CONTRAST)
    if np.count_nonzero(told) < FEWEST:
        return float("nan")
    rim = np.abs(light[:, _from_to(RIM, RIM)][:, 0] - outside).max(-1)[told]
    steps = np.abs(light[:, 2:] - light[:, :-2]).max(-1)[told]  # centred on OFFSETS[1:-1]
    inner = OFFSETS[1:-1]
    at_contour = steps[:, (inner >= -1) & (inner <= RIM)].max(1)
    further_in = steps[:, (inner >= 1) & (inner <= 3.5)].max(1)
    still_ground = float((rim < UNLIKE * contrast[told]).mean())
    return (still_ground + float((at_contour < STEEPER * further_in).mean())) / 2


def _from_to(low: float, high: float) -> slice:
    first, last = np.flatnonzero((low <= OFFSETS) & (high >= OFFSETS))[[0, -1]]
    return slice(int(first), int(last) + 1)


def _across(alpha: F32) -> tuple[F32, F32]:
    """Places (n, OFFSETS) on normals of the contour at alpha 0.5: x, y."""
    contours, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    long = [contour[:, 0] for contour in contours if len(contour) > 20]
    if not long:
        return np.zeros((0, 1), np.float32), np.zeros((0, 1), np.float32)
    points = np.concatenate(long)
    points = points[:: 1 + len(points) // MOST_POINTS]
    soft = cv2.GaussianBlur(alpha, (0, 0), 1.5)
    row, column = points[:, 1], points[:, 0]
    across = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3)[row, column]
    down = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3)[row, column]
    length = np.hypot(across, down) + 1e-6
    x = column[:, None] + (across / length)[:, None] * OFFSETS
    y = row[:, None] + (down / length)[:, None] * OFFSETS
    return x.astype(np.float32), y.astype(np.float32)


def _patch(rgb: F32, solid: Mask, paper_rgb: F32) -> dict[str, float]:
    smooth = cv2.GaussianBlur(rgb, (0, 0), 1.0)
    ratio = np.log((smooth + DARK) / (paper_rgb + DARK))
    edge = np.zeros(solid.shape, np.float32)
    for channel in range(3):
        plane = np.ascontiguousarray(np.log(smooth[..., channel] + DARK))
        slope = cv2.magnitude(cv2.Scharr(plane, cv2.CV_32F, 1, 0), cv2.Scharr(plane, cv2.CV_32F, 0, 1))
        np.maximum(edge, slope / 32, out=edge)
    level, chroma = ratio.mean(-1), strongest(ratio) + strongest(-ratio)
    low, high = PATCH_LEVEL
    calm = solid & (edge < CALM_EDGE) & (level > low) & (level < high) & (chroma < PATCH_CHROMA)
    opened = cv2.morphologyEx(calm.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    area = float(max(solid.sum(), 1))
    if stats.shape[0] < 2:
        return {"patch_share": 0.0, "patch_radius": 0.0, "patch_edge": 0.0, "patch_noise": 0.0}
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    patch = (labels == largest).astype(np.uint8)
    radius = float(cv2.distanceTransform(patch, cv2.DIST_L2, 3).max())
    rim = (cv2.dilate(patch, np.ones((9, 9), np.uint8)) > 0) & (
        cv2.dilate(patch, np.ones((3, 3), np.uint8)) == 0
    )
    steep = cv2.dilate(edge, np.ones((5, 5), np.uint8))[rim]
    return {
        "patch_share": float(stats[largest, cv2.CC_STAT_AREA]) / area,
        "patch_radius": radius / area**0.5,
        "patch_edge": float((steep > 0.12).mean()) if steep.size else 0.0,
        "patch_noise": float(level[patch > 0].std()),
    }
