"""The segmenter that needs no weights: paper is what can be reached from the frame without crossing an edge.

Colour alone loses silver on white and swallows shadows beside gold (their interreflection is coloured). Edges do
not: a shadow fades, a piece ends. The paper region grows from the border over pixels whose log-gradient is small
for their depth of shadow; an opening closes the gaps of a faint contour. GrabCut was tried in this place: its colour
models give away bright silver and dark gaps, and it costs seconds at this size, so it is not used.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.color import linear_from_srgb_u8
from pipeline.cutout.evidence import Evidence, local_noise, measure
from pipeline.cutout.holes import Regions, open_holes
from pipeline.cutout.paper import fit_paper, follow_paper
from pipeline.values import F32, U8, Mask

EDGE_FLOOR = 0.025  # log change per pixel that paper may show
# For a colourless piece (silver, pearls) and a coloured one (gold, gems): beside gold a shadow may be steep and warm,
# beside silver the same slack would let the paper into the metal.
EDGE_PER_SHADE = (0.22, 0.4)  # steeper change allowed per unit of darkening: penumbrae are steepest half way
CHROMA_LIMIT = (0.34, 0.6)  # at this colourfulness nothing is paper or shadow
COLOURLESS, COLOURED = 0.22, 0.34  # median chroma of the piece
BARE_LOG = 0.012  # off the paper by less than this, or by three sigma, a pixel is bare paper
NARROW_HOLE_PX = 6000  # area of a hole that the coarse look may have missed
ADVANCE_PX = 3  # how far, in coarse pixels, the fine look may move the contour inwards


def _between(pair: tuple[float, float], share: float) -> float:
    return pair[0] + (pair[1] - pair[0]) * share


def colourfulness(evidence: Evidence, piece: Mask) -> float:
    """0 for a piece without colour, 1 for gold or coloured stones, between them a ramp."""
    if not piece.any():
        return 0.0
    chroma = float(np.median(evidence.chroma[piece]))
    return float(np.clip((chroma - COLOURLESS) / (COLOURED - COLOURLESS), 0, 1))


def calm_regions(evidence: Evidence, colour: float) -> tuple[Mask, Regions]:
    """Pixels that may be paper or shadow beside a piece of this `colourfulness`, and their regions after an opening."""
    shade = np.clip(1 - evidence.level, 0, 1)
    limit = np.maximum(EDGE_FLOOR, 3.2 * evidence.noise) + _between(EDGE_PER_SHADE, colour) * shade
    limit *= np.clip(1 - (evidence.chroma - evidence.tint) / _between(CHROMA_LIMIT, colour), 0, 1)
    calm = (evidence.edge < limit) & (evidence.level > 0.12) & (evidence.level < 1.8)
    radius = 2 if float(np.median(evidence.noise)) < 0.015 else 3
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    core = cv2.erode(calm.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=4)
    return calm, Regions(labels, stats, kernel)


def reached_from_border(evidence: Evidence, calm: Mask, regions: Regions) -> Mask:
    """The calm regions that touch the frame and have about the paper's brightness somewhere there."""
    labels = regions.labels
    rim = np.zeros(labels.shape, np.bool_)
    rim[0], rim[-1], rim[:, 0], rim[:, -1] = True, True, True, True
    like_paper = rim & (np.abs(np.log(evidence.level + 0.01)) < 0.3)
    seeds = np.unique(labels[like_paper])
    return regions.grown(seeds[seeds > 0], calm)


@dataclass(frozen=True, slots=True)
class ClassicalSegmenter:
    """Edge-bounded paper growing; see the module's docstring. Stateless, deterministic.

    A large picture is read twice: coarsely, where a faint or blurred contour is steep enough to stop the paper, and
    finely, where the paper may advance a few pixels to the true contour and into narrow holes.
    """

    name: str = "classical"
    soft: bool = False
    overview_px: int = 640
    coarse_px: int = 560

    def segment(self, srgb: U8) -> F32:
        """See `Segmenter.segment`."""
        height, width = srgb.shape[:2]
        shrink = self.coarse_px / max(height, width)
        if shrink > 0.75:
            return drop_specks(~_paper_region(srgb)).astype(np.float32)
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        coarse = drop_specks(~_paper_region(cv2.resize(srgb, size, interpolation=cv2.INTER_AREA)))
        soft = cv2.GaussianBlur((~coarse).astype(np.float32), (0, 0), 0.8)
        outside = (cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5).astype(np.uint8)
        reach = 2 * round(ADVANCE_PX / shrink) + 1
        allowed = cv2.dilate(outside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))) > 0
        fine = _paper_region(srgb, allowed)
        return drop_specks(~((outside > 0) | fine)).astype(np.float32)


def _paper_region(srgb: U8, allowed: Mask | None = None) -> Mask:
    """Paper, cast shadow and holes (h, w). `allowed`: where a coarser look lets the paper be."""
    rgb = linear_from_srgb_u8(srgb)
    smooth = cv2.GaussianBlur(rgb, (0, 0), 1.0)
    paper = fit_paper(smooth)
    noise, colour = None, 0.0
    for follow in (True, True, False):
        evidence = measure(rgb, paper, noise)
        calm, regions = calm_regions(evidence, colour)
        outside = reached_from_border(evidence, calm, regions)
        if follow:
            paper = follow_paper(smooth, paper, outside & (evidence.level > 0.8))
            noise = local_noise(evidence, outside)
            colour = colourfulness(evidence, ~outside & ~calm)
    holes = open_holes(evidence, calm, regions, outside, paper.sigma)
    if allowed is None:
        return outside | holes
    limit = max(BARE_LOG, 3 * paper.sigma)
    bare = (np.abs(np.log(evidence.level)) < limit) & (evidence.chroma < evidence.tint + limit)
    return (outside & allowed) | _agreed(holes, allowed | bare)


def _agreed(holes: Mask, allowed: Mask) -> Mask:
    """Holes of the fine look as far as they are allowed, and those too narrow for the coarse one to see.

    Allowed: where the coarse look saw paper too, and where there is bare paper.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(holes.astype(np.uint8), connectivity=4)
    narrow = stats[:, cv2.CC_STAT_AREA] <= NARROW_HOLE_PX
    narrow[0] = False
    agreed: Mask = (holes & allowed) | narrow[labels]
    return agreed


def drop_specks(piece: Mask, least_share: float = 0.012) -> Mask:
    """Keep the largest part and every part at least `least_share` as large: dust and stray reflections go."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(piece.astype(np.uint8), connectivity=8)
    if count <= 1:
        return piece
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas >= max(least_share * areas.max(), 12))
    lookup = np.zeros(count, np.bool_)
    lookup[kept] = True
    kept_piece: Mask = lookup[labels]
    return kept_piece
