"""Gradient: a smooth sweep of light from one colour to another on acrylic. Owns the colours; refuses rigs and cameras.

Colours are mixed in OKLab (Ottosson 2020), so that the way from one hue to another stays clean; the light is still
the rig's: a pool around the piece, window panes when the key has them.
"""

from __future__ import annotations

import numpy as np

from pipeline.backdrop.filters import f32
from pipeline.backdrop.noise import Noise, grain
from pipeline.backdrop.relight import Polish, arriving, mirror_glow
from pipeline.backdrop.stage import STEP, Stage, Takings, defocus
from pipeline.color import linear_from_oklab, oklab_from_linear
from pipeline.light.gobo import smoothstep
from pipeline.rig import Light
from pipeline.values import F32, Scene

HORIZON = {
    "table": -0.10,
    "flat": -0.02,
}  # where the wall meets the floor, share of the height from the middle
HORIZON_SOFT = 0.035


def ramp(colors: list[F32], t: F32) -> F32:
    """Colours (3,) spread evenly over t = 0..1, mixed in OKLab; linear rgb of t's shape + (3,), never negative.

    The ramp is made once with 512 entries and looked up with linear interpolation.
    """
    stops = np.linspace(0.0, 1.0, len(colors))
    fine = np.linspace(0.0, 1.0, 512)
    lab = oklab_from_linear(np.stack(colors)[None])[0]
    mixed = np.stack([np.interp(fine, stops, lab[:, c]) for c in range(3)], axis=-1)
    table = np.maximum(linear_from_oklab(mixed[None].astype(np.float32))[0], 0.0)
    channels = [np.interp(t.ravel(), fine, table[:, c]).reshape(t.shape) for c in range(3)]
    result: F32 = np.stack(channels, axis=-1).astype(np.float32)
    return result


def gradient(stage: Stage) -> Scene:
    """A lit gradient: the empty set that the stage describes."""
    X, Y = stage.plane()
    albedo = sweep(stage)
    blur = stage.defocus_px(Y)
    satin = 1.0 + 0.006 * grain(
        stage.generator("gradient satin"), (stage.height, stage.width), stage.px, stage.px
    )
    takings = Takings(stage)

    def add(name: str, body: F32, shine: F32, color: F32) -> None:
        lit = albedo * body[..., None] + shine[..., None]
        takings.add(name, stage.enlarge((lit * color).astype(np.float32)) * satin[..., None])

    for light in stage.rig.lights:
        pattern = defocus(arriving(light, X, Y), blur, STEP / stage.px)
        body = pattern * np.float32(light.direction[2]) * pool(stage, light, X, Y)
        shine = pattern * mirror_glow(
            X, Y, light.direction, stage.view_direction, Polish(stage.surface.f0, 0.5, max(light.size_deg, 8))
        )
        add(
            light.name,
            body,
            shine * np.float32(0.3 if stage.surface.reflection > 0 else 0.0),
            np.asarray(light.color, np.float32),
        )
    sky = np.full_like(X, stage.rig.ambient.strength)
    add("ambient", sky, sky * 0.0, np.asarray(stage.rig.ambient.color, np.float32))
    return takings.scene()


def sweep(stage: Stage) -> F32:
    """Albedo on the coarse grid: `base` below and around the piece, through `detail`, to `accent` at the far end."""
    rng = stage.generator("gradient")
    x, y = stage.screen()
    x, y = f32(x / stage.width - 0.5), f32(y / stage.height - 0.5)
    lean = np.float32(rng.uniform(-0.55, 0.55))
    wave = Noise(rng)
    uneven = wave(x * 1.4 + 9.0, y * 1.4)
    if stage.surface.pattern == "halo":
        t = f32(1.45 * np.hypot(x, y + 0.02) + 0.10 * uneven - 0.12)
        return ramp([stage.base(), stage.detail(), stage.accent()], smoothstep(0.0, 1.0, t))
    if stage.surface.pattern == "horizon":
        edge = f32((HORIZON[stage.view] - y + np.float32(0.25) * lean * x) / np.float32(HORIZON_SOFT))
        floor = ramp([stage.base(), stage.detail()], smoothstep(-0.1, 0.75, f32(0.5 - y)))
        above = smoothstep(-1.0, 1.0, edge)[..., None]
        return f32(floor + (stage.accent() * (1.0 + 0.05 * uneven[..., None]) - floor) * above)
    t = 0.5 - y * np.float32(1.05) + lean * x + 0.14 * uneven
    return ramp([stage.base(), stage.detail(), stage.accent()], smoothstep(-0.1, 1.12, f32(t)))


def pool(stage: Stage, light: Light, X: F32, Y: F32) -> F32:
    """A light that is not infinitely far: brighter near the piece, the more so the smaller the light."""
    reach = 1.3 + 0.05 * light.size_deg
    lx, ly, _ = light.direction
    dx, dy = X - np.float32(0.35 * lx), Y * np.float32(stage.sin_e + 0.15) - np.float32(0.25 * ly)
    return f32(0.42 + 0.72 * np.exp(-(dx * dx + dy * dy) / np.float32(reach * reach * 0.55)))
