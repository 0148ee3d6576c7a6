"""`vitrine train style`, before anything is learned: what is wrong is told at once. What it learns: tests/pipeline/diffusion/finetune."""

from __future__ import annotations

import fcntl
import importlib.util

import pytest
import typer

from daemon.cli import train
from pipeline.errors import Busy, Misconfigured


def asked(tmp_path, what="style", **more):
    return train.command(what, [tmp_path], studio=tmp_path, **more)


def test_only_a_style_can_be_learned(tmp_path):
    with pytest.raises(typer.BadParameter, match=r'"ring" .accepted: style'):
        asked(tmp_path, "ring")
    with pytest.raises(typer.BadParameter, match="accepted: auto, float32"):
        asked(tmp_path, precision="double")


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="the extra diffusion is installed")
def test_without_the_extra_it_says_what_to_install(tmp_path):
    with pytest.raises(Misconfigured, match="torch") as caught:
        asked(tmp_path)
    assert "vitrine[diffusion]" in caught.value.advice


def test_without_a_model_it_says_where_one_belongs(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "require_libraries", lambda: None)
    with pytest.raises(Misconfigured, match="there is no diffusion model in"):
        asked(tmp_path)


def test_a_lora_of_another_origin_is_not_written_over(tmp_path):
    home, work = tmp_path / "lora", tmp_path / "work"
    (home / "shop").mkdir(parents=True)
    train._require_free(home / "shop", work, again=True)
    (home / "shop" / train.LORA_FILE).write_bytes(b"")
    with pytest.raises(Misconfigured, match="not learned here"):
        train._require_free(home / "shop", work, again=True)
    work.mkdir()
    train._require_free(home / "shop", work, again=False)
    assert (home / "shop").exists()
    train._require_free(home / "shop", work, again=True)
    assert not (home / "shop").exists()
    (home / "shop.safetensors").write_bytes(b"")
    with pytest.raises(Misconfigured, match="not learned here"):
        train._require_free(home / "shop", work, again=True)


def test_two_runs_of_one_name_do_not_meet(tmp_path):
    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="at work already"), train._alone(tmp_path):
            pass
    with train._alone(tmp_path):
        pass


def test_a_templates_words_can_be_taken(tmp_path):
    assert "velvet" in train._words_of("velvet-navy-moody")
    with pytest.raises(Misconfigured, match='no template "velvt"'):
        train._words_of("velvt")
