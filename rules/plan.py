"""The decision about one photo, frozen. Owns the model; refuses to decide (that is `rules.route`)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.recipe import JewelryType, Recipe
from pipeline.rig import Frozen
from rules.accept import Policy
from rules.posting import Posting

Output = Literal["export", "watermark", "instagram"]
Urgency = Literal["urgent", "normal", "overnight"]
Position = Literal[  # as in `pipeline.finish.watermark`, which this process must not import: it brings numpy
    "bottom", "bottom-left", "bottom-right", "top", "top-left", "top-right", "left", "right", "center"
]


def _clock(value: object) -> object:
    """Accept "22:00" or TOML's 22:00:00; a bare number would silently be read as seconds after midnight."""
    if isinstance(value, str | dt.time):
        return value
    raise ValueError('write the time of day as "22:00"')


TimeOfDay = Annotated[dt.time, BeforeValidator(_clock)]


class Window(Frozen):
    """A daily stretch of local time; it may pass midnight. `start` belongs to it, `end` does not."""

    start: TimeOfDay = dt.time(22, 0)
    end: TimeOfDay = dt.time(6, 0)

    @model_validator(mode="after")
    def _not_empty(self) -> Window:
        if self.start == self.end:
            raise ValueError("start and end are the same time, so the window would never open")
        return self

    def holds(self, now: dt.time) -> bool:
        """Whether local time `now` lies in the window."""
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


class Watermark(Frozen):
    """The shop's mark on a picture: `text`, or a `logo` file (a path below the studio) that wins over the text.

    opacity: 0..1. scale: width of the logo as a share of the picture's short side; letters have a size of their own.
    """

    text: Annotated[str, Field(max_length=80)] = "Vitrine"
    logo: str = ""
    position: Position = "bottom"
    opacity: Annotated[float, Field(ge=0, le=1)] = 0.72
    scale: Annotated[float, Field(ge=0.02, le=0.5)] = 0.24

    @model_validator(mode="after")
    def _text_or_logo(self) -> Watermark:
        if not self.text.strip() and not self.logo:
            raise ValueError(
                'a watermark needs a text or a logo (to have none, leave "watermark" out of outputs)'
            )
        return self


class Post(Frozen):
    """What is known for a post. Text as the owner wrote it, or made from the file name.

    own_caption, own_hashtags: the owner's wish, word for word; without one the caption is made from the rest.
    """

    title: str = ""
    caption: str = ""
    own_caption: str = ""
    sku: str = ""
    price_line: str = ""
    metal: str = ""
    stones: tuple[str, ...] = ()
    link: str = ""
    alt_text: str = ""
    hashtags: tuple[str, ...] = ()
    own_hashtags: bool = False


class Finding(Frozen):
    """Something the owner should hear once about a folder or a file. `code` is stable, `text` is for people."""

    code: str
    text: str
    suggestion: str = ""


class Plan(Frozen):
    """What will be done with one photo.

    recipes: one per picture to make (variants differ in the seed, and each is made in every format). window: when it may start, None for at once.
    watermark: the mark of the watermarked copy, None when that copy is not asked for. policy: what `rules.accept` goes
    by. reasons: in order, which rule decided what and why. findings: what the owner should know (an unknown word in the folder's name, ...).
    """

    jewelry_type: JewelryType
    recipes: Annotated[tuple[Recipe, ...], Field(min_length=1)]
    outputs: tuple[Output, ...]
    urgency: Urgency = "normal"
    window: Window | None = None
    watermark: Watermark | None = None
    post: Post = Post()
    posting: Posting = Posting()
    policy: Policy = Policy()
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def variant_of(self, picture: int) -> int:
        """Which variant the recipe of that number makes, counted from 0 among those of its format."""
        wanted = self.recipes[picture].format
        return sum(1 for one in self.recipes[:picture] if one.format == wanted)

    def outputs_of(self, picture: int) -> tuple[Output, ...]:
        """Where that picture goes. The feed gets a piece once: a portrait takes the place of the square."""
        shapes = {one.format for one in self.recipes}
        if self.recipes[picture].format == "square" and "portrait" in shapes:
            return tuple(one for one in self.outputs if one != "instagram")
        return self.outputs

    def settled(self, variant: int, followed: Recipe | None, why: str) -> Plan:
        """The plan after a render: where it left a choice of sets, the one that was taken, and why."""
        if followed is None or not why:
            return self
        recipes = (*self.recipes[:variant], followed, *self.recipes[variant + 1 :])
        return self.model_copy(update={"recipes": recipes, "reasons": (*self.reasons, why)})
