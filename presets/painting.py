"""What a diffusion model is told of a template's set. Owns the words and who may change them; refuses to paint.

The words say the set, its colours and its light: the same rig that lights the piece speaks through them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.backdrop.colour_words import colour_words
from pipeline.recipe import ControlName, Painting, Surface, Worn
from pipeline.rig import Frozen, Rig
from presets.models import LoraName, Template

NEVER = (
    "jewelry, ring, earring, necklace, person, hand, face, text, letters, watermark, logo, frame, border, clutter,"
    " low quality, blurry, jpeg artifacts"
)
CAMERA = {
    "table": "empty surface seen from slightly above, product photography backdrop, macro lens",
    "flat": "empty surface seen straight from above, flat lay backdrop, macro lens",
}


class Brush(Frozen):
    """What may be said about painted sets beside the template; None leaves it to the next in line.

    prompt: in place of the template's words; {colours} and {light} stand for those of the template. negative: more that must
    not be seen. See `Painting` for the rest.
    """

    prompt: str | None = None
    negative: str | None = None
    model: str | None = None
    lora: tuple[LoraName, ...] | None = None
    control: ControlName = "auto"
    control_strength: Annotated[float, Field(ge=0, le=2)] = 0.7
    steps: Annotated[int, Field(ge=1, le=150)] | None = None
    guidance: Annotated[float, Field(ge=0, le=30)] | None = None
    side_px: Annotated[int, Field(ge=64, le=2048, multiple_of=8)] | None = None
    backgrounds: Annotated[int, Field(ge=1, le=100)] = 2


def painting(  # noqa: PLR0917 - all six decide the words
    template: Template, surface: Surface, rig: Rig, view: str, brush: Brush, take: int
) -> Painting:
    """What the model is told. view: `auto` is painted as a table."""
    loras = template.lora if brush.lora is None else brush.lora
    return Painting(
        prompt=_prompt(template, surface, rig, view, brush),
        negative=", ".join(filter(None, (brush.negative, template.negative, NEVER))),
        model=brush.model or "",
        loras=tuple(worn(name) for name in loras),
        control=brush.control,
        control_strength=brush.control_strength,
        steps=brush.steps,
        guidance=brush.guidance,
        side_px=brush.side_px,
        backgrounds=brush.backgrounds,
        take=take % brush.backgrounds,
    )


def worn(name: str) -> Worn:
    """The LoRA that "our-shop:0.6" names."""
    plain, _, strength = name.partition(":")
    return Worn(name=plain, strength=float(strength or 1))


def _prompt(template: Template, surface: Surface, rig: Rig, view: str, brush: Brush) -> str:
    colours = " and ".join(colour_words(surface))
    if brush.prompt is not None:
        return brush.prompt.replace("{colours}", colours).replace("{light}", rig.words)
    said = template.prompt or f"{surface.material} surface"
    # The encoders of words read about sixty: what matters most comes first.
    return ", ".join(filter(None, (said, colours, rig.words, CAMERA["flat" if view == "flat" else "table"])))
