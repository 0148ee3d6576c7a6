"""From rigs to lamps, from exposures to plates; and the plates that ship are what their headers say."""

from __future__ import annotations

import dataclasses
import hashlib

import cv2
import numpy as np
import pytest

from pipeline.backdrop.plate_file import (
    BODY,
    FOLDER,
    HEADER,
    folder_of,
    openexr,
    read_picture,
    read_plate,
    serves,
)
from pipeline.rig import Gobo
from presets.bake.drape import Bed, Cloth, drape
from presets.bake.kept import draped
from presets.bake.make import run_blender
from presets.bake.order import AMBIENT, canvas, lamps, order, pattern
from presets.bake.pack import BORDER, missing, pack, standing
from presets.bake.queue import QUEUE, Bake
from presets.library import library
from presets.models import DRAWN_ANEW
from tests.presets.bake.blenders import BLENDER, with_blender

FIRST_RIGS = ("moody", "soft-glow", "spotlight", "studio")
SMALL = Bake("velvet", unit_px=20, samples=1)


def rigs(*names):
    return {name: library().rigs[name] for name in names}


def exposed(asked):
    """What Blender would write, with another value for each lamp."""
    exr = openexr()
    for number, lamp in enumerate(asked["lights"], start=1):
        width, height = (round(v * lamp["scale"]) + 2 * BORDER for v in asked["canvas"]["size_px"])
        pixels = np.full((height, width, 3), 0.01 * number, np.float32)
        header = {"compression": exr.NO_COMPRESSION, "type": exr.scanlineimage}
        with exr.File(header, {"RGB": pixels}) as file:
            file.write(f"{asked['folder']}/{lamp['file']}")
    return asked


class TestLamps:
    def test_every_light_of_every_rig_has_one(self):
        found = lamps(library().rigs)
        for rig in library().rigs.values():
            for light in rig.lights:
                assert any(serves(lamp, light) for lamp in found.values()), (rig.name, light.name)

    def test_they_are_white_and_shared(self):
        found = lamps(rigs(*FIRST_RIGS))
        assert {lamp.strength for lamp in found.values()} == {1.0}
        assert {lamp.color for lamp in found.values()} == {(1.0, 1.0, 1.0)}
        assert len(found) < sum(len(rig.lights) for rig in rigs(*FIRST_RIGS).values())

    def test_a_window_is_a_mask_with_sharp_edges_where_run_time_looks_for_the_panes(self):
        key = library().rigs["moody"].key
        mask = pattern(key)
        n = len(mask)
        assert mask.min() >= key.gobo.leak * 0.99
        assert mask[n // 2, n // 2] == pytest.approx(
            key.gobo.leak, abs=0.2
        )  # the middle bar runs through the origin
        assert (mask > 0.7).mean() > 0.01
        assert pattern(key.model_copy(update={"gobo": None})) is None


