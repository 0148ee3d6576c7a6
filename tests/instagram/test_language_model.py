"""Captions by a language model: real transformers, real files, no network. Run by `make test-diffusion`."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import socket

import pytest
from PIL import Image

from daemon.instagram.captions import Record, voice_for

pytest.importorskip("torch", reason="the extra diffusion is not installed: make test-diffusion")
pytest.importorskip("transformers", reason="the extra diffusion is not installed: make test-diffusion")
pytestmark = [pytest.mark.diffusion, pytest.mark.filterwarnings("ignore")]

from daemon.instagram import language_model  # noqa: E402
from daemon.instagram.language_model import ModelCaptioner  # noqa: E402
from tests.instagram import tiny_models  # noqa: E402

RING = Record("Aurora", "ring", material="velvet", palette="navy", light="moody", seed="1")
GOOD = "Aurora rests quietly on navy velvet, and the light follows every line."
LIE = "Aurora is handmade of solid platinum with two rubies."


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    language_model.load.cache_clear()


@pytest.fixture
def voice(tmp_path):
    return voice_for("en", tmp_path)


@pytest.fixture
def picture():
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), (20, 30, 90)).save(stream, "JPEG")
    return stream.getvalue()


def question(voice, *, chat):
    rules, facts = language_model._rules(voice), language_model._facts(voice, RING)
    return f"system: {rules}\nuser: {facts}\nassistant:" if chat else f"{rules}\n\n{facts}\n\nCaption:"


@pytest.mark.parametrize("chat", [False, True])
def test_a_random_model_is_refused_and_the_voice_speaks(tmp_path, voice, picture, caplog, chat):
    tiny_models.reading(tmp_path, question(voice, chat=chat), chat=chat)
    with caplog.at_level(logging.WARNING, "vitrine.captions"):
        said = ModelCaptioner(tmp_path, voice, picture).write(RING, set(), "")
    plain = voice.write(RING, set(), "")
    assert dataclasses.replace(said, note="") == plain
    assert "the language model's text was not used" in said.note
    assert said.note.partition(": ")[2] in caplog.text


@pytest.mark.parametrize("chat", [False, True])
def test_a_good_sentence_is_used_and_is_the_same_again(tmp_path, voice, picture, chat):
    tiny_models.reading(tmp_path, question(voice, chat=chat), GOOD, chat=chat)
    captioner = ModelCaptioner(tmp_path, voice, picture)
    said = captioner.write(RING, set(), "")
    assert (said.caption, said.note, said.voice) == (GOOD, "", "en:model")
    assert said.alt_text == voice.write(RING, set(), "").alt_text
    assert captioner.write(RING, set(), "") == said
    assert captioner.write(RING, {GOOD}, "").caption != GOOD


def test_a_lie_is_refused_in_fluent_words_too(tmp_path, voice, picture):
    tiny_models.reading(tmp_path, question(voice, chat=False), LIE)
    said = ModelCaptioner(tmp_path, voice, picture).write(RING, set(), "")
    assert said.caption == voice.write(RING, set(), "").caption
    assert "is not in the record" in said.note


def test_a_model_that_sees_is_given_the_picture(tmp_path, voice, picture):
    image = Image.open(io.BytesIO(picture))
    text = f"{language_model._rules(voice)}\n\n{language_model._facts(voice, RING)}"
    content = [{"type": "image", "image": image}, {"type": "text", "text": text}]
    tiny_models.seeing(tmp_path, [{"role": "user", "content": content}], image, GOOD)
    assert ModelCaptioner(tmp_path, voice, picture).write(RING, set(), "").caption == GOOD
    assert "cannot be used" in ModelCaptioner(tmp_path, voice, b"no picture").write(RING, set(), "").note


def test_what_cannot_be_loaded_costs_no_caption(tmp_path, voice, picture):
    tiny_models.reading(tmp_path, question(voice, chat=False), GOOD)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"n_embd": 96}))  # other weights than there are
    said = ModelCaptioner(tmp_path, voice, picture).write(RING, set(), "")
    assert "the language model cannot be used" in said.note
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "no-such-model"}))
    language_model.load.cache_clear()
    assert "cannot be used" in ModelCaptioner(tmp_path, voice, picture).write(RING, set(), "").note
    data = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(data[:-100])
    assert "was not copied to its end" in ModelCaptioner(tmp_path, voice, picture).write(RING, set(), "").note


def test_the_post_tells_why_the_voice_spoke(tmp_path, picture):
    from tests.instagram.shop import Shop

    shop = Shop(tmp_path / "studio")
    tiny_models.reading(shop.studio.root / "models", question(voice_for("en", None), chat=False))
    post = _composed(shop.studio, picture)
    assert post.history[0].what.startswith("caption from the voice: the language model's text was not used")
    tiny_models.reading(shop.studio.root / "good", question(voice_for("en", None), chat=False), GOOD)
    post = _composed(shop.studio, picture, "good")
    assert (post.caption, post.history) == (GOOD, [])
    shop.close()


def _composed(studio, picture, model="models"):
    import datetime as dt

    from daemon.instagram.compose import compose
    from rules.facts import Facts
    from rules.posting import Posting
    from rules.route import route
    from rules.ruleset import Rules

    rules = Rules(instagram=Posting(caption_model=model))
    plan = route(Facts(folder="rings--velvet-navy-moody", name="aurora.jpg"), rules)
    return compose(
        studio, plan, 0, stem="aurora", job="1", source="s", picture="aurora.jpg", sha256="0" * 64, colours=(), image=picture,
        now=dt.datetime.now(dt.UTC),
    )  # fmt: skip
