"""Is it still the same piece? Owns the figures that compare a render's piece with its cut-out; refuses a verdict.

Relighting may change the piece by a smooth gain only. So a smooth gain is fitted and divided out, and what remains
is a change of the product: a moved facet, a melted claw, another colour.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from pipeline.color import luminance, srgb_from_linear
from pipeline.errors import Unfit
from pipeline.judge.hue import hue_shifts
from pipeline.judge.topology import growth_px, solid, topology
from pipeline.values import F32, U8, Mask

GAIN_SIGMA = 0.03
"""Low-pass of the fitted gain, as a share of the piece's long side: the smoothness that relighting promises."""
OPAQUE = np.float32(0.9)
BLACK = np.float32(0.004)
"""Added to luminances before their logarithm: under it lies the camera's noise."""
BEST_DB = 120.0
GREY = np.float32(0.18)
CANNY = (60, 130)


def identity_figures(
    reference_rgb: F32, reference_alpha: F32, piece_rgb: F32, piece_alpha: F32
) -> dict[str, float]:
    """Compare the piece in a render with the piece as it was cut out, pixel on pixel.

    rgb: (h, w, 3) scene-linear, unpremultiplied; alpha: (h, w) 0..1; all on one pixel grid.
    Returns, all float: growth_px, loss_px (solid pixels gained, lost); parts, holes and the same with _reference;
    topology_same (1 or 0); hue_metal_deg, hue_gem_deg (absolute), drift_metal_deg,
    drift_gem_deg (signed: grain and JPEG cancel), saturation_metal, saturation_gem (ratio), metal_share,
    gem_share; psnr_db (peak 1.0, after the smooth gain is divided out, at most 120); ssim, ssim_worst (its worst
    spot of 3 % of the piece) and edge_f1 (1 px tolerance) on the same; gain_min_ev, gain_max_ev of the fitted gain.
    Raises `ValueError` on unequal shapes, `Unfit` when either piece has no solid pixel.
    """
    _expect_one_grid(reference_rgb, reference_alpha, piece_rgb, piece_alpha)
    if not solid(reference_alpha).any() or not solid(piece_alpha).any():
        raise Unfit("Nothing of the piece is left in the picture.", "Check the cut-out of this photo.")
    weight = np.minimum(reference_alpha, piece_alpha)
    opaque = weight > OPAQUE
    log_gain = fit_gain(luminance(reference_rgb), luminance(piece_rgb), weight)
    leveled = piece_rgb * np.exp(-log_gain)[..., None]
    figures = _shape_figures(reference_alpha, piece_alpha)
    figures.update(_hue_figures(reference_rgb, piece_rgb, opaque))
    figures["psnr_db"] = psnr_db(reference_rgb, leveled, weight)
    before, after = _encoded(reference_rgb, reference_alpha), _encoded(leveled, piece_alpha)
    inside = solid(reference_alpha) | solid(piece_alpha)
    index = ssim_map(before, after)
    figures["ssim"] = float(index[inside].mean(dtype=np.float64))
    figures["ssim_worst"] = worst_spot(index, inside, GAIN_SIGMA * long_side(reference_alpha))
    figures["edge_f1"] = edge_f1(before, after)
    fitted = log_gain[opaque] if opaque.any() else log_gain
    figures["gain_min_ev"] = float(fitted.min()) / math.log(2)
    figures["gain_max_ev"] = float(fitted.max()) / math.log(2)
    return figures


def _expect_one_grid(reference_rgb: F32, reference_alpha: F32, piece_rgb: F32, piece_alpha: F32) -> None:
    grid = reference_alpha.shape
    if piece_alpha.shape != grid or reference_rgb.shape != (*grid, 3) or piece_rgb.shape != (*grid, 3):
        raise ValueError("identity needs both pieces on one pixel grid")


def _shape_figures(reference_alpha: F32, piece_alpha: F32) -> dict[str, float]:
    gained, lost = growth_px(reference_alpha, piece_alpha)
    before, after = topology(reference_alpha), topology(piece_alpha)
    return {
        "growth_px": float(gained),
        "loss_px": float(lost),
        "parts_reference": float(before.parts),
        "parts": float(after.parts),
        "holes_reference": float(before.holes),
        "holes": float(after.holes),
        "topology_same": float(before == after),
    }


def _hue_figures(reference_rgb: F32, piece_rgb: F32, opaque: Mask) -> dict[str, float]:
    figures = {}
    for kind, shift in hue_shifts(reference_rgb, piece_rgb, opaque).items():
        figures[f"hue_{kind}_deg"] = shift.degrees
        figures[f"drift_{kind}_deg"] = shift.drift_deg
        figures[f"saturation_{kind}"] = shift.saturation_ratio
        figures[f"{kind}_share"] = shift.share
    return figures


