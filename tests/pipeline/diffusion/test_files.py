"""What can be said of a model's files without loading them; needs no torch."""

from __future__ import annotations

import json
import struct

import pytest

from pipeline.diffusion.files import control_at, lora_at, model_at
from pipeline.errors import Misconfigured


def tensors(path, shapes, *, cut=0, metadata=None):
    """A safetensors file of half floats, all zero."""
    head, at = {"__metadata__": metadata} if metadata else {}, 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        head[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    told = json.dumps(head).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((struct.pack("<Q", len(told)) + told + bytes(at))[: -cut or None])


def written(path, told):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))


def small_files(home, sort="StableDiffusionPipeline", *, cross=768, sample=64, schedule=None, **unet):
    """The small files of a model."""
    parts = {name: ["diffusers", "Any"] for name in ("unet", "vae", "scheduler")}
    parts |= {name: ["transformers", "Any"] for name in ("tokenizer", "text_encoder")}
    written(home / "model_index.json", {"_class_name": sort, **parts, "safety_checker": [None, None]})
    written(home / "unet/config.json", {"cross_attention_dim": cross, "sample_size": sample, **unet})
    written(home / "vae/config.json", {"block_out_channels": [128, 256, 512, 512]})
    written(home / "scheduler/scheduler_config.json", schedule or {"_class_name": "PNDMScheduler"})
    written(home / "text_encoder/config.json", {})
    written(home / "tokenizer/vocab.json", {})
    return home


def model(home, sort="StableDiffusionPipeline", *, variant="", **more):
    """A model's folder, its weights empty."""
    small_files(home, sort, **more)
    for part in ("unet", "vae", "text_encoder"):
        tensors(home / part / f"model{variant}.safetensors", {"a": [2, 2]})
    return home


TURBO = {"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"}
XL = "StableDiffusionXLPipeline"


@pytest.mark.parametrize(
    ("sort", "more", "family", "side"),
    [
        ("StableDiffusionPipeline", {}, "sd1", 512),
        ("StableDiffusionPipeline", {"cross": 1024, "sample": 96}, "sd2", 768),
        (XL, {"cross": 2048, "sample": 128}, "sdxl", 1024),
        (XL, {"cross": 2048, "sample": 64, "schedule": TURBO}, "sdxl-turbo", 512),
    ],
)
def test_families_are_told_apart_by_their_files(tmp_path, sort, more, family, side):
    found = model_at(model(tmp_path / "any", sort, **more))
    assert (found.family, found.side_px, found.variant) == (family, side, "")


def test_half_precision_files_are_found(tmp_path):
    assert model_at(model(tmp_path / "any", variant=".fp16")).variant == "fp16"


@pytest.mark.parametrize(
    ("tensor", "sort", "family"),
    [
        ("cond_stage_model.transformer.text_model.a", "StableDiffusionPipeline", "sd1"),
        ("conditioner.embedders.1.model.a", XL, "sdxl"),
    ],
)
def test_single_files_are_told_apart_by_their_tensors(tmp_path, tensor, sort, family):
    tensors(tmp_path / "one.safetensors", {tensor: [2]})
    small_files(tmp_path / "config" / family, sort)
    assert model_at(tmp_path / "one.safetensors", tmp_path / "config").family == family
    with pytest.raises(Misconfigured, match=f"not in .*one.config or .*elsewhere/{family}"):
        model_at(tmp_path / "one.safetensors", tmp_path / "elsewhere")


def test_a_turbo_in_one_file_is_known_by_its_name_or_its_makers_words(tmp_path):
    small_files(tmp_path / "config/sdxl", XL)
    tensors(tmp_path / "sd_xl_turbo_1.0.safetensors", {"conditioner.embedders.1.model.a": [2]})
    tensors(
        tmp_path / "fast.safetensors",
        {"conditioner.embedders.1.model.a": [2]},
        metadata={"modelspec.title": "SDXL Turbo"},
    )
    for name in ("sd_xl_turbo_1.0", "fast"):
        assert model_at(tmp_path / f"{name}.safetensors", tmp_path / "config").family == "sdxl-turbo"


