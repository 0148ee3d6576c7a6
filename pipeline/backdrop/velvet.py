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
PILE_ALPHA = 0.25
ASPERITY = 0.16  # fibres catch light at their tips where the cloth turns away
SHEEN_GAIN = 3.0
GLINT = 0.06  # the fibres' own surface gloss, uncoloured, on the brightest crests only
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
    reach = rng.uniform(2.6, 4.2)
    if rng.random() < 0.5:
        reach = -reach
    scale = np.float32(1.0 / stage.surface.scale)
    X, Y = raster.X * scale, (raster.Y - np.float32(0.3)) * scale
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    u, v = X * cos + Y * sin, Y * cos - X * sin
    v = (
        v
        + np.float32(0.30) * bend(u * 0.62 + 3.1, v * 0.22)
        + np.float32(0.07) * bend(u * 1.5, v * 1.1 + 9.0)
    )
    v = v / np.maximum(1.0 - u / np.float32(reach), 0.25)
    Z = _ridges(rng, vary, u, v / np.float32(0.40), 0.25 if stage.view == "table" else 0.38)
    Z += _ridges(rng, vary, u * 1.4 + 5.0, (v + 0.10 * bend(u * 1.1, v + 4.0)) / np.float32(0.185), 0.026)
    Z *= _calm(stage, bend, raster.X, raster.Y)
    Z += np.float32(0.020) * bend(raster.X * 1.7 + 40.0, raster.Y * 1.7)
    Z = cv2.GaussianBlur(Z, (0, 0), max(0.6, 0.014 / raster.cell))
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
    run = vary(u * 0.62 + cell * 7.7, cell * 3.3 + 0.5)
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
        lean = 0.20 * patch + 0.13 * fine
        nx = seen.nx + lean * np.cos(turn)
        ny = seen.ny + lean * np.sin(turn)
        nz = seen.nz
        length = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz)
        self._n = (nx * length, ny * length, nz * length)
        self._n_v = dot(*self._n, stage.view_direction)
        edge = np.clip(1.0 - self._n_v, 0.0, 1.0)
        self._grazing = edge * edge * edge
        self._crest = cv2.GaussianBlur(smoothstep(0.62, 0.95, edge), (0, 0), 1.5)
        self._shade = (1.0 + 0.13 * patch + 0.07 * fine).astype(np.float32)

    def _micro(self) -> None:
        """Tufts at pixel scale, full size; squashed like the ground is, gone where the lens is out of focus."""
        stage = self._stage
        rng = stage.generator("velvet pile")
        shape = (stage.height, stage.width)
        combed = _combed(stage, rng, shape)
        clump = grain(rng, shape, 2.4 * stage.px, 1.8 * stage.px)
        tip = grain(rng, shape, 0.42 * stage.px, 0.42 * stage.px)
        tuft = 0.62 * combed + 0.42 * clump + 0.55 * tip
        tuft *= stage.enlarge(1.0 / (1.0 + (self._blur / 1.3) ** 2))
        tuft *= np.float32(
            1.0 - 0.55 * math.sqrt(float(stage.base().mean()))
        )  # pale fibres hide their own shadows
        self._tufts = np.exp(0.08 * tuft).astype(np.float32)
        self._sparkle = np.exp(0.19 * tuft - 0.015).astype(np.float32)

    def under(self, light: Light, open_share: F32) -> F32:
        """Radiance (H, W, 3) under one light; open_share: coarse share of it that the folds let through."""
        stage, seen = self._stage, self._seen
        n_l = dot(*self._n, light.direction)
        n_h = dot(*self._n, halfway(light.direction, stage.view_direction))
        arriving = open_share * light_pattern(light, seen.X, seen.Y, seen.Z) * np.float32(light.strength)
        body = arriving * wrapped(n_l, WRAP) * self._shade
        sheen = charlie(np.maximum(n_l, 0) + 0.04, self._n_v, n_h, PILE_ALPHA)
        sheen += np.float32(ASPERITY) * wrapped(n_l, 0.35) * self._grazing
        sheen *= arriving * self._shade
        return self._developed(
            body, sheen * np.float32(SHEEN_GAIN), np.asarray(light.color, dtype=np.float32)
        )

    def under_sky(self, open_share: F32) -> F32:
        """Radiance (H, W, 3) under the dome."""
        ambient = self._stage.rig.ambient
        body = open_share * self._shade * np.float32(ambient.strength)
        sheen = body * (0.08 + 0.9 * self._grazing)
        return self._developed(body, sheen, np.asarray(ambient.color, dtype=np.float32))

    def _fuzzed(self, layer: F32) -> F32:
        """The pile's own softness: no edge of velvet is sharper than its fibres are long, least of all a crest's."""
        soft = cv2.GaussianBlur(layer, (0, 0), 0.85)
        softer = cv2.GaussianBlur(layer, (0, 0), 2.4)
        result: F32 = soft + self._crest * (softer - soft)
        return result

    def _developed(self, body: F32, sheen: F32, color: F32) -> F32:
        stage = self._stage
        step_px = STEP / stage.px
        body, sheen = self._fuzzed(body), self._fuzzed(sheen)
        glint = defocus(sheen * sheen, self._blur, step_px) * np.float32(GLINT)
        body = stage.enlarge(defocus(body, self._blur, step_px)) * self._tufts
        sheen = stage.enlarge(defocus(sheen, self._blur, step_px)) * self._sparkle
        layers = [(body, stage.base() * color), (sheen, stage.accent() * color)]
        return tint([*layers, (stage.enlarge(glint) * self._sparkle, color)])


def _combed(stage: Stage, rng: np.random.Generator, shape: tuple[int, int]) -> F32:
    """Fibre tips: fine grain, a little longer the way the nap is brushed. Standard deviation 1."""
    fine = rng.standard_normal(shape, dtype=np.float32)
    turn = rng.uniform(0.9, 2.2)
    reach = max(2, math.ceil(3.0 * stage.px))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    width = 0.55 * max(stage.px, 0.6)
    kernel = np.exp(-0.5 * ((along / (2.6 * width)) ** 2 + (across / width) ** 2)).astype(np.float32)
    combed = cv2.filter2D(fine, -1, kernel / np.sqrt((kernel * kernel).sum()), borderType=cv2.BORDER_REFLECT)
    return np.asarray(combed, dtype=np.float32)
