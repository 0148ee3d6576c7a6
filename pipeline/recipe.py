"""The recipe: everything that decides a render's pixels beside the photo. Owns the model and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from pipeline.format import FormatName
from pipeline.rig import Frozen, Rig

JewelryType = Literal[
    "ring", "earrings", "necklace", "pendant", "bracelet", "bangle", "watch", "brooch", "set", "auto"
]
JEWELRY_TYPES: tuple[str, ...] = get_args(JewelryType)
Material = Literal["velvet", "marble", "minimal", "gradient", "festive"]
MATERIALS: tuple[str, ...] = get_args(Material)
Pattern = Literal[
    "plain", "pleats", "tufted", "onyx", "terrazzo", "linen", "halo", "horizon", "curtain", "sparkle"
]
PATTERNS: Mapping[str, tuple[Pattern, ...]] = {  # what a material can be besides plain
    "velvet": ("pleats", "tufted"),
    "marble": ("onyx", "terrazzo"),
    "minimal": ("linen",),
    "gradient": ("halo", "horizon"),
    "festive": ("curtain", "sparkle"),
}
Metal = Literal["yellow-gold", "rose-gold", "white-metal", "dark-metal", "pearl"]
METALS: tuple[str, ...] = get_args(Metal)
Pose = Literal["upright", "flat", "hanging", "auto"]
View = Literal["table", "flat", "auto"]
Renderer = Literal["fast", "blender"]
UpscalerName = Annotated[
    str, Field(pattern=r"^([\w+-][\w.+-]*(:(0(\.\d+)?|1(\.0+)?))?)?$")
]  # of a file in the studio's weights/upscale, no path; "name:0.5": mixed by halves with its second file (`with_denoise`)
BackdropName = Literal["plate", "diffusion"]
ControlName = Literal["auto", "none", "depth", "normal", "edges"]
Hex = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Fill = Annotated[float, Field(ge=0.2, le=0.9)]


class Surface(Frozen):
    """What the piece stands on, in one palette. Colours are sRGB hex.

    base: main colour; accent: veins, folds' sheen, lights or the gradient's far end; detail: a third colour.
    roughness: 0 mirror .. 1 matte; f0: reflectance at normal incidence; reflection: 0..1, artistic weight of the
    floor reflection (0 on cloth); scale: size of the pattern; relief: strength of folds or veins. pattern: how the
    material is laid, cut or woven (see `PATTERNS`). plate: the path-traced set that is shown when it fits; "" for none, then
    the material is painted.
    """

    name: str
    material: Material
    palette: str
    base: Hex
    accent: Hex
    detail: Hex
    roughness: Annotated[float, Field(ge=0, le=1)] = 0.6
    f0: Annotated[float, Field(ge=0, le=1)] = 0.04
    reflection: Annotated[float, Field(ge=0, le=1)] = 0.0
    scale: Annotated[float, Field(gt=0.1, le=10)] = 1.0
    relief: Annotated[float, Field(ge=0, le=2)] = 1.0
    plate: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    pattern: Pattern = "plain"

    @model_validator(mode="after")
    def _pattern_of_the_material(self) -> Surface:
        known = ("plain", *PATTERNS.get(self.material, ()))
        if self.pattern not in known:
            raise ValueError(
                f'{self.material} has no pattern "{self.pattern}" (accepted: {", ".join(known)})'
            )
        return self


class Look(Frozen):
    """The grade as an ASC CDL plus finish. slope/offset/power per channel; saturation 1 = unchanged.

    contrast: 0..1 strength of auto-contrast; vignette_ev: darkening at the corners, at most 0.25 on the piece.
    """

    name: str
    title: str = ""
    slope: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    power: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.0
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.4
    vignette_ev: Annotated[float, Field(ge=0, le=2)] = 0.5
    grain: Annotated[float, Field(ge=0, le=0.05)] = 0.006
    sharpen: Annotated[float, Field(ge=0, le=1)] = 0.35


class Worn(Frozen):
    """A LoRA by name and how strongly it is worn; 1 is as it was trained."""

    name: str
    strength: Annotated[float, Field(ge=-2, le=2)] = 1.0


class Painting(Frozen):
    """A set that a diffusion model paints: what it is told.

    prompt, negative: in words. model: its name, "" = the first there is. control: which picture of the set's shape holds it;
    auto: what there is a ControlNet for. control_strength: how firmly. steps, guidance: None = as the model's family wants.
    side_px: of square pictures, None = the model's own. backgrounds: how many different ones there are, take: which of
    them this picture gets. upscaler: enlarges a painting that is smaller than its picture, "" for none. settle: how
    freely the model paints over shadow and reflection around the piece, 0 for not at all.
    """

    prompt: str
    negative: str = ""
    model: str = ""
    loras: tuple[Worn, ...] = ()
    control: ControlName = "auto"
    control_strength: Annotated[float, Field(ge=0, le=2)] = 0.7
    steps: Annotated[int, Field(ge=1, le=150)] | None = None
    guidance: Annotated[float, Field(ge=0, le=30)] | None = None
    side_px: Annotated[int, Field(ge=64, le=2048, multiple_of=8)] | None = None
    backgrounds: Annotated[int, Field(ge=1, le=100)] = 1
    take: Annotated[int, Field(ge=0)] = 0
    upscaler: UpscalerName = ""
    settle: Annotated[float, Field(ge=0, le=0.8)] = 0.0


class Candidate(Frozen):
    """A set that may be chosen once the piece is cut out and its colours are known. flatters: metals it is made for.

    painting: who paints it, None = its plate or its own painter.
    """

    template: str
    surface: Surface
    rig: Rig
    look: Look
    view: View
    pose: Pose
    fill: Fill
    flatters: tuple[Metal, ...] = ()
    painting: Painting | None = None


class Recipe(Frozen):
    """All that decides the pixels. Same photo, recipe and version give the same bytes.

    format: what of the frame must stay free (`pipeline.format`); width_px, height_px: of the frame.
    pool: while it is not empty, one of these sets takes the place of the recipe's own, by the colours of the piece.
    renderer: who draws shadow and reflection: `fast` (in a second) or `blender` (path-traced, in minutes). enlarge: the network
    that enlarges the piece of a small photo where it stays itself; "" for none.
    painting: what a diffusion model is told if it shall paint the set; None: the surface's plate or painter.
    """

    template: str
    jewelry_type: JewelryType = "auto"
    surface: Surface
    rig: Rig
    look: Look
    view: View = "auto"
    pose: Pose = "auto"
    format: FormatName = "square"
    width_px: Annotated[int, Field(ge=256, le=4096)] = 1080
    height_px: Annotated[int, Field(ge=256, le=4096)] = 1080
    fill: Fill = 0.62
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    segmenter: str = "network"
    renderer: Renderer = "fast"
    enlarge: UpscalerName = ""
    painting: Painting | None = None
    draft: bool = False
    pool: tuple[Candidate, ...] = ()

    @model_validator(mode="after")
    def _hanging_needs_no_ground(self) -> Recipe:
        if self.pose == "hanging" and self.view == "table":
            raise ValueError("pose 'hanging' goes with view 'flat' (the receiver is a wall), not 'table'")
        return self

    def on(self, chosen: Candidate) -> Recipe:
        """The recipe with that set, and no choice left."""
        own = {name: getattr(chosen, name) for name in type(chosen).model_fields if name != "flatters"}
        return self.model_copy(update={**own, "pool": ()})

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of all fields, hex."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
