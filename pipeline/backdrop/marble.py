"""Polished marble: veins of several scales in a softly clouded stone. Owns the stone; refuses rigs and cameras.

Pale stones are smoky: veins bleed to one side and clouds are broad. Dark stones are crisp: healed fractures with
hardly any halo. Light enters marble, so the borders of light on it are a little soft and its contrast is low; the
polish mirrors the lamps and the room on top of that.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from pipeline.backdrop.filters import exp, f32, gaussian, power, wide_gaussian
from pipeline.backdrop.noise import Noise, grain
from pipeline.backdrop.relight import Polish, arriving, mirror_glow
from pipeline.backdrop.sheet import Sheet
from pipeline.backdrop.slabs import onyx, terrazzo
from pipeline.backdrop.stage import STEP, Stage, Takings, defocus
from pipeline.backdrop.veins import Cells, Lines, cracks, wisps
from pipeline.light.gobo import smoothstep
from pipeline.values import F32, Scene

TRANSLUCENCE = 0.010  # units over which light bleeds sideways inside the stone
GLOW_ROUGHNESS = 0.36
GLOW_GAIN = {"table": 0.45, "flat": 0.18}  # from above a polariser takes most of the glare


def marble(stage: Stage) -> Scene:
    """A slab of marble, lit: the empty set that the stage describes."""
    X, Y = stage.plane()
    stone = STONES[stage.surface.pattern](stage, X, Y)
    takings = Takings(stage)
    for light in stage.rig.lights:
        pattern = arriving(light, X, Y)
        pattern = gaussian(pattern, max(TRANSLUCENCE * stage.ground.unit_px / STEP, 0.3))
        body = defocus(pattern * np.float32(light.direction[2]), stage.defocus_px(Y), STEP / stage.px)
        size = max(light.size_deg, 8.0)
        glow = mirror_glow(
            X, Y, light.direction, stage.view_direction, Polish(stage.surface.f0, GLOW_ROUGHNESS, size)
        )
        takings.add(
            light.name,
            _lit(stage, stone, body, pattern * glow * np.float32(GLOW_GAIN[stage.view]), light.color),
        )
    sky = np.full_like(X, stage.rig.ambient.strength)
    takings.add("ambient", _lit(stage, stone, sky, sky * _room(stage, Y), stage.rig.ambient.color))
    return takings.scene()


def _lit(stage: Stage, stone: F32, body: F32, shine: F32, color: tuple[float, float, float]) -> F32:
    """Full-size radiance of the stone under coarse irradiance `body`, with uncoloured `shine` on its polish."""
    lit, gleam = stage.enlarge(body), stage.enlarge(shine)
    rgb = np.empty_like(stone)
    for channel in range(3):
        plane = stone[..., channel] * lit
        plane += gleam
        rgb[..., channel] = plane * np.float32(color[channel])
    return rgb


def _room(stage: Stage, Y: F32) -> F32:
    """What the polish mirrors of the room: a little more light from the far side."""
    fresnel = stage.surface.f0 + (1.0 - stage.surface.f0) * (1.0 - stage.sin_e) ** 5
    room: F32 = np.float32(fresnel) * (0.12 + 0.5 * smoothstep(0.0, 2.4, Y))
    return room


def _bedding(stage: Stage, rng: np.random.Generator, X: F32, Y: F32) -> tuple[Sheet, Noise]:
    """Warped coordinates in which the stone's layers run along the first axis; and the noise that warped them."""
    turn = rng.uniform(0.45, 1.0) * (1 if rng.random() < 0.5 else -1)
    cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    scale = np.float32(1.0 / stage.surface.scale)
    shift = rng.uniform(3, 50, 2).astype(np.float32)
    u, v = (X * cos + Y * sin) * scale + shift[0], (Y * cos - X * sin) * scale + shift[1]
    samples = stage.ground.unit_px * stage.surface.scale / STEP
    spacing = (samples, samples * stage.sin_e)
    straight = Sheet(u, v, spacing)
    a, b = Noise(rng), Noise(rng)
    dv = 0.34 * straight.fbm(a, 0.8, 0.8, 2) + 0.055 * straight.fbm(a, 3.1, 3.1, 4, 0.58)
    du = 0.30 * straight.fbm(b, 0.8, 0.8, 2) + 0.055 * straight.fbm(b, 3.1, 3.1, 4, 0.58)
    return Sheet(u + du, v + dv, spacing), a


