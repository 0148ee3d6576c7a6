"""Small diffusion models of diffusers' own classes with random weights, saved as such models are: a second's work on a processor."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file
from tokenizers import pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)

from tests.pipeline.diffusion.original_layout import original_layout

WORDS, SECOND_WORDS = 32, 48  # widths of the two text encoders
SIDE = 64  # of the pictures, pixels
CHANNELS = (32, 64)
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def sd(folder: Path, seed: int = 7) -> Path:
    """A Stable Diffusion 1.x."""
    torch.manual_seed(seed)
    StableDiffusionPipeline(
        vae=_vae(), unet=_unet(WORDS), text_encoder=_text(CLIPTextModel, WORDS), tokenizer=tokenizer(folder),
        scheduler=PNDMScheduler(**NOISE, skip_prk_steps=True), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def sdxl(folder: Path, seed: int = 7, *, turbo: bool = False) -> Path:
    """An SDXL, or an SDXL-Turbo."""
    torch.manual_seed(seed)
    spaced = EulerAncestralDiscreteScheduler(**NOISE, timestep_spacing="trailing")
    StableDiffusionXLPipeline(
        vae=_vae(), unet=_unet(WORDS + SECOND_WORDS, pooled=SECOND_WORDS), text_encoder=_text(CLIPTextModel, WORDS),
        text_encoder_2=_text(CLIPTextModelWithProjection, SECOND_WORDS), tokenizer=tokenizer(folder),
        tokenizer_2=tokenizer(folder), scheduler=spaced if turbo else EulerDiscreteScheduler(**NOISE),
    ).save_pretrained(folder)  # fmt: skip
    return folder


def flux(folder: Path, *, schnell: bool = True) -> Path:
    """A FLUX.1."""
    torch.manual_seed(7)
    letters = [(letter, -3.0) for letter in sorted(pre_tokenizers.ByteLevel.alphabet())]
    words = T5TokenizerFast(
        vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters, ("\u2581", -2.0)], extra_ids=0
    )
    FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=_vae(use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.1),
        text_encoder=_text(CLIPTextModel, WORDS), tokenizer=tokenizer(folder), tokenizer_2=words,
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=len(words), d_model=WORDS, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
        ).eval(),
        transformer=FluxTransformer2DModel(
            patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
            joint_attention_dim=WORDS, pooled_projection_dim=WORDS, axes_dims_rope=[4, 4, 8], guidance_embeds=not schnell,
        ).eval(),
    ).save_pretrained(folder)  # fmt: skip
    return folder


def controlnet(folder: Path, model: Path) -> Path:
    """A ControlNet for the model in a folder. Its last layers are not zero, as they are before training: it steers."""
    torch.manual_seed(11)
    unet = UNet2DConditionModel.from_pretrained(model / "unet", use_safetensors=True, local_files_only=True)
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32))
    for name, weight in net.named_parameters():
        if "controlnet_down_blocks" in name or "controlnet_mid_block" in name or "conv_out" in name:
            torch.nn.init.normal_(weight, std=0.3)
    net.save_pretrained(folder)
    return folder


def lora(folder: Path, model: Path, seed: int = 13) -> Path:
    """A LoRA for the model in a folder, as peft and diffusers save it."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(model / "unet", use_safetensors=True, local_files_only=True)
    unet.add_adapter(
        LoraConfig(
            r=4, lora_alpha=4, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v", "to_out.0"]
        )
    )
    layers = {name: 3 * value for name, value in get_peft_model_state_dict(unet).items()}
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers, safe_serialization=True)
    return folder


def single_file(target: Path, model: Path, metadata: dict[str, str] | None = None) -> Path:
    """The model of a folder as one file in the original layout, with its small files beside it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(original_layout(model), target, metadata)
    small_files(target.with_suffix(".config"), model)
    return target


def small_files(target: Path, model: Path) -> Path:
    """All of a model's folder but the weights."""
    shutil.copytree(model, target, ignore=shutil.ignore_patterns("*.safetensors"))
    return target


def _vae(**more):
    return AutoencoderKL(
        block_out_channels=CHANNELS, down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
        layers_per_block=1, latent_channels=4, norm_num_groups=8, sample_size=SIDE, **more,
    ).eval()  # fmt: skip


def _unet(words, pooled=0):
    ids, embedded = 6, 8
    return UNet2DConditionModel(
        sample_size=SIDE // 2, in_channels=4, out_channels=4, block_out_channels=CHANNELS, layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=words, attention_head_dim=8, norm_num_groups=8, use_linear_projection=bool(pooled),
        **({
            "addition_embed_type": "text_time", "addition_time_embed_dim": embedded,
            "projection_class_embeddings_input_dim": ids * embedded + pooled,
        } if pooled else {}),
    ).eval()  # fmt: skip


def _text(sort, width):
    return sort(
        CLIPTextConfig(
            vocab_size=len(_vocabulary()), hidden_size=width, projection_dim=width, intermediate_size=2 * width,
            num_hidden_layers=1, num_attention_heads=4, max_position_embeddings=77, bos_token_id=512, eos_token_id=513,
            pad_token_id=513,
        )
    ).eval()  # fmt: skip


def _vocabulary():
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return {word: number for number, word in enumerate(words)}


def tokenizer(folder):
    """CLIP's, letter by letter."""
    home = folder.with_name(f"{folder.name}.words")
    home.mkdir(parents=True, exist_ok=True)
    (home / "vocab.json").write_text(json.dumps(_vocabulary()))
    (home / "merges.txt").write_text("#version: 0.2\n")
    made = CLIPTokenizer(str(home / "vocab.json"), str(home / "merges.txt"), model_max_length=77)
    shutil.rmtree(home)
    return made
