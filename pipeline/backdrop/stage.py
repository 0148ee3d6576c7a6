"""The camera and the ground that all painters share, and the way from coarse layers to full-size light groups.

Owns pixel <-> ground mapping, depth of field and the bookkeeping of groups; refuses to know any material.

Smooth things (light, folds) are computed on a grid of every second pixel and enlarged; fine texture is made at full
size and multiplied in. Depth of field is a blend of a few Gaussian levels (Potmesil & Chakravarty 1981, circle of
confusion growing with the distance from the plane of focus), focus on the contact line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from pipeline.backdrop.filters import enlarged, wide_gaussian
from pipeline.backdrop.noise import generator
from pipeline.color import linear_from_srgb
from pipeline.recipe import Surface
from pipeline.rig import Rig
from pipeline.values import F32, Ground, Scene

STEP = 2  # pixels per sample of the coarse grid
SHARP_REACH = 0.55  # units before and behind the contact line that stay sharp
COC_PER_UNIT = 4.2  # blur (Gaussian sigma, pixels of a 1080 frame) per unit beyond that
LEVELS = (1.2, 3.2, 8.0)  # sigmas of the blur levels, pixels of a 1080 frame


def srgb_to_rgb(code: str) -> F32:
    """Scene-linear (3,) of an sRGB hex colour (IEC 61966-2-1)."""
    result: F32 = linear_from_srgb(np.array([int(code[k : k + 2], 16) / 255.0 for k in (1, 3, 5)]))
    return result


@dataclass(frozen=True, slots=True)
class Stage:
    """One set-up: surface, rig, camera and seed. width, height in pixels."""

    surface: Surface
    rig: Rig
    view: str
    width: int
    height: int
    seed: int
    ground: Ground

    @property
    def px(self) -> float:
        """Pixels of this frame per pixel of a 1080 frame: texture keeps its size relative to the picture."""
        return min(self.width, self.height) / 1080.0

    @property
    def sin_e(self) -> float:
        """Sine of the camera's elevation, never 0: foreshortening of the ground."""
        return max(math.sin(math.radians(self.ground.elevation_deg)), 0.05)

    @property
    def cos_e(self) -> float:
        """Cosine of the camera's elevation: how much height shows."""
        return math.cos(math.radians(self.ground.elevation_deg))

    @property
    def view_direction(self) -> tuple[float, float, float]:
        """Unit vector from the set to the camera."""
        return (0.0, -self.cos_e, self.sin_e)

    @property
    def coarse_shape(self) -> tuple[int, int]:
        """(rows, columns) of the coarse grid."""
        return -(-self.height // STEP), -(-self.width // STEP)

    def base(self) -> F32:
        """Main colour, linear (3,)."""
        return srgb_to_rgb(self.surface.base)

    def accent(self) -> F32:
        """Second colour, linear (3,)."""
        return srgb_to_rgb(self.surface.accent)

    def detail(self) -> F32:
        """Third colour, linear (3,)."""
        return srgb_to_rgb(self.surface.detail)

    def generator(self, purpose: str) -> np.random.Generator:
        """Randomness of one layer."""
        return generator(self.seed, purpose)

    def screen(self, step: int = STEP) -> tuple[F32, F32]:
        """Pixel coordinates (x, y) of a grid of every `step`-th pixel, float32 (rows, columns), at block centres."""
        rows, columns = -(-self.height // step), -(-self.width // step)
        x = np.arange(columns, dtype=np.float32) * step + (step - 1) / 2
        y = np.arange(rows, dtype=np.float32) * step + (step - 1) / 2
        grid_x, grid_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        return grid_x, grid_y

    def plane(self, step: int = STEP) -> tuple[F32, F32]:
        """Ground points (X, Y) seen by that grid, units of the piece."""
        x, y = self.screen(step)
        X = (x - np.float32(self.ground.origin[0])) / np.float32(self.ground.unit_px)
        Y = (np.float32(self.ground.origin[1]) - y) / np.float32(self.ground.unit_px * self.sin_e)
        return X, Y

    def enlarge(self, coarse: F32) -> F32:
        """Coarse layer (rows, columns[, 3]) to the full frame."""
        full = enlarged(coarse, (coarse.shape[0] * STEP, coarse.shape[1] * STEP))
        result: F32 = np.ascontiguousarray(full[: self.height, : self.width])
        return result

    def defocus_px(self, Y: F32) -> F32:
        """Blur (Gaussian sigma, pixels of a 1080 frame) at ground distance Y; all sharp from above."""
        if self.view == "flat":
            return np.zeros_like(Y)
        blur: F32 = np.float32(COC_PER_UNIT) * np.maximum(np.abs(Y) - np.float32(SHARP_REACH), 0.0)
        return blur


def defocus(layer: F32, blur: F32, step_px: float) -> F32:
    """Blur `layer` (rows, columns) by the local `blur` (sigma, pixels of a 1080 frame); `step_px` such pixels apart."""
    if float(blur.max()) < 0.3:
        return layer
    result, below = layer, 0.0
    for sigma in LEVELS:
        if float(blur.max()) <= below:
            break
        weight = np.clip((blur - np.float32(below)) / np.float32(sigma - below), 0.0, 1.0)
        result = result + weight * (wide_gaussian(layer, sigma / step_px) - result)
        below = sigma
    return result


@dataclass(slots=True)
class Takings:
    """Light groups while they are made. `add` sums what one light gives through several layers."""

    stage: Stage
    groups: dict[str, F32] = field(default_factory=dict)

    def add(self, light: str, radiance: F32) -> None:
        """Add full-size radiance (H, W, 3), before exposure, to a light's group; the array is taken over."""
        radiance *= np.float32(self.exposure)
        self.add_exposed(light, radiance)

    @property
    def exposure(self) -> float:
        """What radiance is multiplied by."""
        return float(2.0**self.stage.rig.exposure_ev)

    def add_exposed(self, light: str, radiance: F32) -> None:
        """As `add`, for radiance that has the exposure in it already."""
        if light in self.groups:
            self.groups[light] += radiance
        else:
            self.groups[light] = radiance

    def scene(self, reflection: float | None = None) -> Scene:
        """The finished set. reflection: overrides the surface's own weight."""
        stage, surface = self.stage, self.stage.surface
        return Scene(
            groups=self.groups,
            ground=stage.ground,
            roughness=surface.roughness,
            f0=surface.f0,
            reflection=surface.reflection if reflection is None else reflection,
            spill_rgb=self._spill(),
        )

    def _spill(self) -> F32:
        """Mean radiance of the ground around the contact point: what bounces up at the piece."""
        stage = self.stage
        x, y = (round(v) for v in stage.ground.origin)
        reach = int(0.6 * stage.ground.unit_px)
        rows = slice(max(0, min(y, stage.height - 1) - reach // 3), max(1, min(stage.height, y + reach // 2)))
        columns = slice(max(0, min(x, stage.width - 1) - reach), max(1, min(stage.width, x + reach)))
        total = np.zeros(3, dtype=np.float64)
        for radiance in self.groups.values():
            total += cv2.mean(radiance[rows, columns])[:3]  # far quicker than numpy's mean over two axes
        return total.astype(np.float32)


def tint(layers: list[tuple[F32, F32]]) -> F32:
    """Sum of scalar layers (H, W), each in its own colour (3,), as rgb (H, W, 3)."""
    shape = layers[0][0].shape
    rgb = np.empty((*shape, 3), dtype=np.float32)
    for channel in range(3):
        plane = layers[0][0] * np.float32(layers[0][1][channel])
        for scalar, color in layers[1:]:
            plane += scalar * np.float32(color[channel])
        rgb[..., channel] = plane
    return rgb
