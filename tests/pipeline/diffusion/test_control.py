"""What a ControlNet is shown: the set's own geometry, in the conventions it was trained on, the same for every piece."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import pytest

from pipeline.backdrop import plate_shape as plate_shape_module
from pipeline.backdrop.backdrop import paint
from pipeline.backdrop.plate_file import read_picture, read_plate, takes
from pipeline.backdrop.plate_shape import plate_shape
from pipeline.backdrop.stage import Stage
from pipeline.backdrop.window import Window
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
    assert len(np.unique(depth(usual("marble-black-studio", "flat")))) == 1


def test_a_tables_normal_leans_as_the_camera_looks():
    shown = normal(usual("marble-black-studio"))
    e = math.radians(30.0)
    wanted = [round((0.5 + 0.5 * axis) * 255) for axis in (0.0, math.cos(e), math.sin(e))]
    assert np.abs(shown.reshape(-1, 3).astype(int) - wanted).max() <= 1
    above = normal(usual("marble-black-studio", "flat"))
    assert np.abs(above.reshape(-1, 3).astype(int) - [128, 128, 255]).max() <= 1


@pytest.mark.parametrize("template", ["velvet-navy-moody", "satin-champagne-moody", "sand-dune-moody"])
def test_a_plates_folds_and_ripples_are_shown(template):
    set_up = usual(template)
    assert np.ptp(normal(set_up)[..., 0].astype(int)) > 40
    flat = depth(
        dataclasses.replace(
            set_up,
            surface=set_up.surface.model_copy(update={"plate": "", "material": "marble", "pattern": "plain"}),
        )
    )
    assert np.abs(depth(set_up).astype(int) - flat).max() > 8


def test_the_shape_of_a_plate_says_how_a_lamp_lights_it_that_was_not_looked_at(monkeypatch):
    set_up = usual("sand-dune-moody", "flat")
    folders = takes("sand", "flat")
    folder = folders[set_up.seed % len(folders)]
    plate = read_plate(folder)
    plain = [one for one in plate.lamps if not one.light.gobo and not one.light.cone]
    held = plain[0]
    others = plate.model_copy(update={"lamps": tuple(one for one in plain if one is not held)})
    monkeypatch.setattr(plate_shape_module, "read_plate", lambda _folder: others)
    shape = plate_shape(set_up)
    window = Window.onto(plate.canvas, set_up.ground, (256, 256))
    pixels = read_picture(folder, held)
    pane = window.onto_picture(pixels.shape, plate.canvas)
    traced = pane.enlarged(pane.cut(pixels[..., 0]))
    traced = cv2.resize(traced, (128, 128), interpolation=cv2.INTER_AREA)
    lx, ly, lz = held.light.direction
    ours = shape.nx * lx + shape.ny * ly + shape.nz * lz
    detail = [one / cv2.GaussianBlur(one, (0, 0), 12) for one in (traced, ours)]
    assert np.corrcoef(*(one.ravel() for one in detail))[0, 1] > 0.8


def test_painted_cloth_and_sweeps_have_their_painters_shape():
    for template, least in (("velvet-navy-moody", 40), ("plaster-lime-moody", 10)):
        set_up = usual(template)
        painted = dataclasses.replace(set_up, surface=set_up.surface.model_copy(update={"plate": ""}))
        assert np.ptp(normal(painted)[..., 0].astype(int)) > least


def test_edges_are_those_of_the_ordinary_set():
    set_up = usual("marble-white-studio")
    scene = paint(set_up.surface, set_up.rig, "table", (256, 256), 0, set_up.ground)
    shown = control_picture("edges", set_up, scene)
    assert set(np.unique(shown)) == {0, 255}
    assert 0.001 < (shown > 0).mean() < 0.4


def test_every_piece_sees_the_same_set():
    one, other = stage("velvet-navy-moody"), stage("velvet-navy-moody", unit_px=300.0, at=(400.0, 800.0))
    assert usual_stage(one, (256, 256)) == usual_stage(other, (256, 256))
