"""The folder grammar: documented names, forgiven habits, and that nothing on a disk can make it fail."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.recipe import JEWELRY_TYPES
from presets.library import library
from presets.styles import Style
from rules.grammar import Wish, read_folder, write_folder
from rules.vocabulary import MAX_VARIANTS, TYPE_WORDS

DOCUMENTED = {
    "rings": Wish(type="ring"),
    "earrings--velvet-moody": Wish(type="earrings", style=Style(material="velvet", lighting="moody")),
    "necklaces--marble--soft-glow": Wish(
        type="necklace", style=Style(material="marble", lighting="soft-glow")
    ),
    "bangles--overnight": Wish(type="bangle", overnight=True),
    "auto--festive--x4": Wish(type="auto", style=Style(material="festive"), variants=4),
    "watches--velvet-navy-moody": Wish(type="watch", style=Style(template="velvet-navy-moody")),
    "sets--draft--urgent--no-instagram": Wish(type="set", draft=True, urgent=True, no_instagram=True),
    "rings--diffusion--overnight": Wish(type="ring", diffusion=True, overnight=True),
    "rings--raytraced--overnight": Wish(type="ring", raytraced=True, overnight=True),
    "brooch--soft-glow": Wish(type="brooch", style=Style(lighting="soft-glow")),
    "": Wish(),
}
FORGIVEN = {
    "RINGS": "rings",
    "ring": "rings",
    "Rings -- Velvet Moody": "rings--velvet-moody",
    "rings__velvet_moody": "rings--velvet-moody",
    "rings\u2014velvet moody": "rings--velvet-moody",
    "rings-velvet-moody": "rings--velvet-moody",
    "ear rings": "earrings",
    "rings--night": "rings--overnight",
    "rings--path traced": "rings--raytraced",
    "rings--X3": "rings--x3",
    "rings--marble-black-soft-glow": "rings--marble-marquina--soft-glow",
    "rings/soft-glow": "rings--soft-glow",
    "bangle--no-insta": "bangles--no-instagram",
    "--rings--": "rings",
}


@pytest.mark.parametrize("folder", DOCUMENTED)
def test_documented_names(folder: str):
    assert read_folder(folder) == DOCUMENTED[folder]


@pytest.mark.parametrize("folder", FORGIVEN)
def test_habits_are_forgiven(folder: str):
    assert read_folder(folder) == read_folder(FORGIVEN[folder])
    assert read_folder(folder).findings == ()


@pytest.mark.parametrize("word", TYPE_WORDS)
def test_every_word_for_a_type_and_its_plural(word: str):
    assert read_folder(word).type == TYPE_WORDS[word]


@pytest.mark.parametrize("name", library().templates)
def test_every_template_is_a_word(name: str):
    assert read_folder(f"rings--{name}") == Wish(type="ring", style=Style(template=name))


@pytest.mark.parametrize(
    ("folder", "suggestion"),
    [
        ("ringss", "rings"),
        ("rings--velvett", "velvet"),
        ("rings--velvett-moody", "velvet-moody"),
        ("rings--overnihgt", "overnight"),
        ("rings--x99", "x4"),
        ("rings--x0", "x4"),
        ("rings--soft-glo", "soft-glow"),
        ("rings/2026-05/ovrnight", "overnight"),
    ],
)
def test_a_typing_mistake_gets_a_suggestion_and_leaves_the_rest(folder: str, suggestion: str):
    (finding,) = read_folder(folder).findings
    assert finding.suggestion == suggestion
    assert finding.suggestion in finding.text
    assert finding.code == "unknown-word"


def test_an_unknown_word_is_reported_and_the_known_ones_count():
    wish = read_folder("bangles-monsoon--marble")
    assert (wish.type, wish.style.material) == ("bangle", "marble")
    (finding,) = wish.findings
    assert '"monsoon"' in finding.text


def test_a_lot_folder_inside_is_no_mistake():
    assert read_folder("rings/2026-05-14 lot 7").findings == ()


def test_a_colour_alone_is_no_style():
    assert read_folder("rings--gold").style == Style()


def test_inner_folder_refines_outer():
    assert read_folder("rings--velvet/marble--x2").style == Style(material="marble")


NAMED = [
    *(Style(template=name) for name in sorted(library().templates)),
    *(
        Style(material=surface, palette=palette)
        for surface, palette in sorted({(one.surface, one.palette) for one in library().templates.values()})
    ),
    *(Style(material=name) for name in sorted(library().surfaces)),
]
STYLES = st.just(Style()) | st.sampled_from(NAMED)
EXTRAS = st.builds(
    Style,
    lighting=st.none() | st.sampled_from(sorted(library().rigs)),
    look=st.none() | st.sampled_from(sorted(library().looks)),
)
WISHES = st.builds(
    Wish,
    type=st.sampled_from(JEWELRY_TYPES),
    style=st.builds(Style.joined, STYLES, EXTRAS),
    overnight=st.booleans(),
    urgent=st.booleans(),
    draft=st.booleans(),
    diffusion=st.booleans(),
    no_instagram=st.booleans(),
    variants=st.none() | st.integers(1, MAX_VARIANTS),
)


def test_no_two_styles_have_one_name():
    """A palette called so that surface and palette together are a template's name would never be found."""
    wishes = [Wish(type="ring", style=style) for style in NAMED]
    assert [read_folder(write_folder(wish)) for wish in wishes] == wishes


@given(WISHES)
def test_what_is_written_is_read_back(wish: Wish):
    assert read_folder(write_folder(wish)) == wish


@given(st.text() | st.text(alphabet="rings-velvet_x4 /—"))
@settings(max_examples=200, deadline=None)
def test_no_name_fails_and_reading_is_stable(folder: str):
    wish = read_folder(folder)
    again = read_folder(write_folder(wish))
    assert again.model_copy(update={"type": wish.type}) == wish.model_copy(update={"findings": ()})


@pytest.mark.parametrize("word", ["velvet-moody-", "a-", "x2-", "rings-", "navy-velvet-", "soft-glow-"])
def test_the_longest_name_of_a_disk_is_read_at_once(word: str):
    start = time.perf_counter()
    read_folder((word * 255)[:255] + "/" + (word * 255)[:255])
    assert time.perf_counter() - start < 1.0
