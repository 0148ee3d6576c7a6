"""A hoop's turn and lean are read off its outline, and its metal is where a real hoop's would be."""

import math

import numpy as np
import pytest

from pipeline.shape.hoop import find_hoop, find_lying, metal_of
from pipeline.shape.relief import Relief
from pipeline.shape.solid import solidify
from pipeline.values import Ground

SIDE = 480
GROUND = Ground(30.0, 300.0, (240.0, 380.0))


def drawn(yaw_deg, lean_deg, *, inner=120.0, outer=140.0, width=50.0, elevation_deg=30.0):
    """Mask and seen heights (px) of a shell, by marching along every line of sight."""
    e, yaw, lean = (math.radians(one) for one in (elevation_deg, yaw_deg, lean_deg))
    cos, sin, c, s = math.cos(yaw), math.sin(yaw), math.cos(lean), math.sin(lean)
    axes = np.array([[cos, sin, 0], [-sin * s, cos * s, c], [sin * c, -cos * c, s]])
    lift = outer * c + width / 2 * abs(s)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    up = 330 - y  # where the ground below the middle is seen
    top = np.zeros((SIDE, SIDE))
    hit = np.zeros((SIDE, SIDE), bool)
    for Z in np.arange(0, 2.4 * outer, 1.0):  # from the ground up, so the highest hit along the line stays
        Y = (up - Z * math.cos(e)) / math.sin(e)
        at = np.stack([x - 240, Y, np.full_like(x, Z - lift)])
        own = np.tensordot(axes, at, 1)
        away = np.hypot(own[0], own[1])
        here = (away >= inner) & (away <= outer) & (np.abs(own[2]) <= width / 2)
        top[here] = Z
        hit |= here
    return hit, top


@pytest.mark.parametrize(("yaw", "lean"), [(0, 0), (25, -8), (-40, 6), (15, -14)])
def test_yaw_and_lean_of_a_standing_hoop(yaw, lean):
    mask, top = drawn(yaw, lean)
    hoop = find_hoop(mask, GROUND)
    assert hoop
    assert hoop.sure
    assert math.degrees(hoop.yaw) == pytest.approx(yaw, abs=4)
    assert math.degrees(hoop.lean) == pytest.approx(lean, abs=5)
    assert hoop.outer_px / hoop.radius_px == pytest.approx(140 / 120, abs=0.04)
    ours, low, normal = metal_of(hoop, mask, np.full(mask.shape, 30, np.float32))
    assert np.abs(ours - top)[mask].mean() < 8  # of 280 px
    assert (low <= ours).all()
    assert np.allclose(np.linalg.norm(normal, axis=-1)[mask & (np.abs(normal).sum(-1) > 0)], 1, atol=1e-4)


def test_a_lying_hoop_stands_as_high_as_it_is_wide():
    mask, top = drawn(0, -90, width=60.0)
    hoop = find_lying(mask, GROUND)
    assert hoop
    assert hoop.sure
    assert math.degrees(hoop.elevation) == pytest.approx(30, abs=3)
    ours, _, _ = metal_of(hoop, mask, np.full(mask.shape, 20, np.float32))
    assert np.abs(ours - top)[mask].mean() < 8


def test_what_has_no_hole_or_a_square_one_is_no_hoop():
    mask = np.zeros((SIDE, SIDE), bool)
    mask[100:380, 100:380] = True
    assert find_hoop(mask, GROUND) is None
    mask[170:310, 170:310] = False
    hoop = find_hoop(mask, GROUND)
    assert hoop is None or not hoop.sure


def test_a_piece_of_unknown_turn_says_so():
    mask, _ = drawn(20, 0)
    assert solidify(mask.astype(np.float32), GROUND, "upright").sure == 1
    blob = np.zeros((SIDE, SIDE), np.float32)
    blob[150:380, 180:300] = 1
    assert solidify(blob, GROUND, "upright").sure < 1


def test_known_heights_are_kept():
    mask, top = drawn(20, 0)
    known = Relief(top.astype(np.float32), exact=True)
    solid = solidify(mask.astype(np.float32), GROUND, "upright", known)
    np.testing.assert_array_equal(solid.top_px[mask], top.astype(np.float32)[mask])
    assert (solid.low_px[mask] < solid.top_px[mask] + 1e-3).all()
