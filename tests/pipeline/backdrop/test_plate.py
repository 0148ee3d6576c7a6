"""Plates on real files: lit by their lamps, tinted, cropped, refused when damaged. The plate is made here, small."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil

import cv2
import numpy as np
import pytest

import pipeline.backdrop.backdrop as door
from pipeline.backdrop.interreflection import colors, hidden_share
from pipeline.backdrop.pile import _tips as tufts_of
from pipeline.backdrop.plate import _grains as grains_of
from pipeline.backdrop.plate import plated
from pipeline.backdrop.plate_file import (
    BODY,
    HEADER,
    Canvas,
    Lobe,
    Lobes,
    NotForThis,
    Picture,
    Plate,
    Unusable,
    openexr,
    read_picture,
    read_plate,
    serves,
    takes,
)
from pipeline.backdrop.stage import Stage, srgb_to_rgb
from pipeline.backdrop.window import LARGEST_ZOOM
from pipeline.recipe import Surface
from pipeline.rig import Ambient, Gobo, Light, Rig
from pipeline.values import Ground
from presets.library import library

UNIT, WIDTH, HEIGHT = 60.0, 126, 210
KEY = Light(name="key", role="key", azimuth_deg=-40, elevation_deg=35, size_deg=3, strength=1.4, gobo=Gobo())
RIM = Light(name="rim", role="rim", azimuth_deg=60, elevation_deg=25, size_deg=9, strength=0.3)
RIG = Rig(name="t", title="t", lights=(KEY, RIM), ambient=Ambient(strength=0.2, color=(1.0, 1.1, 1.3)))
SURFACE = Surface(
    name="t",
    material="velvet",
    palette="p",
    base="#5a4a3a",
    accent="#c0a060",
    detail="#806040",
    plate="cloth",
)
GROUND = Ground(30.0, 60.0, (52.0, 130.0))
SIZE = (105, 160)


def picture(folder, name, pixels, light=None):
    exr = openexr()
    with exr.File({"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}, {"RGB": pixels}) as file:
        file.write(str(folder / f"{name}.exr"))
    digest = hashlib.sha256((folder / f"{name}.exr").read_bytes()).hexdigest()
    return Picture(file=f"{name}.exr", sha256=digest, light=light)


def lamp(light):
    return light.model_copy(update={"strength": 1.0, "color": (1.0, 1.0, 1.0)})


@pytest.fixture
def shelf(tmp_path):
    """A plate whose pictures are smooth ramps: body along x, sheen along y, gloss even."""
    folder = tmp_path / "cloth.table"
    folder.mkdir()
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    ramps = np.stack([x / WIDTH, y / HEIGHT, np.full_like(x, 0.25, dtype=float)], -1).astype(np.float16)
    half = ramps.reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean((1, 3)).astype(np.float16)
    plate = Plate(
        name="cloth",
        view="table",
        canvas=Canvas(
            elevation_deg=30, unit_px=UNIT, origin=(63.0, 138.0), size_px=(WIDTH, HEIGHT), lens_blur=0.0
        ),
        lobes=Lobes(sheen=Lobe(color="accent", gain=2.0)),
        lamps=(picture(folder, "key", ramps, lamp(KEY)), picture(folder, "rim", half, lamp(RIM))),
        ambient=picture(folder, "ambient", np.full_like(ramps, 0.9)),  # an open ground: nothing is thrown
        roughness=0.7,
        f0=0.05,
        safe=(-0.8, -1.0, 0.8, 0.4),
        made={"seed": 1},
    )
    (folder / HEADER).write_text(plate.model_dump_json(exclude_defaults=True))
    for cached in (read_plate, read_picture, takes, hidden_share):
        cached.cache_clear()
    return tmp_path


def under_a_hollow(shelf):
    """The shelf, its cloth now hollow at the left of the piece, under even light."""
    folder = shelf / "cloth.table"
    plate = read_plate(folder)
    even = np.full((HEIGHT, WIDTH, 3), 0.5, np.float16)
    sky = np.full((HEIGHT, WIDTH, 3), 0.9, np.float16)
    sky[:, :20] = 0.6
    lamps = tuple(picture(folder, one.light.name, even, one.light) for one in plate.lamps)
    hollow = plate.model_copy(update={"lamps": lamps, "ambient": picture(folder, "ambient", sky)})
    (folder / HEADER).write_text(hollow.model_dump_json(exclude_defaults=True))
    for cached in (read_plate, read_picture, hidden_share):
        cached.cache_clear()


def stage(surface=SURFACE, rig=RIG, ground=GROUND, size=SIZE, view="table"):
    return Stage(surface, rig, view, *size, 1, ground)


def test_a_group_is_the_lobes_in_the_palettes_colours_under_the_light(shelf):
    scene = plated(stage(), shelf)
    assert set(scene.groups) == {"key", "rim", "ambient"}
    assert (scene.roughness, scene.f0, scene.reflection) == (0.7, 0.05, SURFACE.reflection)
    row, column = 80, 40
    x = (column - 52.0) + 63.0 - 0.5  # frame and plate are of one scale: the origins fall together
    y = (row - 130.0) + 138.0 - 0.5
    body, sheen, gloss = x / WIDTH, y / HEIGHT, 0.25
    color = body * srgb_to_rgb(SURFACE.base) + 2 * sheen * srgb_to_rgb(SURFACE.accent) + gloss
    np.testing.assert_allclose(scene.groups["key"][row, column], 1.4 * color, rtol=4e-3)
    np.testing.assert_allclose(scene.groups["rim"][row, column], 0.3 * color, rtol=2e-2)  # half the size


def test_strength_colour_and_exposure_are_weights(shelf):
    plain = plated(stage(), shelf)
    other = KEY.model_copy(update={"strength": 2.8, "color": (1.0, 0.5, 2.0)})
    bright = RIG.model_copy(update={"lights": (other, RIM), "exposure_ev": 1.0})
    changed = plated(stage(rig=bright), shelf)
    weights = np.array([4.0, 2.0, 8.0], np.float32)
    np.testing.assert_allclose(changed.groups["key"], weights * plain.groups["key"], rtol=1e-5)
    np.testing.assert_allclose(changed.groups["ambient"], 2 * plain.groups["ambient"], rtol=1e-5)


@pytest.mark.parametrize(("size", "unit"), [((126, 140), 60.0), ((252, 280), 120.0), ((70, 90), 40.0)])
def test_the_origin_and_the_unit_are_where_the_piece_is_at_any_size(shelf, size, unit):
    """A point one half unit left of the origin has the plate's value there, whatever the frame."""
    at = (size[0] / 2, 0.75 * size[1])
    scene = plated(stage(ground=Ground(30.0, unit, at), size=size), shelf)
    seen = scene.groups["key"][round(at[1]), round(at[0] - 0.5 * unit)]
    body, sheen = (63.0 - 0.5 * UNIT) / WIDTH, 138.0 / HEIGHT
    color = body * srgb_to_rgb(SURFACE.base) + 2 * sheen * srgb_to_rgb(SURFACE.accent) + 0.25
    np.testing.assert_allclose(seen, 1.4 * color, rtol=3e-2)


