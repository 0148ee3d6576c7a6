"""Velvet: heavy cloth gathered into folds, calm under the piece. Owns the drape; refuses light rigs and cameras.

Folds are rows of rounded ridges along warped spines that fan out from a gathering point, each with its own height, lean
and run. How the cloth takes light is `pipeline.backdrop.pile`. Velvet mirrors nothing.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.backdrop.filters import f32, gaussian
from pipeline.backdrop.noise import Noise
from pipeline.backdrop.pile import Pile
from pipeline.backdrop.relief import Raster, light_visibility, raster_for, see, sky_visibility
from pipeline.backdrop.stage import Stage, Takings
from pipeline.light.gobo import smoothstep
from pipeline.values import F32, Scene

TALLEST = 0.42


def velvet(stage: Stage) -> Scene:
    """Draped velvet, lit: the empty set that the stage describes."""
    raster = raster_for(stage, TALLEST * stage.surface.relief)
    Z = LAID[stage.surface.pattern](stage, raster)
    seen = see(stage, raster, Z)
    blur = stage.defocus_px(seen.Y)
    pile = Pile(stage, seen, blur)
    takings = Takings(stage)
    for light in stage.rig.lights:
        open_share = seen.pick(light_visibility(raster, Z, light))
        takings.add(light.name, pile.under(light, open_share))
    takings.add("ambient", pile.under_sky(seen.pick(sky_visibility(raster, Z))))
    return takings.scene(reflection=0.0)


def _calm(stage: Stage, bend: Noise, X: F32, Y: F32) -> F32:
    """Near 0 under the piece, 1 where folds may rise; an uneven border, a hand has smoothed it."""
    wide, near, far = (0.95, 1.0, 1.15) if stage.view == "table" else (0.82, 0.78, 0.78)
    front = 1.0 - np.float32(0.6 if stage.view == "table" else 0.0) * smoothstep(0.35, 0.9, -Y)
    depth = np.where(Y < 0, Y / np.float32(near), (Y - 0.1) / np.float32(far))
    away = np.sqrt((X / np.float32(wide)) ** 2 + depth * depth) + np.float32(0.22) * bend(
        X * 1.1 + 21.0, Y * 1.1
    )
    calm: F32 = front * (0.07 + 0.93 * smoothstep(0.32, 1.25, away))
    return calm


def folds(stage: Stage, raster: Raster) -> F32:
    """Height of the draped cloth on the raster, units of the piece.

    Folds fan out from a gathering point far outside the picture, square to the key light within a stylist's freedom,
    so that every fold has a lit flank and a dark one.
    """
    rng = stage.generator("velvet folds")
    bend, vary = Noise(rng), Noise(rng)
    side = -1.0 if stage.rig.key.azimuth_deg > 0 else 1.0
    angle = side * math.radians(rng.uniform(30, 58))
    reach = rng.uniform(3.6, 5.6)
    if rng.random() < 0.5:
        reach = -reach
    scale = np.float32(1.0 / stage.surface.scale)
    X, Y = raster.X * scale, (raster.Y - np.float32(0.3)) * scale
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    u, v = f32(X * cos + Y * sin), f32(Y * cos - X * sin)
    v = v + np.float32(0.30) * bend(u * 0.62 + 3.1, v * 0.22)
    v = f32(v + np.float32(0.07) * bend(u * 1.5, f32(v * 1.1 + 9.0)))
    open_share = 1.0 - u / np.float32(reach)
    v = f32(v / np.sqrt(open_share * open_share + np.float32(0.06)))
    Z = _ridges(rng, vary, u, v / np.float32(0.40), 0.25 if stage.view == "table" else 0.38)
    wavering = f32(v + 0.10 * bend(u * 1.1, v + 4.0))
    Z += _ridges(rng, vary, u * 1.4 + 5.0, wavering / np.float32(0.185), 0.026)
    Z *= _calm(stage, bend, raster.X, raster.Y)
    Z += np.float32(0.020) * bend(raster.X * 1.7 + 40.0, raster.Y * 1.7)
    Z = gaussian(Z, max(0.6, 0.014 / raster.cell))
    result: F32 = (Z * np.float32(stage.surface.relief * stage.surface.scale)).astype(np.float32)
    return np.minimum(result, np.float32(TALLEST * stage.surface.relief))


def _ridges(rng: np.random.Generator, vary: Noise, u: F32, phase: F32, height: float) -> F32:
    """Rows of rounded ridges, one per whole number of `phase`, each with its own height, lean and run along u."""
    table = 64
    heights = rng.uniform(0.25, 1.0, table).astype(np.float32)
    crests = rng.uniform(0.32, 0.68, table).astype(np.float32)
    shift = np.float32(rng.uniform(0, table))
    phase = f32(phase + shift + table)
    cell = np.floor(phase)
    index = cell.astype(np.int32) % table
    t, crest = phase - cell, crests[index]
    side = np.where(t < crest, t / crest, (1.0 - t) / (1.0 - crest))
    soft = 0.5 - 0.5 * np.cos(np.float32(math.pi) * side)
    round_top = side * (2.0 - side)
    run = vary(f32(u * 0.62 + cell * 7.7), f32(cell * 3.3 + 0.5))
    lift = heights[index] * smoothstep(-0.75, 0.55, run)
    return f32(np.float32(height) * lift * (0.6 * soft + 0.4 * round_top))


def pleats(stage: Stage, raster: Raster) -> F32:
    """Height of cloth in knife pleats that run away from the camera, a little aslant. Units of the piece."""
    rng = stage.generator("velvet pleats")
    bend = Noise(rng)
    turn = math.radians(rng.uniform(14, 30)) * (-1.0 if stage.rig.key.azimuth_deg > 0 else 1.0)
    across = raster.X * np.float32(math.cos(turn)) - raster.Y * np.float32(math.sin(turn))
    across = across + np.float32(0.030) * bend(raster.X * 0.9, raster.Y * 0.9)
    place = across / np.float32(0.23 * stage.surface.scale)
    inside = place - np.floor(place)
    profile = np.minimum(inside / np.float32(0.82), (1.0 - inside) / np.float32(0.18))
    soft = 0.5 - 0.5 * np.cos(np.float32(math.pi) * np.clip(profile, 0, 1))
    Z = np.float32(0.055 * stage.surface.relief) * soft + np.float32(0.012) * bend(
        raster.X * 1.6, raster.Y * 1.6
    )
    return gaussian(f32(Z), max(0.6, 0.008 / raster.cell))


def tufted(stage: Stage, raster: Raster) -> F32:
    """Height of a buttoned cushion: a diamond lattice of pillows between seams. Units of the piece."""
    rng = stage.generator("velvet tufts")
    bend = Noise(rng)
    size = np.float32(0.62 * stage.surface.scale)
    X = (raster.X + np.float32(0.02) * bend(raster.X * 2.0, raster.Y * 2.0)) / size
    Y = (raster.Y + np.float32(0.02) * bend(raster.X * 2.0 + 7.0, raster.Y * 2.0)) / (size * np.float32(1.25))
    a, b = (X + Y) * np.float32(math.pi), (X - Y) * np.float32(math.pi)
    pillow = np.sqrt(np.abs(np.sin(a) * np.sin(b)))
    button = np.exp(-(np.sin(a) ** 2 + np.sin(b) ** 2) * np.float32(9.0))
    Z = np.float32(0.13 * stage.surface.relief) * (pillow - np.float32(0.35) * button)
    return gaussian(f32(np.maximum(Z, 0.0)), max(0.6, 0.012 / raster.cell))


LAID = {"plain": folds, "pleats": pleats, "tufted": tufted}
