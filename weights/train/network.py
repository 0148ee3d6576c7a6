"""The network: one encoder, one decoder, a head for each thing asked of a pixel. Owns the layers; refuses data and files.

A residual U-Net (Ronneberger et al. 2015, He et al. 2016) of plain 3x3 convolutions, which two CPU cores run
faster than depthwise ones. Alpha is answered at full size, the other maps at half.
"""

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  torch's own idiom

from weights.features import CHANNELS
from weights.outline import TYPES

WIDTHS: Final = (24, 48, 80, 128, 160)
"""Channels at a half, a quarter, … a 32nd of the size."""
FINE: Final = 16
PARTS: Final = 5
"""Metal, clear stone, coloured stone, pearl, other."""
HEIGHT_PX: Final = 100.0
"""Unit of the height map."""


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3 x 3, normalised, rectified."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Block(nn.Module):
    """Two convolutions beside an open road."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(width, width), nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) to the same."""
        return torch.relu(x + self.body(x))


class Context(nn.Module):
    """What the whole picture says, told to each of its places."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) to the same."""
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return torch.relu(x + self.squeeze(pooled)[:, :, None, None])


class PieceNet(nn.Module):
    """(n, 6, h, w) features, sides multiples of 32, to the maps of `forward`."""

    def __init__(self) -> None:
        super().__init__()
        first = nn.Sequential(conv(CHANNELS, WIDTHS[0], 2), Block(WIDTHS[0]))
        deeper = [nn.Sequential(conv(a, b, 2), Block(b), Block(b)) for a, b in pairwise(WIDTHS)]
        self.down = nn.ModuleList([first, *deeper])
        self.context = Context(WIDTHS[-1])
        backwards = WIDTHS[::-1]
        self.narrow = nn.ModuleList([nn.Conv2d(a, b, 1, bias=False) for a, b in pairwise(backwards)])
        self.up = nn.ModuleList([Block(b) for b in backwards[1:]])
        self.maps = nn.Sequential(conv(WIDTHS[0], WIDTHS[0]), nn.Conv2d(WIDTHS[0], 1 + 1 + 3 + PARTS + 1, 1))
        self.to_fine = nn.Conv2d(WIDTHS[0], FINE, 1, bias=False)
        self.fine = nn.Sequential(conv(FINE + CHANNELS, FINE), nn.Conv2d(FINE, 1, 3, 1, 1))
        self.kind = nn.Linear(WIDTHS[-1], len(TYPES))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """All maps, unfinished.

        alpha: logits (n, 1, h, w). The rest at half size: height (n, 1, …) in HEIGHT_PX of the input's pixels; normal
        (n, 3, …) right, up, to the eye, not yet of length one; part: logits (n, 5, …); shade (n, 1, …): log of the
        ground's light beside that without the piece. type: logits (n, 9).
        """
        y, kept = x, []
        for level in self.down:
            y = level(y)
            kept.append(y)
        y = self.context(y)
        kind = self.kind(y.mean((2, 3)))
        for narrow, block, skip in zip(self.narrow, self.up, kept[-2::-1], strict=True):
            y = block(F.interpolate(narrow(y), scale_factor=2.0, mode="bilinear", align_corners=False) + skip)
        maps = self.maps(y)
        coarse, height, normal, part, shade = maps.split([1, 1, 3, PARTS, 1], 1)
        fine = F.interpolate(self.to_fine(y), scale_factor=2.0, mode="bilinear", align_corners=False)
        detail = self.fine(torch.cat([fine, x], 1))
        alpha = detail + F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        return {
            "alpha": alpha,
            "height": F.softplus(height),
            "normal": normal,
            "part": part,
            "shade": shade,
            "type": kind,
        }
