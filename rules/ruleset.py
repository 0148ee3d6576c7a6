"""The owner's rules as values. Owns `Rules` and which rule a folder meets; refuses to read settings files."""

from __future__ import annotations

import fnmatch
from typing import Annotated

from pydantic import Field

from pipeline.recipe import JewelryType
from pipeline.rig import Frozen
from rules.plan import Output, Watermark, Window

Fill = Annotated[float, Field(ge=0.2, le=0.9)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Side = Annotated[int, Field(ge=256, le=4096)]
ALL_OUTPUTS: tuple[Output, ...] = ("export", "watermark", "instagram")


class Choices(Frozen):
    """What a rule, the defaults or a sidecar may decide; None leaves the choice to the next in line."""

    type: JewelryType | None = None
    template: str | None = None
    lighting: str | None = None
    look: str | None = None
    fill: Fill | None = None
    seed: Seed | None = None
    hashtags: tuple[str, ...] | None = None


class Rule(Choices):
    """One `[[rule]]`: `match` is a glob on the folder below the inbox; the first rule that matches wins."""

    match: Annotated[str, Field(min_length=1)]
    outputs: tuple[Output, ...] | None = None
    overnight: bool | None = None
    urgent: bool | None = None
    draft: bool | None = None
    variants: Annotated[int, Field(ge=1, le=12)] | None = None

    def matches(self, folder: str) -> bool:
        """Whether `folder` ("/"-separated, below the inbox) meets the glob; upper and lower case are the same."""
        return fnmatch.fnmatchcase(folder.casefold(), self.match.casefold())


class Rules(Frozen):
    """Everything `rules.route` needs to know beside the photo."""

    rule: tuple[Rule, ...] = ()
    defaults: Choices = Choices()
    outputs: tuple[Output, ...] = ALL_OUTPUTS
    size_px: tuple[Side, Side] = (1080, 1080)
    seed: Seed = 0
    watermark: Watermark = Watermark()
    overnight: Window = Window()
