"""Parts and holes of a matte. Owns the counting of what a jeweller counts: pieces, openings, added and lost metal."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.values import F32, Mask

HALF, ROUNDING = np.float32(0.5), np.float32(1e-5)
SPECK_PX = 12
"""Connected areas smaller than this are grain of the matte, neither parts nor holes."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Connected parts (8-connected) and holes (4-connected background inside); Euler number = parts - holes."""

    parts: int
    holes: int


def solid(alpha: F32) -> Mask:
    """Where the matte is more piece than background: alpha > 0.5, (h, w)."""
    return alpha > HALF


def topology(alpha: F32, *, speck_px: int = SPECK_PX) -> Topology:
    """Count parts and holes of `alpha` (h, w) > 0.5; areas under `speck_px` pixels do not count.

    Foreground is 8-connected and background 4-connected, the pair for which the Euler number is consistent
    (Rosenfeld, "Connectivity in Digital Pictures", 1970).
    """
    framed = np.pad(solid(alpha).astype(np.uint8), 1)
    kept = _areas(framed, 8, speck_px)
    outside = 1
    return Topology(parts=len(kept), holes=len(_areas(1 - framed, 4, speck_px)) - outside)


def _areas(
    mask: np.ndarray[tuple[int, int], np.dtype[np.uint8]], connectivity: int, at_least: int
) -> list[int]:
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity, ltype=cv2.CV_32S)
    areas = (int(stats[i, cv2.CC_STAT_AREA]) for i in range(1, count))
    return [area for area in areas if area >= at_least]


def growth_px(reference: F32, alpha: F32) -> tuple[int, int]:
    """(gained, lost) pixels of the solid piece from `reference` to `alpha`, both (h, w)."""
    gained = (alpha > HALF + ROUNDING) & (reference <= HALF)
    lost = (reference > HALF + ROUNDING) & (alpha <= HALF)
    return int(np.count_nonzero(gained)), int(np.count_nonzero(lost))
