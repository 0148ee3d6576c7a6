"""The layers: a small residual U-Net from an outline to heights and normals. Owns them; refuses data and files."""

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  torch's own idiom

from weights.outline import CHANNELS
from weights.train.network import Block, Context, conv

WIDTHS: Final = (16, 32, 64, 96, 128)
"""Channels at a half, a quarter, … a 32nd of the size."""
HEIGHT: Final = 0.1
"""Unit of the heights inside the network, in long sides of the piece."""


class SolidNet(nn.Module):
    """(n, CHANNELS, h, w) outline features, sides multiples of 32, to the maps of `forward`."""

    def __init__(self) -> None:
        super().__init__()
        first = nn.Sequential(conv(CHANNELS, WIDTHS[0], 2), Block(WIDTHS[0]))
        deeper = [nn.Sequential(conv(a, b, 2), Block(b)) for a, b in pairwise(WIDTHS)]
        self.down = nn.ModuleList([first, *deeper])
        self.context = Context(WIDTHS[-1])
        backwards = WIDTHS[::-1]
        self.narrow = nn.ModuleList([nn.Conv2d(a, b, 1, bias=False) for a, b in pairwise(backwards)])
        self.up = nn.ModuleList([Block(b) for b in backwards[1:]])
        self.maps = nn.Sequential(conv(WIDTHS[0], WIDTHS[0]), nn.Conv2d(WIDTHS[0], 5, 1))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """All at half size: top, low (n, 1, …): heights in long sides, top >= low >= 0; normal (n, 3, …) world axes, length one."""
        kept = []
        y = x
        for level in self.down:
            y = level(y)
            kept.append(y)
        y = self.context(y)
        for narrow, block, skip in zip(self.narrow, self.up, kept[-2::-1], strict=True):
            y = block(F.interpolate(narrow(y), scale_factor=2.0, mode="bilinear", align_corners=False) + skip)
        top, thick, normal = self.maps(y).split([1, 1, 3], 1)
        top = HEIGHT * F.softplus(top)
        return {
            "top": top,
            "low": torch.relu(top - HEIGHT * F.softplus(thick)),
            "normal": F.normalize(normal, dim=1),
        }
