"""A large picture through a network in tiles, without seams. Owns cutting and joining; refuses torch.

Each tile is given with its surroundings, and of what comes back only the tile and a narrow rim is used; on the rims neighbours
fade into each other. Beyond the picture's edge its mirror image is shown.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.values import F32

RIM_PX = 8  # of the small picture, to each side of a joint


def tiled(
    picture: F32,
    run: Callable[[F32], F32],
    *,
    scale: int,
    tile_px: int,
    context_px: int,
    multiple_px: int = 1,
) -> F32:
    """`run` over (h, w, 3) by tiles of at most about `tile_px`, which makes (scale h, scale w, 3).

    run: takes (h', w', 3), both sides a multiple of `multiple_px`, and returns (scale h', scale w', 3). context_px: what a
    pixel may depend on around it.
    """
    height, width = picture.shape[:2]
    margin = _up(context_px + RIM_PX, multiple_px)
    (tall, down), (wide, across) = (_cut(side, tile_px, multiple_px) for side in (height, width))
    after = (margin + tall * down - height, margin + wide * across - width)
    shown = np.pad(picture, ((margin, after[0]), (margin, after[1]), (0, 0)), mode="reflect")
    joined = np.zeros(
        ((tall * down + 2 * RIM_PX) * scale, (wide * across + 2 * RIM_PX) * scale, 3), np.float32
    )
    spare = (margin - RIM_PX) * scale
    for row in range(down):
        for column in range(across):
            y, x = row * tall, column * wide
            made = run(shown[y : y + tall + 2 * margin, x : x + wide + 2 * margin])
            kept = made[spare : made.shape[0] - spare, spare : made.shape[1] - spare]
            kept = (
                kept
                * _ramp(tall, row, down, scale)[:, None, None]
                * _ramp(wide, column, across, scale)[None, :, None]
            )
            place = (slice(y * scale, y * scale + kept.shape[0]), slice(x * scale, x * scale + kept.shape[1]))
            joined[place] += kept
    rim = RIM_PX * scale
    return joined[rim : rim + height * scale, rim : rim + width * scale]


def _cut(side: int, tile_px: int, multiple_px: int) -> tuple[int, int]:
    """Tiles of one size that cover `side`: that size, and how many."""
    count = -(-side // tile_px)
    return _up(-(-side // count), multiple_px), count


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _ramp(tile: int, at: int, count: int, scale: int) -> F32:
    """Weight along one side of a tile with its rims: neighbours' weights add up to 1."""
    rim = 2 * RIM_PX * scale
    rise = ((np.arange(rim) + 0.5) / rim).astype(np.float32)
    ramp = np.ones(tile * scale + rim, np.float32)
    if at > 0:
        ramp[:rim] = rise
    if at < count - 1:
        ramp[-rim:] *= 1 - rise
    return ramp
