"""The plate backdrop: a path-traced set, lit anew. Owns the weighted sum, the palette and the texture; refuses to paint.

radiance of a lamp = strength * colour * 2^exposure * (body * body colour + sheen * sheen colour + gloss * gloss colour)

which is exact for light that bounces once; what folds throw at each other was baked at a middle grey and is corrected
(`interreflection`). The denoiser smooths pile and grain away: they are put back here, in the picture's own scale.

Any frame is a crop of the plate, scaled so that the plate's unit is the piece's: then gobo, shadow and reflection fall
together with the plate's own. A frame that reaches over the plate by little takes it larger; by more, it has no plate.
Colours are given to the plate's few pixels, before they are enlarged.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from pipeline.backdrop.filters import exp, f32
from pipeline.backdrop.interreflection import colors, hidden_share, thrown
from pipeline.backdrop.marble import slab
from pipeline.backdrop.noise import generator, grain
from pipeline.backdrop.pile import tufts
from pipeline.backdrop.plate_file import FOLDER, Picture, Plate, Unusable, read_picture, read_plate, takes
from pipeline.backdrop.stage import Stage, Takings
from pipeline.backdrop.window import Pane, Window
from pipeline.recipe import Surface
from pipeline.rig import Rgb
from pipeline.values import F32, Area, Scene

BODY_TUFTS, SHEEN_TUFTS = 0.06, 0.14  # contrast of the pile, log
GRAIN = 0.012
NOTHING = 1e-4  # radiance that a lobe without light has left of the plate's compression


def plated(stage: Stage, shelf: Path = FOLDER, *, textured: bool = True) -> Scene:
    """The set of the surface's plate, lit by the rig; the seed picks the take and the grain.

    textured: with pile or grain, as in every picture.

    Raises `Unusable` when there is no such plate, or it does not fit.
    """
    folder = _folder(stage.surface, stage.view, stage.seed, shelf)
    plate = read_plate(folder)
    window = Window.onto(plate.canvas, stage.ground, (stage.width, stage.height))
    pictures = {light.name: plate.lamp_for(light) for light in stage.rig.lights}
    fine = texture(stage, plate.texture, plate.texture_gain) if textured else Texture()
    takings = Takings(stage)
    rig, exposure = stage.rig, takings.exposure
    orders = {
        light.name: (pictures[light.name], light.color, exposure * light.strength) for light in rig.lights
    }
    orders["ambient"] = (plate.ambient, rig.ambient.color, exposure * rig.ambient.strength)
    # Each lamp by itself, so that the picture is the same on any number of threads; none waits for the stone before it must.
    with ThreadPoolExecutor(1) as mason, ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        stone = mason.submit(_stone, stage, plate, folder, window, fine) if plate.stony else None
        surface = _Lit(plate, folder, window, _coats(stage, plate, fine, stone.result if stone else None))
        lit = pool.map(lambda order: surface.under(*order), orders.values())
        for name, radiance in zip(orders, lit, strict=True):
            takings.add_exposed(name, radiance)
    glow = _glow(stage, plate, folder, window)
    if glow is not None:
        takings.add("ambient", glow)
    return replace(takings.scene(), roughness=plate.roughness, f0=plate.f0, safe=plate.safe)


def safe_area(surface: Surface, view: str, seed: int, shelf: Path = FOLDER) -> Area | None:
    """Where a piece may stand on the surface's plate; None where there is none."""
    if not surface.plate:
        return None
    try:
        return read_plate(_folder(surface, view, seed, shelf)).safe
    except Unusable:
        return None


def _folder(surface: Surface, view: str, seed: int, shelf: Path) -> Path:
    folders = takes(surface.plate, view, shelf)
    return folders[seed % len(folders)]


@dataclass(frozen=True, slots=True)
class Texture:
    """Factors (H, W) about 1 of body and sheen: what the denoiser smoothed away; None for a smooth one."""

    body: F32 | None = None
    sheen: F32 | None = None


@dataclass(frozen=True, slots=True)
class Coat:
    """Some of a plate's lobes, drawn together: radiance = fine * (colors @ lobes + bounce @ thrown light).

    colors: (3, 3), a column for each lobe; bounce: (3, 4), see `interreflection`, None on the plain ground of a stone. fine:
    (H, W, 3) texture and veins, None where there is neither; it may still be in the making when it is asked for.
    """

    colors: F32
    fine: Callable[[], F32] | None = None
    bounce: F32 | None = None


class _Lit:
    """A plate in its palette, under a texture, ready for one lamp after another."""

    def __init__(self, plate: Plate, folder: Path, window: Window, coats: tuple[Coat, ...]) -> None:
        self._plate, self._folder, self._window, self._coats = plate, folder, window, coats

    def under(self, picture: Picture, color: Rgb, strength: float) -> F32:
        """Radiance (H, W, 3) under a light of that strength."""
        pixels = read_picture(self._folder, picture)
        pane = self._window.onto_picture(pixels.shape, self._plate.canvas)
        lobes = pane.cut(pixels)
        light = (np.asarray(color, dtype=np.float32) * np.float32(strength))[:, None]
        second = self._second(lobes, pane, (pixels.shape[0], pixels.shape[1]))
        seen: list[tuple[Coat, F32]] = []
        for coat in self._coats:
            few = f32(cv2.transform(lobes, coat.colors * light))
            if coat.bounce is not None:
                few += cv2.transform(second, coat.bounce * light)
            if not seen or float(cv2.norm(few, cv2.NORM_INF)) >= NOTHING:
                seen.append((coat, pane.enlarged(few)))
        total: F32 | None = None
        for coat, radiance in seen:
            own = radiance if coat.fine is None else np.multiply(radiance, coat.fine(), out=radiance)
            total = own if total is None else np.add(total, own, out=total)
        assert total is not None  # noqa: S101 - a plate has a body
        return np.ascontiguousarray(np.maximum(total, np.float32(0), out=total))  # cubic weights undershoot

    def _second(self, lobes: F32, pane: Pane, shape: tuple[int, int]) -> F32 | None:
        """Light that bounces twice, as `interreflection.thrown` gives it; None where no coat asks for it."""
        if all(coat.bounce is None for coat in self._coats):
            return None
        plate = self._plate
        hidden = pane.cut(hidden_share(self._folder, plate.ambient, plate.canvas, shape))
        return thrown(lobes, hidden, plate.canvas.unit_px * shape[1] / plate.canvas.size_px[0])


