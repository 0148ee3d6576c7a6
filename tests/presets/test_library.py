"""The presets that come with Vitrine, and how mistakes in preset files are told."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import Misconfigured
from pipeline.recipe import JEWELRY_TYPES, MATERIALS, Recipe
from presets.library import HOME, library, load, recipe, resolve_stance
from presets.models import Change

ROOMS = {
    "moody": 8,
    "soft-glow": 2,
    "spotlight": 12,
    "studio": 3,
    "blinds": 6,
    "palm": 4.5,
    "candlelight": 3.6,
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    home = tmp_path / "presets"
    for folder in ("surfaces", "rigs", "looks", "templates"):
        shutil.copytree(HOME / folder, home / folder)
    shutil.copy(HOME / "defaults.toml", home)
    return home


def test_there_is_choice_and_dark_velvet_comes_first():
    templates = library().templates
    assert len(templates) >= 100
    assert {one.surface for one in templates.values()} == set(library().surfaces) >= set(MATERIALS)
    assert {one.rig for one in templates.values()} == set(ROOMS)
    assert {one.look for one in templates.values()} == set(library().looks)
    first = next(iter(templates.values()))
    assert (first.surface, first.palette) == ("velvet", "navy")
    assert {("velvet", "navy"), ("velvet", "black")} <= {
        (one.surface, one.palette) for one in templates.values()
    }


def test_no_two_templates_are_the_same():
    known = library()
    looks = {(known.surface_of(one), one.rig, one.look) for one in known.templates.values()}
    assert len(looks) == len(library().templates)
    assert len({one.title for one in library().templates.values()}) == len(looks)


def test_other_folds_than_were_baked_are_painted():
    velvet, marble, travertine = (library().surfaces[name] for name in ("velvet", "marble", "travertine"))
    assert velvet.surface("navy").plate == "velvet"
    assert velvet.surface("navy", Change(accent="#ffffff")).plate == "velvet"
    assert not velvet.surface("navy", Change(relief=0.5)).plate
    assert velvet.surface("navy", Change(relief=velvet.relief)).plate == "velvet"
    assert not travertine.surface("roman", Change(scale=2.0)).plate
    assert not velvet.surface("navy", Change(pattern="pleats")).plate
    assert marble.surface("calacatta", Change(scale=2.0)).plate == "marble"


@pytest.mark.parametrize("kind", JEWELRY_TYPES)
def test_every_template_makes_a_recipe_for_every_kind(kind):
    digests = {recipe(name, kind).digest for name in library().templates}
    assert len(digests) == len(library().templates)


def test_digests_are_the_same_in_another_process():
    code = (
        "from presets.library import library, recipe\n"
        "print('\\n'.join(recipe(name, 'ring', seed=3).digest for name in library().templates))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [recipe(name, "ring", seed=3).digest for name in library().templates]


def test_a_recipe_survives_json():
    made = recipe("velvet-navy-moody", "ring")
    assert Recipe.model_validate_json(made.model_dump_json()).digest == made.digest


@pytest.mark.parametrize("name", ROOMS)
def test_open_ground_under_a_rig_has_irradiance_one(name: str):
    rig = library().rigs[name]
    total = rig.ambient.strength + sum(
        one.strength * math.sin(math.radians(one.elevation_deg)) for one in rig.lights
    )
    assert total == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(("name", "ratio"), ROOMS.items())
def test_the_ratio_of_lit_to_shaded_ground_is_the_rigs(name: str, ratio: float):
    """Lit ground to ground in the shadow of the key light alone (of both strips in the studio)."""
    rig = library().rigs[name]
    shares = {one.name: one.strength * math.sin(math.radians(one.elevation_deg)) for one in rig.lights}
    shaded = [share for light, share in shares.items() if light == rig.key.name or light.startswith("strip")]
    assert 1 / (1 - sum(shaded)) == pytest.approx(ratio, rel=0.2)


@pytest.mark.parametrize("name", ROOMS)
def test_light_colours_have_luminance_near_one(name: str):
    rig = library().rigs[name]
    for color in (rig.ambient.color, *(one.color for one in rig.lights)):
        assert 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2] == pytest.approx(1.0, abs=0.03)


def test_the_rigs_are_what_their_names_say():
    rigs = library().rigs
    assert rigs["moody"].key.gobo is not None
    assert -90 < rigs["moody"].key.azimuth_deg < 0, "the window stands behind, at the left"
    assert rigs["spotlight"].key.cone is not None
    assert rigs["soft-glow"].bloom == max(rig.bloom for rig in rigs.values())
    assert sorted(one.azimuth_deg for one in rigs["studio"].lights if one.name.startswith("strip")) == [
        -55,
        55,
    ]


@pytest.mark.parametrize("name", library().looks)
def test_looks_are_subtle(name: str):
    look = library().looks[name]
    assert all(0.94 <= value <= 1.06 for value in look.slope)
    assert all(0.9 <= value <= 1.12 for value in look.power)
    assert all(abs(value) <= 0.01 for value in look.offset)


def test_every_kind_has_a_default_that_suits_it():
    for kind, name in library().defaults.items():
        assert kind == "auto" or kind in library().templates[name].suits


def test_what_is_given_replaces_the_templates_own():
    made = recipe(
        "velvet-navy-moody",
        "ring",
        lighting="studio",
        look="neutral",
        size_px=(800, 1000),
        fill=0.4,
        draft=True,
    )
    assert (made.rig.name, made.look.name, made.width_px, made.height_px) == ("studio", "neutral", 800, 1000)
    assert (made.fill, made.draft) == (0.4, True)


@pytest.mark.parametrize(
    ("kind", "view", "pose", "result"),
    [
        ("ring", "auto", "auto", ("table", "upright")),
        ("ring", "flat", "auto", ("flat", "flat")),
        ("ring", "auto", "flat", ("table", "flat")),
        ("bracelet", "auto", "auto", ("table", "flat")),
        ("bangle", "auto", "auto", ("table", "flat")),
        ("earrings", "auto", "auto", ("flat", "flat")),
        ("bracelet", "table", "auto", ("table", "flat")),
        ("pendant", "table", "hanging", ("flat", "hanging")),
        ("auto", "auto", "auto", ("auto", "auto")),
        ("auto", "auto", "upright", ("table", "upright")),
    ],
)
def test_stance(kind, view, pose, result):
    assert resolve_stance(kind, view, pose) == result


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"template": "velvet-navy-mody"}, ['"velvet-navy-mody"', 'did you mean "velvet-navy-moody"']),
        ({"template": "velvet-navy-moody", "lighting": "moodi"}, ['did you mean "moody"', '"studio"']),
        ({"template": "velvet-navy-moody", "look": "x"}, ['no look "x"', '"neutral"']),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(arguments, words):
    with pytest.raises(Misconfigured) as caught:
        recipe(**arguments)
    assert all(word in str(caught.value) for word in words)


def test_a_palette_may_override_the_material():
    text = (HOME / "surfaces" / "marble.toml").read_text("utf-8")
    assert "palettes" in text
    surface = library().surfaces["marble"]
    palette = next(iter(surface.palettes.values())).model_copy(update={"roughness": 0.77})
    changed = surface.model_copy(update={"palettes": {"odd": palette}})
    assert changed.surface("odd").roughness == 0.77
    assert changed.surface("odd").reflection == surface.reflection


BAD = [
    (
        "rigs/moody.toml",
        "relight = 0.55",
        "relihgt = 0.55",
        ["relihgt", 'did you mean "relight"', "exposure_ev"],
    ),
    ("rigs/studio.toml", "bloom = 0.016", "bloom = 3", ["bloom", "a number from 0 to 0.04"]),
    ("rigs/spotlight.toml", 'role = "key"', 'role = "keey"', ["lights[1].role", '"key", "fill", "rim"']),
    ("looks/neutral.toml", "grain = 0.004", 'grain = "much"', ["grain", "a number from 0 to 0.05"]),
    ("surfaces/velvet.toml", 'material = "velvet"', 'material = "velvt"', ["material", '"velvet", "marble"']),
    (
        "templates/velvet.toml",
        'palette = "navy"',
        'palette = "navi"',
        ["velvet-navy-moody.palette", 'mean "navy"'],
    ),
    (
        "templates/velvet.toml",
        'rig = "moody"',
        'rig = "mody"',
        ["velvet-navy-moody.rig", 'mean "moody"', '"studio"'],
    ),
    (
        "templates/marble.toml",
        'look = "neutral"',
        'look = "neutrl"',
        [".look", 'mean "neutral"', '"film-soft"'],
    ),
    ("defaults.toml", 'eid = "festive', 'eid = "festve', ["occasions.eid", 'mean "festive-plum-soft-glow"']),
    ("defaults.toml", 'ring = "velvet', 'ring = "velvett', ["types.ring", "did you mean"]),
]


@pytest.mark.parametrize(("file", "old", "new", "words"), BAD, ids=[f"{one[0]}:{one[2]}" for one in BAD])
def test_a_mistake_names_file_line_key_and_what_is_accepted(copy: Path, file: str, old: str, new: str, words):
    path = copy / file
    text = path.read_text("utf-8")
    line = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(Misconfigured) as caught:
        load(copy)
    (told,) = [one for one in str(caught.value).splitlines() if words[0] in one]
    assert told.startswith(f"{path}, line {line}, ")
    assert all(word in told for word in words)


def test_all_mistakes_in_all_files_are_told_at_once(copy: Path):
    for file, old, new, _ in BAD[:4]:
        path = copy / file
        path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(Misconfigured) as caught:
        load(copy)
    assert all(one[3][0] in str(caught.value) for one in BAD[:4])


def stops(look, light: float) -> list[float]:
    """Change of each channel in EV that the CDL makes at a grey of this linear value (ACEScct, S-2016-001)."""
    encoded = (math.log2(light) + 9.72) / 17.52
    changed = [
        (encoded * slope + offset) ** power
        for slope, offset, power in zip(look.slope, look.offset, look.power, strict=True)
    ]
    return [(value - encoded) * 17.52 for value in changed]


@pytest.mark.parametrize("name", library().looks)
def test_looks_keep_white_paper_white_enough(name: str):
    """A look may warm or cool white by a quarter stop between red and blue, and brighten or darken it by as much."""
    change = stops(library().looks[name], 1.0)
    assert max(change) - min(change) <= 0.27
    assert all(abs(value) <= 0.27 for value in change)
    assert all(abs(value) <= 0.4 for value in stops(library().looks[name], 0.18))
