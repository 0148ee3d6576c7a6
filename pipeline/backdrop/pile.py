"""The pile of velvet: upright fibres, brushed this way and that. Owns how cloth takes light; refuses folds.

The body is a dark, wrapped diffuse; over it lies the sheen of fibres seen end on (Charlie, Estevez & Kulla 2017) and
what their tips catch where the cloth turns away (asperity scattering, Koenderink & Pont 2003, "The secret of velvety
skin"). The nap tilts the normal, which makes the lighter and darker brush marks by which velvet is known.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from pipeline.backdrop.filters import correlated, f32, gaussian
from pipeline.backdrop.noise import Noise, generator, grain
from pipeline.backdrop.relief import Seen
from pipeline.backdrop.relight import arriving, charlie, dot, halfway, wrapped
from pipeline.backdrop.stage import STEP, Stage, defocus, tint
from pipeline.light.gobo import smoothstep
from pipeline.rig import Light, Rgb
from pipeline.values import F32

PILE_ALPHA = {"table": 0.25, "flat": 0.31}  # from above the lens is opened: a broader, brighter lobe
ASPERITY = 0.16  # share of light that fibre tips catch where the cloth turns away
SHEEN_GAIN = 3.0
GLINT = 0.035  # the fibres' own surface gloss, uncoloured, on the brightest crests only
WRAP = 0.18


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
        self._crest = gaussian(smoothstep(0.62, 0.95, edge), 1.5)
        self._shade = (1.0 + 0.13 * patch + 0.07 * fine).astype(np.float32)

    def _micro(self) -> None:
        """How the tufts break up body and sheen."""
        tuft = tufts(self._stage, self._blur)
        self._tufts = np.exp(0.08 * tuft).astype(np.float32)
        self._sparkle = np.exp(0.19 * tuft - 0.015).astype(np.float32)

    def under(self, light: Light, open_share: F32) -> F32:
        """Radiance (H, W, 3) under one light; open_share: coarse share of it that the folds let through."""
        stage, seen = self._stage, self._seen
        n_l = dot(*self._n, light.direction)
        n_h = dot(*self._n, halfway(light.direction, stage.view_direction))
        lit = open_share * arriving(light, seen.X, seen.Y, seen.Z)
        lit *= self._shade
        lobe = charlie(f32(np.maximum(n_l, 0) + 0.04), self._n_v, n_h, PILE_ALPHA[stage.view])
        lobe += np.float32(ASPERITY) * wrapped(n_l, 0.35) * self._grazing
        lobe *= np.float32(SHEEN_GAIN)
        glint = lit * lobe * lobe * np.float32(GLINT)
        return self._developed((lit * wrapped(n_l, WRAP), lit * lobe, glint), light.color)

    def under_sky(self, open_share: F32) -> F32:
        """Radiance (H, W, 3) under the dome."""
        ambient = self._stage.rig.ambient
        body = open_share * self._shade * np.float32(ambient.strength)
        lobe = 0.08 + 0.9 * self._grazing
        return self._developed((body, body * lobe, np.float32(GLINT) * body * lobe * lobe), ambient.color)

    def _fuzzed(self, layer: F32) -> F32:
        """The pile's own softness: no edge of velvet is sharper than its fibres are long, least of all a crest's."""
        soft = gaussian(layer, 0.85)
        softer = gaussian(layer, 2.4)
        result: F32 = soft + self._crest * (softer - soft)
        return result

    def _developed(self, layers: tuple[F32, F32, F32], light_color: Rgb) -> F32:
        """Full-size radiance of (body, sheen, glint), coarse, each in its own colour under the light's."""
        stage = self._stage
        body, sheen, glint = (
            stage.enlarge(defocus(self._fuzzed(layer), self._blur, STEP / stage.px)) for layer in layers
        )
        color = np.asarray(light_color, dtype=np.float32)
        body *= self._tufts
        sheen *= self._sparkle
        glint *= self._sparkle
        return tint([(body, stage.base() * color), (sheen, stage.accent() * color), (glint, color)])


def tufts(stage: Stage, blur: F32) -> F32:
    """Tufts at pixel scale (H, W), about -1..1; squashed like the ground is, gone where the lens is out of focus.

    blur: of the coarse grid, as `Stage.defocus_px` gives it.
    """
    tuft = _tips(stage.seed, stage.width, stage.height) * stage.enlarge(1.0 / (1.0 + (blur / 1.3) ** 2))
    # Pale fibres hide their own shadows.
    tuft *= np.float32(1.0 - 0.7 * math.sqrt(float(stage.base().mean())))
    return f32(tuft)


@lru_cache(maxsize=2)
def _tips(seed: int, width: int, height: int) -> F32:
    """Fibre tips, clumped and combed (H, W), in focus all over; the same for every photo of a size and a seed."""
    rng, shape, px = generator(seed, "velvet pile"), (height, width), min(width, height) / 1080.0
    combed = _combed(px, rng, shape)
    clump = grain(rng, shape, 2.4 * px, 1.8 * px)
    tip = grain(rng, shape, 0.42 * px, 0.42 * px)
    tips = f32(0.62 * combed + 0.42 * clump + 0.55 * tip)
    tips.flags.writeable = False
    return tips


def _combed(px: float, rng: np.random.Generator, shape: tuple[int, int]) -> F32:
    """Fibre tips: fine grain, a little longer the way the nap is brushed, which differs from place to place."""
    turn = rng.uniform(0.9, 2.2)
    fine = (rng.random(shape, dtype=np.float32) - np.float32(0.5)) * np.float32(
        math.sqrt(12.0)
    )  # deviation 1
    one, other = (correlated(fine, _strand(px, turn + lean)) for lean in (-0.5, 0.5))
    share = smoothstep(-0.7, 0.7, grain(rng, shape, 70.0 * px, 45.0 * px))
    return f32(other + share * (one - other))


def _strand(px: float, turn: float) -> F32:
    """Kernel of one fibre lying at `turn` radians, of unit energy so that white noise stays at deviation 1."""
    reach = max(2, math.ceil(3.0 * px))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    width = 0.55 * max(px, 0.6)
    kernel = np.exp(-0.5 * ((along / (2.3 * width)) ** 2 + (across / width) ** 2))
    return f32(kernel / np.sqrt((kernel * kernel).sum()))
