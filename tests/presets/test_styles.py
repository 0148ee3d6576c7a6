"""Words for styles and the templates they choose."""

from __future__ import annotations

import pytest

from presets.library import library
from presets.styles import Style, choose, find_style


@pytest.mark.parametrize(
    ("word", "kind", "template", "lighting"),
    [
        ("velvet", "ring", "velvet-navy-moody", None),
        ("velvet", "bangle", "velvet-black-moody", None),
        ("velvet", "watch", "velvet-navy-moody", None),
        ("velvet-moody", "ring", "velvet-navy-moody", None),
        ("soft-glow", "ring", "velvet-navy-soft-glow", None),
        ("marble", "ring", "marble-white-soft-glow", None),
        ("marble-black", "ring", "marble-black-studio", None),
        ("marble-black-soft-glow", "ring", "marble-black-studio", "soft-glow"),
        ("moody-velvet-plum", "ring", "velvet-plum-moody", None),
        ("malachite", "ring", "malachite-soft-glow", None),
        ("linen-flax", "ring", "linen-flax-blinds", None),
        ("diwali", "set", "festive-gold-soft-glow", None),
        ("festive-spotlight", "set", "festive-gold-spotlight", None),
    ],
)
def test_word_to_template(word: str, kind, template: str, lighting: str | None):
    style = find_style(word)
    assert style is not None
    choice = choose(style, kind)
    assert (choice.template, choice.lighting) == (template, lighting)


@pytest.mark.parametrize("word", ["", "gold", "velvet-gold", "monsoon", "velvet-velvet", "-", "ring"])
def test_what_is_no_style(word: str):
    assert find_style(word) is None


@pytest.mark.parametrize("material", library().surfaces)
@pytest.mark.parametrize("light", library().rigs)
def test_every_material_under_every_light(material: str, light: str):
    style = find_style(f"{material}-{light}")
    assert style is not None
    choice = choose(style, "pendant")
    template = library().templates[choice.template]
    assert template.surface == material
    assert (choice.lighting or template.rig) == light


@pytest.mark.parametrize("kind", ["watch", "ring", "necklace", "set"])
def test_a_template_that_does_not_suit_the_kind_comes_last(kind):
    for material in library().surfaces:
        for light in library().rigs:
            template = library().templates[choose(Style(material=material, lighting=light), kind).template]
            assert kind in template.suits
