"""The studio's weights folder: brought in byte for byte, checked again later. Needs no torch."""

from __future__ import annotations

import hashlib

import pytest

from daemon.digests import Digests
from daemon.weights_room import WeightsRoom
from pipeline.diffusion.shelf import Shelf
from pipeline.errors import BadInput, Misconfigured
from tests.pipeline.diffusion.test_files import model, small_files, tensors, written

KEY = "unet.down.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight"


@pytest.fixture
def room(tmp_path):
    return WeightsRoom(Shelf(tmp_path / "weights"), Digests(tmp_path / "digests.json"))


def bring_all(room, shop):
    """One of each sort."""
    tensors(shop / "style.safetensors", {KEY: [4, 768]})
    written(shop / "sd15-canny/config.json", {"_class_name": "ControlNetModel", "cross_attention_dim": 768})
    tensors(shop / "sd15-canny/model.safetensors", {"a": [2]})
    (shop / "x4.pth").write_bytes(b"weights")
    tensors(shop / "one.safetensors", {"cond_stage_model.transformer.a": [2]})
    small_files(shop / "one.config")
    sources = (
        model(shop / "sd"),
        shop / "style.safetensors",
        shop / "sd15-canny",
        shop / "x4.pth",
        shop / "one.safetensors",
    )
    return [room.bring(source) for source in sources]


def test_each_sort_finds_its_room_and_is_usable_there(room, tmp_path):
    made = bring_all(room, tmp_path / "shop")
    assert [one.sort for one in made] == ["model", "lora", "control", "upscaler", "model"]
    assert not any(one.wrong for one in made)
    assert room.shelf.model("sd").family == "sd1"
    assert room.shelf.model("one").is_file
    assert room.shelf.lora("style").cross == 768
    assert room.shelf.control("edges", room.shelf.model("sd")).name == "sd15-canny"
    found = room.things()
    assert {one.name for one in found} == {"sd", "one", "style", "sd15-canny", "x4"}
    assert all(room.changed(one) == "" for one in found)
    assert "OpenRAIL-M" in next(one for one in found if one.name == "sd").licence


def test_a_file_that_changed_since_is_told_and_one_put_there_by_hand_too(room, tmp_path):
    bring_all(room, tmp_path / "shop")
    tensors(tmp_path / "weights/diffusion/sd/unet/model.safetensors", {"a": [2, 5]})
    tensors(tmp_path / "weights/lora/hand.safetensors", {KEY: [4, 768]})
    states = {one.name: room.changed(one) for one in room.things()}
    assert states.pop("sd") == "CHANGED since it was imported"
    assert states.pop("hand") == "put there by hand"
    assert set(states.values()) == {""}


def test_what_is_damaged_is_listed_with_why(room, tmp_path):
    bring_all(room, tmp_path / "shop")
    tensors(tmp_path / "weights/diffusion/sd/unet/model.safetensors", {"a": [64]}, cut=9)
    wrong = {one.name: one.wrong for one in room.things() if one.wrong}
    assert list(wrong) == ["sd"]
    assert "was not copied to its end" in wrong["sd"]


def test_the_makers_digest_is_compared(room, tmp_path):
    source = tmp_path / "style.safetensors"
    tensors(source, {KEY: [4, 768]})
    with pytest.raises(BadInput, match="its SHA-256 is"):
        room.bring(source, sha256="0" * 64)
    assert room.things() == []
    room.bring(source, name="ours", sha256=hashlib.sha256(source.read_bytes()).hexdigest())
    assert [one.name for one in room.things()] == ["ours"]


def test_nothing_is_overwritten_and_nothing_half_is_left(room, tmp_path):
    source = tmp_path / "style.safetensors"
    tensors(source, {KEY: [4, 768]})
    room.bring(source)
    with pytest.raises(BadInput, match="is there already"):
        room.bring(source)
    with pytest.raises(BadInput, match="is no name"):
        room.bring(source, name="../style")
    with pytest.raises(BadInput, match="no such file"):
        room.bring(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="no model, ControlNet or LoRA"):
        room.bring(model(tmp_path / "sd") / "unet")
    names = {path.name for path in (tmp_path / "weights/lora").iterdir()}
    assert names == {"style.safetensors", ".style.safetensors.json"}


def test_the_digest_of_a_model_is_remembered_until_a_file_changes(tmp_path):
    home, digests = model(tmp_path / "sd"), Digests(tmp_path / "digests.json")
    first = digests.of(home)
    assert Digests(tmp_path / "digests.json").of(home) == first
    (tmp_path / "digests.json").write_text("{")
    assert digests.of(home) == first
    tensors(home / "vae/model.safetensors", {"a": [3]})
    assert digests.of(home) != first


def test_a_missing_model_is_said_with_what_to_do(room):
    with pytest.raises(Misconfigured, match="there is no diffusion model in") as caught:
        room.shelf.model()
    assert "vitrine weights import" in caught.value.advice
