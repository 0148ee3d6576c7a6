"""What a model may paint over of a finished picture: shadow and reflection, and not a bit of the piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.backdrop.diffused import Background, NotPainted
from pipeline.backdrop.settle import touched
from pipeline.photo.decode import decode
from pipeline.render import Stopwatch, cut, render_cutout, take
from presets.library import recipe

SAMPLE = Path(__file__).parents[3] / "presets/samples/ring_solitaire.jpg"
GREY = np.random.default_rng(3).integers(90, 160, (64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def ring():
    wanted = recipe("marble-black-studio", "ring", size_px=(256, 256), draft=True, backdrop="diffusion")
    return wanted, cut(decode(SAMPLE), wanted)


def picture(ring, settle=None):
    wanted, cutout = ring
    return render_cutout(cutout, wanted, backgrounds=lambda *_: Background(GREY, "one", settle=settle))


def test_only_shadow_and_reflection_are_touched(ring):
    wanted, cutout = ring
    taken = take(cutout, wanted, Stopwatch(), backgrounds=lambda *_: Background(GREY, "one"))
    where = touched(taken.composite.bare, taken.composite.ground, taken.piece.alpha)
    assert 0.01 < (where > 0.5).mean() < 0.6
    assert not where[taken.piece.alpha > 0].any()
    assert not where[:20].any()


def test_the_piece_stays_bit_for_bit_whatever_the_model_paints(ring):
    wanted, cutout = ring
    taken = take(cutout, wanted, Stopwatch(), backgrounds=lambda *_: Background(GREY, "one"))
    plain = picture(ring)
    loud = picture(ring, lambda srgb, _where: 255 - srgb)
    piece = taken.piece.alpha > 0
    assert np.array_equal(plain.srgb[piece], loud.srgb[piece])
    assert (plain.srgb != loud.srgb)[~piece].any(-1).mean() > 0.01
    assert np.array_equal(plain.srgb[:20], loud.srgb[:20])


def test_a_model_that_cannot_costs_a_note(ring):
    def cannot(_srgb, _where):
        raise NotPainted("there is not enough memory")

    made = picture(ring, cannot)
    assert np.array_equal(made.srgb, picture(ring).srgb)
    assert [note.text for note in made.notes if note.code == "not-settled"] == [
        "Shadow and reflection were not painted over: there is not enough memory."
    ]


def test_a_setting_asks_for_it_and_is_part_of_the_recipe(ring):
    from presets.painting import Brush, Commission

    plain, freed = (
        recipe(
            "marble-black-studio",
            "ring",
            backdrop="diffusion",
            commission=Commission(brush=Brush(settle=settle)),
        )
        for settle in (0.0, 0.3)
    )
    assert freed.painting.settle == 0.3
    assert plain.digest != freed.digest
