"""The plate backdrop: a path-traced set, lit anew. Owns the weighted sum, the palette and the texture; refuses to paint.

radiance of a lamp = strength * colour * 2^exposure * (body * body colour + sheen * sheen colour + gloss * gloss colour)

which is exact for light that bounces once; what folds throw at each other was baked at a middle grey and takes the
palette's colour once. The denoiser smooths pile and grain away: they are put back here, in the picture's own scale.

Any frame is a crop of the plate, scaled so that the plate's unit is the piece's: then gobo, shadow and reflection fall
together with the plate's own. A frame that reaches over the plate by little takes it larger; by more, it has no plate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from pipeline.backdrop.filters import f32
from pipeline.backdrop.marble import slab
from pipeline.backdrop.noise import generator, grain
from pipeline.backdrop.pile import tufts
from pipeline.backdrop.plate_file import (
    FOLDER,
    Canvas,
    NotForThis,
    Picture,
    Plate,
    read_picture,
    read_plate,
    takes,
)
from pipeline.backdrop.stage import Stage, Takings
from pipeline.rig import Rgb
from pipeline.values import F32, Ground, Scene

LARGEST_ZOOM = 1.4  # beyond it the panes on the piece would no longer meet those on the ground
SAME_ELEVATION_DEG = 3.0
BODY_TUFTS, SHEEN_TUFTS = 0.06, 0.14  # contrast of the pile, log
GRAIN = 0.012


def plated(stage: Stage, shelf: Path = FOLDER, *, textured: bool = True) -> Scene:
    """The set of the surface's plate, lit by the rig; the seed picks the take and the grain.

    textured: with pile or grain, as in every picture.

    Raises `Unusable` when there is no such plate, or it does not fit.
    """
    folders = takes(stage.surface.plate, stage.view, shelf)
    folder = folders[stage.seed % len(folders)]
    plate = read_plate(folder)
    window = Window.onto(plate.canvas, stage.ground, (stage.width, stage.height))
    pictures = {light.name: plate.lamp_for(light) for light in stage.rig.lights}
    fine = texture(stage, plate.texture, plate.texture_gain) if textured else None
    surface = _Lit(stage, plate, folder, window, fine)
    takings = Takings(stage)
    for light in stage.rig.lights:
        takings.add(light.name, surface.under(pictures[light.name], light.color, light.strength))
    ambient = stage.rig.ambient
    takings.add("ambient", surface.under(plate.ambient, ambient.color, ambient.strength))
    if plate.glow:
        takings.add("ambient", surface.glow(plate.glow))
    return replace(takings.scene(), roughness=plate.roughness, f0=plate.f0)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a plate that a frame shows. scale: canvas pixels per frame pixel; at: canvas point of frame pixel (0, 0).

    width, height: of the frame.
    """

    scale: float
    at: tuple[float, float]
    width: int
    height: int

    @classmethod
    def onto(cls, canvas: Canvas, ground: Ground, size_px: tuple[int, int]) -> Window:
        """The window whose unit and origin are the ground's. Raises `NotForThis` when the plate is too small for it."""
        if abs(canvas.elevation_deg - ground.elevation_deg) > SAME_ELEVATION_DEG:
            raise NotForThis("it is seen from another height")
        (x, y), (width, height) = canvas.origin, size_px
        right, below = canvas.size_px[0] - x, canvas.size_px[1] - y
        plain = canvas.unit_px / ground.unit_px
        reach = (ground.origin[0], width - ground.origin[0], ground.origin[1], height - ground.origin[1])
        zoom = max(
            1.0, *(plain * need / room for need, room in zip(reach, (x, right, y, below), strict=True))
        )
        if zoom > LARGEST_ZOOM:
            raise NotForThis("the picture shows more ground than the plate has")
        scale = plain / zoom
        return cls(scale, (x - scale * ground.origin[0], y - scale * ground.origin[1]), width, height)

    def through(self, picture: F32, canvas: Canvas) -> F32:
        """The picture as the frame sees it, (height, width, 3), cubic; pixel centres are at halves."""
        smaller = picture.shape[1] / canvas.size_px[0]
        step = self.scale * smaller
        # Frame pixels count from 0 at their centre, as everywhere at run time.
        x, y = (smaller * v - 0.5 for v in self.at)
        move = np.array([[step, 0.0, x], [0.0, step, y]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = (self.width, self.height)
        return f32(cv2.warpAffine(picture, move, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


class _Lit:
    """A plate in its palette, under a texture, ready for one lamp after another."""

    def __init__(self, stage: Stage, plate: Plate, folder: Path, window: Window, texture: F32 | None) -> None:
        self._stage, self._plate, self._folder, self._window = stage, plate, folder, window
        self._texture = texture
        own = {"base": stage.base(), "accent": stage.accent(), "detail": stage.detail()}
        lobes = (plate.lobes.body, plate.lobes.sheen, plate.lobes.gloss)
        self._colors = np.stack([lobe.tinted(own) for lobe in lobes], axis=1)
        self._stone = self._albedo()

    def under(self, picture: Picture, color: Rgb, strength: float) -> F32:
        """Radiance (H, W, 3) before exposure."""
        lobes = self._seen(picture)
        if self._texture is not None:
            lobes *= self._texture
        light = np.asarray(color, dtype=np.float32) * np.float32(strength)
        matrix = self._colors * light[:, None]
        if self._stone is None:
            return f32(cv2.transform(lobes, matrix))
        body = lobes[..., :1] * (self._stone * light)
        matrix[:, 0] = 0.0
        return f32(cv2.transform(lobes, matrix)) + body

    def glow(self, picture: Picture) -> F32:
        """Radiance (H, W, 3) before exposure of the set's own lights."""
        white = np.ones(3, np.float32)
        return f32(
            cv2.transform(
                self._seen(picture), np.stack([self._stage.accent(), self._stage.detail(), white], axis=1)
            )
        )

    def _seen(self, picture: Picture) -> F32:
        pixels = read_picture(self._folder, picture).astype(np.float32)
        seen = self._window.through(pixels, self._plate.canvas)
        return np.maximum(seen, np.float32(0), out=seen)  # cubic weights undershoot

    def _albedo(self) -> F32 | None:
        """Body colour (H, W, 3) of a stone, by its mask or painted for this seed; None where it is the same all over."""
        stage, plate = self._stage, self._plate
        if plate.texture == "veins":
            return slab(stage, *stage.plane())
        if plate.mask is None:
            return None
        mask = self._seen(plate.mask)
        vein, cloud = mask[..., :1], mask[..., 1:2]
        stone = stage.base() + (stage.detail() - stage.base()) * cloud
        return f32((stone + (stage.accent() - stone) * vein) * np.float32(plate.lobes.body.gain))


def texture(stage: Stage, kind: str, strength: float) -> F32 | None:
    """Factors (H, W, 3) about 1 of body, sheen and gloss: what the denoiser smoothed away. None for a smooth surface.

    kind: see `Plate.texture`.
    """
    if kind in {"none", "veins"}:
        return None
    blur = stage.defocus_px(stage.plane()[1])
    gain = np.float32(strength)
    if kind == "pile":
        tuft = tufts(stage, blur) * gain
        body, sheen = np.exp(np.float32(BODY_TUFTS) * tuft), np.exp(np.float32(SHEEN_TUFTS) * tuft)
        return np.stack([body, sheen, np.ones_like(body)], axis=-1)
    fine = _grains(stage.seed, stage.width, stage.height) * stage.enlarge(1.0 / (1.0 + (blur / 1.6) ** 2))
    body = np.exp(gain * np.float32(GRAIN) * fine)
    return np.stack([body, np.ones_like(body), np.ones_like(body)], axis=-1)


@lru_cache(maxsize=2)
def _grains(seed: int, width: int, height: int) -> F32:
    """Grain of stone, sand and paper (H, W), in focus all over; the same for every photo of a size and a seed."""
    rng, shape, px = generator(seed, "plate grain"), (height, width), min(width, height) / 1080.0
    fine = f32(0.7 * grain(rng, shape, 0.7 * px, 0.6 * px) + 0.5 * grain(rng, shape, 1.9 * px, 1.4 * px))
    fine.flags.writeable = False
    return fine
