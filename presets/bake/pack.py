"""Exposures into a plate that ships. Owns channels, compression and the header; refuses Blender."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.backdrop.plate_file import HEADER, Canvas, Picture, Plate, folder_of, openexr
from pipeline.rig import Light
from pipeline.values import F32
from presets.bake.order import SAFE
from presets.bake.queue import Bake

BORDER = 4  # px that Blender renders around the canvas; as in `atelier.exposure`
BODY = 0.18  # albedo of the body while baking; as in `atelier.shader`


def pack(bake: Bake, order: dict[str, Any], made: dict[str, Any], shelf: Path) -> Path:
    """The plate of an order whose exposures are all there. The header is written last. Returns its folder."""
    source, folder = Path(order["folder"]), folder_of(bake.name, order["view"], shelf)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    scale = np.array([1 / BODY, 1, 1], np.float32)
    pictures = [
        _packed(source, folder, lamp["name"], scale, Light.model_validate(lamp["shape"]))
        for lamp in order["lights"]
        if lamp["name"] != "ambient"
    ]
    mask = _packed(source, folder, "mask", np.ones(3, np.float32)) if bake.mask_px else None
    plate = Plate(
        name=bake.name,
        view=order["view"],
        canvas=Canvas.model_validate(order["canvas"]),
        lobes=bake.lobes,
        lamps=tuple(pictures),
        ambient=_packed(source, folder, "ambient", scale),
        mask=mask,
        texture=bake.texture,
        roughness=bake.roughness,
        f0=bake.f0,
        safe=SAFE,
        made=made | {key: order[key] for key in ("seed", "version", "noise", "digest")} | {"samples": bake.samples},
    )
    (folder / HEADER).write_text(plate.model_dump_json(indent=1, exclude_none=True) + "\n", "utf-8")
    return folder


def exposure(path: Path) -> F32:
    """(H, W, 3) float32 of what Blender wrote, without its border."""
    with openexr().File(str(path)) as exr:
        pixels = np.array(exr.channels()["RGB"].pixels, np.float32)
    return pixels[BORDER:-BORDER, BORDER:-BORDER]


def _packed(source: Path, folder: Path, name: str, scale: F32, light: Light | None = None) -> Picture:
    """One exposure as half floats, DWAB."""
    pixels = np.clip(exposure(source / f"{name}.exr") * scale, 0, 60000).astype(np.float16)
    path = folder / f"{name}.exr"
    exr = openexr()
    header = {"compression": exr.DWAB_COMPRESSION, "type": exr.scanlineimage}
    with exr.File(header, {"RGB": np.ascontiguousarray(pixels)}) as file:
        file.write(str(path))
    return Picture(file=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), light=light)
