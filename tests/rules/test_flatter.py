"""What flatters a piece: contrast, metal, stones; and the pool from which it is taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.recipe import JEWELRY_TYPES, METALS
from presets.library import library, recipe
from presets.styles import Style
from rules.flatter import choose, score, tone
from rules.pool import FEWEST, MOST, mixed, offer

BLACK, WHITE, NAVY, BURGUNDY = (
    "velvet-black-studio", "marble-white-soft-glow", "velvet-navy-moody", "velvet-burgundy-soft-glow",
)  # fmt: skip


@dataclass
class Piece:
    metal: str = "yellow-gold"
    lab: tuple[float, float, float] = (0.65, 0.01, 0.09)
    stones_deg: float | None = None
    low: float = 0.4


OXIDISED = Piece("dark-metal", (0.28, 0.0, 0.0))
PEARLS = Piece("pearl", (0.9, 0.0, 0.02))
GOLD = Piece()
SILVER = Piece("white-metal", (0.72, 0.0, 0.0))


def taken(piece: Piece, *names: str) -> str:
    made, why = choose(recipe(names[0], "ring", pool=names), piece)
    assert made.template in why
    return made.template


@pytest.mark.parametrize(
    ("piece", "names", "template"),
    [
        (OXIDISED, (BLACK, WHITE), WHITE),
        (PEARLS, (WHITE, BLACK), BLACK),
        (GOLD, ("minimal-sand-moody", NAVY), NAVY),
        (GOLD, ("minimal-dove-studio", "velvet-emerald-studio"), "velvet-emerald-studio"),
        (SILVER, ("minimal-sand-moody", BLACK), BLACK),
        (
            Piece("white-metal", (0.85, 0.0, 0.0), low=0.2),
            (BLACK, "marble-azul-studio"),
            "marble-azul-studio",
        ),
        (SILVER, ("gradient-champagne-soft-glow", "marble-grey-studio"), "marble-grey-studio"),
        (Piece(stones_deg=24.0), (BURGUNDY, "velvet-emerald-studio"), "velvet-emerald-studio"),
        (Piece(stones_deg=265.0), (NAVY, BURGUNDY), BURGUNDY),
    ],
)
def test_what_a_stylist_would_take(piece, names, template):
    assert taken(piece, *names) == template


def test_of_equals_the_first_is_taken_so_that_a_batch_varies():
    assert taken(GOLD, NAVY, "velvet-emerald-studio") == NAVY
    assert taken(GOLD, "velvet-emerald-studio", NAVY) == "velvet-emerald-studio"


def test_the_chosen_recipe_has_the_sets_own_surface_light_and_look_and_no_choice_left():
    pool = ("minimal-sand-moody", "velvet-emerald-studio")
    made, _ = choose(recipe(pool[0], "ring", pool=pool, seed=4), GOLD)
    assert made == recipe("velvet-emerald-studio", "ring", seed=4)


def test_a_recipe_without_a_choice_stays():
    fixed = recipe(NAVY, "ring")
    assert choose(fixed, GOLD) == (fixed, "")


@pytest.mark.parametrize("kind", JEWELRY_TYPES)
@pytest.mark.parametrize("style", [Style(), Style(material="velvet"), Style(lighting="moody")])
def test_a_pool_suits_the_type_and_the_wish_and_has_dark_and_light(kind, style):
    for number in range(20):
        made = offer(style, kind, f"photo {number}")
        assert FEWEST <= len(made.pool) <= MOST
        assert made.choice.template == made.pool[0]
        chosen = [library().templates[name] for name in made.pool]
        assert all(kind == "auto" or kind in one.suits for one in chosen)
        assert style.material in {None, *(one.surface for one in chosen)}
        assert style.lighting in {None, chosen[0].rig}
        assert not any(one.surface == "festive" for one in chosen)
        assert style.lighting or not any(one.seasons for one in chosen)
        if style == Style():
            assert {"dark", "light"} <= {tone(library().surface_of(one)).word for one in chosen}


@pytest.mark.parametrize("metal", METALS)
def test_every_metal_finds_a_set_it_stands_out_on_and_that_is_made_for_it(metal):
    lab = {"dark-metal": (0.3, 0.0, 0.0), "pearl": (0.9, 0.0, 0.02)}.get(metal, (0.68, 0.01, 0.06))
    piece = Piece(metal, lab)
    best = [
        max(score(one, piece) for one in recipe(pool[0], "ring", pool=pool).pool)
        for pool in (offer(Style(), "ring", f"photo {number}").pool for number in range(40))
    ]
    assert min(best) >= 1.0, "it stands out"
    assert sum(value > 1.0 + 0.2 for value in best) >= 34, (
        "and hardly ever on a set that is not made for its metal"
    )


def test_the_same_photo_gets_the_same_pool_and_a_batch_gets_many():
    assert offer(Style(), "ring", "abc|0") == offer(Style(), "ring", "abc|0")
    made = Counter(
        choose(recipe(one.choice.template, "ring", pool=one.pool), GOLD)[0].template
        for one in (offer(Style(), "ring", f"photo {number}") for number in range(100))
    )
    assert len(made) >= 15
    assert max(made.values()) <= 15


@pytest.mark.parametrize("style", [Style(), Style(material="velvet")])
def test_variants_share_no_set(style):
    pools = [offer(style, "ring", "abc", turn=turn, of=4).pool for turn in range(4)]
    assert len({name for pool in pools for name in pool}) == sum(map(len, pools))


def test_the_tone_that_is_told_from_the_palette_is_that_of_the_rendered_ground():
    from pipeline.backdrop.backdrop import paint
    from pipeline.color import oklab_from_linear
    from pipeline.values import Ground

    told, seen = [], []
    for one in library().templates.values():
        surface, rig = library().surface_of(one), library().rigs[one.rig]
        scene = paint(surface, rig, "table", (256, 256), 0, Ground(28.0, 160.0, (128.0, 190.0)))
        ground = np.clip(np.add.reduce(list(scene.groups.values())), 0, 1)[100:250, 20:236]
        told.append(tone(surface).lightness)
        seen.append(float(np.median(oklab_from_linear(ground)[..., 0])))
    assert np.corrcoef(told, seen)[0, 1] > 0.95
    assert np.abs(np.subtract(told, seen)).mean() < 0.07


def test_a_named_template_or_palette_leaves_no_choice():
    assert offer(Style(template=NAVY), "ring", "abc").pool == ()
    assert offer(Style(material="marble", palette="marquina"), "ring", "abc").pool == ()


def test_many_variants_of_few_sets_begin_with_different_ones():
    pools = [offer(Style(material="minimal"), "ring", "abc", turn=turn, of=6).pool for turn in range(6)]
    assert len({pool[0] for pool in pools}) == 6


def test_who_says_marble_does_not_mean_malachite():
    seen = {
        name for number in range(30) for name in offer(Style(material="marble"), "ring", f"{number}").pool
    }
    anything = {name for number in range(90) for name in offer(Style(), "ring", f"{number}").pool}
    assert all(name.startswith("marble-") for name in seen)
    assert "malachite-soft-glow" in anything


def test_feasts_and_palms_come_when_they_are_asked_for():
    surfaces = {
        library().templates[name].surface for name in offer(Style(material="festive"), "ring", "abc").pool
    }
    rigs = {library().templates[name].rig for name in offer(Style(lighting="palm"), "ring", "abc").pool}
    assert (surfaces, rigs) == ({"festive"}, {"palm"})


def test_mixed_takes_turns_between_dark_and_light():
    names = [BLACK, NAVY, "velvet-emerald-studio", WHITE, "gradient-pearl-studio"]
    words = [tone(library().surface_of(library().templates[name])).word for name in mixed(names)]
    assert words[:4] == ["dark", "light", "dark", "light"]
