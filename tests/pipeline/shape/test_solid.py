"""Thickness, height and contact of simple outlines."""

import numpy as np
import pytest

from pipeline.shape.kind import guess_kind
from pipeline.shape.solid import solidify
from pipeline.shape.thickness import local_radius, thickness
from pipeline.values import Ground


def bar(height=200, width=300):
    mask = np.zeros((height, width), np.float32)
    mask[60:141, 50:71] = 1
    return mask


def test_a_tube_is_as_deep_as_it_is_wide():
    depth = thickness(bar() > 0)
    assert depth[100, 60] == pytest.approx(22, abs=2)
    assert depth[100, 50] < depth[100, 60]
    assert local_radius(bar() > 0)[0, 0] == 0


def test_upright_piece_touches_the_ground_and_rises():
    solid = solidify(bar(), Ground(30.0, 80.0, (60, 141)), "upright")
    assert solid.top_px[140, 60] == pytest.approx(0, abs=0.01)
    assert solid.top_px[60, 60] == pytest.approx(80 / np.cos(np.radians(30)), rel=0.02)


def test_each_earring_stands_on_its_own_foot():
    mask = bar()
    mask[20:90, 200:221] = 1
    solid = solidify(mask, Ground(30.0, 120.0, (120, 141)), "upright")
    assert solid.top_px[89, 210] < 1
    assert solid.top_px[140, 60] < 1


def test_flat_piece_lies_low_and_faces_up():
    solid = solidify(bar(), Ground(90.0, 80.0, (60, 100)), "flat")
    assert 0 < solid.top_px.max() < 12
    assert solid.normal[100, 60, 2] > 0.95


def test_pairs_and_rings_are_guessed():
    mask = bar()
    assert guess_kind(mask) == "pendant"
    mask[60:141, 200:221] = 1
    assert guess_kind(mask) == "earrings"


def test_hanging_piece_keeps_off_the_wall():
    ground = Ground(90.0, 80.0, (60, 100))
    flat, hanging = solidify(bar(), ground, "flat"), solidify(bar(), ground, "hanging")
    assert hanging.low_px[100, 60] > flat.low_px[100, 60] + 1
