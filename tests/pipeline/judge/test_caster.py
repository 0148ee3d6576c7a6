"""The judge's own caster: shadows lie away from the light and grow with height."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.judge.caster import away, casters_of, rays_to
from pipeline.layout import Piece
from pipeline.shape.solid import solidify
from pipeline.values import Box, Ground


def piece(pose, elevation_deg):
    alpha = np.zeros((200, 200), np.float32)
    alpha[60:140, 90:110] = 1
    ground = Ground(elevation_deg, 80.0, (100.0, 140.0))
    view = "table" if pose == "upright" else "flat"
    return Piece(np.ones((200, 200, 3), np.float32), alpha, Box(90, 60, 110, 140), ground, view, pose, 1.0)


@pytest.mark.parametrize(("azimuth_deg", "side"), [(-90, 1), (90, -1)])
@pytest.mark.parametrize(("pose", "elevation_deg"), [("flat", 90.0), ("upright", 30.0), ("hanging", 90.0)])
def test_the_shadow_lies_away_from_the_light(pose, elevation_deg, azimuth_deg, side):
    one = piece(pose, elevation_deg)
    caster, _ = casters_of(
        one, solidify(one.alpha, one.ground, one.pose), (slice(None), slice(None)), 2, None
    )
    shade = caster.shade(rays_to(azimuth_deg, 40.0, 2.0, 4))
    shade[one.alpha[1::2, 1::2] > 0.5] = 0
    columns = shade.sum(0)
    middle = (columns * np.arange(100)).sum() / columns.sum()
    assert side * (middle - 50) > 3


def test_rays_stay_above_ground_and_within_the_lamp():
    rays = rays_to(30.0, 45.0, 10.0, 64)
    toward = np.array([0.5, 0.75**0.5, 1.0]) * 0.5**0.5
    assert np.allclose(np.linalg.norm(rays, axis=1), 1, atol=1e-5)
    assert float((rays @ toward).min()) >= np.cos(np.radians(10.0)) - 1e-5
    assert away((0.0, 0.0, 1.0), np.pi / 2) == pytest.approx((0.0, 0.0))


def test_a_hanging_piece_throws_its_shadow_off_itself():
    one = piece("hanging", 90.0)
    caster, _ = casters_of(
        one, solidify(one.alpha, one.ground, one.pose), (slice(None), slice(None)), 2, None
    )
    assert caster.height.min() > 0
