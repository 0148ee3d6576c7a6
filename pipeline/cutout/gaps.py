"""Paper that was taken for the piece: slivers, gaps, linings. Owns how they are told from facets and polished metal."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.cutout.holes import GEM_OR_GOLD
from pipeline.cutout.paper import FLOOR, spread, strongest
from pipeline.cutout.trimap import connected_to, nearer_to_paper
from pipeline.shape.thickness import distance_inside, local_radius
from pipeline.values import F32, U8, Mask

CERTAIN = 0.9  # from here on a network's answer is not questioned
LINING_PX, MIDDLE_SHARE = (
    16.0,
    0.7,
)  # a lining is at most so deep; what is deeper by the local radius is the piece's middle
BRIGHTER = 1.1  # what outshines the paper by this is polished metal
# In gold or beside coloured stones, what is as blank as paper: at the piece's rim from this share of it on, a gap and no
# glint; within it, where facets shine, only from a larger one. And without a share of the piece's colour.
BLANK_LOG, BLANK_RIM_LOG = 0.2, 0.15
BLANK_SHARE, BLANK_RIM_SHARE = 0.004, 0.001
BLANK_CHROMA = 0.25
GROUND_SHARE = 0.01  # of the piece's area: the ground and what shows of it through the piece, not a pinhole


def lining(matte: F32, rgb: F32, paper_rgb: F32) -> Mask:
    """Of the piece in `matte` (h, w), what is connected to the ground and far more like it, bare or shaded.

    rgb, paper_rgb: (h, w, 3) linear.
    """
    piece = matte > 0.5
    depth = distance_inside(piece)
    middle = piece & (depth >= np.minimum(MIDDLE_SHARE * local_radius(piece), LINING_PX))
    near, _ = nearer_to_paper(rgb, paper_rgb, middle)
    dull = rgb.mean(-1) < BRIGHTER * paper_rgb.mean(-1)
    doubtful = piece & near & dull & (depth <= LINING_PX)
    return connected_to(_ground(piece), doubtful) & (matte < CERTAIN)


def blanks(matte: F32, ratio: F32, far: F32) -> Mask:
    """Gaps in a coloured piece that show nothing but paper, where `matte` (h, w) is not certain of a gap as a whole.

    ratio: (h, w, 3) to the paper; far: (h, w) log distance from it.
    """
    piece = matte > 0.5
    gaps = np.zeros_like(piece)
    chroma = spread(ratio)
    own = float(np.median(chroma[piece])) if piece.any() else 0.0
    if own < GEM_OR_GOLD:
        return gaps
    pale = piece & (cv2.GaussianBlur(chroma, (0, 0), 0.7) < BLANK_CHROMA * own)
    distance = cv2.GaussianBlur(far, (0, 0), 0.7)
    rim = cv2.dilate(_ground(piece).astype(np.uint8), disc(2)) > 0
    least = piece.sum()
    gaps |= _unsure_parts(pale & (distance < BLANK_LOG), matte, BLANK_SHARE * least)
    gaps |= _unsure_parts(pale & (distance < BLANK_RIM_LOG), matte, BLANK_RIM_SHARE * least, touching=rim)
    return gaps


def log_distance(rgb: F32, paper_rgb: F32) -> tuple[F32, F32]:
    """Ratio (h, w, 3) of two linear pictures, and its strongest channel's distance from 1 (h, w), log."""
    ratio = (rgb + FLOOR) / (paper_rgb + FLOOR)
    return ratio, strongest(np.abs(np.log(ratio)))


def disc(radius: int) -> U8:
    """A round structuring element."""
    element: U8 = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return element


def _unsure_parts(mask: Mask, matte: F32, least_px: float, touching: Mask | None = None) -> Mask:
    """Parts of `mask`, opened, of `least_px` and more, of whose whole the matte is not certain, and which touch `touching`."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(1))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA]
    wanted = (area >= least_px) & (np.bincount(labels.ravel(), matte.ravel(), count) < CERTAIN * area)
    if touching is not None:
        wanted &= np.bincount(labels.ravel(), touching.ravel(), count) > 0
    wanted[0] = False
    parts: Mask = wanted[labels]
    return parts


def _ground(piece: Mask) -> Mask:
    """What is not the piece, without pinholes."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~piece).astype(np.uint8), connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= GROUND_SHARE * piece.sum()
    large[0] = False
    ground: Mask = large[labels]
    return ground
