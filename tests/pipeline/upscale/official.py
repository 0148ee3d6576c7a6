"""The layouts of Real-ESRGAN's and its forebears' files as lists of names and shapes, written down here and not taken from the code under test."""

from __future__ import annotations

import torch


def rrdb(blocks=23, features=64, growth=32, inputs=3, ups=2):
    """Today's names: x4plus; x2plus has 12 inputs, anime_6B six blocks."""
    shapes = {"conv_first": (features, inputs)}
    for block in range(blocks):
        for dense in (1, 2, 3):
            for conv in (1, 2, 3, 4, 5):
                to = growth if conv < 5 else features
                shapes[f"body.{block}.rdb{dense}.conv{conv}"] = (to, features + (conv - 1) * growth)
    shapes["conv_body"] = (features, features)
    for up in range(1, ups + 1):
        shapes[f"conv_up{up}"] = (features, features)
    shapes["conv_hr"], shapes["conv_last"] = (features, features), (3, features)
    return _convs(shapes)


def compact(convolutions=32, features=64, scale=4):
    """realesr-general-x4v3 and its -wdn-; animevideov3 has 16."""
    shapes = {"body.0.weight": (features, 3, 3, 3), "body.0.bias": (features,), "body.1.weight": (features,)}
    for n in range(1, convolutions + 1):
        shapes |= {f"body.{2 * n}.weight": (features, features, 3, 3), f"body.{2 * n}.bias": (features,)}
        shapes[f"body.{2 * n + 1}.weight"] = (features,)
    last = 2 * convolutions + 2
    return shapes | {
        f"body.{last}.weight": (3 * scale**2, features, 3, 3),
        f"body.{last}.bias": (3 * scale**2,),
    }


def _convs(shapes):
    return {
        f"{name}.{part}": (*size, 3, 3) if part == "weight" else size[:1]
        for name, size in shapes.items()
        for part in ("weight", "bias")
    }


def bsrgan(name):
    """BSRGAN's name for a tensor of an RRDBNet."""
    first, *rest = name.split(".")
    if first == "body":
        return ".".join(["RRDB_trunk", rest[0], rest[1].upper(), *rest[2:]])
    known = {"conv_body": "trunk_conv", "conv_hr": "HRconv", "conv_up1": "upconv1", "conv_up2": "upconv2"}
    return ".".join([known.get(first, first), *rest])


def esrgan(name, blocks, ups=2):
    """The oldest name: layers of a Sequential, counted with the upsamplings between them."""
    first, *rest = name.split(".")
    if first == "body":
        return f"model.1.sub.{rest[0]}.{rest[1].upper()}.{rest[2]}.0.{rest[3]}"
    known = {"conv_first": "0", "conv_body": f"1.sub.{blocks}"}
    known |= {f"conv_up{n}": str(3 * n) for n in range(1, ups + 1)}
    known |= {"conv_hr": str(3 * ups + 2), "conv_last": str(3 * ups + 4)}
    return f"model.{known[first]}.{rest[0]}"


OFFICIAL = {
    "RealESRGAN_x4plus": rrdb(),
    "RealESRGAN_x2plus": rrdb(inputs=12),
    "RealESRGAN_x4plus_anime_6B": rrdb(blocks=6),
    "realesr-general-x4v3": compact(),
    "realesr-general-wdn-x4v3": compact(),
    "realesr-animevideov3": compact(convolutions=16),
}


def weights(shapes, seed=1):
    """Random weights under which a picture stays a picture: the signal neither dies nor grows from layer to layer."""
    torch.manual_seed(seed)
    made = {}
    for name, shape in shapes.items():
        spread = (2.0 / (9 * shape[1])) ** 0.5 if len(shape) == 4 else 0.02
        made[name] = (
            torch.randn(shape) * spread
            if name.endswith("bias") or len(shape) == 4
            else torch.full(shape, 0.2)
        )
    end = list(shapes)[-1].rpartition(".")[0]
    for part in ("weight", "bias"):  # about the middle of the range, and within it
        made[f"{end}.{part}"] *= 0.1
    if end == "conv_last":
        made["conv_last.bias"] += 0.5
    return made