class TestOrders:
    def test_the_camera_is_the_one_of_run_time(self):
        table, flat = canvas(SMALL, "table"), canvas(SMALL, "flat")
        assert (table.elevation_deg, flat.elevation_deg) == (30.0, 90.0)
        assert flat.lens_blur == 0.0
        assert 0 < table.origin[1] < table.size_px[1]

    def test_exposures_become_a_plate_whose_body_is_divided_by_the_albedo_it_was_baked_with(self, tmp_path):
        asked = exposed(order(SMALL, "table", rigs("moody"), tmp_path / "work", 1))
        folder = pack(SMALL, asked, {"blender": "5"}, tmp_path / "shelf")
        plate = read_plate(folder)
        assert [picture.file for picture in plate.lamps] == ["moody-window.exr", "moody-edge.exr"]
        pixels = read_picture(folder, plate.lamps[0])
        np.testing.assert_allclose(pixels[3, 3], [0.01 / BODY, 0.01, 0.01], rtol=2e-3)
        assert pixels.shape[:2] == plate.canvas.size_px[::-1]
        assert plate.made["digest"] == asked["digest"]

    def test_a_new_rig_asks_for_its_own_lamps_alone_and_keeps_the_others(self, tmp_path):
        first = exposed(order(SMALL, "table", rigs("moody"), tmp_path / "work", 1))
        pack(SMALL, first, {}, tmp_path / "shelf")
        both = order(SMALL, "table", rigs("moody", "studio"), tmp_path / "work", 1)
        more = missing(both, tmp_path / "shelf")
        assert {lamp["name"] for lamp in more["lights"]} == {
            "studio-strip-left",
            "studio-strip-right",
            "studio-top",
        }
        kept = hashlib.sha256(
            (tmp_path / "shelf" / "velvet.table" / "moody-window.exr").read_bytes()
        ).hexdigest()
        read_plate.cache_clear()
        folder = pack(SMALL, exposed(more), {}, tmp_path / "shelf")
        read_plate.cache_clear()
        plate = read_plate(folder)
        assert len(plate.lamps) == 5
        assert plate.lamps[0].sha256 == kept
        assert missing(both, tmp_path / "shelf")["lights"] == []

    def test_another_look_of_the_set_is_made_anew(self, tmp_path):
        asked = exposed(order(SMALL, "table", rigs("moody"), tmp_path / "work", 1))
        pack(SMALL, asked, {}, tmp_path / "shelf")
        read_plate.cache_clear()
        assert standing(asked, tmp_path / "shelf") is not None
        other = order(dataclasses.replace(SMALL, version=9), "table", rigs("moody"), tmp_path / "work", 1)
        assert standing(other, tmp_path / "shelf") is None
        assert {lamp["name"] for lamp in missing(other, tmp_path / "shelf")["lights"]} >= {
            AMBIENT,
            "moody-window",
        }

    def test_another_gobo_is_another_exposure(self, tmp_path):
        rig = library().rigs["moody"]
        turned = rig.lights[0].model_copy(update={"gobo": Gobo(columns=1)})
        other = rig.model_copy(update={"lights": (turned, rig.lights[1])})
        one, two = (order(SMALL, "table", {"moody": r}, tmp_path, 1) for r in (rig, other))
        assert one["digest"] == two["digest"]
        assert one["lights"][0]["file"] != two["lights"][0]["file"]
        assert one["lights"][1]["file"] == two["lights"][1]["file"]


