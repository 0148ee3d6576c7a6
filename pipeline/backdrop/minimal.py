"""Minimal: a seamless sweep of plaster or paper, nothing but form and light. Owns the sweep; refuses rigs and cameras.

The ground rises into a soft cove far behind the piece, so there is no horizon. The tooth of the plaster is a small
height field whose slope toward the light shades it (the linear term of a Lambert surface, Horn 1975).
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.backdrop.filters import f32, gaussian
from pipeline.backdrop.noise import Noise, grain
from pipeline.backdrop.relief import light_visibility, raster_for, see, sky_visibility
from pipeline.backdrop.relight import Polish, arriving, dot, mirror_glow, wrapped
from pipeline.backdrop.stage import STEP, Stage, Takings, defocus, tint
from pipeline.light.gobo import smoothstep
from pipeline.rig import Light
from pipeline.values import F32, Scene

COVE_AT = 1.2  # where the sweep begins to rise, units behind the contact line
COVE_RISE = 0.40
THREAD = 0.021  # width of a linen thread, units
HIGHEST = 0.45  # of both, as far as the raster's margin is concerned
SWELL = 0.24  # height of the soft swell behind or beside the piece, units


def minimal(stage: Stage) -> Scene:
    """A seamless sweep, lit: the empty set that the stage describes."""
    raster = raster_for(stage, HIGHEST)
    sweep, swell = cove(stage, raster.X, raster.Y)
    Z = f32(sweep + swell)
    seen = see(stage, raster, Z)
    blur = stage.defocus_px(seen.Y)
    tooth = Tooth(stage, blur)
    rise = smoothstep(0.0, 1.0, seen.Z)
    white = stage.enlarge(1.0 - 0.75 * rise), stage.enlarge(0.75 * rise)
    takings = Takings(stage)
    step_px = STEP / stage.px

    def add(name: str, body: F32, shine: F32, texture: F32, color: F32) -> None:
        lit = stage.enlarge(defocus(body, blur, step_px)) * texture
        layers = [(lit * white[0], stage.base() * color), (lit * white[1], stage.accent() * color)]
        if stage.surface.reflection > 0:
            layers.append((stage.enlarge(shine), color))
        takings.add(name, tint(layers))

    for light in stage.rig.lights:
        n_l = dot(seen.nx, seen.ny, seen.nz, light.direction)
        pattern = arriving(light, seen.X, seen.Y, seen.Z)
        pattern *= seen.pick(light_visibility(raster, swell, light))
        body = pattern * wrapped(n_l, 0.05)
        shine = pattern * mirror_glow(
            seen.X,
            seen.Y,
            light.direction,
            stage.view_direction,
            Polish(stage.surface.f0, 0.5, light.size_deg),
        )
        add(light.name, body, shine, tooth.under(light), np.asarray(light.color, dtype=np.float32))
    sky = seen.pick(sky_visibility(raster, swell)) * np.float32(stage.rig.ambient.strength)
    add("ambient", sky, sky * 0.0, tooth.even, np.asarray(stage.rig.ambient.color, dtype=np.float32))
    return takings.scene()


def cove(stage: Stage, X: F32, Y: F32) -> tuple[F32, F32]:
    """Heights of the sweep, flat and then rising like a parabola, and of one soft swell, as of bent paper, on it.

    They are apart because only the swell shades: a light behind the set shines over the sweep's edge, not through it.
    """
    rng = stage.generator("minimal cove")
    wave = Noise(rng)
    Z = np.float32(0.004) * wave(X * 1.3, Y * 1.3)
    lean = np.float32(math.tan(math.radians(rng.uniform(-16, 16))))
    side = 1.0 if rng.random() < 0.5 else -1.0
    if stage.view == "table":
        Z = Z + np.float32(COVE_RISE) * np.maximum(Y + lean * X - np.float32(COVE_AT), 0.0) ** 2
        middle, radius = (side * rng.uniform(0.9, 1.3), rng.uniform(1.75, 2.1)), rng.uniform(0.8, 1.05)
    else:
        middle, radius = (side * rng.uniform(1.2, 1.45), rng.uniform(-1.2, 1.2)), rng.uniform(0.75, 0.95)
    inside = radius - np.hypot(X - np.float32(middle[0]), Y - np.float32(middle[1]))
    edge = f32(inside + np.float32(0.1) * wave(X * 0.8, f32(Y * 0.8 + 5.0)))
    size = np.float32(stage.surface.scale)
    return f32(Z * size), f32(np.float32(SWELL) * smoothstep(-0.28, 0.34, edge) * size)


class Tooth:
    """Fine relief of the plaster at full size: `even` under the dome, `under(light)` raked by a light."""

    def __init__(self, stage: Stage, blur: F32) -> None:
        rng = stage.generator("minimal tooth")
        shape = (stage.height, stage.width)
        px, squash = stage.px, 0.5 + 0.5 * stage.sin_e
        height = 0.34 * grain(rng, shape, 0.8 * px, 0.8 * px * squash)
        if stage.surface.pattern == "linen":
            height += weave(stage)
        else:
            height += 0.8 * grain(rng, shape, 2.2 * px, 2.2 * px * squash)
            height += 1.5 * grain(rng, shape, 11.0 * px, 6.0 * px * squash)
        height += 1.7 * grain(rng, shape, 46.0 * px, 21.0 * px * squash)
        amount = np.float32(0.062 * stage.surface.relief)
        sharp = stage.enlarge(1.0 / (1.0 + (blur / 1.6) ** 2)) * amount
        gy, gx = np.gradient(height * np.float32(px))
        self._east: F32 = (-gx * sharp).astype(np.float32)
        self._north: F32 = (gy * sharp).astype(np.float32)
        self.even: F32 = (1.0 + 0.012 * sharp / max(float(amount), 1e-6) * height).astype(np.float32)

    def under(self, light: Light) -> F32:
        """Factor (H, W), about 1, of the light's irradiance."""
        lx, ly, lz = light.direction
        rake = min(1.6, 1.0 / max(lz, 0.2)) / (1.0 + math.radians(light.size_deg) * 2.0)
        factor = self.even + np.float32(rake * lx) * self._east + np.float32(rake * ly) * self._north
        result: F32 = np.clip(factor, 0.35, 1.8)
        return result


