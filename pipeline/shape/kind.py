"""A modest guess at the type of a piece from its outline alone, for folders that say `auto`."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.recipe import JewelryType
from pipeline.values import F32

PAIR_LIKENESS = 0.65  # ratio of areas of two parts that make a pair


def guess_kind(alpha: F32) -> JewelryType:
    """`earrings` for two like parts, `ring`, `bangle` or `necklace` by the size of the hole, else `pendant`."""
    mask = (alpha > 0.5).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = np.sort(stats[1:, cv2.CC_STAT_AREA])[::-1]
    if areas.size >= 2 and areas[1] > PAIR_LIKENESS * areas[0]:
        return "earrings"
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return "auto"
    outer = max(
        (cv2.contourArea(c) for c, h in zip(contours, hierarchy[0], strict=True) if h[3] < 0), default=0.0
    )
    hole = max(
        (cv2.contourArea(c) for c, h in zip(contours, hierarchy[0], strict=True) if h[3] >= 0), default=0.0
    )
    open_share = hole / max(outer, 1.0)
    if open_share > 0.8:
        return "necklace"
    if open_share > 0.5:
        return "bangle"
    return "ring" if open_share > 0.12 else "pendant"
