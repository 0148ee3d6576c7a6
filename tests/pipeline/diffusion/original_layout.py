"""A diffusers folder's weights under the names that one-file models have: the inverse of what diffusers does when it reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file

_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_PLAIN = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_in": "input_blocks.0.0",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2", "conv_norm_out": "out.0",
    "conv_out": "out.2",
}  # fmt: skip
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPEN = {
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}  # fmt: skip


def original_layout(model: Path) -> dict[str, torch.Tensor]:
    """All tensors of one file."""
    unet = json.loads((model / "unet" / "config.json").read_text())
    layers, blocks = unet["layers_per_block"], len(unet["block_out_channels"])
    made = {
        f"model.diffusion_model.{_unet(name, layers, unet)}": value for name, value in _part(model / "unet")
    }
    made |= {
        f"first_stage_model.{_vae(name, blocks)}": _conv(name, value) for name, value in _part(model / "vae")
    }
    xl = (model / "text_encoder_2").exists()
    home = "conditioner.embedders.0.transformer" if xl else "cond_stage_model.transformer"
    made |= {
        f"{home}.text_model.{name.removeprefix('text_model.')}": value
        for name, value in _part(model / "text_encoder")
    }
    if xl:
        made |= _open_clip(dict(_part(model / "text_encoder_2")))
    return {name: value.contiguous().clone() for name, value in made.items()}


def _part(folder: Path):
    (file,) = folder.glob("*.safetensors")
    return load_file(file).items()


def _unet(name: str, layers: int, config: dict) -> str:
    stem, _, end = name.rpartition(".")
    if stem in _PLAIN:
        return f"{_PLAIN[stem]}.{end}"
    if found := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        place = 2 * int(found[2]) if found[1] == "resnets" else 1
        return f"middle_block.{place}.{_inner(found[1], found[3])}"
    if found := re.match(r"down_blocks\.(\d)\.(resnets|attentions|downsamplers)\.(\d)\.(.*)", name):
        block, sort, number, rest = int(found[1]), found[2], int(found[3]), found[4]
        if sort == "downsamplers":
            return f"input_blocks.{1 + block * (layers + 1) + layers}.0.op.{rest.removeprefix('conv.')}"
        return f"input_blocks.{1 + block * (layers + 1) + number}.{int(sort == 'attentions')}.{_inner(sort, rest)}"
    found = re.match(r"up_blocks\.(\d)\.(resnets|attentions|upsamplers)\.(\d)\.(.*)", name)
    assert found, name
    block, sort, number, rest = int(found[1]), found[2], int(found[3]), found[4]
    if sort == "upsamplers":
        after = 2 if "CrossAttn" in config["up_block_types"][block] else 1
        return f"output_blocks.{block * (layers + 1) + layers}.{after}.{rest}"
    return f"output_blocks.{block * (layers + 1) + number}.{int(sort == 'attentions')}.{_inner(sort, rest)}"


def _inner(sort: str, rest: str) -> str:
    stem, _, end = rest.rpartition(".")
    return f"{_RESNET[stem]}.{end}" if sort == "resnets" else rest


def _vae(name: str, blocks: int) -> str:
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    if "mid_block.attentions.0" in name:
        name = name.replace("mid_block.attentions.0", "mid.attn_1")
        for ours, theirs in _ATTENTION.items():
            name = name.replace(f"attn_1.{ours}.", f"attn_1.{theirs}.")
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(
        r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"up.{blocks - 1 - int(m[1])}.block.{m[2]}", name
    )
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{blocks - 1 - int(m[1])}.upsample", name)


def _conv(name: str, value: torch.Tensor) -> torch.Tensor:
    """Attention was a convolution of one pixel."""
    return value[..., None, None] if "attentions" in name and value.ndim == 2 else value


def _open_clip(theirs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    home, made = "conditioner.embedders.1.model", {}
    for name, value in theirs.items():
        if found := re.match(r"text_model\.encoder\.layers\.(\d+)\.(.*)\.(weight|bias)", name):
            if found[2] in _OPEN:
                made[f"{home}.transformer.resblocks.{found[1]}.{_OPEN[found[2]]}.{found[3]}"] = value
            elif found[2] == "self_attn.q_proj":
                three = [theirs[name.replace("q_proj", f"{one}_proj")] for one in "qkv"]
                made[f"{home}.transformer.resblocks.{found[1]}.attn.in_proj_{found[3]}"] = torch.cat(three)
    made[f"{home}.token_embedding.weight"] = theirs["text_model.embeddings.token_embedding.weight"]
    made[f"{home}.positional_embedding"] = theirs["text_model.embeddings.position_embedding.weight"]
    for end in ("weight", "bias"):
        made[f"{home}.ln_final.{end}"] = theirs[f"text_model.final_layer_norm.{end}"]
    made[f"{home}.text_projection"] = theirs["text_projection.weight"].T
    return made
