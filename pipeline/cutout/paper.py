"""The paper as the photo would show it without the piece. Owns the background surface model."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.values import F32, Mask

FLOOR = 0.004  # linear; keeps the logarithm of black finite
BARE_LOG, BARE_PX = 0.012, 5
SAMPLES = 12_000  # pixels the fit looks at


@dataclass(frozen=True, slots=True)
class Paper:
    """rgb: (h, w, 3) scene-linear paper; sigma: robust spread of log(photo / paper) on the paper; found: 0..1 support."""

    rgb: F32
    sigma: float
    found: float


def border_ring(height: int, width: int, share: float = 0.05) -> Mask:
    """The outer `share` of the frame, where paper is likeliest."""
    depth = max(4, int(share * min(height, width)))
    ring = np.ones((height, width), np.bool_)
    ring[depth:-depth, depth:-depth] = False
    return ring


def _quadratic(height: int, width: int) -> F32:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / max(width, 1) * 2 - 1, y / max(height, 1) * 2 - 1
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)


def strongest(channels: F32) -> F32:
    """Largest of the three channels, (h, w). Many times faster than a maximum over a last axis of three."""
    return np.maximum(np.maximum(channels[..., 0], channels[..., 1]), channels[..., 2])


def spread(ratio: F32) -> F32:
    """Chroma 0..1 of a ratio to the paper (h, w, 3): how far its weakest channel is below its strongest, (h, w)."""
    return np.asarray(1 + strongest(-ratio) / np.maximum(strongest(ratio), 0.05), dtype=np.float32)


def fit_paper(rgb: F32, rounds: int = 8) -> Paper:
    """Fit log-linear RGB by a quadratic surface, IRLS from the border ring inwards (Tukey-like weights).

    A robust start from the ring's median lets the piece run out of the frame; from the third round on every pixel
    of the frame that the surface explains joins, so vignettes are followed into the picture.
    """
    height, width = rgb.shape[:2]
    step = max(1, int(np.sqrt(height * width / SAMPLES)))
    small = rgb[::step, ::step]
    log_rgb = np.log(small + FLOOR)
    ring = border_ring(*small.shape[:2])
    basis = _quadratic(*small.shape[:2])
    chosen = ring
    fit = np.zeros((6, 3), np.float32)
    fit[0] = np.median(log_rgb[chosen], 0)
    sigma, found = 0.08, 0.0
    ridge = np.diag([0.0, 1.0, 1.0, 3.0, 3.0, 3.0]).astype(np.float32) * 1e-5
    for turn in range(rounds):
        a, y = basis[chosen], log_rgb[chosen]
        distance = strongest(np.abs(y - a @ fit))
        reach = 0.08 if turn == 0 else max(3 * sigma, 0.02)
        weight = 1 / np.square(1 + np.square(distance / reach))
        weighted = a * weight[:, None]
        fit = np.linalg.solve(weighted.T @ a + ridge * weight.sum(), weighted.T @ y).astype(np.float32)
        trusted = weight > 0.3
        found = float(trusted.mean())
        spread = np.abs(y - a @ fit)[trusted]
        sigma = float(np.clip(1.48 * np.median(spread), 0.004, 0.05)) if spread.size else 0.05
        if turn >= 2:
            residual = strongest(np.abs(log_rgb - basis @ fit))
            chosen = (residual < 4 * sigma + 0.02) | (ring & (residual < 0.15))
    paper_small = np.exp(basis @ fit)
    surface = cv2.resize(paper_small, (width, height), interpolation=cv2.INTER_LINEAR)
    return Paper(np.maximum(surface - FLOOR, 0.01), sigma, found)


def follow_paper(rgb: F32, paper: Paper, is_paper: Mask) -> Paper:
    """Correct a fitted surface by what the paper truly shows: log residuals, diffused from `is_paper` over the rest."""
    height, width = rgb.shape[:2]
    small = (max(width // 8, 8), max(height // 8, 8))
    half = (slice(None, None, 2), slice(None, None, 2))
    weight = is_paper[half].astype(np.float32)
    counts = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
    seen = cv2.resize((rgb[half] + FLOOR) * weight[..., None], small, interpolation=cv2.INTER_AREA)
    fitted = cv2.resize((paper.rgb[half] + FLOOR) * weight[..., None], small, interpolation=cv2.INTER_AREA)
    sums = np.log((seen + 1e-6) / (fitted + 1e-6)) * counts[..., None]
    reach = 0.06 * max(small)
    sums, counts = cv2.GaussianBlur(sums, (0, 0), reach), cv2.GaussianBlur(counts, (0, 0), reach)
    correction = sums / (counts[..., None] + 0.01)
    full = cv2.resize(correction, (width, height), interpolation=cv2.INTER_LINEAR)
    return Paper(np.maximum((paper.rgb + FLOOR) * np.exp(full) - FLOOR, 0.01), paper.sigma, paper.found)


def bare_paper(rgb: F32, paper: Paper) -> Mask:
    """Where the picture (h, w, 3) is nothing but paper: off it by at most three sigma, over more than single pixels."""
    smooth = cv2.GaussianBlur(rgb, (0, 0), 1.0)
    far = strongest(np.abs(np.log((smooth + FLOOR) / (paper.rgb + FLOOR))))
    like = (far < max(BARE_LOG, 3 * paper.sigma)).astype(np.uint8)
    bare: Mask = cv2.morphologyEx(like, cv2.MORPH_OPEN, np.ones((BARE_PX, BARE_PX), np.uint8)) > 0
    return bare
