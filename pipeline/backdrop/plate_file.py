"""A plate on the disk: one picture per lamp, and `plate.json` that says what they show. Owns the format and its checks.

Refuses to light anything. A lamp's picture is OpenEXR, half float, DWAB: (H, W, 3), the answers of the matte body, the
fibres' sheen and the gloss to that lamp alone, white, of strength 1; a white matte ground facing it would be at 1. The
pictures may be smaller than the canvas, all show the whole of it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from pipeline.rig import Frozen, Light
from pipeline.values import F32, Area

FOLDER: Final = (
    Path(__file__).resolve().parents[2] / "presets" / "plates"
)  # data only: nothing is imported from there
HEADER: Final = "plate.json"
SAME_DEG, SAME_RIM_DEG, SAME_SIZE = (
    3.0,
    20.0,
    1.5,
)  # a rim only draws an edge; nobody can tell 20 degrees there
BRIGHTEST = 2.0  # of a lobe's colour
BODY = 0.18  # albedo of the body while it was baked; as in the bake's `atelier.shader`
F16 = NDArray[np.float16]
Pair = tuple[float, float]


class Unusable(Exception):  # noqa: N818 - a state of a plate
    """A plate is missing or damaged, or does not fit what is asked (`NotForThis`)."""


class NotForThis(Unusable):
    """A good plate, made for other pictures: another light, another camera, a smaller frame."""


class Canvas(Frozen):
    """Camera and frame of a plate. origin: pixel of the world's origin from the upper left corner of the canvas."""

    elevation_deg: float
    unit_px: Annotated[float, Field(gt=0)]
    origin: Pair
    size_px: tuple[int, int]
    lens_blur: float


class Lobe(Frozen):
    """The colour a lobe gets from the palette, times `gain`, up to `BRIGHTEST`: a pale cloth has no glow to gain."""

    color: Literal["base", "accent", "detail", "white"]
    gain: Annotated[float, Field(ge=0, le=8)] = 1.0

    def tinted(self, colors: Mapping[str, F32]) -> F32:
        """Linear (3,) of the lobe; colors: the palette's, linear (3,) by name."""
        color = colors.get(self.color, np.ones(3, np.float32))
        gain = min(self.gain, max(1.0, BRIGHTEST / max(float(color.max()), 1e-6)))
        return np.asarray(color * np.float32(gain), dtype=np.float32)


class Lobes(Frozen):
    """The three ways a material sends light back, in the order of the pictures' channels."""

    body: Lobe = Lobe(color="base")
    sheen: Lobe = Lobe(color="accent")
    gloss: Lobe = Lobe(color="white")


class Picture(Frozen):
    """One EXR of the plate; `light` is None for the dome and for a stone's mask."""

    file: str
    sha256: str
    light: Light | None = None


class Plate(Frozen):
    """`plate.json`. mask: red the share of `accent`, green of `detail` in the body's colour.

    glow: lights that are part of the set, red those of the colour `accent`, green of `detail`, blue white. safe: where a
    piece may stand. texture: what the denoiser took away and the backdrop puts back; "veins" paints a whole marble. made:
    how the plate was made.
    """

    name: str
    view: Literal["table", "flat"]
    canvas: Canvas
    lobes: Lobes
    lamps: tuple[Picture, ...]
    ambient: Picture
    mask: Picture | None = None
    glow: Picture | None = None
    texture: Literal["pile", "grain", "veins", "none"] = "none"
    texture_gain: Annotated[float, Field(ge=0, le=8)] = 1.0
    roughness: float
    f0: float
    safe: Area
    made: dict[str, Any]

    @property
    def stony(self) -> bool:
        """Whether its body is of many colours: a stone, painted or by its mask."""
        return self.texture == "veins" or self.mask is not None

    def lamp_for(self, light: Light) -> Picture:
        """The picture of the lamp that stands where `light` does. Raises `NotForThis` when there is none."""
        for picture in self.lamps:
            if picture.light and serves(picture.light, light):
                return picture
        raise NotForThis(f"it was not made for the light '{light.name}'")


def serves(baked: Light, light: Light) -> bool:
    """Whether a lamp of a plate shows what `light` does, but for strength and colour."""
    if (baked.role, baked.gobo, baked.cone) != (light.role, light.gobo, light.cone):
        return False
    cosine = sum(a * b for a, b in zip(baked.direction, light.direction, strict=True))
    apart = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    ratio = baked.size_deg / light.size_deg
    return (
        apart <= (SAME_RIM_DEG if light.role == "rim" else SAME_DEG) and 1 / SAME_SIZE <= ratio <= SAME_SIZE
    )


def folder_of(name: str, view: str, shelf: Path = FOLDER, take: int = 1) -> Path:
    """Where a plate lies. take: another cloth, another slab, under the same name."""
    return shelf / (f"{name}.{view}" if take == 1 else f"{name}.{view}.{take}")


@lru_cache(maxsize=64)
def takes(name: str, view: str, shelf: Path = FOLDER) -> tuple[Path, ...]:
    """The folders of all takes of a plate, the first whether it is there or not."""
    first = folder_of(name, view, shelf)
    return (first, *sorted(path.parent for path in shelf.glob(f"{first.name}.[0-9]/{HEADER}")))


@lru_cache(maxsize=64)
def read_plate(folder: Path) -> Plate:
    """The plate in `folder`, without its pictures. Raises `Unusable`."""
    path = folder / HEADER
    try:
        return Plate.model_validate(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise Unusable(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, ValidationError) as error:
        raise Unusable(f"{path} is damaged") from error


@lru_cache(maxsize=32)
def read_picture(folder: Path, picture: Picture) -> F16:
    """(H, W, 3) half floats of one picture, as they were baked; kept for the next photo. Raises `Unusable`."""
    path = folder / picture.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path} cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != picture.sha256:
        raise Unusable(f"{path} is not the file that was released")
    with openexr().File(str(path)) as exr:
        pixels: F16 = exr.channels()["RGB"].pixels
    pixels.flags.writeable = False
    return pixels


def openexr() -> Any:
    """The one door to OpenEXR. Raises `Unusable` when it is not installed."""
    try:
        return importlib.import_module("OpenEXR")
    except ImportError as error:
        raise Unusable("OpenEXR cannot be imported; install Vitrine again") from error
