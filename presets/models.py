"""What stands in the preset files. Owns their models; refuses to find or open them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, RootModel

from pipeline.recipe import (
    JEWELRY_TYPES,
    METALS,
    BackdropName,
    Fill,
    Hex,
    JewelryType,
    Material,
    Metal,
    Pattern,
    Surface,
    View,
)
from pipeline.rig import Aim, Frozen

Share = Annotated[float, Field(ge=0, le=1)]
Season = Literal["spring", "summer", "autumn", "winter"]
SEASONS: tuple[Season, ...] = get_args(Season)


def _word(text: str) -> str:
    if not re.fullmatch(r"[^\W_]+(-[^\W_]+)*", text) or text != text.casefold():
        raise ValueError(
            f'"{text}" is not one word (accepted: small letters, digits and hyphens, such as "my-velvet")'
        )
    return text


Tag = Annotated[str, AfterValidator(_word)]
LoraName = Annotated[str, Field(pattern=r"^[^:/\\]+(:-?[0-9]+(\.[0-9]+)?)?$")]
PlateName = Annotated[str, Field(pattern=r"^[a-z0-9-]*$")]
KNOWN_TYPES: tuple[JewelryType, ...] = tuple(kind for kind in JEWELRY_TYPES if kind != "auto")  # type: ignore[misc]
FORMED = ("scale", "relief")  # what light has been baked on
DRAWN_ANEW = frozenset(
    {"marble"}
)  # plates whose pattern is painted for each picture, so that both show on them


class Parameters(Frozen):
    """Parameters of a material that a palette or a template may replace (see `Surface`)."""

    roughness: Share | None = None
    f0: Share | None = None
    reflection: Share | None = None
    scale: Annotated[float, Field(gt=0.1, le=10)] | None = None
    relief: Annotated[float, Field(ge=0, le=2)] | None = None
    pattern: Pattern | None = None
    plate: PlateName | None = None


class Palette(Parameters):
    """One colouring of a material."""

    title: str = ""
    base: Hex
    accent: Hex
    detail: Hex


class Change(Parameters):
    """What one template does differently from its palette."""

    base: Hex | None = None
    accent: Hex | None = None
    detail: Hex | None = None


class SurfaceFile(Frozen):
    """`surfaces/<name>.toml`: a material, its parameters, its palettes, and the plate that shows it for real.

    `material` is what is painted where there is no plate.
    """

    name: str
    material: Material
    title: str = ""
    roughness: Share = 0.6
    f0: Share = 0.04
    reflection: Share = 0.0
    scale: Annotated[float, Field(gt=0.1, le=10)] = 1.0
    relief: Annotated[float, Field(ge=0, le=2)] = 1.0
    plate: PlateName = ""
    palettes: Annotated[dict[str, Palette], Field(min_length=1)]

    def surface(self, palette: str, change: Change | None = None) -> Surface:
        """The material in one of its palettes. Raises ValidationError for a pattern that it does not have.

        One that is laid, cut or woven otherwise, or that has other folds or grain than the surface, is painted unless the change
        names a plate: what is baked stays as it is. Only veins that are drawn anew on their plate follow.
        """
        own = self.model_dump(exclude={"name", "title", "palettes"})
        chosen = self.palettes[palette].model_dump(exclude={"title"}, exclude_none=True)
        chosen |= change.model_dump(exclude_none=True) if change else {}
        made = own | chosen
        formed = any(made[key] != own[key] for key in FORMED) and made["plate"] not in DRAWN_ANEW
        if (formed or made.get("pattern", "plain") != "plain") and "plate" not in chosen:
            made["plate"] = ""
        return Surface(name=f"{self.name}-{palette}", palette=palette, **made)


class Template(Frozen):
    """One table of `templates/*.toml`: a surface in a palette under a rig with a look.

    change: parameters and colours of the surface that differ here; light: what of the rig's key light does. suits: types it is
    made for; flatters: metals that look well on it; seasons: none means all year. prompt: the set in words, as one would order
    it from a stylist; negative: what must not be in it; lora: names of LoRAs, with a strength or without ("our-shop",
    "our-shop:0.6"): for a diffusion model, which paints it without being asked where backdrop says so.
    """

    title: str
    surface: str
    palette: str
    rig: str
    look: str = "neutral"
    view: View = "auto"
    change: Change = Change()
    light: Aim = Aim()
    tags: tuple[Tag, ...] = ()
    seasons: tuple[Season, ...] = ()
    suits: tuple[JewelryType, ...] = KNOWN_TYPES
    flatters: tuple[Metal, ...] = METALS  # type: ignore[assignment]
    fill: Fill = 0.62
    prompt: str = ""
    negative: str = ""
    lora: tuple[LoraName, ...] = ()
    backdrop: BackdropName = "plate"


class TemplateFile(RootModel[dict[Tag, Template]]):
    """`templates/*.toml`: template names to templates."""


class Defaults(Frozen):
    """`defaults.toml`: the template for each kind of jewelry, and for words of occasion such as "diwali"."""

    types: dict[JewelryType, str]
    occasions: Annotated[dict[str, str], Field(default_factory=dict)]
