"""What a diffusion model is told of a template's set, and who wins when several speak."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.backdrop.colour_words import colour_words, nearest
from pipeline.recipe import Worn
from pipeline.rig import Aim
from presets.library import library, recipe
from presets.models import Template
from presets.painting import Brush, Commission, Said, painting


def commissioned(template="velvet-navy-moody", **more):
    return recipe(template, "ring", backdrop="diffusion", commission=Commission(**more)).painting


def test_the_words_say_the_set_its_colours_and_its_light():
    told = commissioned().prompt
    template = library().templates["velvet-navy-moody"]
    assert told.startswith(template.prompt)
    assert library().rigs["moody"].words in told
    assert "midnight navy" in told
    assert "seen from slightly above" in told
    assert (
        "straight from above" in recipe("velvet-navy-moody", "necklace", backdrop="diffusion").painting.prompt
    )


def test_no_template_says_more_than_a_model_reads():
    """The encoders take 77 tokens; a word is about 1.3."""
    for name in library().templates:
        assert len(commissioned(name).prompt.split()) <= 58, name


def test_ones_own_words_take_the_place_of_the_templates():
    told = commissioned(said=Said(prompt="slate, {colours}, {light}", negative="flowers"))
    assert told.prompt == f"slate, midnight navy and blue, {library().rigs['moody'].words}"
    assert told.negative.startswith("flowers, jewelry")


@pytest.mark.parametrize(
    ("aim", "said"),
    [
        (Aim(azimuth_deg=100), "from the right through window panes"),
        (Aim(azimuth_deg=-140, gobo="none"), "from the front left, shadows"),
        (Aim(elevation_deg=85, gobo="palm"), "from straight above through palm leaves"),
    ],
)
def test_a_key_that_was_moved_is_told_where_it_stands_now(aim, said):
    """Else the painted light and the piece's shadow would contradict each other."""
    own = library().rigs["moody"].words
    told = recipe("velvet-navy-moody", "ring", backdrop="diffusion", light=aim).painting.prompt
    assert said in told
    assert own not in told
    brighter = recipe("velvet-navy-moody", "ring", backdrop="diffusion", light=Aim(intensity_ev=1))
    assert own in brighter.painting.prompt


def test_a_picture_wins_over_its_template_and_a_template_over_the_studio():
    known = library()
    own = Template(
        surface="velvet", palette="navy", rig="moody", title="", lora=("ours:0.5",), negative="dust"
    )
    surface, rig = known.surface_of(own), known.rigs["moody"]
    brush = Brush(lora=("house",), model="xl", backgrounds=3)
    usual = painting(own, surface, rig, "table", Commission(brush=brush, take=7))
    assert (usual.loras, usual.model, usual.take) == ((Worn(name="ours", strength=0.5),), "xl", 1)
    assert "dust" in usual.negative
    said = painting(own, surface, rig, "table", Commission(brush=brush, said=Said(lora=(), model="sd")))
    assert (said.loras, said.model) == ((), "sd")
    bare = own.model_copy(update={"lora": ()})
    assert painting(bare, surface, rig, "table", Commission(brush=brush)).loras == (Worn(name="house"),)


def test_a_template_may_ask_for_it_and_a_picture_may_refuse():
    own = library().templates["velvet-navy-moody"].model_copy(update={"backdrop": "diffusion"})
    presets = library()
    with_it = type(presets)(
        presets.surfaces, presets.rigs, presets.looks, {**presets.templates, "ours": own}, presets.defaults, presets.occasions
    )  # fmt: skip
    assert recipe("ours", "ring", presets=with_it).painting is not None
    assert recipe("ours", "ring", presets=with_it, backdrop="plate").painting is None
    assert recipe("velvet-navy-moody", "ring").painting is None


def test_of_a_pool_each_set_is_told_in_its_own_words():
    pool = ("velvet-navy-moody", "marble-black-studio")
    made = recipe(pool[0], "ring", pool=pool, backdrop="diffusion")
    assert [("velvet" in one.painting.prompt, "marble" in one.painting.prompt) for one in made.pool] == [
        (True, False),
        (False, True),
    ]
    assert made.on(made.pool[1]).painting == made.pool[1].painting


@pytest.mark.parametrize("name", ["a/b", "ours:strong", "../ours", ""])
def test_a_lora_is_a_plain_name(name):
    with pytest.raises(ValidationError):
        Brush(lora=(name,))


def test_colours_are_said_as_a_stylist_says_them():
    assert [nearest(code) for code in ("#0d1736", "#f6f5f2", "#0f5b40")] == [
        "midnight navy",
        "white",
        "emerald green",
    ]
    surface = recipe("marble-black-studio", "ring").surface
    assert colour_words(surface) == ("black", "ivory")
    assert colour_words(surface.model_copy(update={"accent": surface.base})) == ("black",)
