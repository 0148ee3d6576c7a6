"""A piece on a path-traced set: the mesh, the choice of the set, and, where Blender is, real pictures and real failures."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.composite import compose
from pipeline.layout import Piece
from pipeline.light.traced import NotTraced, raytraced, standing_of
from pipeline.photo.decode import decode
from pipeline.render import Stopwatch, cut, render, take
from pipeline.rig import Ambient, Light, Rig
from pipeline.shape.solid import solidify
from pipeline.values import Box, Ground, Scene
from presets.bake.card import card
from presets.bake.tracer import PLAIN, BlenderTracer, has_blender, set_for
from presets.library import recipe
from tests.presets.bake.blenders import BLENDER, with_blender

SAMPLE = Path(__file__).parents[3] / "presets" / "samples"
SIDE = 160


def standing(template="minimal-dove-studio", *, azimuth=-90.0, view="flat", hole=False):
    """A disk on the ground under one lamp at 45 degrees, 160 px."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    away = np.hypot(x - SIDE / 2, y - SIDE / 2)
    alpha = (away < 24).astype(np.float32) * ((away > 12) if hole else 1)
    ground = Ground(90.0, 60.0, (SIDE / 2, SIDE / 2))
    lamp = Light(name="sun", role="key", azimuth_deg=azimuth, elevation_deg=40, size_deg=3, strength=1.2)
    rig = Rig(name="one", title="", lights=(lamp,), ambient=Ambient(strength=0.1))
    wanted = recipe(template, "pendant", draft=True, renderer="blender").model_copy(
        update={"rig": rig, "width_px": SIDE, "height_px": SIDE}
    )
    rgb = np.full((SIDE, SIDE, 3), (0.8, 0.5, 0.2), np.float32)
    piece = Piece(rgb, alpha, Box(56, 56, 104, 104), ground, view, "flat", 1.0)
    solid = solidify(alpha, ground, "flat")
    lift = np.where(solid.mask, np.float32(14), np.float32(0))
    solid = dataclasses.replace(solid, top_px=solid.top_px + lift, low_px=solid.low_px + lift)
    groups = {name: np.full((SIDE, SIDE, 3), 0.4, np.float32) for name in ("sun", "ambient")}
    scene = Scene(groups, ground, 0.6, 0.04, 0.0, np.zeros(3, np.float32))
    composite = compose(scene, piece, solid, rig)
    return standing_of(wanted, piece, solid, composite), composite


def tracer(**changes):
    return BlenderTracer(**({"python": BLENDER, "timeout_s": 300.0, "threads": 2} | changes))


