"""Paper that stayed in a matte: a rim around a disc, a filled ring; and none where the matte is true."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.cutout.leftover import leftover_figures
from pipeline.judge.light import MOST_LINED, filled

GOLD, PAPER = np.array([0.5, 0.3, 0.08], np.float32), np.float32(0.9)


def photo(hole_px: int):
    """A gold disc, or a ring, on paper, its colour uneven: (rgb, alpha)."""
    y, x = np.mgrid[0:400, 0:400].astype(np.float32)
    away = np.hypot(x - 200, y - 200)
    alpha = np.clip(120.5 - away, 0, 1) * np.clip(away - hole_px + 0.5, 0, 1)
    shine = (1 + 0.3 * np.sin(x / 9) * np.cos(y / 13))[..., None]
    rgb = GOLD * shine * alpha[..., None] + PAPER * (1 - alpha[..., None])
    return cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 0.6), alpha.astype(np.float32)


def figures(rgb, alpha):
    found = leftover_figures(rgb, alpha, np.full_like(rgb, PAPER))
    return {f"matte_{name}": value for name, value in found.items()}


@pytest.mark.parametrize("hole_px", [0, 80])
def test_a_true_matte_has_no_leftovers(hole_px):
    rgb, alpha = photo(hole_px)
    found = figures(rgb, alpha)
    assert found["matte_lined_share"] < MOST_LINED / 2
    assert not filled(found)


@pytest.mark.parametrize("rim_px", [2, 3])
def test_a_rim_of_paper_is_seen(rim_px):
    rgb, alpha = photo(0)
    outside = cv2.distanceTransform((alpha <= 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    wide = np.maximum(alpha, np.clip(rim_px + 1 - outside, 0, 1)).astype(np.float32)
    assert figures(rgb, wide)["matte_lined_share"] > MOST_LINED


def test_a_filled_opening_is_seen():
    rgb, alpha = photo(80)
    y, x = np.mgrid[0:400, 0:400]
    alpha[np.hypot(x - 200, y - 200) < 90] = 1
    assert filled(figures(rgb, alpha))


def test_no_contour_tells_nothing():
    rgb, alpha = photo(0)
    assert np.isnan(figures(rgb, np.zeros_like(alpha))["matte_lined_share"])
