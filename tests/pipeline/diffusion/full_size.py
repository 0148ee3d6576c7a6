"""An SDXL of full size with random weights, in half precision: for figures of memory and time on a card, not for pictures."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tests.pipeline.diffusion.tiny_diffusion import NOISE, tokenizer

ENDS = {"bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513}


def sdxl(folder: Path, *, turbo: bool = False) -> Path:
    """The networks' shapes are those of SDXL 1.0."""
    torch.manual_seed(7)
    torch.set_default_dtype(torch.float16)
    try:
        parts = {"unet": _unet(), "vae": _vae(), **_texts()}
    finally:
        torch.set_default_dtype(torch.float32)
    spaced = EulerAncestralDiscreteScheduler(**NOISE, timestep_spacing="trailing")
    StableDiffusionXLPipeline(
        **parts, tokenizer=tokenizer(folder), tokenizer_2=tokenizer(folder),
        scheduler=spaced if turbo else EulerDiscreteScheduler(**NOISE),
    ).save_pretrained(folder)  # fmt: skip
    return folder


def _unet():
    return UNet2DConditionModel(
        sample_size=128, block_out_channels=(320, 640, 1280), layers_per_block=2, cross_attention_dim=2048,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(5, 10, 20), use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
    )  # fmt: skip


def _vae():
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=2, sample_size=1024, scaling_factor=0.13025,
        force_upcast=True,  # as SDXL 1.0 says: the decoder works in full precision
    )  # fmt: skip


def _texts():
    small = CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, **ENDS
    )
    large = CLIPTextConfig(
        hidden_size=1280,
        intermediate_size=5120,
        num_hidden_layers=32,
        num_attention_heads=20,
        projection_dim=1280,
        **ENDS,
    )
    return {"text_encoder": CLIPTextModel(small), "text_encoder_2": CLIPTextModelWithProjection(large)}
