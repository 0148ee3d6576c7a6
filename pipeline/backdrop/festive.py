"""Festive: dark lacquer before strings of lights, or silk strewn with gold from above. Owns the set; refuses rigs.

The lights glow by themselves, so they are part of the "ambient" group, which no key shadow touches. Silk is a smooth
cloth: the drape of velvet, lower, under a coloured satin highlight (GGX) instead of a pile.
"""

from __future__ import annotations

import numpy as np

from pipeline.backdrop.bokeh import bokeh
from pipeline.backdrop.filters import f32, gaussian
from pipeline.backdrop.noise import grain
from pipeline.backdrop.relief import light_visibility, raster_for, see, sky_visibility
from pipeline.backdrop.relight import Polish, arriving, dot, gloss, halfway, mirror_glow, wrapped
from pipeline.backdrop.stage import STEP, Stage, Takings, defocus, tint
from pipeline.backdrop.velvet import folds
from pipeline.light.gobo import smoothstep
from pipeline.rig import Rgb
from pipeline.values import F32, Scene

LACQUER_GLOW = 0.22
SILK_ROUGHNESS = 0.46
SILK_SHEEN = 9.0  # satin threads mirror far more than their Fresnel reflectance: they lie in order
SILK_RELIEF = 0.6


def festive(stage: Stage) -> Scene:
    """Lights and lacquer, or silk from above: the empty set that the stage describes."""
    takings = _silk(stage) if stage.view == "flat" else _lacquer(stage)
    takings.groups["ambient"] += bokeh(stage) * np.float32(2.0**stage.rig.exposure_ev)
    return takings.scene(reflection=0.0 if stage.view == "flat" else None)


def _lacquer(stage: Stage) -> Takings:
    X, Y = stage.plane()
    blur = stage.defocus_px(Y)
    _, y = stage.screen()
    floor = 0.06 + 0.94 * smoothstep(0.22, 0.62, f32(y / stage.height))  # fades into the dark far behind
    fleck = 1.0 + 0.02 * grain(
        stage.generator("festive fleck"), (stage.height, stage.width), stage.px, stage.px
    )
    takings = Takings(stage)
    for light in stage.rig.lights:
        pattern = defocus(arriving(light, X, Y), blur, STEP / stage.px)
        pattern *= floor
        polish = Polish(stage.surface.f0, 0.5, max(light.size_deg, 8.0))
        glow = mirror_glow(X, Y, light.direction, stage.view_direction, polish) * np.float32(LACQUER_GLOW)
        body = stage.enlarge(pattern * np.float32(light.direction[2])) * fleck
        takings.add(light.name, _tinted(stage, body, stage.enlarge(pattern * glow), light.color))
    sky = np.full((stage.height, stage.width), stage.rig.ambient.strength, dtype=np.float32)
    takings.add("ambient", _tinted(stage, sky, sky * 0.0, stage.rig.ambient.color))
    return takings


def _tinted(stage: Stage, body: F32, shine: F32, light_color: Rgb) -> F32:
    color = np.asarray(light_color, dtype=np.float32)
    return tint([(body, stage.base() * color), (shine, color)])


def _silk(stage: Stage) -> Takings:
    raster = raster_for(stage, 0.3)
    Z = folds(stage, raster) * np.float32(SILK_RELIEF)
    seen = see(stage, raster, Z)
    thread = 1.0 + 0.025 * grain(
        stage.generator("silk thread"), (stage.height, stage.width), 2.4 * stage.px, 0.5 * stage.px
    )
    base = stage.base()
    sheen = f32(2.2 * base + 0.10 * float(base.max()) + 0.004)  # a dyed thread mirrors in its own colour
    n_v = dot(seen.nx, seen.ny, seen.nz, stage.view_direction)
    takings = Takings(stage)

    def add(name: str, body: F32, shine: F32, light_color: Rgb) -> None:
        color = np.asarray(light_color, dtype=np.float32)
        layers = (stage.enlarge(gaussian(layer, 0.8)) * thread for layer in (body, shine))
        takings.add(name, tint(list(zip(layers, (base * color, sheen * color), strict=True))))

    for light in stage.rig.lights:
        n_l = dot(seen.nx, seen.ny, seen.nz, light.direction)
        half = halfway(light.direction, stage.view_direction)
        n_h = dot(seen.nx, seen.ny, seen.nz, half)
        v_h = np.full_like(n_h, sum(a * b for a, b in zip(half, stage.view_direction, strict=True)))
        lit = arriving(light, seen.X, seen.Y, seen.Z)
        lit *= seen.pick(light_visibility(raster, Z, light))
        satin = gloss(n_l, n_v, n_h, v_h, Polish(stage.surface.f0, SILK_ROUGHNESS, light.size_deg))
        add(light.name, lit * wrapped(n_l, 0.1), lit * satin * np.float32(SILK_SHEEN), light.color)
    sky = seen.pick(sky_visibility(raster, Z)) * np.float32(stage.rig.ambient.strength)
    add("ambient", sky, sky * np.float32(0.3), stage.rig.ambient.color)
    return takings
