"""Words from what is known, and none that state more."""

from __future__ import annotations

import itertools

import pytest

from daemon.instagram.captions import Record, Voice, VoiceFile, voice_for
from daemon.instagram.facts import stated, unstated
from daemon.instagram.hashtags import hashtags
from pipeline.errors import Misconfigured

BARE = Record(
    "Aurora", "ring", material="velvet", palette="emerald", light="moody", colours=("yellow",), seed="1"
)
FULL = Record(
    "Aurora", "ring", metal="18k white gold", stones=("0.5 ct diamond", "ruby"), price="€ 990", sku="R1",
    link="https://shop.example/r1", material="marble", palette="carrara", light="studio", colours=("white", "red"), seed="2",
)  # fmt: skip


@pytest.fixture(params=["en", "de"])
def voice(request, tmp_path):
    return voice_for(request.param, tmp_path)


def many(voice, record, count):
    said, last = [], ""
    for _ in range(count):
        words = voice.write(record, {one.caption for one in said}, last)
        said.append(words)
        last = words.voice
    return said


@pytest.mark.parametrize("record", [BARE, FULL])
def test_a_piece_gets_a_hundred_captions_no_two_alike_none_like_its_neighbour(voice, record):
    said = many(voice, record, 100)
    assert len({one.caption for one in said}) == 100
    openings = [one.voice.partition(":")[2].split(".")[0] for one in said]
    assert all(one != other for one, other in itertools.pairwise(openings))


@pytest.mark.parametrize("record", [BARE, FULL])
def test_nothing_is_stated_that_is_not_known(voice, record):
    for one in many(voice, record, 60):
        assert unstated(one.caption, record.facts) == set()
        assert unstated(one.alt_text, record.facts) == set()


def test_the_green_velvet_that_is_called_emerald_is_no_emerald(voice):
    assert not any(
        "merald" in one.caption or "smaragd" in one.caption.casefold() for one in many(voice, BARE, 60)
    )


def test_what_is_known_is_said_word_for_word(tmp_path):
    voice = voice_for("en", tmp_path)
    text = " ".join(one.caption for one in many(voice, FULL, 100))
    for fact in ("18k white gold", "0.5 ct diamond and ruby", "€ 990", "https://shop.example/r1", "R1"):
        assert fact in text
    assert voice.write(FULL, set(), "").alt_text == (
        "A ring of 18k white gold with 0.5 ct diamond and ruby in white and red tones on white marble, in clear, even light."
    )


def test_the_same_seed_gives_the_same_words(voice, tmp_path):
    assert voice.write(FULL, set(), "") == voice_for(voice.language, tmp_path).write(FULL, set(), "")
    other = Record(**{name: getattr(FULL, name) for name in FULL.__dataclass_fields__} | {"seed": "3"})
    assert voice.write(other, set(), "").caption != voice.write(FULL, set(), "").caption


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A ring of gold", {"gold"}),
        ("golden hour", {"golden", "gold"}),
        ("Two RUBIES and pearls", {"ruby", "pearl"}),
        ("18k, 0.5 ct, 925", {"18k", "0.5ct", "925"}),
        ("ein Ring aus Weißgold mit Smaragden", {"weissgold", "smaragd"}),
        ("hand-made in silver-plated brass", {"hand-made", "silver", "brass"}),
        ("Quiet from afar", set()),
    ],
)
def test_facts_are_recognised(text, words):
    assert stated(text) == words


def test_the_shops_own_voice_wins_and_its_lies_are_left_out(tmp_path):
    file = voice_for("en", tmp_path)._file
    lying = VoiceFile.model_validate(
        file.model_dump(by_alias=True) | {"openings": ["Solid gold: {title}.", "Look: {title}."]}
    )
    for one in many(Voice("en", lying), BARE, 20):
        assert one.caption.startswith("Look: Aurora.")


def test_a_mistake_in_the_shops_voice_is_told_with_its_line(tmp_path):
    from importlib import resources

    text = (resources.files("daemon.instagram") / "voice" / "en.toml").read_text()
    (tmp_path / "fr.toml").write_text(text.replace('"{title}."', '"{titel}."'))
    with pytest.raises(Misconfigured, match=r"fr.toml: '\{titel\}.': there is no \{titel\}"):
        voice_for("fr", tmp_path)
    (tmp_path / "fr.toml").write_text("openings = 3\n")
    with pytest.raises(Misconfigured, match=r"fr.toml, line 1, openings"):
        voice_for("fr", tmp_path)
    with pytest.raises(Misconfigured, match='no voice for the language "xx"'):
        voice_for("xx", tmp_path)


def test_hashtags_say_only_what_is_known_and_are_not_too_many():
    tags = hashtags(FULL, ["#myshop"], 8, 12)
    assert tags[0] == "#myshop"
    assert len(tags) == len(set(tags)) == 8
    assert "#whitegold" in tags
    assert not any("emerald" in tag for tag in tags)
    bare = hashtags(BARE, [], 30, 6)
    assert not {"#gold", "#goldjewelry", "#emerald", "#diamond"} & set(bare)
    assert "#summerstyle" in bare
    assert hashtags(FULL, [], 0, 1) == []


def test_a_mistake_in_the_shops_voice_costs_no_picture_and_check_tells_it(tmp_path, capsys):
    from daemon.cli import main
    from daemon.instagram.compose import _voices
    from daemon.studio import Studio

    studio = Studio(tmp_path)
    studio.create()
    studio.voice.mkdir()
    (studio.voice / "en.toml").write_text("openings = 3\n")
    assert [voice.language for voice in _voices(("en", "xx", "de"), studio)] == ["en", "de"]
    assert [voice.language for voice in _voices(("xx",), studio)] == ["en"]
    with pytest.raises(SystemExit) as end:
        main(["check", "--studio", str(tmp_path)])
    assert end.value.code == 78
    assert "en.toml, line 1, openings" in capsys.readouterr().err


def test_a_piece_without_a_title_is_called_by_its_kind_where_the_voice_wants_a_name():
    file = voice_for("en", None)._file
    named = VoiceFile.model_validate(
        file.model_dump(by_alias=True) | {"openings": ["From our case: {title}."]}
    )
    said = Voice("en", named).write(Record("", "watch", material="velvet", palette="navy"), set(), "")
    assert said.caption.startswith("From our case: Watch.")


def test_a_name_is_introduced_and_a_description_is_not(voice):
    for title, introduced in (
        ("Aurora", True),
        ("Gold ring 22k", False),
        ("Luna hoops", False),
        ("Ring", False),
    ):
        record = Record(title, "ring", material="velvet", palette="navy", light="moody", seed="3")
        said = " ".join(one.caption for one in many(voice, record, 40))
        assert (f"Meet {title}." in said or f"Das ist {title}." in said) == introduced, title
        assert title in said


def test_known_facts_come_first_and_nothing_is_said_twice(voice):
    for one in many(voice, FULL, 15):
        for fact in (FULL.metal, FULL.title, FULL.price):
            assert one.caption.casefold().count(fact.casefold()) == 1, one.caption
        assert one.caption.count("ruby") == 1, one.caption
