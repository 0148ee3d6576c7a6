"""Which enclosed calm regions are paper seen through the piece, or its cast shadow, and which are shiny metal."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cutout.evidence import Evidence
from pipeline.shape.thickness import distance_inside, local_radius
from pipeline.values import U8, Mask

LEAST_HOLE_PX = 6
PAPER_CHROMA = 0.05
SHADE = (0.2, 1.2)  # levels of paper in the piece's own shadow or bounce light
LEAST_ISLAND_PX, ISLAND_LEVEL = 4, 1.06  # a highlight inside a calm region, against the region
SHADE_CHROMA = 0.65  # of the piece's chroma
BRIGHT_SHADE, BRIGHT_SHADE_SHARE = 0.75, 0.0025  # paper that is hardly shaded may show through smaller gaps
SHADE_SHARE = 0.008  # of the piece's area; smaller calm regions are facets
GAP_RADIUS, GAP_LENGTH = 4.0, 4.0  # px, ratio: a long narrow bright region is the shine of a wire
HIGHLIGHT_SHARE = 0.35  # a hole is at least this wide against the metal around it
LARGE_SHARE = 0.01  # of the piece's area: too large for a highlight
STEEP_RIM = 0.12  # log change per pixel: highlights on pearls fade, holes end
ENDING_SHARE, FADING_SHARE = (
    0.5,
    0.25,
)  # of a rim: a small hole's, steep at least; a large one's, soft at most
LEAST_DIFFERENCE = (
    0.2  # from the paper, of what surrounds a hole: a pearl's bright side fades into its highlight
)
GEM_OR_GOLD = (
    0.16  # median chroma from which a piece counts as coloured, so that grey calm regions are not its metal
)


@dataclass(frozen=True, slots=True)
class Regions:
    """Connected calm regions after an erosion by `kernel`: labels (h, w) int32, OpenCV's stats per label."""

    labels: NDArray[np.int32]
    stats: NDArray[np.int32]
    kernel: U8

    def grown(self, wanted: NDArray[np.int32], calm: Mask) -> Mask:
        """The wanted regions, dilated back, inside the calm pixels."""
        lookup = np.zeros(self.stats.shape[0], np.uint8)
        lookup[wanted] = 1
        grown: Mask = (cv2.dilate(lookup[self.labels], self.kernel) > 0) & calm
        return grown


def open_holes(evidence: Evidence, calm: Mask, regions: Regions, outside: Mask, sigma: float) -> Mask:
    """Find holes and enclosed or hard-edged shadow among the regions not yet `outside`.

    Paper-like: level within 3 sigma of the paper and no colour. Beside a coloured piece also shaded paper: larger,
    darker, as calm as paper, and well less colourful than the piece (its shadow takes on some of its colour). A small
    region that is narrow or soft against the metal around it is a highlight and stays (gold-shine guard).
    """
    body = ~outside & ~calm
    if not body.any():
        return np.zeros_like(outside)
    tone = Tone(float(np.median(evidence.chroma[body])), float(body.sum()), max(0.05, 3 * sigma))
    taken = set(np.unique(regions.labels[outside]).tolist())
    wanted = [
        label
        for label in range(1, regions.stats.shape[0])
        if label not in taken
        and regions.stats[label, cv2.CC_STAT_AREA] >= LEAST_HOLE_PX
        and tone.explains(_region_tone(evidence, regions, label))
    ]
    if not wanted:
        return np.zeros_like(outside)
    candidates = regions.grown(np.array(wanted, np.int32), calm)
    return _without_highlights(candidates, ~outside & ~candidates, evidence)


@dataclass(frozen=True, slots=True)
class Tone:
    """chroma: median of the piece's body; area: its pixels; paper_limit: log distance that still is paper."""

    chroma: float
    area: float
    paper_limit: float

    def explains(self, region: RegionTone) -> bool:
        """Whether a calm region is paper, bare or in the shadow of such a piece."""
        if region.islands:  # a pearl or a cabochon: paper has no highlight in its middle
            return False
        if abs(np.log(max(region.level, 0.01))) < self.paper_limit and region.chroma < PAPER_CHROMA:
            return True
        share = SHADE_SHARE if region.level < BRIGHT_SHADE else BRIGHT_SHADE_SHARE
        shaded = SHADE[0] < region.level < SHADE[1] and region.chroma < SHADE_CHROMA * self.chroma
        return self.chroma > GEM_OR_GOLD and shaded and region.area >= share * self.area


@dataclass(frozen=True, slots=True)
class RegionTone:
    """Of one calm region: area in pixels, median level and chroma; islands: whether it surrounds something bright."""

    area: int
    level: float
    chroma: float
    islands: bool


def _region_tone(evidence: Evidence, regions: Regions, label: int) -> RegionTone:
    x, y, width, height = (int(v) for v in regions.stats[label, :4])
    view = (slice(y, y + height), slice(x, x + width))
    here = regions.labels[view] == label
    level = float(np.median(evidence.level[view][here]))
    chroma = float(np.median(evidence.chroma[view][here]))
    contours, _ = cv2.findContours(here.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros(here.shape, np.uint8), contours, -1, 1, cv2.FILLED) > 0
    enclosed = evidence.level[view][filled & ~here]
    islands = enclosed.size >= LEAST_ISLAND_PX and float(enclosed.max()) > ISLAND_LEVEL * level
    return RegionTone(int(regions.stats[label, cv2.CC_STAT_AREA]), level, chroma, islands)


def _without_highlights(candidates: Mask, body: Mask, evidence: Evidence) -> Mask:
    """Keep large candidates; of the small ones those with a steep rim that are wide against the metal around them."""
    count, labels = cv2.connectedComponents(candidates.astype(np.uint8), connectivity=4)
    inner = distance_inside(candidates)
    around = cv2.dilate(np.where(body, local_radius(body), np.float32(0)), np.ones((5, 5), np.uint8))
    steep = cv2.dilate(evidence.edge, np.ones((7, 7), np.uint8))
    unlike = np.where(body, np.maximum(np.abs(1 - evidence.level), evidence.chroma), np.float32(0))
    unlike = cv2.blur(unlike, (13, 13)) / (cv2.blur(body.astype(np.float32), (13, 13)) + 1e-3)
    flat = labels.ravel()
    reach = np.zeros(count, np.float32)
    np.maximum.at(reach, flat, inner.ravel())
    rim = candidates & (inner <= 2)
    rim_size = np.maximum(np.bincount(labels[rim], minlength=count), 1)
    metal = np.bincount(labels[rim], around[rim], count) / rim_size
    ends = np.bincount(labels[rim], steep[rim] > STEEP_RIM, count) / rim_size
    fades = np.bincount(labels[rim], steep[rim] < STEEP_RIM / 2, count) / rim_size
    difference = np.bincount(labels[rim], unlike[rim], count) / rim_size
    area = np.bincount(flat, minlength=count)
    large = (area >= LARGE_SHARE * body.sum()) & (fades < FADING_SHARE)
    wide = reach >= HIGHLIGHT_SHARE * metal
    keep = large | (wide & (ends > ENDING_SHARE))
    keep &= ~((reach <= GAP_RADIUS) & (area > GAP_LENGTH * np.square(2 * reach)))
    keep &= difference > LEAST_DIFFERENCE
    keep[0] = False
    kept: Mask = keep[labels]
    return kept