def test_a_frame_a_little_too_wide_takes_the_plate_larger_and_a_much_too_wide_one_not(shelf):
    fits = WIDTH / UNIT  # units
    little = Ground(30.0, 100.0 / (fits * 1.2), (50.0, 60.0))
    much = Ground(30.0, 100.0 / (fits * LARGEST_ZOOM * 1.1), (50.0, 60.0))
    assert plated(stage(ground=little, size=(100, 80)), shelf).groups["key"].shape == (80, 100, 3)
    with pytest.raises(NotForThis, match="more ground"):
        plated(stage(ground=much, size=(100, 80)), shelf)


def test_a_lamp_serves_what_stands_where_it_stands():
    assert serves(lamp(KEY), KEY)
    assert not serves(lamp(KEY), KEY.model_copy(update={"azimuth_deg": -30}))
    assert not serves(lamp(KEY), KEY.model_copy(update={"gobo": None}))
    assert not serves(lamp(KEY), KEY.model_copy(update={"size_deg": 9.0}))
    assert serves(lamp(RIM), RIM.model_copy(update={"azimuth_deg": 45}))


def test_lights_of_the_set_glow_in_the_palettes_colours_whatever_the_lamps_do(shelf):
    folder = shelf / "cloth.table"
    before = plated(stage(), shelf)
    shares = np.zeros((HEIGHT, WIDTH, 3), np.float16)
    shares[...] = (0.5, 0.25, 0.125)
    plate = read_plate(folder).model_copy(update={"glow": picture(folder, "glow", shares)})
    (folder / HEADER).write_text(plate.model_dump_json(exclude_defaults=True))
    read_plate.cache_clear()
    after = plated(stage(), shelf)
    accent, detail = srgb_to_rgb(SURFACE.accent), srgb_to_rgb(SURFACE.detail)
    shown = (0.5 * accent + 0.25 * detail + 0.125) * 2.0**RIG.exposure_ev
    added = after.groups["ambient"] - before.groups["ambient"]
    np.testing.assert_allclose(added, np.broadcast_to(shown, added.shape), rtol=2e-2)
    np.testing.assert_array_equal(after.groups["key"], before.groups["key"])


def test_a_light_nobody_baked_is_painted_without_a_word(shelf, monkeypatch):
    turned = KEY.model_copy(update={"azimuth_deg": 20})
    rig = RIG.model_copy(update={"lights": (turned, RIM)})
    monkeypatch.setattr(door, "plated", lambda one: plated(one, shelf))
    scene = door.paint(SURFACE, rig, "table", SIZE, 1, GROUND)
    assert scene.notes == ()
    painted = door.paint(SURFACE.model_copy(update={"plate": ""}), rig, "table", SIZE, 1, GROUND)
    np.testing.assert_array_equal(scene.groups["key"], painted.groups["key"])


