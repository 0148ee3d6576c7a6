"""How sure the cut-out is of itself. Owns the figures and the notes a shop owner reads; decides no outcome."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.cutout.contour import edge_contrast, local_mean
from pipeline.cutout.paper import FLOOR, Paper, spread, strongest
from pipeline.shape.thickness import distance_inside
from pipeline.values import F32, Mask, Note

REACH_PX = 2.5  # how far to either side of the contour colours are compared
WEAK_SIGMAS = 3.0
WEAK_LOG = 0.035  # contrast under this is lost in JPEG noise whatever the paper says
SOFT_RATIO = 0.16  # of the contrast, per pixel: a piece in focus is steeper
HALO_RATIO, HALO_LOG = 0.35, 0.4  # a rim this much nearer to the paper than the piece inside it
BARE_LOG = 0.06
COLOURLESS = 0.12  # median chroma under which a bright rim is the metal's own
WEAK_NOTED, SOFT_NOTED, HALO_NOTED = 0.10, 0.08, 0.03
LOSS_WEAK, LOSS_SOFT, LOSS_HALO, LOSS_MUSH = 2.5, 2.0, 8.0, 0.15
LOSS_MOVED, LOSS_DIFFER, DOUBT_NOTED = 3.0, 2.0, 0.06
USUAL_MOVED, USUAL_DIFFERENCE = 0.08, 0.10
LOSS_FAINT, USUAL_FAINT = 12.0, 0.012
USUAL_HALO, USUAL_MUSH_PX = 0.02, 2.5


def weigh(
    rgb: F32, alpha: F32, unknown: Mask, paper: Paper
) -> tuple[float, dict[str, float], tuple[Note, ...]]:
    """Confidence 0..1 of a matte, its figures, and notes.

    weak_share: part of the contour whose contrast to the paper is under 3 sigma. soft_share: part of it that fades
    where a piece would end (a swallowed shadow, or blur). halo_share: part of it lined with paper's colour.
    bare_share: part of the piece that bare paper would explain. mush_px: mean width of the half-transparent fringe.
    """
    solid = alpha > 0.5
    contour = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    contour[:2], contour[-2:], contour[:, :2], contour[:, -2:] = False, False, False, False
    if not contour.any():
        return 0.0, {}, (Note("no-contour", "The piece has no visible outline on this paper."),)
    log_rgb = np.log(rgb + FLOOR)
    contrast = edge_contrast(log_rgb, alpha, REACH_PX)[contour]
    steep = cv2.dilate(_steepness(log_rgb), np.ones((3, 3), np.uint8))[contour]
    limit = max(WEAK_SIGMAS * paper.sigma, WEAK_LOG)
    weak = contrast < limit
    soft = (steep < SOFT_RATIO * np.maximum(contrast, limit)) & ~weak
    figures = {
        "paper_sigma": paper.sigma,
        "paper_found": paper.found,
        "weak_share": float(weak.mean()),
        "soft_share": float(soft.mean()),
        "halo_share": _halo_share(rgb, paper, solid, contour),
        "bare_share": _bare_share(rgb, paper, solid),
        "mush_px": float(np.minimum(alpha, 1 - alpha)[unknown].sum() * 4 / contour.sum()),
    }
    loss = LOSS_WEAK * figures["weak_share"] + LOSS_SOFT * figures["soft_share"]
    loss += LOSS_HALO * max(figures["halo_share"] - USUAL_HALO, 0)
    loss += LOSS_MUSH * max(figures["mush_px"] - USUAL_MUSH_PX, 0)
    return float(np.clip(1 - loss, 0, 1)), figures, tuple(_notes(figures))


def doubted(confidence: float, figures: dict[str, float]) -> tuple[float, tuple[Note, ...]]:
    """The confidence of a cut-out with the figures of `doubt.doubts` weighed in, and a note if they weigh much.

    Set on rendered photos held out of training: what the matte had to mend, and two looks that differ, tell failures best;
    faint_share is `opinions.Settled`'s.
    """
    loss = LOSS_MOVED * max(figures["matte_moved"] - USUAL_MOVED, 0)
    loss += LOSS_DIFFER * max(figures["looks_differ"] - USUAL_DIFFERENCE, 0)
    loss += LOSS_FAINT * max(figures["faint_share"] - USUAL_FAINT, 0)
    text = "What is piece and what is ground could not be told everywhere."
    return max(confidence - loss, 0.0), (Note("unsure-parts", text),) if loss > DOUBT_NOTED else ()


def _halo_share(rgb: F32, paper: Paper, solid: Mask, contour: Mask) -> float:
    """Part of the contour where the piece's rim looks like paper and the piece just inside it does not. At half size."""
    rgb, paper_rgb, solid = rgb[::2, ::2], paper.rgb[::2, ::2], solid[::2, ::2]
    ratio = (rgb + FLOOR) / (paper_rgb + FLOOR)
    chroma = spread(ratio)
    far = strongest(np.abs(np.log(ratio)))
    depth = distance_inside(solid)
    inside = solid & (depth >= 3)
    if not inside.any() or float(np.median(chroma[solid])) < COLOURLESS:
        return 0.0
    rim = local_mean(far, solid & (depth >= 0.75) & (depth < 2.25), REACH_PX / 2)
    within = local_mean(far, inside, REACH_PX)
    known = contour[::2, ::2] & (cv2.GaussianBlur(inside.astype(np.float32), (0, 0), REACH_PX) > 0.02)
    halo = known & (rim < HALO_RATIO * within) & (rim < HALO_LOG)
    return float(halo.sum() / max(known.sum(), 1))


def _bare_share(rgb: F32, paper: Paper, solid: Mask) -> float:
    """Part of the piece whose colour is the paper's: white silver on white paper, or paper taken for silver."""
    ratio = (rgb[::2, ::2] + FLOOR) / (paper.rgb[::2, ::2] + FLOOR)
    inside = solid[::2, ::2]
    bare = inside & (strongest(np.abs(np.log(ratio))) < max(WEAK_SIGMAS * paper.sigma, BARE_LOG))
    return float(bare.sum() / max(inside.sum(), 1))


def _notes(figures: dict[str, float]) -> list[Note]:
    found = []
    weak, soft, halo = figures["weak_share"], figures["soft_share"], figures["halo_share"]
    if weak > WEAK_NOTED:
        found.append(Note("weak-contour", f"{weak:.0%} of the outline can hardly be told from the paper."))
    if soft > SOFT_NOTED:
        why = "a shadow may have been taken for metal, or the photo is out of focus"
        found.append(Note("soft-contour", f"{soft:.0%} of the outline is soft: {why}."))
    if halo > HALO_NOTED:
        found.append(Note("halo", f"{halo:.0%} of the outline is lined with the paper's colour."))
    return found


def _steepness(log_rgb: F32) -> F32:
    """Log change per pixel, strongest channel."""
    soft = cv2.GaussianBlur(log_rgb, (0, 0), 0.7)
    across, down = cv2.Scharr(soft, cv2.CV_32F, 1, 0), cv2.Scharr(soft, cv2.CV_32F, 0, 1)
    return strongest(cv2.magnitude(across, down) / 32)
