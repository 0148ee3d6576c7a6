"""Two looks at a photo, the whole and the piece from near, become one answer. Owns who is believed where."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.cutout.classical import drop_specks
from pipeline.cutout.holes import GEM_OR_GOLD
from pipeline.cutout.paper import FLOOR, Paper, bare_paper, spread
from pipeline.shape.thickness import distance_inside
from pipeline.values import F32, Box, Mask

LEAST_AGREED = 0.5  # of the first look's piece that the second has to find, or it is not believed alone
HOLE_PX, RIM_PX = 5.0, 2.0  # of the first look
CERTAIN = 0.95  # under this a soft matte is not believed where there is nothing but paper to be seen
SPECK_SHARE = 0.003  # of the largest part's area
GLINT_SHARE = 0.001  # of the piece's area


def on_crop(overview: F32, box: Box, scale: float, shape: tuple[int, ...]) -> F32:
    """The first look's answer on the second look's grid."""
    rows = slice(int(box.y0 * scale), max(int(box.y1 * scale), int(box.y0 * scale) + 1))
    columns = slice(int(box.x0 * scale), max(int(box.x1 * scale), int(box.x0 * scale) + 1))
    resized: F32 = cv2.resize(overview[rows, columns], (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return resized


def believed(first: F32, second: F32) -> F32:
    """The second look's region (h, w), and the first one's, too, if the second lost most of it."""
    if (second > 0.5).sum() < LEAST_AGREED * (first > 0.5).sum():
        return np.maximum(second, first > 0.5).astype(np.float32)
    return second


def joined(first: F32, second: F32, zoom: float) -> F32:
    """The second look (h, w), and where it misses the inside of something large the first one, which sees it whole.

    A bleached pearl or dial, seen from near, is as blank as the paper. zoom: pixels of the second look for one of the first;
    what is narrower than HOLE_PX of those the first look would not see as a hole, so there the second one is right.
    """
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(HOLE_PX * zoom / 2) + 1,) * 2)
    missed = cv2.morphologyEx((second < 0.5).astype(np.uint8), cv2.MORPH_OPEN, reach)
    inside = distance_inside(first > 0.5) > RIM_PX * zoom
    both: F32 = np.where((cv2.dilate(missed, reach) > 0) & inside, np.maximum(first, second), second)
    return both


def without_paper(answer: F32, rgb: F32, paper: Paper) -> F32:
    """A soft matte (h, w) without bare paper, as between a bleached hook and its shank, and without specks of dust.

    Nothing bare belongs to gold or coloured stones; to pearls, dials and silver it may, and the matte is believed where it is
    certain. Spots under GLINT_SHARE of the piece stay: they are glints of facets and polished metal.
    """
    bare = bare_paper(rgb, paper)
    if _chroma(rgb, paper, answer > 0.5) < GEM_OR_GOLD:
        bare &= answer < CERTAIN
    bare &= (answer <= 0.5) | ~_spots(bare, GLINT_SHARE * float((answer > 0.5).sum()))
    answer = np.where(bare, np.float32(0), answer)
    piece = answer > 0.5
    specks = piece & ~drop_specks(piece, SPECK_SHARE)
    around = cv2.dilate(specks.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    clean: F32 = np.where(around & ~(piece & ~specks), np.float32(0), answer)
    return clean


def _chroma(rgb: F32, paper: Paper, piece: Mask) -> float:
    """Median spread between the channels of the piece's ratio to the paper, 0..1."""
    if not piece.any():
        return 0.0
    ratio = (rgb[piece] + FLOOR) / (paper.rgb[piece] + FLOOR)
    return float(np.median(spread(ratio)))


def _spots(mask: Mask, least_px: float) -> Mask:
    """The parts of `mask` (h, w) with an area of less than `least_px`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < least_px
    small[0] = False
    spots: Mask = small[labels]
    return spots
