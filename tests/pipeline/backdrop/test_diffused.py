"""A painted picture as a set: its light is taken apart, never added to; the piece is the plate's, bit for bit
but for the ground's own colour on its lower edges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.backdrop.diffused import Background, NotPainted, diffused, lanczos, shares
from pipeline.backdrop.stage import Stage
from pipeline.color import linear_from_srgb, luminance, srgb_from_linear
from pipeline.composite import compose
from pipeline.light.gobo import light_pattern
from pipeline.light.spill import MOST
from pipeline.photo.decode import decode
from pipeline.render import Stopwatch, cut, take
from pipeline.shape.solid import solid_of
from pipeline.values import Ground
from presets.library import recipe

SAMPLE = Path(__file__).parents[3] / "presets" / "samples" / "ring_solitaire.jpg"
SIDE = 256


def stage(template="velvet-navy-moody", view="table"):
    wanted = recipe(template, "ring")
    ground = Ground(30.0 if view == "table" else 90.0, 0.62 * SIDE, (SIDE / 2, 0.7 * SIDE))
    return Stage(wanted.surface, wanted.rig, view, SIDE, SIDE, 0, ground)


def picture(seed=3, low=40, high=200):
    """A soft picture of many greys and colours, 64 px."""
    coarse = np.random.default_rng(seed).uniform(low, high, (8, 8, 3)).astype(np.float32)
    return np.clip(lanczos(coarse.astype(np.uint8), (64, 64)) * 255, 0, 255).astype(np.uint8)


def painted(srgb):
    return lambda _stage, _painting: Background(srgb, "one")


@pytest.mark.parametrize("template", ["velvet-navy-moody", "marble-black-studio", "velvet-navy-spotlight"])
def test_the_lights_together_are_the_picture_itself(template):
    set_up = stage(template)
    scene = diffused(set_up, Background(picture(), "one"))
    assert set(scene.groups) == {*(light.name for light in set_up.rig.lights), "ambient"}
    total = np.add.reduce(list(scene.groups.values()))
    wanted = linear_from_srgb(lanczos(picture(), (SIDE, SIDE)))
    assert np.abs(total - wanted).max() < 1e-6
    assert all(float(group.min()) >= 0 for group in scene.groups.values())
    assert scene.notes[0].code == "background"


def test_the_keys_share_is_that_of_the_rig_where_the_picture_shows_no_panes():
    set_up = stage()
    found = shares(set_up, linear_from_srgb(lanczos(picture(), (SIDE, SIDE))))
    parts = {light.name: light.strength * light.direction[2] for light in set_up.rig.lights}
    parts["ambient"] = set_up.rig.ambient.strength
    for name, part in parts.items():
        assert float(np.median(found[name])) == pytest.approx(part / sum(parts.values()), abs=0.06)


def test_panes_that_the_picture_shows_are_followed_and_not_laid_over_it_again():
    set_up = stage()
    X, Y = set_up.plane(1)
    key = set_up.rig.key
    pane = light_pattern(key, X, Y)
    lit = (0.1 + 0.6 * pane)[..., None] * np.ones(3, np.float32)
    scene = diffused(set_up, Background(np.rint(srgb_from_linear(lit) * 255).astype(np.uint8), "one"))
    total = np.add.reduce(list(scene.groups.values()))
    assert np.abs(total - lit).max() < 0.006  # of eight bits
    share = scene.groups[key.name][..., 0] / total[..., 0]
    assert float(share[pane > 0.9].mean()) > 0.8
    assert float(share[pane < 0.1].mean()) < 0.55


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_is_refused(level):
    with pytest.raises(NotPainted, match="empty picture"):
        diffused(stage(), Background(np.full((64, 64, 3), level, np.uint8), "one"))


def test_the_piece_is_that_of_the_plate_bit_for_bit():
    plain = recipe("velvet-navy-moody", "ring", size_px=(SIDE, SIDE), draft=True)
    wanted = recipe("velvet-navy-moody", "ring", size_px=(SIDE, SIDE), draft=True, backdrop="diffusion")
    cutout = cut(decode(SAMPLE), plain)
    one = take(cutout, plain, Stopwatch())
    other = take(cutout, wanted, Stopwatch(), backgrounds=painted(picture()))
    solid = solid_of(other.piece)
    same = compose(replace(other.scene, spill_rgb=one.scene.spill_rgb), other.piece, solid, wanted.rig)
    assert np.array_equal(one.composite.lit, same.lit)
    inside = one.piece.alpha == 1
    assert inside.sum() > 500
    assert np.array_equal(one.composite.frame[inside], same.frame[inside])
    # Only the colour that the ground itself throws on the lower edges differs, and it is a trace.
    own = np.abs(luminance(other.composite.lit) - luminance(same.lit))
    assert float(own.max()) > 0
    assert (own <= 1.01 * MOST * luminance(same.lit)).all()
    ground = one.piece.alpha == 0
    assert np.abs(one.composite.frame - other.composite.frame)[ground].mean() > 0.02
    # The piece's shadow lies on the painted ground, too.
    left = other.composite.shaded / np.maximum(other.composite.bare, 1e-6)
    assert float(left[ground].min()) < 0.5


def test_without_a_painter_the_ordinary_set_is_taken_and_a_note_says_why():
    plain = recipe("marble-black-studio", "ring", size_px=(SIDE, SIDE), draft=True)
    wanted = recipe("marble-black-studio", "ring", size_px=(SIDE, SIDE), draft=True, backdrop="diffusion")
    cutout = cut(decode(SAMPLE), plain)
    one, other = (take(cutout, each, Stopwatch()) for each in (plain, wanted))
    assert np.array_equal(one.composite.frame, other.composite.frame)
    (note,) = other.scene.notes
    assert note.code == "not-painted"
    assert "no painter was set up" in note.text
