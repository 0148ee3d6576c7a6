"""Filters over the templates."""

from __future__ import annotations

import pytest

from pipeline.errors import Misconfigured
from presets.library import library
from presets.selection import Filters, select, words_of


@pytest.mark.parametrize("field", list(words_of()))
def test_every_word_of_every_filter_finds_templates_and_leaves_some_out(field: str):
    everything = len(library().templates)
    for word in words_of()[field]:
        found = select(Filters(**{field: (word,)}))
        assert 0 < len(found) <= everything
        assert len(found) < everything or word == "auto" or field in {"type", "view"}


def test_fields_narrow_each_other_and_words_of_one_field_add_up():
    velvet = select(Filters(style=("velvet",)))
    both = select(Filters(style=("velvet", "marble")))
    dark = select(Filters(style=("velvet", "marble"), rig=("moody",), metal=("pearl",)))
    assert set(velvet) < set(both)
    assert set(dark) < set(both)
    assert all(library().templates[name].rig == "moody" for name in dark)
    assert all("pearl" in library().templates[name].flatters for name in dark)


def test_templates_for_all_the_year_meet_every_season():
    winter = select(Filters(season=("winter",)))
    seasons = [library().templates[name].seasons for name in winter]
    assert () in seasons
    assert all(not one or "winter" in one for one in seasons)


def test_the_view_is_the_one_the_piece_would_get():
    assert "velvet-navy-moody" in select(Filters(type=("ring",), view=("table",)))
    assert "velvet-navy-moody" not in select(Filters(type=("ring",), view=("flat",)))
    assert "velvet-navy-moody" in select(Filters(type=("earrings",), view=("flat",)))


@pytest.mark.parametrize(
    ("field", "word", "meant"),
    [("style", "velvt", "velvet"), ("metal", "yelow-gold", "yellow-gold"), ("rig", "mody", "moody")],
)
def test_an_unknown_word_is_answered_with_the_known_ones(field, word, meant):
    with pytest.raises(Misconfigured, match=f'there is no {field} "{word}"; did you mean "{meant}"'):
        select(Filters(**{field: (word,)}))
