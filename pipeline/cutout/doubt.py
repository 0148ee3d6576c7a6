"""How unsure a soft matte is of itself. Owns the figures; `confidence` weighs them."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.shape.thickness import distance_inside
from pipeline.values import F32

FRINGE_PX = 4.0  # to either side of the outline, where a matte is soft by right


def doubts(first: F32, second: F32, alpha: F32) -> dict[str, float]:
    """Figures of a cut-out from two looks (h, w) at it and the matte (h, w) that came of them; all 0 for a sure one.

    doubt_share: pixels away from the outline that the second look gives neither to piece nor to ground, as a share of the
    piece. looks_differ: 1 - IoU of the two looks. matte_moved: 1 - IoU of the second look and the matte.
    """
    solid = alpha > 0.5
    away = np.where(solid, distance_inside(solid), distance_inside(~solid)) > FRINGE_PX
    area = max(float(solid.sum()), 1.0)
    unsure = 4 * second * (1 - second)
    return {
        "doubt_share": float(unsure[away].sum() / area),
        "looks_differ": 1 - _overlap(_coarse(first), _coarse(second)),
        "matte_moved": 1 - _overlap(second, alpha),
    }


def _coarse(matte: F32) -> F32:
    """As the first look would see it."""
    coarse: F32 = cv2.GaussianBlur(matte, (0, 0), 2.0)
    return coarse


def _overlap(one: F32, other: F32) -> float:
    """Soft IoU."""
    return float(np.minimum(one, other).sum() / max(float(np.maximum(one, other).sum()), 1e-6))