@pytest.mark.parametrize("harm", ["one byte", "half", "gone", "header", "no plate"])
def test_a_damaged_plate_is_painted_and_said(shelf, monkeypatch, harm):
    folder = shelf / "cloth.table"
    content = (folder / "key.exr").read_bytes()
    if harm == "one byte":
        (folder / "key.exr").write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    elif harm == "half":
        (folder / "key.exr").write_bytes(content[: len(content) // 2])
    elif harm == "gone":
        (folder / "key.exr").unlink()
    elif harm == "header":
        (folder / HEADER).write_text(json.dumps({"name": "cloth"}))
    else:
        (folder / HEADER).unlink()
    with pytest.raises(Unusable):
        plated(stage(), shelf)
    monkeypatch.setattr(door, "plated", lambda one: plated(one, shelf))
    scene = door.paint(SURFACE, RIG, "table", SIZE, 1, GROUND)
    assert [note.code for note in scene.notes] == ["no-plate"]
    assert "cloth.table" in scene.notes[0].text
    assert scene.groups["key"].mean() > 0


def test_another_seed_shows_another_take(shelf):
    second = shelf / "cloth.table.2"
    shutil.copytree(shelf / "cloth.table", second)
    other = np.full((HEIGHT, WIDTH, 3), 0.5, np.float16)
    plate = read_plate(second)
    lamps = (picture(second, "key", other, plate.lamps[0].light), plate.lamps[1])
    (second / HEADER).write_text(
        plate.model_copy(update={"lamps": lamps}).model_dump_json(exclude_defaults=True)
    )
    read_plate.cache_clear()
    takes.cache_clear()
    first, later, third = (
        plated(dataclasses.replace(stage(), seed=seed), shelf).groups["key"] for seed in (0, 1, 2)
    )
    assert np.ptp(later[:, :, 0]) < 1e-3 < np.ptp(first[:, :, 0])
    np.testing.assert_array_equal(first, third)


def test_pile_is_put_back_in_scale(shelf):
    folder = shelf / "cloth.table"
    plate = read_plate(folder).model_copy(update={"texture": "pile"})
    (folder / HEADER).write_text(plate.model_dump_json(exclude_defaults=True))
    read_plate.cache_clear()
    smooth, rough = plated(stage(), shelf, textured=False), plated(stage(), shelf)
    change = rough.groups["key"] / smooth.groups["key"]
    assert 0.02 < change.std() < 0.4
    assert abs(change.mean() - 1) < 0.05
    assert dataclasses.replace(stage(), seed=2) != stage()
    assert (
        np.abs(plated(dataclasses.replace(stage(), seed=2), shelf).groups["key"] - rough.groups["key"]).max()
        > 0
    )


@pytest.mark.parametrize("name", ["velvet", "marble", "travertine"])
def test_the_same_bytes_on_any_number_of_threads(name):
    surface = SURFACE.model_copy(update={"material": "marble", "plate": name})
    before, made = cv2.getNumThreads(), set()
    try:
        for threads in (1, 2, 7, 16):
            cv2.setNumThreads(threads)
            for kept in (read_picture, tufts_of, grains_of):
                kept.cache_clear()
            lit = plated(
                stage(surface, library().rigs["moody"], Ground(30.0, 200.0, (160.0, 220.0)), (320, 320))
            )
            made.add(b"".join(group.tobytes() for group in lit.groups.values()))
    finally:
        cv2.setNumThreads(before)
    assert len(made) == 1


@pytest.mark.parametrize(("colour", "brighter"), [("#000000", 0), ("#101010", -1), ("#f0f0f0", 1)])
def test_hollows_of_dark_cloth_get_less_than_was_baked_and_those_of_pale_cloth_more(shelf, colour, brighter):
    under_a_hollow(shelf)
    lit = plated(stage(SURFACE.model_copy(update={"base": colour, "accent": colour})), shelf)
    hollow, open_ground = (lit.groups["key"][80, column].mean() - 1.4 * 0.5 for column in (5, 60))
    assert np.sign(round(float(hollow - open_ground), 4)) == brighter


def test_the_palette_that_was_baked_is_corrected_for_what_one_lobe_throws_at_the_other_alone():
    on_body, on_sheen = colors(np.full(3, BODY, np.float32), np.ones(3, np.float32))
    np.testing.assert_allclose(on_body[:, 0], 0, atol=1e-6)
    np.testing.assert_allclose(on_sheen[:, 3], 0, atol=1e-6)
    np.testing.assert_allclose(on_body[:, 1], BODY)
    np.testing.assert_allclose(on_sheen[:, 2], BODY)