def fit_gain(reference: F32, piece: F32, weight: F32) -> F32:
    """Smooth log gain (natural, (h, w)) that carries luminance `reference` to `piece` inside `weight`.

    Normalised convolution of the log ratio (Knutsson and Westin, 1993), applied twice to what the first pass left
    over (Tukey's twicing), so that a gain as rough as relighting may make it is fitted without its amplitude shrinking.
    """
    ratio = np.log((np.maximum(piece, 0) + BLACK) / (np.maximum(reference, 0) + BLACK)).astype(np.float32)
    sigma_px = max(GAIN_SIGMA * long_side(weight), 1.0)
    weight = weight * np.clip(
        reference, BLACK, 1
    )  # a gain shows on what is bright; on black it cannot be seen
    first = _low_pass(ratio, weight, sigma_px)
    return first + _low_pass(ratio - first, weight, sigma_px)


def long_side(alpha: F32) -> float:
    """Longer side of the solid piece's box, in pixels; of the whole array when nothing is solid."""
    ys, xs = np.nonzero(solid(alpha))
    return float(max(np.ptp(ys), np.ptp(xs)) + 1 if ys.size else max(alpha.shape))


def _low_pass(values: F32, weight: F32, sigma_px: float) -> F32:
    """Normalised Gaussian of `values` under `weight`; on a coarser grid when the Gaussian is wide, for speed."""
    step = max(1, int(sigma_px / 4))
    h, w = values.shape
    size = (max(1, -(-w // step)), max(1, -(-h // step)))
    small = [cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (values * weight, weight)]
    blurred = [cv2.GaussianBlur(x, (0, 0), sigma_px / step, borderType=cv2.BORDER_CONSTANT) for x in small]
    smooth = blurred[0] / np.maximum(blurred[1], np.float32(1e-4))
    return np.asarray(cv2.resize(smooth, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def psnr_db(reference_rgb: F32, piece_rgb: F32, weight: F32) -> float:
    """PSNR in linear light, peak 1.0, weighted by the matte; what is over white is white. At most `BEST_DB`."""
    error = np.clip(piece_rgb, 0, 1) - np.clip(reference_rgb, 0, 1)
    total = float(weight.sum(dtype=np.float64))
    mse = float((weight * np.square(error).mean(axis=2)).sum(dtype=np.float64)) / max(total, 1e-9)
    return min(BEST_DB, -10 * math.log10(max(mse, 10 ** (-BEST_DB / 10))))


def _encoded(rgb: F32, alpha: F32) -> F32:
    """Luminance over mid grey, sRGB-encoded: 0..1 as an eye weighs it, (h, w)."""
    over = np.clip(luminance(rgb), 0, 1) * alpha + GREY * (1 - alpha)
    return srgb_from_linear(over)


def ssim_map(reference: F32, piece: F32) -> F32:
    """SSIM by pixel, (h, w) (Wang et al. 2004: Gaussian window of 1.5 px, K1 0.01, K2 0.03, range 1)."""

    def mean(x: F32) -> F32:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), np.float32)

    mx, my = mean(reference), mean(piece)
    vx, vy = mean(reference * reference) - mx * mx, mean(piece * piece) - my * my
    cov = mean(reference * piece) - mx * my
    c1, c2 = np.float32(0.01**2), np.float32(0.03**2)
    index = ((2 * mx * my + c1) * (2 * cov + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return np.asarray(index, np.float32)


def worst_spot(index: F32, inside: Mask, width_px: float) -> float:
    """Lowest mean of `index` over a square of about `width_px` centred on the piece: one claw must not average out."""
    side = max(3, round(width_px))
    within = inside.astype(np.float32)
    total = cv2.boxFilter(index * within, cv2.CV_32F, (side, side), borderType=cv2.BORDER_CONSTANT)
    count = cv2.boxFilter(within, cv2.CV_32F, (side, side), borderType=cv2.BORDER_CONSTANT)
    return float((total[inside] / count[inside]).min())


def edge_f1(reference: F32, piece: F32) -> float:
    """F1 of Canny edges of two encoded luminances, matched within 1 px. 1 when neither has an edge."""
    a, b = (cv2.Canny(_u8(x), *CANNY, L2gradient=True) > 0 for x in (reference, piece))
    count_a, count_b = int(a.sum()), int(b.sum())
    if count_a == 0 or count_b == 0:
        return float(count_a == count_b)
    near = np.ones((3, 3), np.uint8)
    precision = float((b & (cv2.dilate(a.astype(np.uint8), near) > 0)).sum()) / count_b
    recall = float((a & (cv2.dilate(b.astype(np.uint8), near) > 0)).sum()) / count_a
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _u8(x: F32) -> U8:
    return np.round(x * 255).astype(np.uint8)
