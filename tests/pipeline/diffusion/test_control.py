"""What a ControlNet is shown: the set's own geometry, in the conventions it was trained on, the same for every piece."""

from __future__ import annotations

import math

import numpy as np

from pipeline.backdrop.backdrop import paint
from pipeline.backdrop.stage import Stage
from pipeline.diffusion.control import control_picture, depth, normal, usual_stage
from pipeline.values import Ground
from presets.library import recipe


def stage(template, view="table", unit_px=600.0, at=(540.0, 756.0)):
    wanted = recipe(template, "ring")
    ground = Ground(30.0 if view == "table" else 90.0, unit_px, at)
    return Stage(wanted.surface, wanted.rig, view, 1080, 1080, 0, ground)


def usual(template, view="table"):
    return usual_stage(stage(template, view), (256, 256))


def test_a_table_comes_nearer_towards_the_bottom():
    shown = depth(usual("marble-black-studio"))[..., 0].astype(int)
    assert (np.diff(shown.mean(1)) >= 0).all()
    assert shown[0].max() < 60
    assert shown[-1].min() > 240
    assert np.ptp(shown[128]) <= 1


def test_seen_from_above_flat_ground_has_no_depth():
    assert (depth(usual("marble-black-studio", "flat")) == 128).all()


def test_a_tables_normal_leans_as_the_camera_looks():
    shown = normal(usual("marble-black-studio"))
    e = math.radians(30.0)
    wanted = [round((0.5 + 0.5 * axis) * 255) for axis in (0.0, math.cos(e), math.sin(e))]
    assert np.abs(shown.reshape(-1, 3).astype(int) - wanted).max() <= 1
    above = normal(usual("marble-black-studio", "flat"))
    assert np.abs(above.reshape(-1, 3).astype(int) - [128, 128, 255]).max() <= 1


def test_cloth_has_folds():
    assert np.ptp(normal(usual("velvet-navy-moody"))[..., 0].astype(int)) > 40


def test_edges_are_those_of_the_ordinary_set():
    set_up = usual("marble-white-studio")
    scene = paint(set_up.surface, set_up.rig, "table", (256, 256), 0, set_up.ground)
    shown = control_picture("edges", set_up, scene)
    assert set(np.unique(shown)) == {0, 255}
    assert 0.001 < (shown > 0).mean() < 0.4


def test_every_piece_sees_the_same_set():
    one, other = stage("velvet-navy-moody"), stage("velvet-navy-moody", unit_px=300.0, at=(400.0, 800.0))
    assert usual_stage(one, (256, 256)) == usual_stage(other, (256, 256))
