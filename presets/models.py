"""What stands in the preset files. Owns their models; refuses to find or open them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, RootModel

from pipeline.recipe import JEWELRY_TYPES, Hex, JewelryType, Material, Surface, View
from pipeline.rig import Frozen

Share = Annotated[float, Field(ge=0, le=1)]
PlateName = Annotated[str, Field(pattern=r"^[a-z0-9-]*$")]
Fill = Annotated[float, Field(ge=0.2, le=0.9)]
KNOWN_TYPES: tuple[JewelryType, ...] = tuple(kind for kind in JEWELRY_TYPES if kind != "auto")  # type: ignore[misc]


class Palette(Frozen):
    """One colouring of a material; a parameter given here replaces the material's own (see `Surface`)."""

    title: str = ""
    base: Hex
    accent: Hex
    detail: Hex
    roughness: Share | None = None
    f0: Share | None = None
    reflection: Share | None = None
    scale: Annotated[float, Field(gt=0.1, le=10)] | None = None
    relief: Annotated[float, Field(ge=0, le=2)] | None = None
    plate: PlateName | None = None


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

    def surface(self, palette: str) -> Surface:
        """The material in one of its palettes."""
        own = self.model_dump(exclude={"name", "title", "palettes"})
        chosen = self.palettes[palette].model_dump(exclude={"title"}, exclude_none=True)
        return Surface(name=f"{self.name}-{palette}", palette=palette, **{**own, **chosen})


class Template(Frozen):
    """One table of `templates/*.toml`: a surface in a palette under a rig with a look. `suits`: types it is made for."""

    title: str
    surface: str
    palette: str
    rig: str
    look: str = "neutral"
    view: View = "auto"
    tags: tuple[str, ...] = ()
    suits: tuple[JewelryType, ...] = KNOWN_TYPES
    fill: Fill = 0.62


class TemplateFile(RootModel[dict[str, Template]]):
    """`templates/*.toml`: template names to templates."""


class Defaults(Frozen):
    """`defaults.toml`: the template for each kind of jewelry, and for words of occasion such as "diwali"."""

    types: dict[JewelryType, str]
    occasions: Annotated[dict[str, str], Field(default_factory=dict)]
