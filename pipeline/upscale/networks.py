"""RRDBNet and SRVGGNetCompact as torch modules, their tensors named as Real-ESRGAN's files name them. Refuses files and tiles.

Only `pipeline.upscale.network_upscaler` imports this, when a picture is to be enlarged.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  torch's own idiom

from pipeline.upscale.family import COLOURS, Compact, Family, Rrdb

SLOPE = 0.2  # of the leaky ReLU
RESIDUE = 0.2  # share of a block's result that is added to what it was given


def build(family: Family) -> nn.Module:
    """The network with random weights."""
    return RRDBNet(family) if isinstance(family, Rrdb) else SRVGGNetCompact(family)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE, inplace=True)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, 1, 1)


class _Dense(nn.Module):
    """Five convolutions, each of which sees all that came before it."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        for n in range(4):
            self.add_module(f"conv{n + 1}", _conv(features + n * growth, growth))
        self.conv5 = _conv(features + 4 * growth, features)

    def forward(self, x: Tensor) -> Tensor:
        """(n, features, h, w) to the same."""
        seen = x
        for n in range(1, 5):
            seen = torch.cat((seen, _leaky(getattr(self, f"conv{n}")(seen))), 1)
        return torch.add(x, self.conv5(seen), alpha=RESIDUE)


class _Block(nn.Module):
    """Three dense ones, and their residue."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_Dense(features, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """(n, features, h, w) to the same."""
        return torch.add(x, self.rdb3(self.rdb2(self.rdb1(x))), alpha=RESIDUE)


class RRDBNet(nn.Module):
    """Wang et al., "ESRGAN" (2018); with `unshuffle` as in "Real-ESRGAN" (2021)."""

    def __init__(self, family: Rrdb) -> None:
        super().__init__()
        width = family.features
        self.unshuffle, self.doublings = family.unshuffle, family.doublings
        self.conv_first = _conv(COLOURS * family.unshuffle**2, width)
        self.body = nn.Sequential(*(_Block(width, family.growth) for _ in range(family.blocks)))
        self.conv_body = _conv(width, width)
        for n in range(family.doublings):
            self.add_module(f"conv_up{n + 1}", _conv(width, width))
        self.conv_hr, self.conv_last = _conv(width, width), _conv(width, COLOURS)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) in 0..1, encoded, to (n, 3, scale h, scale w); both sides are multiples of `unshuffle`."""
        if self.unshuffle > 1:
            x = F.pixel_unshuffle(x, self.unshuffle)
        x = self.conv_first(x)
        x = x + self.conv_body(self.body(x))
        for n in range(1, self.doublings + 1):
            x = _leaky(getattr(self, f"conv_up{n}")(F.interpolate(x, scale_factor=2, mode="nearest")))
        out: Tensor = self.conv_last(_leaky(self.conv_hr(x)))
        return out


class SRVGGNetCompact(nn.Module):
    """Real-ESRGAN's small networks: all work on the small picture, what they add to it is laid out at the end."""

    def __init__(self, family: Compact) -> None:
        super().__init__()
        width = family.features
        self.scale = family.scale
        self.body = nn.ModuleList([_conv(COLOURS, width), nn.PReLU(width)])
        for _ in range(family.convolutions):
            self.body += [_conv(width, width), nn.PReLU(width)]
        self.body.append(_conv(width, COLOURS * family.scale**2))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) in 0..1, encoded, to (n, 3, scale h, scale w)."""
        out = x
        for layer in self.body:
            out = layer(out)
        return F.pixel_shuffle(out, self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")