@with_blender
class TestFestiveSets:
    """Real Blender, small: what the set's own lights and masks show, and where."""

    LIGHTS = Bake("lights", unit_px=24, samples=2, seed=5, glow=True)
    DIYAS = Bake("diyas", unit_px=24, mask_px=24, samples=2, seed=7, glow=True)

    def shelved(self, bake, work):
        asked = order(bake, "table", rigs("soft-glow"), work / "work", 2)
        folder = pack(bake, asked, run_blender(asked, BLENDER), work / "shelf")
        plate = read_plate(folder)
        read = lambda picture: read_picture(folder, picture).astype(np.float32)  # noqa: E731
        return plate, read

    def test_lights_hang_over_the_edge_of_the_lacquer_and_are_mirrored_in_it(self, tmp_path):
        plate, read = self.shelved(self.LIGHTS, tmp_path)
        glow = read(plate.glow)
        edge = round(plate.canvas.origin[1] - 0.47 * plate.canvas.unit_px)
        reach = 24
        over, under = glow[edge - reach : edge - 2], glow[edge + 3 : edge + reach]
        assert over[..., 0].mean() > 3 * under[..., 0].mean() > 0.01
        assert (
            over[..., 0].mean() > over[..., 1].mean() > 0
        )  # more lights in the first colour than in the second
        above, below = over.mean(0)[:, 0], under.mean(0)[:, 0]
        assert np.corrcoef(cv2.blur(above, (1, 5)).ravel(), cv2.blur(below, (1, 5)).ravel())[0, 1] > 0.4
        assert (
            read(plate.lamps[0])[edge - reach : edge - 2].max() < over.max()
        )  # in no lamp's picture do they burn

    def test_oil_lamps_are_clay_and_their_flames_light_the_table(self, tmp_path):
        plate, read = self.shelved(self.DIYAS, tmp_path)
        mask, glow = read(plate.mask), read(plate.glow)
        assert 0.35 < mask[..., 1].max() < 0.45
        assert 0.01 < (mask[..., 1] > 0.2).mean() < 0.3
        flames = glow[..., 0] > 1
        grown = cv2.dilate(flames.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        assert 0.0005 < flames.mean() < 0.05
        assert glow[grown & ~flames][:, 0].mean() > 3 * np.median(glow[..., 0])


class TestDrape:
    BED = Bed(-1.5, -1.5, 3.0, 3.0, 0.05)
    CLOTH = Cloth(0.15, 0.0008, 0.03, (-5.0, 6.0), (0.0, 0.0, 0.6, 0.6), steps=400)

    def test_cloth_rises_in_folds_around_a_calm_place(self):
        heights = drape(self.BED, self.CLOTH, 3)
        X, Y = self.BED.grid()
        inside, outside = np.hypot(X, Y) < 0.3, np.hypot(X, Y) > 1.1
        assert heights.min() >= 0
        assert heights.max() <= self.CLOTH.tallest
        assert np.ptp(heights[outside]) > 4 * np.ptp(heights[inside])

    def test_more_excess_makes_more_slope_and_the_seed_makes_the_cloth(self):
        tight, loose = (
            drape(self.BED, dataclasses.replace(self.CLOTH, excess=0.03), 3),
            drape(self.BED, self.CLOTH, 3),
        )
        slope = [np.hypot(*np.gradient(h)).mean() for h in (tight, loose)]
        assert slope[1] > 1.3 * slope[0]
        np.testing.assert_array_equal(loose, drape(self.BED, self.CLOTH, 3))
        assert np.abs(loose - drape(self.BED, self.CLOTH, 4)).max() > 0.05

    def test_it_is_draped_once_and_then_read(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path))
        first = draped(self.BED, self.CLOTH, 3)
        np.testing.assert_array_equal(first, drape(self.BED, self.CLOTH, 3))
        (kept,) = (tmp_path / "drapes").iterdir()
        np.save(kept, first + np.float32(1))
        np.testing.assert_array_equal(draped(self.BED, self.CLOTH, 3), first + np.float32(1))
        kept.write_bytes(kept.read_bytes()[:100])  # damaged
        np.testing.assert_array_equal(draped(self.BED, self.CLOTH, 3), first)
        draped(self.BED, dataclasses.replace(self.CLOTH, excess=0.03), 3)
        assert len(list((tmp_path / "drapes").iterdir())) == 2

    def test_a_cache_that_takes_nothing_costs_nothing_but_time(self, tmp_path, monkeypatch):
        (tmp_path / "file").touch()
        monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "file"))
        np.testing.assert_array_equal(draped(self.BED, self.CLOTH, 3), drape(self.BED, self.CLOTH, 3))


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in FOLDER.glob(f"*/{HEADER}")), ids=lambda f: f.name
)
class TestWhatShips:
    def test_every_file_is_the_one_of_the_header(self, folder):
        plate = read_plate(folder)
        pictures = [*plate.lamps, plate.ambient, *(one for one in (plate.mask, plate.glow) if one)]
        for picture in pictures:
            assert np.isfinite(read_picture(folder, picture).astype(np.float32)).all()
        assert {path.name for path in folder.iterdir()} == {HEADER, *(picture.file for picture in pictures)}
        assert sum(path.stat().st_size for path in folder.iterdir()) < 3.5e6

    def test_presets_know_whether_its_pattern_is_drawn_anew(self, folder):
        plate = read_plate(folder)
        assert (plate.texture == "veins") == (plate.name in DRAWN_ANEW)

    def test_the_first_rigs_find_all_their_lamps(self, folder):
        plate = read_plate(folder)
        for name in FIRST_RIGS:
            for light in library().rigs[name].lights:
                assert plate.lamp_for(light)

    def test_a_surface_shows_it_and_the_queue_knows_it(self, folder):
        plate = read_plate(folder)
        files = library().surfaces.values()
        assert any(file.surface(palette).plate == plate.name for file in files for palette in file.palettes)
        assert any(folder.name == bake.plate(view) for bake in QUEUE for view in bake.views)


def test_all_plates_together_are_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 60e6


@pytest.mark.parametrize("view", ["table", "flat"])
def test_every_surface_that_names_a_plate_has_it(view):
    for name, file in library().surfaces.items():
        for palette in file.palettes:
            plate = file.surface(palette).plate
            assert not plate or read_plate(folder_of(plate, view)).name == plate, name