def slab(stage: Stage, X: F32, Y: F32) -> F32:
    """Albedo of the stone as the lens sees it, full size (H, W, 3)."""
    rng = stage.generator("marble")
    at, noise = _bedding(stage, rng, X, Y)
    smoky = float(np.sqrt(stage.base().mean()))
    blur = stage.defocus_px(Y)
    # Each layer by itself, so that the stone is the same on any number of threads.
    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        bigs = pool.submit(cracks, Cells.drawn(rng), at.u * np.float32(0.55), at.v, 0.60, 0.9)
        smalls = pool.submit(cracks, Cells.drawn(rng), at.u * np.float32(0.6) + 7.0, at.v, 0.21, 0.6)
        crystals = pool.submit(_crystals, stage)
        step = STEP / stage.ground.unit_px
        hair = wisps(at, noise, 0.9, 3.0, cell=(step / stage.sin_e, step), offset=11.0)
        ragged = 0.5 + 3.2 * at.fbm(noise, 9.0, 9.0, 2) ** 2
        fade = smoothstep(-0.55, 0.30, at.noise(noise, 0.9, 0.9, (60.0, 0.0)))
        webbed = smoothstep(-0.15, 0.5, at.noise(noise, 1.3, 1.3, (70.0, 0.0)))
        hairs = pool.submit(_thread, stage, blur, hair, 0.0014 * ragged, 0.36 * hair.strength)
        big = bigs.result()
        hazes = pool.submit(_haze, stage, blur, noise, at, smoky, big, hair, fade)
        strength = big.strength
        wide = (0.0014 + 0.0048 * strength**3) * ragged
        fractures = pool.submit(_thread, stage, blur, big, wide, fade * power(strength, 0.7))
        small = smalls.result()
        web = small.strength * webbed * (0.15 + 0.85 * exp(big.distance / -0.09))
        vein = _thread(stage, blur, small, (0.0008 + 0.002 * web) * ragged, power(web, 0.6))
        for other in (fractures, hairs):
            np.maximum(vein, other.result(), out=vein)
        vein *= np.float32(stage.surface.relief * (1.0 - 0.35 * smoky))
        return _colored(stage, np.minimum(vein, np.float32(1), out=vein), hazes.result(), crystals.result())


def _haze(  # noqa: PLR0917 - what the slab knows
    stage: Stage, blur: F32, noise: Noise, at: Sheet, smoky: float, big: Lines, hair: Lines, fade: F32
) -> F32:
    """Full-size share 0..1 of the clouds' colour."""
    haze = np.float32(smoky) * _smoke(noise, at, big, hair, fade)
    haze += np.float32(0.40) * smoothstep(-0.15, 0.6, at.fbm(noise, 0.8, 1.7, 4, shift=(33.0, 0.0)))
    haze = np.clip(haze * np.float32(stage.surface.relief), 0, 1)
    return stage.enlarge(defocus(haze, blur, STEP / stage.px))


def _smoke(noise: Noise, at: Sheet, big: Lines, hair: Lines, fade: F32) -> F32:
    """How far pale stone is clouded by what bled out of its veins: to one side far, to the other hardly."""
    side = at.drawn(lambda u, v: 0.5 + 0.5 * np.tanh(3.0 * noise(u * 1.1 + 90.0, v * 1.1)), 3.0)
    bleed = big.strength * (0.3 + 0.7 * fade) * exp(big.distance / (-0.012 - 0.10 * side))
    bleed = wide_gaussian(bleed, 6.0)  # the strengths of neighbouring cracks must not meet in a line
    wisp = hair.strength * exp(
        hair.distance * np.where(hair.distance > 0, np.float32(-1 / 0.06), np.float32(1 / 0.012))
    )
    streak = 1.0 - np.abs(at.fbm(noise, 0.7, 2.6, 4, 0.58, (5.0, 0.0))) * 2.6
    band = smoothstep(-0.1, 0.55, at.noise(noise, 0.5, 1.0, (44.0, 0.0)))
    smoke: F32 = 1.0 * bleed + 0.35 * wisp + 0.75 * band * np.maximum(streak, 0.0) ** 2
    return smoke


def _thread(stage: Stage, blur: F32, lines: Lines, width: F32, strength: F32) -> F32:
    """Full-size cover 0..1 of lines of half width `width` (units), never thinner than a pixel: fainter instead.

    Out of focus a line grows wider and fainter by the lens blur, which costs nothing and keeps its cover.
    """
    pixel = 0.75 / stage.ground.unit_px
    lens = np.float32(stage.px / stage.ground.unit_px) * blur * 1.4
    seen = np.sqrt(width * width + np.float32(pixel * pixel) + lens * lens)
    distance = np.abs(stage.enlarge(lines.distance / seen))
    distance *= -np.sqrt(distance)
    thread = exp(distance)
    thread *= stage.enlarge(strength * width / seen)
    return thread


def _crystals(stage: Stage) -> F32:
    """Factor (H, W) about 1: the sparkle of the stone's grains."""
    size = 1.2 * stage.px
    return f32(
        1.0 + 0.010 * grain(stage.generator("marble crystals"), (stage.height, stage.width), size, size)
    )


def _colored(stage: Stage, vein: F32, haze: F32, crystal: F32) -> F32:
    """Base stone, clouded with `detail`, veined with `accent`, with crystals that sparkle."""
    base, accent, detail = stage.base(), stage.accent(), stage.detail()
    # base + (detail - base) haze, and of that + (accent - it) vein
    mix = np.stack([accent - base, detail - base, base - detail, base], axis=1)
    stone = f32(cv2.transform(cv2.merge([vein, haze, vein * haze]), mix))
    stone *= cv2.merge([crystal] * 3)
    return stone


STONES = {"plain": slab, "onyx": onyx, "terrazzo": terrazzo}
