"""What a diffusion model is told of a template's set. Owns the words and who may change them; refuses to paint.

The words say the set, its colours and its light: the same rig that lights the piece speaks through them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.backdrop.colour_words import colour_words
from pipeline.recipe import ControlName, Painting, Surface, UpscalerName, Worn
from pipeline.rig import Aim, Frozen, Light, Rig
from pipeline.upscale.family import with_denoise
from presets.models import LoraName, Template

NEVER = (
    "jewelry, ring, earring, necklace, person, hand, face, text, letters, watermark, logo, frame, border, clutter,"
    " low quality, blurry, jpeg artifacts"
)
CAMERA = {
    "table": "empty surface seen from slightly above, product photography backdrop, macro lens",
    "flat": "empty surface seen straight from above, flat lay backdrop, macro lens",
}
SIDES = ("the back", "the back right", "the right", "the front right", "the front")  # azimuth 0, 45 … 180
LOW_DEG, ABOVE_DEG, SOFT_DEG = 35.0, 75.0, 8.0  # elevation, elevation, angular radius
THROUGH = {"window": " through window panes", "palm": " through palm leaves, leaf shadows"}


class Brush(Frozen):
    """How a studio paints, unless somebody says otherwise. lora: for templates that name none. See `Painting`."""

    model: str = ""
    lora: tuple[LoraName, ...] = ()
    negative: str = ""
    control: ControlName = "auto"
    control_strength: Annotated[float, Field(ge=0, le=2)] = 0.7
    steps: Annotated[int, Field(ge=1, le=150)] | None = None
    guidance: Annotated[float, Field(ge=0, le=30)] | None = None
    side_px: Annotated[int, Field(ge=64, le=2048, multiple_of=8)] | None = None
    backgrounds: Annotated[int, Field(ge=1, le=100)] = 2
    settle: Annotated[float, Field(ge=0, le=0.8)] = 0.0


class Said(Frozen):
    """What is said about one picture's set; it wins over its template.

    prompt: in place of the template's words; {colours} and {light} stand for those of the template. negative: more that must
    not be seen.
    """

    prompt: str | None = None
    negative: str | None = None
    model: str | None = None
    lora: tuple[LoraName, ...] | None = None


class Upscaling(Frozen):
    """Networks in weights/upscale. background: for painted backgrounds that are smaller than the picture, "" for none.

    denoise: 0..1, where the network has a second file for that.
    """

    background: UpscalerName = ""
    denoise: Annotated[float, Field(ge=0, le=1)] = 1.0

    def named(self, name: str) -> str:
        """The upscaler as a recipe names it: with all that decides its pixels."""
        return with_denoise(name, self.denoise)


class Commission(Frozen):
    """What beside the template decides a painted set. take: which of its backgrounds this picture gets."""

    brush: Brush = Brush()
    said: Said = Said()
    upscaling: Upscaling = Upscaling()
    take: int = 0


def painting(
    template: Template,
    surface: Surface,
    rig: Rig,
    view: str,
    commission: Commission,
    *,
    aim: Aim | None = None,
) -> Painting:
    """What the model is told. view: `auto` is painted as a table. aim: how the rig's key was changed."""
    brush, said = commission.brush, commission.said
    loras = (template.lora or brush.lora) if said.lora is None else said.lora
    return Painting(
        prompt=_prompt(template, surface, light_words(rig, aim or Aim()), view, said),
        negative=", ".join(filter(None, (said.negative, template.negative, brush.negative, NEVER))),
        model=said.model or brush.model,
        loras=tuple(worn(name) for name in loras),
        control=brush.control,
        control_strength=brush.control_strength,
        steps=brush.steps,
        guidance=brush.guidance,
        side_px=brush.side_px,
        backgrounds=brush.backgrounds,
        settle=brush.settle,
        take=commission.take % brush.backgrounds,
        upscaler=commission.upscaling.named(commission.upscaling.background),
    )


def worn(name: str) -> Worn:
    """The LoRA that "our-shop:0.6" names."""
    plain, _, strength = name.partition(":")
    return Worn(name=plain, strength=float(strength or 1))


def light_words(rig: Rig, aim: Aim) -> str:
    """The rig's own words; where its key light was moved, or stands behind something else, words for what it is now."""
    if aim.azimuth_deg is None and aim.elevation_deg is None and aim.gobo is None:
        return rig.words
    return _key_words(rig.key)


def _key_words(key: Light) -> str:
    soft = "soft" if key.size_deg > SOFT_DEG else "crisp"
    side = SIDES[round(abs(key.azimuth_deg) / 45)].replace(
        "right", "left" if key.azimuth_deg < 0 else "right"
    )
    low = "low " if key.elevation_deg < LOW_DEG else ""
    where = "from straight above" if key.elevation_deg > ABOVE_DEG else f"from {side}"
    pattern = THROUGH[key.gobo.kind] if key.gobo else ""
    return f"{soft} {low}light {where}{pattern}, shadows away from it"


def _prompt(template: Template, surface: Surface, light: str, view: str, said: Said) -> str:
    colours = " and ".join(colour_words(surface))
    if said.prompt is not None:
        return said.prompt.replace("{colours}", colours).replace("{light}", light)
    words = template.prompt or f"{surface.material} surface"
    # The encoders of words read about sixty: what matters most comes first.
    return ", ".join(filter(None, (words, colours, light, CAMERA["flat" if view == "flat" else "table"])))
