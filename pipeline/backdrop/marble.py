"""Polished marble: veins of several scales in a softly clouded stone. Owns the stone; refuses rigs and cameras.

A vein is the zero line of a domain-warped noise; its distance in ground units is |n| / |grad n| (Quilez, "Distance to
fractals / implicit curves"), so that veins keep their width however the noise is stretched, and stay sharp when the
smooth noise is enlarged. Colour enters light through translucence: little contrast, softened borders.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from pipeline.backdrop.noise import Noise, grain
from pipeline.backdrop.relight import mirror_glow
from pipeline.backdrop.stage import STEP, Stage, Takings, defocus
from pipeline.light.gobo import light_pattern, smoothstep
from pipeline.recipe import Surface
from pipeline.rig import Rig
from pipeline.values import F32, Ground, Scene

POLISH_GAIN = 1.0


class Marble:
    """Painter of polished stone."""

    def scene(
        self,
        surface: Surface,
        rig: Rig,
        view: Literal["table", "flat"],
        size_px: tuple[int, int],
        seed: int,
        ground: Ground,
    ) -> Scene:
        """A slab of marble, lit; see `pipeline.backdrop.backdrop.Backdrop`."""
        stage = Stage(surface, rig, view, size_px[0], size_px[1], seed, ground)
        X, Y = stage.plane()
        blur = stage.defocus_px(Y)
        stone = slab(stage, X, Y, blur)
        takings = Takings(stage)
        step_px = STEP / stage.px
        white = np.ones(3, dtype=np.float32)
        for light in rig.lights:
            pattern = light_pattern(light, X, Y) * np.float32(light.strength)
            body = defocus(pattern * np.float32(light.direction[2]), blur, step_px)
            shine = pattern * mirror_glow(
                X, Y, light.direction, stage.view_direction, 0.42, max(light.size_deg, 8.0), surface.f0
            )
            color = np.asarray(light.color, dtype=np.float32)
            takings.add(light.name, _lit(stage, stone, body, shine * np.float32(POLISH_GAIN), color * white))
        color = np.asarray(rig.ambient.color, dtype=np.float32)
        sky = np.full_like(X, rig.ambient.strength)
        takings.add("ambient", _lit(stage, stone, sky, sky * _room(stage, Y), color))
        return takings.scene()


def _lit(stage: Stage, stone: F32, body: F32, shine: F32, color: F32) -> F32:
    rgb = stone * stage.enlarge(body)[..., None]
    rgb += stage.enlarge(shine)[..., None]
    rgb *= color
    result: F32 = rgb
    return result


def _room(stage: Stage, Y: F32) -> F32:
    """What the polish mirrors of the room: a little more light from the far side."""
    fresnel = stage.surface.f0 + (1.0 - stage.surface.f0) * (1.0 - stage.sin_e) ** 5
    return np.float32(fresnel) * (0.35 + 0.9 * smoothstep(0.0, 2.4, Y))


def slab(stage: Stage, X: F32, Y: F32, blur: F32) -> F32:
    """Albedo of the stone, full size (H, W, 3)."""
    rng = stage.generator("marble")
    turn = rng.uniform(0.35, 0.95) * (1 if rng.random() < 0.5 else -1)
    cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    scale = np.float32(1.0 / stage.surface.scale)
    shift = rng.uniform(0, 50, 2).astype(np.float32)
    u, v = (X * cos + Y * sin) * scale + shift[0], (Y * cos - X * sin) * scale + shift[1]
    a, b = Noise(rng), Noise(rng)
    wu = u + 0.45 * a.fbm(u * 0.9, v * 0.9, 4) + 0.03 * b(u * 6, v * 6)
    wv = v + 0.45 * b.fbm(u * 0.9 + 7.0, v * 0.9, 4) + 0.03 * a(u * 6, v * 6)
    cell = STEP / stage.ground.unit_px
    relief = stage.surface.relief
    cloud = 0.5 + 0.5 * a.fbm(wu * 1.1, wv * 1.9, 3)
    vein = np.zeros((stage.height, stage.width), dtype=np.float32)
    smoke = np.zeros_like(X)
    for k, (freq, along, width, strength) in enumerate(
        [(0.85, 0.42, 0.013, 1.0), (1.9, 0.5, 0.005, 0.75), (4.2, 0.6, 0.0022, 0.5)]
    ):
        n = b(wu * freq * along + 13.0 * k, wv * freq + 5.0 * k)
        gy, gx = np.gradient(n, cell / stage.sin_e, cell)
        slope = np.maximum(np.sqrt(gx * gx + gy * gy), np.float32(0.25 * freq))
        d = n / slope
        here = smoothstep(-0.35, 0.45, a(u * 0.7 * (k + 1), v * 0.7 * (k + 1) + 31.0 * k))
        w = width * (0.35 + 1.3 * here)
        D, W = np.abs(stage.enlarge(d)), stage.enlarge(w)
        H = stage.enlarge(here) * np.float32(strength)
        line = np.exp(-((D / W) ** 1.5)) * H
        np.maximum(vein, line, out=vein)
        if k < 2:
            smoke += here * np.float32(strength * 0.5) * np.exp(-np.abs(d) / np.float32(0.11 / (k + 1)))
    vein *= np.float32(min(relief, 1.4))
    haze = stage.enlarge(
        np.clip(0.55 * smoke + 0.5 * smoothstep(0.45, 0.95, cloud), 0, 1) * np.float32(relief)
    )
    crystal = grain(
        stage.generator("marble grain"), (stage.height, stage.width), 1.3 * stage.px, 1.3 * stage.px
    )
    base, accent, detail = stage.base(), stage.accent(), stage.detail()
    stone = np.empty((stage.height, stage.width, 3), dtype=np.float32)
    haze *= 0.6
    np.clip(vein, 0, 1, out=vein)
    for c in range(3):
        plane = base[c] + (detail[c] - base[c]) * haze
        plane += (accent[c] - plane) * vein
        plane *= 1.0 + 0.012 * crystal
        stone[..., c] = plane
    full_blur = stage.enlarge(blur)
    if float(blur.max()) > 0.3:
        for c in range(3):
            stone[..., c] = defocus(np.ascontiguousarray(stone[..., c]), full_blur, 1.0 / stage.px)
    return stone
