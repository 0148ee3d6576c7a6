"""What is to be painted: words, numbers and names of files. Owns the order, its digest and its text form; refuses to paint.

The digest is of all that decides the pixels. It leaves out the seed, which tells the pictures of one order apart.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.diffusion.files import Family, Kind

VERSION = 1  # of what the painter does with an order
STEPS: dict[Family, int] = {"sd1": 30, "sd2": 30, "sdxl": 30, "sdxl-turbo": 2, "flux": 28, "flux-schnell": 4}
GUIDANCE: dict[Family, float] = {
    "sd1": 7.0,
    "sd2": 7.0,
    "sdxl": 6.0,
    "sdxl-turbo": 0.0,
    "flux": 3.5,
    "flux-schnell": 0.0,
}


@dataclass(frozen=True, slots=True)
class Held:
    """By which ControlNet. shape: digest of the set that it is shown; strength: 0..2."""

    name: str
    digest: str
    kind: Kind
    strength: float
    shape: str


@dataclass(frozen=True, slots=True)
class Order:
    """What all pictures of one set share. model, loras: names in the weights folder, and digests of the files.

    size_px: (width, height). loras: (name, digest, strength) each.
    """

    model: str
    model_digest: str
    prompt: str
    negative: str
    size_px: tuple[int, int]
    steps: int
    guidance: float
    loras: tuple[tuple[str, str, float], ...] = ()
    control: Held | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides the pixels but the seed, hex. Names do not count."""
        told = asdict(self) | {"model": VERSION, "loras": [one[1:] for one in self.loras]}
        if self.control:
            told["control"].pop("name")
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture of an order. shown: what the ControlNet is shown, as a PNG file; None without one.

    over: a picture that is painted over where `mask` is white, both as PNG files, with `freedom` 0..1; else one is painted anew.
    """

    seed: int
    shown: bytes | None = None
    over: bytes | None = None
    mask: bytes | None = None
    freedom: float = 0.0


def as_text(order: Order, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """For JSON; see `from_text`."""
    told = [
        asdict(sheet) | {name: _packed(getattr(sheet, name)) for name in ("shown", "over", "mask")}
        for sheet in sheets
    ]
    return {"order": asdict(order), "sheets": told}


def from_text(told: dict[str, Any]) -> tuple[Order, list[Sheet]]:
    """What `as_text` told."""
    order = dict(told["order"])
    order["control"] = Held(**order["control"]) if order["control"] else None
    order["loras"] = tuple((name, digest, strength) for name, digest, strength in order["loras"])
    order["size_px"] = tuple(order["size_px"])
    files = ("shown", "over", "mask")
    sheets = [one | {name: _unpacked(one[name]) for name in files} for one in told["sheets"]]
    return Order(**order), [Sheet(**one) for one in sheets]


def _packed(file: bytes | None) -> str | None:
    return base64.b64encode(file).decode() if file else None


def _unpacked(text: str | None) -> bytes | None:
    return base64.b64decode(text) if text else None


def size_for(frame_px: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Size of a painting for a frame: as many pixels as the model's square, in the frame's shape, in the model's steps."""
    width, height = frame_px
    step = 64 if side_px >= 512 else 8
    scale = side_px / math.sqrt(width * height)
    return max(step, round(width * scale / step) * step), max(step, round(height * scale / step) * step)
