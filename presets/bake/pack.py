"""Exposures into a plate that ships. Owns channels, compression and the header; refuses Blender."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.backdrop.plate_file import (
    BODY,
    HEADER,
    Canvas,
    Picture,
    Plate,
    Unusable,
    openexr,
    read_plate,
    serves,
)
from pipeline.rig import Light
from pipeline.values import F32
from presets.bake.order import AMBIENT, SAFE
from presets.bake.queue import Bake

BORDER = 4  # px that Blender renders around the canvas; as in `atelier.exposure`
BRIGHTEST = 60000.0  # of a half float
LAMP_LEVEL, MASK_LEVEL = (
    45.0,
    150.0,
)  # of DWAB's loss; a mask is full of grain, and small steps in it are not seen


def pack(bake: Bake, order: dict[str, Any], made: dict[str, Any], shelf: Path) -> Path:
    """The plate of an order whose exposures are all there. Lamps it has already stay. The header is written last.

    Returns its folder.
    """
    source, folder = Path(order["folder"]), shelf / str(order["plate"])
    before = standing(order, shelf)
    if before is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    scale = np.array([1 / BODY, 1, 1], np.float32)
    pictures = list(before.lamps) if before else []
    for lamp in order["lights"]:
        if lamp["name"] != AMBIENT:
            light = Light.model_validate(lamp["shape"])
            pictures.append(_packed(source / lamp["file"], folder / f"{lamp['name']}.exr", scale, light))
    plate = Plate(
        name=bake.name,
        view=order["view"],
        canvas=Canvas.model_validate(order["canvas"]),
        lobes=bake.from_above if bake.from_above and order["view"] == "flat" else bake.lobes,
        lamps=tuple(pictures),
        ambient=before.ambient if before else _packed(source / "ambient.exr", folder / "ambient.exr", scale),
        mask=before.mask if before else _alone(source, folder, "mask", MASK_LEVEL) if bake.mask_px else None,
        glow=before.glow if before else _alone(source, folder, "glow", LAMP_LEVEL) if bake.glow else None,
        texture=bake.texture,
        texture_gain=bake.texture_gain,
        roughness=bake.roughness,
        f0=bake.f0,
        safe=SAFE[order["view"]],
        made=made | {key: order[key] for key in ("seed", "version", "noise", "samples", "digest")},
    )
    text = plate.model_dump_json(indent=1, exclude_defaults=True)
    (folder / HEADER).write_text(text + "\n", "utf-8")
    return folder


def standing(order: dict[str, Any], shelf: Path) -> Plate | None:
    """The plate on the shelf, if it shows the set of this order."""
    try:
        plate = read_plate(shelf / str(order["plate"]))
    except Unusable:
        return None
    return plate if plate.made.get("digest") == order["digest"] else None


def missing(order: dict[str, Any], shelf: Path) -> dict[str, Any]:
    """The order less what the plate on the shelf has already."""
    plate = standing(order, shelf)
    if plate is None:
        return order
    shapes = [
        (lamp, Light.model_validate(lamp["shape"])) for lamp in order["lights"] if lamp["name"] != AMBIENT
    ]
    have = [picture.light for picture in plate.lamps if picture.light]
    lights = [lamp for lamp, light in shapes if not any(serves(one, light) for one in have)]
    return order | {"lights": lights}


def exposure(path: Path) -> F32:
    """(H, W, 3) float32 of what Blender wrote, without its border."""
    with openexr().File(str(path)) as exr:
        pixels = np.array(exr.channels()["RGB"].pixels, np.float32)
    return pixels[BORDER:-BORDER, BORDER:-BORDER]


def _alone(source: Path, folder: Path, name: str, level: float) -> Picture:
    """What shines by itself, no lamp's answer."""
    return _packed(source / f"{name}.exr", folder / f"{name}.exr", np.ones(3, np.float32), level=level)


def _packed(
    source: Path, target: Path, scale: F32, light: Light | None = None, level: float = LAMP_LEVEL
) -> Picture:
    """One exposure as half floats, DWAB."""
    pixels = np.clip(exposure(source) * scale, 0, BRIGHTEST).astype(np.float16)
    exr = openexr()
    header = {"compression": exr.DWAB_COMPRESSION, "type": exr.scanlineimage, "dwaCompressionLevel": level}
    with exr.File(header, {"RGB": np.ascontiguousarray(pixels)}) as file:
        file.write(str(target))
    return Picture(file=target.name, sha256=hashlib.sha256(target.read_bytes()).hexdigest(), light=light)