def weave(stage: Stage) -> F32:
    """Relief of linen in plain weave, full size: threads of uneven thickness that go over and under each other."""
    rng = stage.generator("linen")
    X, Y = stage.plane(step=1)
    shape = X.shape
    slub_x, slub_y = (
        grain(rng, shape, 0.012 * stage.ground.unit_px, 0.25 * stage.ground.unit_px * stage.sin_e),
        grain(rng, shape, 0.25 * stage.ground.unit_px, 0.012 * stage.ground.unit_px * stage.sin_e),
    )
    pitch = np.float32(THREAD * stage.surface.scale)
    wander = Noise(rng)
    a = f32((X + np.float32(0.012) * wander.fbm(X * 2.4, Y * 2.4, 3)) / pitch)
    b = f32((Y + np.float32(0.012) * wander.fbm(X * 2.4 + 9.0, Y * 2.4, 3)) / pitch)
    over = np.where((np.floor(a) + np.floor(b)) % 2 > 0, np.float32(1.0), np.float32(0.35))
    warp = np.sin(np.float32(math.pi) * (a - np.floor(a))) * (1.0 + 0.5 * slub_x)
    weft = np.sin(np.float32(math.pi) * (b - np.floor(b))) * (1.0 + 0.5 * slub_y)
    cloth = np.maximum(warp * over, weft * (1.35 - over))
    return f32(9.0 * gaussian(f32(cloth), 0.9 * stage.px))
