"""The owner's rules as values. Owns `Rules` and which rule a folder meets; refuses to read settings files."""

from __future__ import annotations

import fnmatch
import re
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag

from pipeline.format import FormatName
from pipeline.recipe import BackdropName, JewelryType, Renderer, UpscalerName
from pipeline.rig import Aim, Frozen
from presets.library import library
from presets.mistakes import PLAIN, TABLE
from presets.models import LoraName
from presets.painting import Brush, Upscaling
from presets.spelling import closest, listing, unknown
from presets.styles import Style, find_style, style_words
from rules.accept import Policy
from rules.plan import Output, Watermark, Window
from rules.posting import Approval, Hashtag, Posting
from rules.vocabulary import MAX_VARIANTS


def _hyphens(word: str) -> str:
    return re.sub(r"[\s_]+", "-", word.strip().casefold())


def _style(word: str) -> str:
    plain = _hyphens(word)
    if find_style(plain) is None:
        near = closest(plain, style_words())
        hint = f'; did you mean "{near}"?' if near else ""
        materials = listing(library().surfaces)
        raise ValueError(
            f'there is no template "{word}"{hint} (accepted: {materials}, one of them with a light such as '
            '"velvet-moody", or a name that `vitrine templates` lists)'
        )
    return plain


def _light(word: str) -> str:
    if (plain := _hyphens(word)) not in library().rigs:
        raise ValueError(unknown("lighting", word, library().rigs))
    return plain


def _look(word: str) -> str:
    if (plain := _hyphens(word)) not in library().looks:
        raise ValueError(unknown("look", word, library().looks))
    return plain


def _segmenter(word: str) -> str:
    plain = word.strip().casefold()
    if plain not in {"network", "classical"} and not re.fullmatch(r"rembg:[\w.-]+", plain):
        raise ValueError(
            f'there is no segmenter "{word}" (accepted: "network", "classical", or "rembg:" and the name of a network of'
            ' rembg\'s whose file is on this machine, such as "rembg:u2net")'
        )
    return plain


Fill = Annotated[float, Field(ge=0.2, le=0.9)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Side = Annotated[int, Field(ge=256, le=4096)]
StyleWord = Annotated[str, AfterValidator(_style)]
LightWord = Annotated[str, AfterValidator(_light)]
LookWord = Annotated[str, AfterValidator(_look)]
SegmenterWord = Annotated[str, AfterValidator(_segmenter)]
Hashtags = Annotated[
    tuple[Hashtag, ...], Field(max_length=30)
]  # how many of them are used, `[instagram] max_hashtags` says
Formats = Annotated[tuple[FormatName, ...], Field(min_length=1)]
Outputs = Annotated[tuple[Output, ...], Field(min_length=1)]
Overnight = Annotated[
    Annotated[bool, Tag(PLAIN)] | Annotated[Window, Tag(TABLE)],
    Discriminator(lambda value: TABLE if isinstance(value, dict | Window) else PLAIN),
]
Prompt = Annotated[str, Field(max_length=1000)]
ALL_OUTPUTS: tuple[Output, ...] = ("export", "watermark", "instagram")


class Choices(Frozen):
    """What a rule, the defaults or a sidecar may decide; None leaves the choice to the next in line.

    formats: the shapes in which each picture is made, each rendered for itself. light: changes to the rig's key light.
    enlarge: a file's name in weights/upscale, "" for none.
    backdrop: who makes the set; prompt, negative, diffusion_model, lora: what a diffusion model is told then (see `Said`).
    """

    type: JewelryType | None = None
    template: StyleWord | None = None
    lighting: LightWord | None = None
    look: LookWord | None = None
    fill: Fill | None = None
    segmenter: SegmenterWord | None = None
    formats: Formats | None = None
    renderer: Renderer | None = None
    light: Aim | None = None
    enlarge: UpscalerName | None = None
    backdrop: BackdropName | None = None
    prompt: Prompt | None = None
    negative: Prompt | None = None
    diffusion_model: str | None = None
    lora: tuple[LoraName, ...] | None = None
    seed: Seed | None = None
    hashtags: Hashtags | None = None

    @property
    def style(self) -> Style:
        """Template, lighting and look as one wish."""
        style = (find_style(self.template) if self.template else None) or Style()
        return style.joined(Style(lighting=self.lighting, look=self.look))


class Rule(Choices):
    """One `[[rule]]`: `match` is a glob on the folder below the inbox; the first rule that matches wins.

    overnight: true (in the studio's window), false, or a window of the rule's own. approval: of posts, "hold" or "auto".
    """

    match: Annotated[str, Field(min_length=1)]
    outputs: Outputs | None = None
    overnight: Overnight | None = None
    urgent: bool | None = None
    draft: bool | None = None
    approval: Approval | None = None
    variants: Annotated[int, Field(ge=1, le=MAX_VARIANTS)] | None = None

    def matches(self, folder: str) -> bool:
        """Whether `folder` ("/"-separated, below the inbox), or a folder it is in, meets the glob; case is ignored."""
        parts = folder.casefold().split("/")
        glob = self.match.casefold().strip("/")
        return any(fnmatch.fnmatchcase("/".join(parts[:depth]), glob) for depth in range(len(parts), 0, -1))


class Rules(Frozen):
    """Everything `rules.route` and `rules.accept` need to know beside the photo."""

    rule: tuple[Rule, ...] = ()
    defaults: Choices = Choices()
    outputs: Outputs = ALL_OUTPUTS
    size_px: tuple[Side, Side] = (1080, 1080)
    seed: Seed = 0
    watermark: Watermark = Watermark()
    overnight: Window = Window()
    accept: Policy = Policy()
    instagram: Posting = Posting()
    diffusion: Brush = Brush()
    upscaling: Upscaling = Upscaling()

    def first_match(self, folder: str) -> tuple[int, Rule] | None:
        """The first rule for the folder and its number, counted from 1."""
        return next(((at, rule) for at, rule in enumerate(self.rule, 1) if rule.matches(folder)), None)
