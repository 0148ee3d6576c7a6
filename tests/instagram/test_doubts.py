"""What a language model says is used only if it can state nothing that is not known."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from daemon.instagram.captions import Record, voice_for
from daemon.instagram.doubts import doubts
from daemon.instagram.model_folder import check_model, sees_pictures
from pipeline.errors import Misconfigured

RING = Record(
    "Aurora", "ring", metal="18k white gold", stones=("0.5 ct diamond",), price="€ 990", sku="R1",
    material="velvet", palette="navy", light="moody", colours=("white",), seed="1",
)  # fmt: skip


def wrong(text, record=RING, language="en", before=(), tmp="/nonexistent"):
    from pathlib import Path

    return doubts(text, record, voice_for(language, Path(tmp)), before)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Aurora rests quietly on navy velvet, and the light follows every line.", "en"),
        ("A ring in 18k white gold with a 0.5 ct diamond. Come by and see it, € 990.", "en"),
        (
            "Some things you want to look at again, and then once again in the evening.".replace("once ", ""),
            "en",
        ),
        ("Aurora ruht still auf dunkelblauem Samt. Ein Ring, der Licht mag.", "de"),
    ],
)
def test_good_sentences_are_used(text, language):
    assert wrong(text, language=language) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A ring with a ruby that glows on navy velvet.", "ruby"),
        ("A ring with a rhodolite that glows on navy velvet.", "rhodolite"),
        ("Aurora, in 22k white gold.", "22"),
        ("A 0.7 ct diamond for the evening.", "0.7"),
        ("Two diamonds for the evening.", "two"),
        ("Aurora, handmade for quiet evenings.", "handmade"),
        ("Aurora, shaped by hand for quiet evenings.", "by hand"),
        ("Aurora, from Italy, for quiet evenings.", "italy"),
        ("Conflict-free and quiet, on navy velvet.", "conflict"),
        ("Hallmarked, and quiet on navy velvet.", "hallmarked"),
        ("Aurora is one of a kind.", "one of"),
        ("Aurora shines on white marble.", "marble"),
        ("Aurora is a necklace to look at.", "necklace"),
        ("Aurora for € 90. Come by and see it.", "90"),
        ("Aurora shines on navy velvet. #ring", "#"),
        ("Aurora shines on navy velvet with @somebody.", "@"),
        ("More of Aurora at shop.example/r1 for you.", "link"),
        ("Aurora shines on navy velvet \N{SPARKLES}.", "\N{SPARKLES}"),
        ("Aurora shines on navy velvet and", "does not end"),
        ("Aurora.", "characters"),
        ("Look. Look at it. See it. Wear it. Love it.", "too many sentences"),
        ("Look at the light, look at the line, look at the shine.", "again and again"),
        ("Aurora is the only one.", "only"),
        ("Aurora: sold soon.", "sold"),
        ("Der Ring ruht still auf dem Samt.", "auf"),
        ("A ring in 18 ct diamond.", "18"),
        ("A ring in 990 white gold.", "990"),
        ("A ring in rose gold for quiet evenings.", "rose gold"),
        ("A ring for € 18 on navy velvet.", "18"),
    ],
)
def test_any_doubt_is_told(text, told):
    assert told in "; ".join(wrong(text)).casefold()


def test_what_was_said_before_is_not_said_again():
    text = "Aurora rests quietly on navy velvet."
    assert wrong(text) == []
    assert wrong(text, before={text}) == ["it was said before"]


def weights(path, *, cut=0):
    header = json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    data = len(header).to_bytes(8, "little") + header + bytes(16)
    path.write_bytes(data[: len(data) - cut])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    (tmp_path / "tokenizer.json").write_text("{}")
    weights(tmp_path / "model.safetensors")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("config.json", lambda path: path.unlink(), "config.json.*is missing"),
        ("config.json", lambda path: path.write_text("{"), "config.json.*cannot be read"),
        ("tokenizer.json", lambda path: path.unlink(), "no tokenizer"),
        ("model.safetensors", lambda path: path.unlink(), "no weights as .safetensors"),
        (
            "model.safetensors",
            lambda path: path.rename(path.with_name("pytorch_model.bin")),
            "only pickled ones",
        ),
        ("model.safetensors", lambda path: weights(path, cut=5), "damaged, or was not copied to its end"),
        ("model.safetensors", lambda path: path.write_bytes(b"\xff" * 100), "damaged"),
        (
            "model.safetensors.index.json",
            lambda path: path.write_text('{"weight_map": {"a": "model-2.safetensors"}}'),
            "model-2.safetensors.*is missing",
        ),
    ],
)
def test_a_damaged_model_is_told_with_its_file(folder, name, change, told):
    change(folder / name)
    with pytest.raises(Misconfigured, match=told):
        check_model(folder)


def test_what_sort_of_model_it_is_its_config_says(folder):
    assert not sees_pictures(folder)
    (folder / "config.json").write_text('{"vision_config": {}}')
    assert sees_pictures(folder)


def test_check_tells_a_missing_model_and_posts_are_made_all_the_same(tmp_path, capsys):
    from daemon.cli import main

    (tmp_path / "vitrine.toml").write_text('[instagram]\ncaption_model = "models/none"\n')
    with pytest.raises(SystemExit) as end:
        main(["check", "--studio", str(tmp_path)])
    assert end.value.code == 78
    assert (
        f"{tmp_path}/models/none, the language model for captions: there is no such folder"
        in capsys.readouterr().err
    )


def test_nothing_of_it_is_loaded_for_those_who_have_no_model():
    code = (
        "import sys, daemon.worker, daemon.deliver, daemon.instagram.compose, daemon.cli.check;"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
