"""Velvet: heavy draped folds under a short upright pile. Owns the cloth; refuses light rigs and cameras.

Folds are ridges along warped spines laid across the key light, calm under the piece. The pile is a sheen of fibres
(Charlie) over a dark, wrapped diffuse; the nap, brushed this way and that, tilts the fibres and so makes the lighter
and darker marks by which velvet is known. Velvet mirrors nothing.
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np

from pipeline.backdrop.noise import Noise, grain
from pipeline.backdrop.relief import Raster, Seen, light_visibility, raster_for, see, sky_visibility
from pipeline.backdrop.relight import charlie, dot, halfway, wrapped
from pipeline.backdrop.stage import STEP, Stage, Takings, defocus, tint
from pipeline.light.gobo import light_pattern, smoothstep
from pipeline.recipe import Surface
from pipeline.rig import Light, Rig
from pipeline.values import F32, Ground, Scene

TALLEST = 0.42
PILE_ALPHA = 0.34
SHEEN_GAIN = 3.2
WRAP = 0.18


class Velvet:
    """Painter of velvet."""

    def scene(
        self,
        surface: Surface,
        rig: Rig,
        view: Literal["table", "flat"],
        size_px: tuple[int, int],
        seed: int,
        ground: Ground,
    ) -> Scene:
        """Draped velvet, lit; see `pipeline.backdrop.backdrop.Backdrop`."""
        stage = Stage(surface, rig, view, size_px[0], size_px[1], seed, ground)
        raster = raster_for(stage, TALLEST * surface.relief)
        Z = folds(stage, raster)
        seen = see(stage, raster, Z)
        blur = stage.defocus_px(seen.Y)
        pile = Pile(stage, seen, blur)
        takings = Takings(stage)
        for light in rig.lights:
            open_share = seen.pick(light_visibility(raster, Z, light))
            takings.add(light.name, pile.under(light, open_share))
        takings.add("ambient", pile.under_sky(seen.pick(sky_visibility(raster, Z))))
        return takings.scene(reflection=0.0)


def _calm(stage: Stage, X: F32, Y: F32) -> F32:
    """0 under and in front of the piece, 1 where folds may rise."""
    wide, near, far = (0.95, 1.0, 1.15) if stage.view == "table" else (1.0, 0.85, 0.85)
    depth = np.where(Y < 0, Y / np.float32(near), (Y - 0.1) / np.float32(far))
    return smoothstep(0.42, 1.15, np.sqrt((X / np.float32(wide)) ** 2 + depth * depth))


def folds(stage: Stage, raster: Raster) -> F32:
    """Height of the draped cloth on the raster, units of the piece."""
    rng = stage.generator("velvet folds")
    bend, vary = Noise(rng), Noise(rng)
    key = stage.rig.key
    across = math.radians(-key.azimuth_deg + rng.uniform(-28, 28))  # spines run square to the light
    cos, sin = np.float32(math.cos(across)), np.float32(math.sin(across))
    scale = np.float32(1.0 / stage.surface.scale)
    X, Y = raster.X * scale, raster.Y * scale
    u, v = X * cos + Y * sin, Y * cos - X * sin
    v = (
        v
        + np.float32(0.34) * bend(u * 0.75 + 3.1, v * 0.62)
        + np.float32(0.10) * bend(u * 1.9, v * 1.7 + 9.0)
    )
    fan = 1.0 + np.float32(rng.uniform(-0.22, 0.22)) * u
    Z = _ridges(rng, vary, u, v * fan / np.float32(0.52), 0.30)
    Z += _ridges(
        rng, vary, u * 1.6 + 5.0, (v * fan + 0.25 * bend(u * 1.3, v + 4.0)) / np.float32(0.23), 0.055
    )
    Z *= _calm(stage, raster.X, raster.Y)
    Z += np.float32(0.022) * bend(raster.X * 1.7 + 40.0, raster.Y * 1.7)
    Z = cv2.GaussianBlur(Z, (0, 0), max(0.6, 0.016 / raster.cell))
    result: F32 = (Z * np.float32(stage.surface.relief * stage.surface.scale)).astype(np.float32)
    return np.minimum(result, np.float32(TALLEST * stage.surface.relief))


def _ridges(rng: np.random.Generator, vary: Noise, u: F32, phase: F32, height: float) -> F32:
    """Rows of rounded ridges, one per whole number of `phase`, each with its own height, lean and run along u."""
    table = 64
    heights = rng.uniform(0.25, 1.0, table).astype(np.float32)
    crests = rng.uniform(0.32, 0.68, table).astype(np.float32)
    shift = np.float32(rng.uniform(0, table))
    phase = phase + shift + table
    cell = np.floor(phase)
    index = cell.astype(np.int32) % table
    t, crest = phase - cell, crests[index]
    side = np.where(t < crest, t / crest, (1.0 - t) / (1.0 - crest))
    soft = 0.5 - 0.5 * np.cos(np.float32(math.pi) * side)
    round_top = side * (2.0 - side)
    run = vary(u * 0.8 + cell * 7.7, cell * 3.3 + 0.5)
    lift = heights[index] * smoothstep(-0.75, 0.55, run)
    result: F32 = np.float32(height) * lift * (0.6 * soft + 0.4 * round_top)
    return result


class Pile:
    """The fibres on the visible cloth: nap, sheen and micro-texture, ready to be lit by one light after another."""

    def __init__(self, stage: Stage, seen: Seen, blur: F32) -> None:
        self._stage, self._seen, self._blur = stage, seen, blur
        self._nap()
        self._micro()

    def _nap(self) -> None:
        """Tilt the fibres: brushed patches with fairly crisp borders, and a fine unrest."""
        stage, seen = self._stage, self._seen
        rng = stage.generator("velvet nap")
        a, b = Noise(rng), Noise(rng)
        X, Y = seen.X, seen.Y + seen.Z
        stroke = a.fbm(X * 1.5 + 0.4 * b(X * 2.0, Y * 2.0), Y * 1.1 + 11.0, 2)
        patch = np.tanh(3.0 * stroke)
        fine = b.fbm(X * 7.0, Y * 7.0, 3, 0.6)
        turn = np.float32(rng.uniform(0, 2 * math.pi)) + 1.6 * a(X * 0.8 + 30.0, Y * 0.8)
        lean = 0.13 * patch + 0.16 * fine
        nx = seen.nx + lean * np.cos(turn)
        ny = seen.ny + lean * np.sin(turn)
        nz = seen.nz
        length = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz)
        self._n = (nx * length, ny * length, nz * length)
        self._n_v = dot(*self._n, stage.view_direction)
        self._shade = (1.0 + 0.10 * patch + 0.10 * fine).astype(np.float32)

    def _micro(self) -> None:
        """Tufts at pixel scale, full size; squashed like the ground is, gone where the lens is out of focus."""
        stage = self._stage
        rng = stage.generator("velvet pile")
        squash = 0.5 + 0.5 * stage.sin_e
        shape = (stage.height, stage.width)
        fine = grain(rng, shape, 0.75 * stage.px, 0.75 * stage.px * squash)
        clump = grain(rng, shape, 2.1 * stage.px, 2.1 * stage.px * squash)
        tuft = 0.75 * fine + 0.55 * clump
        sharp = stage.enlarge(1.0 / (1.0 + (self._blur / 1.3) ** 2))
        tuft *= sharp
        self._tufts = np.exp(0.23 * tuft - 0.02).astype(np.float32)
        self._sparkle = np.exp(0.42 * tuft - 0.07).astype(np.float32)

    def under(self, light: Light, open_share: F32) -> F32:
        """Radiance (H, W, 3) under one light; open_share: coarse share of it that the folds let through."""
        stage, seen = self._stage, self._seen
        n_l = dot(*self._n, light.direction)
        n_h = dot(*self._n, halfway(light.direction, stage.view_direction))
        arriving = open_share * light_pattern(light, seen.X, seen.Y, seen.Z) * np.float32(light.strength)
        body = arriving * wrapped(n_l, WRAP) * self._shade
        sheen = arriving * charlie(np.maximum(n_l, 0) + 0.04, self._n_v, n_h, PILE_ALPHA) * self._shade
        return self._developed(
            body, sheen * np.float32(SHEEN_GAIN), np.asarray(light.color, dtype=np.float32)
        )

    def under_sky(self, open_share: F32) -> F32:
        """Radiance (H, W, 3) under the dome."""
        ambient = self._stage.rig.ambient
        grazing = np.clip(1.0 - self._n_v, 0.0, 1.0)
        body = open_share * self._shade * np.float32(ambient.strength)
        sheen = body * (0.12 + 0.9 * grazing * grazing * grazing)
        return self._developed(body, sheen, np.asarray(ambient.color, dtype=np.float32))

    def _developed(self, body: F32, sheen: F32, color: F32) -> F32:
        stage = self._stage
        step_px = STEP / stage.px
        body = stage.enlarge(defocus(body, self._blur, step_px)) * self._tufts
        sheen = stage.enlarge(defocus(sheen, self._blur, step_px)) * self._sparkle
        return tint([(body, stage.base() * color), (sheen, stage.accent() * color)])
