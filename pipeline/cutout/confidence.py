"""How sure the cut-out is of itself. Owns the figures and the notes a shop owner reads; decides no outcome."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.cutout.contour import edge_contrast
from pipeline.cutout.paper import FLOOR, Paper, strongest
from pipeline.values import F32, Mask, Note

REACH_PX = 2.5  # how far to either side of the contour colours are compared
WEAK_SIGMAS = 3.0
WEAK_LOG = 0.035  # contrast under this is lost in JPEG noise whatever the paper says
SOFT_RATIO = 0.16  # of the contrast, per pixel: a piece in focus is steeper


def weigh(
    rgb: F32, alpha: F32, unknown: Mask, paper: Paper
) -> tuple[float, dict[str, float], tuple[Note, ...]]:
    """Confidence 0..1 of a matte, its figures, and notes.

    weak_share: part of the contour whose contrast to the paper is under 3 sigma. soft_share: part of it that fades
    where a piece would end (a swallowed shadow, or blur). mush_px: mean width of the half-transparent fringe.
    """
    contour = (
        cv2.morphologyEx((alpha > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    )
    contour[:2], contour[-2:], contour[:, :2], contour[:, -2:] = False, False, False, False
    if not contour.any():
        return 0.0, {}, (Note("no-contour", "The piece has no visible outline on this paper."),)
    log_rgb = np.log(rgb + FLOOR)
    contrast = edge_contrast(log_rgb, alpha, REACH_PX)[contour]
    steep = cv2.dilate(_steepness(log_rgb), np.ones((3, 3), np.uint8))[contour]
    limit = max(WEAK_SIGMAS * paper.sigma, WEAK_LOG)
    weak = contrast < limit
    soft = (steep < SOFT_RATIO * np.maximum(contrast, limit)) & ~weak
    fringe = float(np.minimum(alpha, 1 - alpha)[unknown].sum() * 2 / max(contour.sum() / 2, 1))
    figures = {
        "paper_sigma": paper.sigma,
        "paper_found": paper.found,
        "weak_share": float(weak.mean()),
        "soft_share": float(soft.mean()),
        "mush_px": fringe,
    }
    notes = []
    if figures["weak_share"] > 0.10:
        notes.append(
            Note("weak-contour", f"{weak.mean():.0%} of the outline can hardly be told from the paper.")
        )
    if figures["soft_share"] > 0.12:
        notes.append(
            Note(
                "soft-contour",
                f"{soft.mean():.0%} of the outline is soft: a shadow may have been taken for metal, or the photo is out of focus.",
            )
        )
    loss = 2.5 * figures["weak_share"] + 2.0 * figures["soft_share"] + 0.15 * max(fringe - 2.5, 0)
    return float(np.clip(1 - loss, 0, 1)), figures, tuple(notes)


def _steepness(log_rgb: F32) -> F32:
    """Log change per pixel, strongest channel."""
    soft = cv2.GaussianBlur(log_rgb, (0, 0), 0.7)
    across, down = cv2.Scharr(soft, cv2.CV_32F, 1, 0), cv2.Scharr(soft, cv2.CV_32F, 0, 1)
    return strongest(cv2.magnitude(across, down) / 32)
