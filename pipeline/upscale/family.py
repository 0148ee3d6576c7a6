"""Which network a file of weights holds, told from the names and shapes of its tensors. Refuses torch and files.

Families: RRDBNet (Wang et al. 2018, ESRGAN; 2021, Real-ESRGAN) in all three ways its tensors have been named, and
SRVGGNetCompact (Real-ESRGAN). Sizes are read off, so that a network of other width or depth is as welcome as the official ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

COLOURS = 3
STRONG, MILD = (
    "-general-x4v3",
    "-general-wdn-x4v3",
)  # the two files that are mixed for the strength of denoising
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Rrdb:
    """Residual-in-residual dense blocks. unshuffle: pixels a side folded into channels first; doublings: at the end."""

    features: int
    growth: int
    blocks: int
    unshuffle: int
    doublings: int

    @property
    def scale(self) -> int:
        """How many times larger the picture gets."""
        return int(2**self.doublings // self.unshuffle)

    @property
    def multiple_px(self) -> int:
        """Both sides of what it is given are multiples of this."""
        return self.unshuffle

    @property
    def context_px(self) -> int:
        """How far around a pixel it is worth looking. All 15 convolutions of each block reach farther than anything is seen from."""
        return 32


@dataclass(frozen=True, slots=True)
class Compact:
    """A plain row of `convolutions` between the first and the last, on the small picture."""

    features: int
    convolutions: int
    scale: int
    multiple_px: int = 1

    @property
    def context_px(self) -> int:
        """How far around a pixel it looks at all: a pixel for each convolution."""
        return self.convolutions + 2


Family = Rrdb | Compact


def with_denoise(name: str, denoise: float) -> str:
    """The upscaler's name with the share of its denoising file in the mixture, where it has a second one and says no share."""
    return f"{name}:{denoise:g}" if STRONG in name and ":" not in name and denoise < 1 else name


def names_of_today(names: Iterable[str]) -> dict[str, str]:
    """The names of a file's tensors, each with the name that it has in RRDBNet or SRVGGNetCompact today."""
    given = list(names)
    tail = sorted(
        {int(found[1]) for name in given if (found := re.match(r"(?:module\.)?model\.(\d+)\.(?!sub)", name))}
    )
    late = {0: "conv_first"} | {n: f"conv_up{at}" for at, n in enumerate([n for n in tail if n][:-2], 1)}
    late |= dict(zip(tail[-2:], ("conv_hr", "conv_last"), strict=False))
    return {name: _today(name.removeprefix("module."), late) for name in given}


_WORDS = {
    "RRDB_trunk": "body",
    "trunk_conv": "conv_body",
    "HRconv": "conv_hr",
    "upconv": "conv_up",
}  # BSRGAN's


def _today(name: str, late: Mapping[int, str]) -> str:
    name = re.sub(r"^model\.1\.sub\.(\d+)\.(?=RDB)", r"body.\1.", name)
    name = re.sub(r"^model\.1\.sub\.\d+\.(?=weight|bias)", "conv_body.", name)
    name = re.sub(r"^model\.(\d+)\.", lambda found: f"{late.get(int(found[1]), found[1])}.", name)
    name = re.sub(r"\.RDB(\d)\.(conv\d)(?:\.0)?\.", r".rdb\1.\2.", name)
    return re.sub(r"^(RRDB_trunk|trunk_conv|HRconv|upconv(?=\d))", lambda found: _WORDS[found[1]], name)


def family_of(shapes: Shapes) -> Family:
    """The network whose tensors have these names of today and shapes. Raises ValueError that says what is odd about them."""
    if "conv_first.weight" in shapes:
        return _rrdb(shapes)
    if len(shapes.get("body.0.weight", ())) == 4:
        return _compact(shapes)
    some = ", ".join(list(shapes)[:3]) or "nothing"
    raise ValueError(f"its tensors ({some}, ...) are those of neither RRDBNet nor SRVGGNetCompact")


def _rrdb(shapes: Shapes) -> Rrdb:
    blocks = [int(found[1]) for name in shapes if (found := re.match(r"body\.(\d+)\.rdb1\.", name))]
    if not blocks or "body.0.rdb1.conv1.weight" not in shapes:
        raise ValueError("it has the first layer of an RRDBNet, and no blocks")
    features, inputs = shapes["conv_first.weight"][:2]
    unshuffle = _root(inputs, "takes pictures of")
    doublings = sum(f"conv_up{n}.weight" in shapes for n in range(1, 5))
    if 2**doublings < unshuffle:
        raise ValueError(
            f"it would make pictures smaller ({unshuffle} times folded, {doublings} times doubled)"
        )
    return Rrdb(features, shapes["body.0.rdb1.conv1.weight"][0], max(blocks) + 1, unshuffle, doublings)


def _compact(shapes: Shapes) -> Compact:
    last = max(int(found[1]) for name in shapes if (found := re.match(r"body\.(\d+)\.weight$", name)))
    if last < 2 or last % 2:
        raise ValueError(f"it has {last + 1} layers, and a SRVGGNetCompact an odd number of at least 3")
    scale = _root(shapes[f"body.{last}.weight"][0], "gives pictures of")
    return Compact(shapes["body.0.weight"][0], last // 2 - 1, scale)


def _root(channels: int, does: str) -> int:
    """How many pixels a side lie in that many channels of colour."""
    side = math.isqrt(channels // COLOURS)
    if side == 0 or side * side * COLOURS != channels:
        raise ValueError(f"it {does} {channels} channels, which is not a number of colour pictures")
    return side
