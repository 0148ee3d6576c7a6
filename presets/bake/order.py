"""What one Blender process is asked to do: canvas, lamps, patterns. Owns the step from rigs to lamps; refuses pixels."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.backdrop.plate_file import Canvas, serves
from pipeline.layout import TABLE_ELEVATION
from pipeline.light.gobo import light_pattern
from pipeline.rig import Light, Rig
from pipeline.values import F32, Area
from presets.bake.queue import Bake, View

SIDE, ABOVE, BELOW, HALF_HEIGHT = 1.05, 2.3, 1.2, 1.65  # of the canvas, units of the piece
SAFE: Mapping[View, Area] = {"table": (-0.85, -1.15, 0.85, 0.45), "flat": (-0.85, -0.85, 0.85, 0.85)}
PATTERN_PX, PATTERN_REACH = 2048, 6.0  # a lamp's mask: pixels of its side, units of its half side
SHARP = 0.012  # half width of a pane's edge in the mask; the lamp's size makes the penumbra
FAINT = 0.16  # of the open ground's light: what a weaker lamp shows is baked at half size
FAINT_SCALE = 0.5
AMBIENT = "ambient"


def canvas(bake: Bake, view: View) -> Canvas:
    """The frame of a plate: wide enough for a tall picture with a small piece in it."""
    above, below = (ABOVE, BELOW) if view == "table" else (HALF_HEIGHT, HALF_HEIGHT)
    unit = bake.unit_px
    return Canvas(
        elevation_deg=TABLE_ELEVATION if view == "table" else 90.0,
        unit_px=unit,
        origin=(SIDE * unit, above * unit),
        size_px=(round(2 * SIDE * unit), round((above + below) * unit)),
        lens_blur=bake.lens if view == "table" else 0.0,
    )


def lamps(rigs: Mapping[str, Rig]) -> dict[str, Light]:
    """The lamps of all rigs by name, white and of strength 1 each; what one serves for, is not made again."""
    found: dict[str, Light] = {}
    for rig in rigs.values():
        for light in rig.lights:
            if not any(serves(known, light) for known in found.values()):
                white = light.model_copy(update={"color": (1.0, 1.0, 1.0), "strength": 1.0})
                found[f"{rig.name}-{light.name}"] = white
    return found


def _share(light: Light, rigs: Mapping[str, Rig]) -> float:
    """The most that this lamp gives to the open ground in any rig."""
    return max(
        one.strength * one.direction[2] for rig in rigs.values() for one in rig.lights if serves(light, one)
    )


def pattern(light: Light) -> F32 | None:
    """What the lamp's mask lets through over the ground, rows from near to far; None without gobo or cone."""
    if light.gobo is None and light.cone is None:
        return None
    sharp = light.gobo.model_copy(update={"softness": SHARP}) if light.gobo else None
    side = (np.arange(PATTERN_PX, dtype=np.float32) + 0.5) * np.float32(2 / PATTERN_PX) - 1
    X, Y = np.meshgrid(side * np.float32(PATTERN_REACH), side * np.float32(PATTERN_REACH))
    return light_pattern(light.model_copy(update={"gobo": sharp}), X, Y)


def order(bake: Bake, view: View, rigs: Mapping[str, Rig], work: Path, threads: int) -> dict[str, Any]:
    """The order of one plate, its patterns written under `work`.

    The folder is named by all that decides the set, each exposure by its lamp: a new rig costs its own lamps alone.
    """
    scene: dict[str, Any] = {
        "surface": bake.name,
        "view": view,
        "seed": bake.seed,
        "version": bake.version,
        "canvas": canvas(bake, view).model_dump(mode="json"),
        "noise": 0.02,
        "samples": bake.samples,
        "mask_scale": bake.mask_px / bake.unit_px,
        "mask_samples": 32,
    }
    if bake.glow:
        scene["glow_samples"] = 12 * bake.samples  # bulbs are small
    if bake.mask_px and bake.texture == "none":
        scene["mask_denoised"] = True  # of shapes; a stone's mask is full of grain
    digest = _digest(scene)
    folder = work / f"{bake.plate(view)}-{digest[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    lights = [_lamp(name, light, rigs, folder) for name, light in lamps(rigs).items()]
    dome = {"name": AMBIENT, "file": "ambient.exr", "scale": FAINT_SCALE, "pattern": None}
    return scene | {
        "lights": [*lights, dome],
        "folder": str(folder),
        "threads": threads,
        "digest": digest,
        "plate": bake.plate(view),
    }


def _lamp(name: str, light: Light, rigs: Mapping[str, Rig], folder: Path) -> dict[str, Any]:
    shape = light.model_dump(mode="json")
    asked = {
        "name": name,
        "role": light.role,
        "direction": light.direction,
        "size_deg": light.size_deg,
        "distance": None if math.isinf(light.distance) else light.distance,
        "shape": shape,
        "scale": FAINT_SCALE if _share(light, rigs) < FAINT else 1.0,
        "pattern": None,
    }
    stem = f"{name}-{_digest([shape, asked['scale']])[:8]}"
    mask = pattern(light)
    if mask is not None:
        np.save(folder / f"{stem}.npy", mask)
        asked["pattern"] = str(folder / f"{stem}.npy")
    return asked | {"file": f"{stem}.exr"}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