def test_small_files_of_another_family_are_refused(tmp_path):
    tensors(tmp_path / "one.safetensors", {"conditioner.embedders.1.model.a": [2]})
    small_files(tmp_path / "one.config")
    with pytest.raises(Misconfigured, match=r"of the family sd1, but one.safetensors is of sdxl"):
        model_at(tmp_path / "one.safetensors")


def test_what_is_damaged_missing_or_unsafe_is_refused_with_its_name(tmp_path):
    home = model(tmp_path / "any")
    tensors(home / "unet/model.safetensors", {"a": [64, 64]}, cut=100)
    with pytest.raises(
        Misconfigured, match=r"unet/model.safetensors: it is damaged, or was not copied to its end"
    ):
        model_at(home)
    (home / "unet/model.safetensors").unlink()
    (home / "unet/model.bin").write_bytes(b"a pickle")
    with pytest.raises(Misconfigured, match="only pickled ones"):
        model_at(home)
    with pytest.raises(Misconfigured, match=r"model_index.json: it is missing"):
        model_at(tmp_path)
    (tmp_path / "old.ckpt").write_bytes(b"a pickle")
    with pytest.raises(Misconfigured, match="could run any program"):
        model_at(tmp_path / "old.ckpt")
    tensors(tmp_path / "style.safetensors", {"unet.a.lora_A.weight": [4, 8]})
    with pytest.raises(Misconfigured, match="no Stable Diffusion or SDXL model"):
        model_at(tmp_path / "style.safetensors")


def test_a_model_with_a_program_of_its_own_is_refused(tmp_path):
    home = model(tmp_path / "any")
    index = json.loads((home / "model_index.json").read_text())
    written(home / "model_index.json", index | {"unet": ["my_unet", "MyUNet"]})
    with pytest.raises(Misconfigured, match="its part unet is a program of the model's own"):
        model_at(home)


def test_a_model_for_inpainting_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match="made for inpainting"):
        model_at(model(tmp_path / "any", in_channels=9))


def test_loras_and_controlnets_say_for_which_models_they_are(tmp_path):
    key = "unet.down.attentions.0.transformer_blocks.0.attn2.to_k"
    tensors(tmp_path / "lora/style/pytorch_lora_weights.safetensors", {f"{key}.lora_A.weight": [16, 768]})
    tensors(
        tmp_path / "lora/old.safetensors",
        {f"lora_{key.replace('.attn2', '_attn2')}.lora_down.weight": [16, 2048]},
    )
    assert (lora_at(tmp_path / "lora/style").cross, lora_at(tmp_path / "lora/old.safetensors").cross) == (
        768,
        2048,
    )
    tensors(tmp_path / "lora/none.safetensors", {"a": [2]})
    with pytest.raises(Misconfigured, match="there is no LoRA in it"):
        lora_at(tmp_path / "lora/none.safetensors")
    with pytest.raises(Misconfigured, match="it is missing"):
        lora_at(tmp_path / "lora/nowhere")
    home = tmp_path / "control/sd15-canny"
    written(home / "config.json", {"_class_name": "ControlNetModel", "cross_attention_dim": 768})
    tensors(home / "model.safetensors", {"a": [2]})
    assert (control_at(home).kind, control_at(home).cross) == ("edges", 768)
    with pytest.raises(Misconfigured, match="no ControlNet"):
        control_at(model(tmp_path / "any") / "unet")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("model_index.json", {"_class_name": "StableDiffusionPipeline", "unet": [["diffusers"], "Any"]}),
        ("vae/config.json", {"block_out_channels": 4}),
        ("unet/model.safetensors.index.json", {"weight_map": ["model.safetensors"]}),
    ],
)
def test_small_files_of_another_shape_are_a_refusal_and_no_defect(tmp_path, place, told):
    home = model(tmp_path / "odd")
    written(home / place, told)
    with pytest.raises(Misconfigured, match=r"odd.*not what a model's files hold"):
        model_at(home)


def test_an_index_that_names_files_elsewhere_is_refused(tmp_path):
    home = model(tmp_path / "sly")
    tensors(tmp_path / "elsewhere.safetensors", {"a": [2]})
    written(home / "unet/model.safetensors.index.json", {"weight_map": {"a": "../../elsewhere.safetensors"}})
    with pytest.raises(Misconfigured, match="names files outside its folder"):
        model_at(home)
