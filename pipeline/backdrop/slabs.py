"""Stones that are not veined: banded onyx, and terrazzo of chips in cement. Owns their colours; refuses light.

Both return the albedo (H, W, 3) as the lens sees it. Chips are Voronoi cells shrunk from their borders (Worley 1996).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from scipy.spatial import cKDTree

from pipeline.backdrop.gradient import ramp
from pipeline.backdrop.noise import Noise, grain
from pipeline.backdrop.stage import STEP, Stage, defocus
from pipeline.light.gobo import smoothstep
from pipeline.values import F32

CEMENT = 0.006  # least cement between two chips, units
CHIP_LAYERS = ((0.150, 0.42), (0.070, 0.40), (0.030, 0.34))  # size in units of the piece, share that is there


def onyx(stage: Stage, X: F32, Y: F32) -> F32:
    """Bands of a stone that grew layer on layer, folded once: broad zones, finer lines along them."""
    rng = stage.generator("onyx")
    bend, layer = Noise(rng), Noise(rng)
    turn = rng.uniform(0.35, 0.9) * (1 if rng.random() < 0.5 else -1)
    cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    scale = np.float32(1.0 / stage.surface.scale)
    u, v = (X * cos + Y * sin) * scale, (Y * cos - X * sin) * scale
    depth = v + 0.42 * bend.fbm(u * 0.55 + 3.0, v * 0.55, 3) + 0.025 * bend.fbm(u * 4.0, v * 4.0, 3)
    flat = np.zeros_like(depth)  # a noise of depth alone: the layers themselves
    broad = layer(depth * 1.5 + 20.0, flat)
    fine = 0.55 * layer(depth * 7.0, flat + 9.0) + 0.35 * layer(depth * 19.0, flat + 21.0)
    fine = fine * smoothstep(-0.5, 0.4, bend(u * 0.8 + 40.0, v * 0.8))
    t = smoothstep(-0.85, 0.85, (broad + np.float32(0.75 * stage.surface.relief) * fine).astype(np.float32))
    cloud = 1.0 + 0.06 * bend.fbm(u * 2.2 + 70.0, v * 2.2, 4)
    stone = ramp([stage.base(), stage.base(), stage.detail(), stage.accent()], t) * cloud[..., None]
    blur = stage.defocus_px(Y)
    planes = [defocus(np.ascontiguousarray(stone[..., c]), blur, STEP / stage.px) for c in range(3)]
    return _crystals(stage, stage.enlarge(np.stack(planes, axis=-1).astype(np.float32)))


def terrazzo(stage: Stage, X: F32, Y: F32) -> F32:
    """Chips of three sizes and colours in cement of the base colour."""
    rng = stage.generator("terrazzo")
    blur = stage.defocus_px(Y)
    full = np.empty((stage.height, stage.width, 3), dtype=np.float32)
    full[:] = stage.base()
    free = np.full_like(X, 9.0)  # distance to the chips that lie already
    for size, share in CHIP_LAYERS:
        inside, color = _chips(stage, rng, (X, Y), size * stage.surface.scale, share)
        inside = np.minimum(inside, free)
        cover = smoothstep(-0.5, 0.5, inside * np.float32(stage.ground.unit_px / STEP))
        free = np.minimum(free, -inside - np.float32(CEMENT * stage.surface.scale))
        shown = stage.enlarge(defocus(cover, blur, STEP / stage.px))[..., None]
        full += (_repeated(stage, color) - full) * shown
    return _crystals(stage, full)


def _chips(
    stage: Stage, rng: np.random.Generator, at: tuple[F32, F32], size: float, share: float
) -> tuple[F32, F32]:
    """Coarse distance to the border of the nearest chip (units, inside positive), and that chip's colour."""
    X, Y = at
    low, high = (float(X.min()), float(Y.min())), (float(X.max()), float(Y.max()))
    count = int((high[0] - low[0] + 2 * size) * (high[1] - low[1] + 2 * size) / size**2)
    points = rng.uniform((low[0] - size, low[1] - size), (high[0] + size, high[1] + size), (max(count, 4), 2))
    away, nearest = cKDTree(points).query(np.stack([X, Y], axis=-1), k=2)
    gap = rng.uniform(0.06, 0.20, len(points)) * size
    border = (away[..., 1] - away[..., 0]) / 2 - gap[nearest[..., 0]]
    there = rng.random(len(points)) < share * stage.surface.relief
    inside = np.where(there[nearest[..., 0]], border, np.minimum(border, 0) - gap[nearest[..., 0]]).astype(
        np.float32
    )
    kinds = np.stack([stage.accent(), stage.detail(), 0.5 * (stage.accent() + stage.detail())])
    tone = rng.lognormal(0.0, 0.12, (len(points), 1)).astype(np.float32)
    colors = kinds[rng.choice(3, len(points), p=(0.42, 0.40, 0.18))] * tone
    return inside, colors[nearest[..., 0]].astype(np.float32)


def _repeated(stage: Stage, coarse: F32) -> F32:
    """Coarse colours to the full frame without mixing neighbours: a chip's colour ends in the cement around it."""
    size = (coarse.shape[1] * STEP, coarse.shape[0] * STEP)
    full = cv2.resize(coarse, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(full[: stage.height, : stage.width], dtype=np.float32)


def _crystals(stage: Stage, stone: F32) -> F32:
    size = 1.2 * stage.px
    fleck = grain(stage.generator("slab crystals"), (stage.height, stage.width), size, size)
    result: F32 = stone * (1.0 + 0.012 * fleck)[..., None]
    return result
