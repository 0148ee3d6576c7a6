"""What is measured of a piece, on pieces whose colours are known and on the rendered samples."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.color import linear_from_srgb
from pipeline.photo.decode import decode
from pipeline.recipe import Surface
from pipeline.render import as_it_is, cut, render
from pipeline.tones import tones_of
from pipeline.values import Box, Cutout
from presets.library import HOME, recipe


def piece(*parts: tuple[str, float]) -> Cutout:
    """Areas of sRGB hex colours, with the shading that metal has."""
    rng = np.random.Generator(np.random.PCG64(3))
    rows = []
    for code, share in parts:
        rgb = linear_from_srgb(np.array([int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)]))
        count = round(4000 * share)
        rows.append(rgb * rng.uniform(0.35, 1.15, (count, 1)))
    rgb = np.concatenate(rows).reshape(1, -1, 3).astype(np.float32)
    alpha = np.ones(rgb.shape[:2], np.float32)
    return Cutout(rgb, alpha, Box(0, 0, rgb.shape[1], 1), 1.0, 1.0, np.ones(3, np.float32))


@pytest.mark.parametrize(
    ("parts", "metal", "stones"),
    [
        ([("#e6c36f", 1.0)], "yellow-gold", None),
        ([("#dca58c", 1.0)], "rose-gold", None),
        ([("#d6d8da", 1.0)], "white-metal", None),
        ([("#3c3d40", 1.0)], "dark-metal", None),
        ([("#d6d8da", 0.7), ("#1c3fb0", 0.3)], "white-metal", (250, 280)),
        ([("#e6c36f", 0.6), ("#b3122c", 0.4)], "yellow-gold", (10, 35)),
        ([("#e6c36f", 0.97), ("#0c7a3a", 0.03)], "yellow-gold", None),
    ],
)
def test_metal_and_stones(parts, metal, stones):
    found = tones_of(piece(*parts))
    assert found.metal == metal
    assert (found.stones_deg is None) == (stones is None)
    if stones:
        assert stones[0] < found.stones_deg < stones[1]


def test_pearl_is_pale_throughout():
    pearl = piece(("#efe9df", 1.0))
    lit = Cutout(np.clip(pearl.rgb * 1.2, 0.6, 1), pearl.alpha, pearl.box, 1.0, 1.0, pearl.paper_rgb)
    assert tones_of(lit).metal == "pearl"
    assert tones_of(pearl).metal != "pearl"


def test_next_to_nothing_has_tones_too():
    empty = piece(("#e6c36f", 1.0))
    assert tones_of(Cutout(empty.rgb, empty.alpha * 0, empty.box, 1.0, 0.0, empty.paper_rgb)).stones == 0


@pytest.mark.parametrize(
    ("sample", "metal"),
    [("earrings_hoop", "yellow-gold"), ("pendant_chain", "white-metal"), ("ring_solitaire", "yellow-gold")],
)
def test_the_samples(sample, metal):
    asked = recipe("velvet-navy-moody", draft=True)
    assert tones_of(cut(decode(HOME / "samples" / f"{sample}.jpg"), asked)).metal == metal


def test_a_render_follows_the_choice_and_says_so():
    pool = ("velvet-emerald-studio", "marble-white-studio")
    asked = recipe(pool[0], "ring", pool=pool, size_px=(256, 256), draft=True)
    photo = decode(HOME / "samples" / "ring_solitaire.jpg")
    seen = []

    def second(given, tones):
        seen.append(tones.metal)
        return given.on(given.pool[1]), "because"

    made = render(photo, asked, second)
    fixed = recipe(pool[1], "ring", size_px=(256, 256), draft=True)
    assert (made.recipe, made.why, seen) == (fixed, "because", ["yellow-gold"])
    assert np.array_equal(made.srgb, render(photo, fixed).srgb)
    assert render(photo, fixed, second).why == "", "nothing was left open"
    assert as_it_is(asked, None) == (asked, "")


def test_a_pattern_of_another_material_is_refused():
    with pytest.raises(ValueError, match=r'velvet has no pattern "onyx" .accepted: plain, pleats, tufted'):
        Surface(
            name="x",
            material="velvet",
            palette="x",
            base="#000000",
            accent="#000000",
            detail="#000000",
            pattern="onyx",
        )