class TestCard:
    GROUND = Ground(30.0, 40.0, (40.0, 60.0))

    def mesh(self, *, hole):
        alpha = np.zeros((80, 80), np.float32)
        alpha[20:60, 25:55] = 1
        if hole:
            alpha[35:45, 35:45] = 0
        solid = solidify(alpha, self.GROUND, "upright")
        return solid, card(solid, np.ones((80, 80, 3), np.float32), self.GROUND)

    @pytest.mark.parametrize("hole", [False, True])
    def test_it_is_closed_and_turned_outwards(self, hole):
        _, mesh = self.mesh(hole=hole)
        ends = np.stack([mesh.faces, np.roll(mesh.faces, -1, 1)], -1).reshape(-1, 2)
        there = {tuple(edge) for edge in ends}
        assert len(there) == len(ends)  # every edge is gone along once ...
        assert {edge[::-1] for edge in there} == there  # ... and once back, by the neighbour

    def test_the_lens_sees_it_where_the_piece_is(self):
        solid, mesh = self.mesh(hole=True)
        X, Y, Z = mesh.points.T
        e = math.radians(self.GROUND.elevation_deg)
        x = self.GROUND.origin[0] + self.GROUND.unit_px * X
        y = self.GROUND.origin[1] - self.GROUND.unit_px * (Y * math.sin(e) + Z * math.cos(e))
        drawn = np.zeros((80, 80), np.uint8)
        corners = np.stack([x, y], -1)[mesh.faces]
        for face in np.rint(corners.mean(1)).astype(int):
            drawn[face[1], face[0]] = 1
        inside = cv2.erode(solid.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert drawn[inside].all()
        assert not drawn[38:42, 38:42].any()
        assert Z.min() >= 0
        assert Z.max() == pytest.approx(solid.top_px.max() / self.GROUND.unit_px, rel=0.05)

    def test_a_large_piece_is_thinned_without_moving(self):
        alpha = np.zeros((800, 800), np.float32)
        alpha[100:700, 100:700] = 1
        ground = Ground(90.0, 600.0, (399.5, 399.5))
        mesh = card(solidify(alpha, ground, "flat"), np.ones((800, 800, 3), np.float32), ground)
        assert len(mesh.faces) < 200_000
        assert mesh.points[:, 0].min() == pytest.approx(-0.5, abs=0.002)
        assert mesh.points[:, 0].max() == pytest.approx(0.5, abs=0.002)


class TestSets:
    def test_cloth_is_traced_whole_and_the_seed_picks_the_take(self):
        asked = recipe("velvet-navy-moody")
        assert set_for(asked, "flat").name == "velvet"
        seeds = {set_for(asked.model_copy(update={"seed": seed}), "flat").take for seed in range(4)}
        assert len(seeds) > 1

    def test_what_has_no_recipe_stands_on_plain_ground(self):
        assert set_for(recipe("gradient-rose-soft-glow"), "flat") is PLAIN

    @with_blender
    def test_a_set_with_lights_of_its_own_keeps_them_and_takes_the_shadow(self):
        ours, _ = standing("festive-gold-soft-glow")
        traced = tracer()(ours)
        assert not traced.whole
        piece = ours.piece.alpha > 0.5
        near = cv2.dilate(piece.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        darker = (traced.bare - traced.shaded)[..., 1]
        assert darker[near & ~piece].mean() > 3 * abs(darker[:20, :20].mean())

    def test_the_renderer_is_part_of_the_recipe(self):
        assert recipe("velvet-navy-moody").digest != recipe("velvet-navy-moody", renderer="blender").digest


@with_blender
class TestPathTraced:
    @pytest.mark.parametrize(("azimuth", "side"), [(-90.0, 1), (90.0, -1)])
    def test_the_shadow_falls_away_from_the_lamp(self, azimuth, side):
        asked, _ = standing(azimuth=azimuth)
        traced = tracer()(asked)
        assert not traced.whole
        lost = np.clip(1 - traced.shaded.mean(-1) / traced.bare.mean(-1), 0, 1)
        x = np.mgrid[0:SIDE, 0:SIDE][1]
        drift = (x * lost).sum() / lost.sum() - SIDE / 2
        height = (asked.solid.top_px + asked.solid.low_px)[asked.solid.mask].mean() / 2 / 60
        lamp = (5 * math.cos(math.radians(40)), 5 * math.sin(math.radians(40)))  # it stands 5 units away
        assert drift * side == pytest.approx(60 * height * lamp[0] / (lamp[1] - height), abs=3)
        assert lost.max() > 0.6

    def test_a_seed_gives_the_same_picture_and_light_falls_through_a_hole(self):
        asked, _ = standing(hole=True)
        one, two = tracer()(asked), tracer(threads=1)(asked)
        np.testing.assert_array_equal(one.shaded, two.shaded)
        left = one.shaded.mean(-1) / one.bare.mean(-1)
        middle = left[SIDE // 2 - 4 : SIDE // 2 + 4, SIDE // 2 + 17]
        rim = left[SIDE // 2 - 4 : SIDE // 2 + 4, SIDE // 2 + 36]
        assert middle.mean() > rim.mean() + 0.2

    def test_the_piece_is_the_ordinary_one_to_the_last_bit(self):
        photo = decode(next(SAMPLE.glob("ring*.jpg")))
        wanted = recipe("gradient-rose-soft-glow", "ring", size_px=(256, 256), draft=True, renderer="blender")
        cutout = cut(photo, wanted)
        plain = take(cutout, wanted.model_copy(update={"renderer": "fast"}), Stopwatch())
        traced = take(cutout, wanted, Stopwatch(), tracer())
        assert traced.notes == ()
        np.testing.assert_array_equal(traced.composite.lit, plain.composite.lit)
        opaque = plain.piece.alpha == 1
        np.testing.assert_array_equal(traced.composite.frame[opaque], plain.composite.frame[opaque])
        assert np.abs(traced.composite.ground - plain.composite.ground).max() > 0.02

    def test_a_blender_that_is_killed_leaves_the_ordinary_picture_and_a_warning(self):
        photo = decode(next(SAMPLE.glob("ring*.jpg")))
        wanted = recipe("velvet-navy-moody", "ring", size_px=(256, 256), draft=True, renderer="blender")
        killed = threading.Event()
        hunter = threading.Thread(target=kill_child, args=(killed,))
        hunter.start()
        picture = render(photo, wanted, tracer=tracer())
        hunter.join()
        assert killed.is_set()
        note = next(note for note in picture.notes if note.code == "not-raytraced")
        assert "SIGKILL" in note.text
        plain = render(photo, wanted.model_copy(update={"renderer": "fast"}))
        np.testing.assert_array_equal(picture.srgb, plain.srgb)


def kill_child(killed):
    """SIGKILL for the Blender process of this one, as soon as there is one."""
    end = time.monotonic() + 60
    while time.monotonic() < end and not killed.is_set():
        for pid in children():
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"presets.bake.atelier.shot" in words:
                os.kill(pid, signal.SIGKILL)
                killed.set()
        killed.wait(0.02)


def children():
    return [
        int(pid)
        for task in Path(f"/proc/{os.getpid()}/task").iterdir()
        for pid in (task / "children").read_text().split()
    ]


class TestWhatGoesWrong:
    def program(self, tmp_path, text):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def test_no_blender_at_all(self, tmp_path):
        asked, _ = standing()
        with pytest.raises(NotTraced, match="is not there; `make blender` installs it"):
            tracer(python=tmp_path / "python")(asked)
        assert not has_blender(tmp_path / "python")
        assert not has_blender(Path(sys.executable))

    def test_it_takes_too_long_and_is_ended(self, tmp_path):
        asked, _ = standing()
        slow = self.program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
        with pytest.raises(NotTraced, match=r"took longer than 0\.5 s"):
            tracer(python=slow, timeout_s=0.5)(asked)
        pid = int((tmp_path / "pid").read_text())
        assert subprocess.run(["ps", "-p", str(pid)], check=False, capture_output=True).returncode

    def test_it_fails_and_says_why(self, tmp_path):
        asked, _ = standing()
        with pytest.raises(NotTraced, match=r"code 3 \(no room for textures\)"):
            tracer(python=self.program(tmp_path, "echo no room for textures; exit 3"))(asked)

    def test_it_ends_well_but_without_a_picture(self, tmp_path):
        asked, _ = standing()
        with pytest.raises(NotTraced, match="cannot be read"):
            tracer(python=self.program(tmp_path, "exit 0"))(asked)


class TestIntoThePicture:
    def test_what_is_taken_scales_and_what_is_given_adds(self):
        asked, composite = standing()
        flat = np.full((SIDE, SIDE, 3), 0.5, np.float32)
        shaded = flat.copy()
        shaded[:, :40], shaded[:, 120:] = 0.25, 0.7
        dark = dataclasses.replace(composite, bare=composite.bare * 0.1)
        made = raytraced(dark, type("T", (), {"bare": flat, "shaded": shaded, "whole": False})(), asked.piece)
        np.testing.assert_allclose(made.ground[0, 0], 0.5 * dark.bare[0, 0], rtol=5e-3)
        np.testing.assert_allclose(made.ground[0, -1], dark.bare[0, -1] + 0.2, rtol=1e-5)
        np.testing.assert_array_equal(made.lit, composite.lit)
