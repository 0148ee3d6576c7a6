"""What is surely piece, surely paper, and the band between. Owns the band's width."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.cutout.holes import GEM_OR_GOLD, SHADE_CHROMA
from pipeline.cutout.paper import FLOOR, spread, strongest
from pipeline.shape.thickness import distance_inside, local_radius
from pipeline.values import F32, Mask

SIZE_SHARE = 0.004  # of the piece's long side
NARROW, WIDE = 2.0, 8.0  # px
CORE_SHARE = 0.6  # of the local radius: a thin chain keeps a seed of piece in its middle
LINING_PX = 26.0  # how deep JPEG ringing can hide the contour
NEARER, NEAR_LOG = 0.4, 0.3  # log distance to the paper, against the piece's and at most
BARE_LOG, FAR_LOG = 0.15, 0.6  # off the paper by less than this, beside a piece that is off by more
SHADE_LOG = 0.9  # the same for shaded paper
MIDDLE_SHARE, MIDDLE_REACH_PX = 0.7, 6.0
SURE = 0.9  # a soft matte's answer over which, and under its counterpart, a pixel is not in doubt
DOUBT_REACH = 3.0
HALO_PX = 2.0  # edge strength is measured over a few pixels, so segmenters end outside the true contour


@dataclass(frozen=True, slots=True)
class Trimap:
    """known: (h, w) 1 piece, 0 paper (0.5 in the band, unused); unknown: (h, w) the band."""

    known: F32
    unknown: Mask


def make_trimap(piece: Mask, rgb: F32, paper_rgb: F32, *, halo_px: float = HALO_PX) -> Trimap:
    """Band = clip(0.4 % of the piece, 2, 8) px plus the segmenter's halo, but never more than 60 % of the local radius.

    rgb, paper_rgb: (h, w, 3) linear. Where pixels along the contour are nearer to the paper than to the piece beside
    them (JPEG ringing), the band follows them inwards.
    """
    rows, columns = np.flatnonzero(piece.any(1)), np.flatnonzero(piece.any(0))
    size = max(np.ptp(rows), np.ptp(columns)) + 1 if rows.size else 0
    inward = float(np.clip(SIZE_SHARE * size, NARROW, WIDE)) + halo_px
    distance = distance_inside(piece)
    radius = local_radius(piece)
    core = piece & (distance >= np.minimum(inward, np.maximum(CORE_SHARE * radius, 1.0)))
    middle = piece & (distance >= np.minimum(MIDDLE_SHARE * radius, LINING_PX))
    near, bare = nearer_to_paper(rgb, paper_rgb, middle)
    shallow = distance <= LINING_PX
    lining = connected_to(~piece, shallow & near)
    core &= ~lining
    bare &= lining
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    wide = cv2.dilate(piece.astype(np.uint8), reach) > 0
    known = np.where(core, 1.0, 0.0).astype(np.float32)
    unknown = wide & ~core & ~bare
    known[unknown] = 0.5
    return Trimap(known, unknown)


def soft_trimap(matte: F32) -> Trimap:
    """Around a soft matte (h, w) that is right to a pixel or two: a band along its outline.

    clip(0.4 % of the piece, 2, 8) px to either side, but inwards never more than 60 % of the local radius; and where the
    matte is in doubt, as far as DOUBT_REACH times that.
    """
    piece = matte > 0.5
    rows, columns = np.flatnonzero(piece.any(1)), np.flatnonzero(piece.any(0))
    size = max(np.ptp(rows), np.ptp(columns)) + 1 if rows.size else 0
    width = float(np.clip(SIZE_SHARE * size, NARROW, WIDE))
    depth = distance_inside(piece)
    off = np.where(piece, depth, distance_inside(~piece))
    inward = np.minimum(width, np.maximum(CORE_SHARE * local_radius(piece), 1.0))
    doubtful = (np.abs(matte - 0.5) < SURE - 0.5) & (off <= DOUBT_REACH * width)
    unknown: Mask = np.where(piece, depth < inward, off <= width) | doubtful
    known = np.where(unknown, 0.5, piece).astype(np.float32)
    return Trimap(known, unknown)


def nearer_to_paper(rgb: F32, paper_rgb: F32, middle: Mask) -> tuple[Mask, Mask]:
    """Pixels far more like bare paper, or beside a coloured piece like shaded paper, than like the piece around them.

    Second, those that can be nothing but bare paper: beside a piece that is far from it, and hardly off it.
    """
    ratio = (rgb + FLOOR) / (paper_rgb + FLOOR)
    far = strongest(np.abs(np.log(ratio)))
    weight = middle.astype(np.float32)
    typical = cv2.GaussianBlur(far * weight, (0, 0), MIDDLE_REACH_PX)
    typical /= cv2.GaussianBlur(weight, (0, 0), MIDDLE_REACH_PX) + 1e-4
    distance = cv2.GaussianBlur(far, (0, 0), 0.7)
    near: Mask = distance < np.minimum(NEARER * typical, NEAR_LOG)
    chroma = spread(ratio)
    own_chroma = float(np.median(chroma[middle])) if middle.any() else 0.0
    if own_chroma > GEM_OR_GOLD:
        grey = cv2.GaussianBlur(chroma, (0, 0), 1.0) < SHADE_CHROMA * own_chroma
        near |= grey & (distance < np.minimum(NEARER * typical, SHADE_LOG))
    return near, (distance < BARE_LOG) & (typical > FAR_LOG)


def connected_to(paper: Mask, doubtful: Mask) -> Mask:
    """Doubtful pixels (h, w) off the `paper` that are connected to it through each other."""
    inside = doubtful & ~paper
    count, labels = cv2.connectedComponents((inside | paper).astype(np.uint8), connectivity=4)
    touching = np.zeros(count, np.bool_)
    touching[np.unique(labels[paper])] = True
    connected: Mask = touching[labels] & inside
    return connected