def _coats(stage: Stage, plate: Plate, fine: Texture, stone: Callable[[], F32] | None) -> tuple[Coat, ...]:
    """The plate's lobes in the palette's colours, those of one texture together; a body of stone has its colour there."""
    own = {"base": stage.base(), "accent": stage.accent(), "detail": stage.detail()}
    body, sheen, gloss = (
        lobe.tinted(own) for lobe in (plate.lobes.body, plate.lobes.sheen, plate.lobes.gloss)
    )
    none = np.zeros(3, np.float32)
    if stone:  # the body's light is white
        return (Coat(_columns(np.ones(3, np.float32), none, none), stone), Coat(_columns(none, sheen, gloss)))
    on_body, on_sheen = colors(body, sheen)
    if fine.body is None:
        return (Coat(_columns(body, sheen, gloss), bounce=on_body + on_sheen),)
    tooth = Coat(_columns(body, none, none), _grey(fine.body), on_body)
    if fine.sheen is None:
        return (tooth, Coat(_columns(none, sheen, gloss), bounce=on_sheen))
    fuzz = Coat(_columns(none, sheen, none), _grey(fine.sheen), on_sheen)
    return (tooth, fuzz, Coat(_columns(none, none, gloss)))


def _columns(body: F32, sheen: F32, gloss: F32) -> F32:
    return np.stack([body, sheen, gloss], axis=1)


def _grey(factor: F32) -> Callable[[], F32]:
    """A factor (H, W) for all three colours."""
    whole = f32(cv2.merge([factor] * 3))
    return lambda: whole


def _stone(stage: Stage, plate: Plate, folder: Path, window: Window, fine: Texture) -> F32:
    """Body colour (H, W, 3) of a stone, by its mask or painted for this seed, with its texture."""
    albedo = (
        slab(stage, *stage.plane()) if plate.texture == "veins" else _masked(stage, plate, folder, window)
    )
    if fine.body is not None:
        albedo *= cv2.merge([fine.body] * 3)
    return albedo


def _masked(stage: Stage, plate: Plate, folder: Path, window: Window) -> F32:
    assert plate.mask  # noqa: S101 - asked where there is one
    pixels = read_picture(folder, plate.mask)
    pane = window.onto_picture(pixels.shape, plate.canvas)
    vein, cloud, _ = cv2.split(pane.cut(pixels))
    base, accent, detail = stage.base(), stage.accent(), stage.detail()
    # base + (detail - base) cloud, and of that + (accent - it) vein
    mix = np.stack([accent - base, detail - base, base - detail, base], axis=1) * np.float32(
        plate.lobes.body.gain
    )
    stone = pane.enlarged(f32(cv2.transform(cv2.merge([vein, cloud, vein * cloud]), mix)))
    return np.maximum(stone, np.float32(0))


def _glow(stage: Stage, plate: Plate, folder: Path, window: Window) -> F32 | None:
    """Radiance (H, W, 3) before exposure of the set's own lights; None where it has none."""
    if plate.glow is None:
        return None
    pixels = read_picture(folder, plate.glow)
    pane = window.onto_picture(pixels.shape, plate.canvas)
    mix = _columns(stage.accent(), stage.detail(), np.ones(3, np.float32))
    seen = pane.enlarged(f32(cv2.transform(pane.cut(pixels), mix)))
    return np.maximum(seen, np.float32(0), out=seen)


def texture(stage: Stage, kind: str, strength: float) -> Texture:
    """What the denoiser smoothed away. kind: see `Plate.texture`."""
    if kind in {"none", "veins"}:
        return Texture()
    blur = stage.defocus_px(stage.plane()[1])
    if kind == "pile":
        tuft = tufts(stage, blur) * np.float32(strength)
        return Texture(exp(np.float32(BODY_TUFTS) * tuft), exp(np.float32(SHEEN_TUFTS) * tuft))
    fine = _grains(stage.seed, stage.width, stage.height) * stage.enlarge(1.0 / (1.0 + (blur / 1.6) ** 2))
    return Texture(exp(np.float32(strength * GRAIN) * fine))


@lru_cache(maxsize=2)
def _grains(seed: int, width: int, height: int) -> F32:
    """Grain of stone, sand and paper (H, W), in focus all over; the same for every photo of a size and a seed."""
    rng, shape, px = generator(seed, "plate grain"), (height, width), min(width, height) / 1080.0
    fine = f32(0.7 * grain(rng, shape, 0.7 * px, 0.6 * px) + 0.5 * grain(rng, shape, 1.9 * px, 1.4 * px))
    fine.flags.writeable = False
    return fine
