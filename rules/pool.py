"""Templates to choose from when nobody names one. Owns the pool of a photo; refuses to look at the piece.

What the piece looks like is known only when it is cut out, so a plan freezes a few sets for it, and `rules.flatter` takes
one of them then. They and their order follow from the photo's digest and the seed: the same photo gets the same picture,
different photos get different ones, and no clock or counter has a part in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

from pipeline.recipe import JewelryType
from pipeline.rig import Frozen
from presets.library import library
from presets.loading import Library
from presets.models import KNOWN_TYPES
from presets.styles import Choice, Style, choose
from rules.flatter import tone

MOST = 6  # sets in a pool: each costs room in the ledger for every photo
FESTIVE = "festive"
MINIMAL = "minimal"  # a style more than a material
FEWEST = 3  # with fewer there is no real choice


class Offer(Frozen):
    """What a photo may get. choice: the first of the pool, or all there is; pool: names of templates, () for no choice."""

    choice: Choice
    pool: tuple[str, ...] = ()


def offer(style: Style, kind: JewelryType, key: str, *, turn: int = 0, of: int = 1) -> Offer:
    """The offer for a photo. key: what tells it from others; turn, of: the variant.

    Variants share no set with each other while there are enough; then each begins with another one.
    """
    if style.template or style.palette:
        return Offer(choice=choose(style, kind))
    fitting = [name for name in library().templates if _fits(name, style, kind)]
    names = shuffled(fitting, key)
    if len(names) < FEWEST:
        return Offer(choice=choose(style, kind))
    names = (
        names[turn::of]
        if len(names) >= FEWEST * of
        else names[turn % len(names) :] + names[: turn % len(names)]
    )
    pool = mixed(names)
    return Offer(choice=Choice(template=pool[0], look=style.look), pool=tuple(pool))


def _fits(name: str, style: Style, kind: JewelryType) -> bool:
    """Whether a template meets the wish.

    Nobody wants lights of a feast unasked, or palms in winter unless their light was asked for, and who says marble does not
    mean malachite: what has a name of its own comes when no material is named.
    """
    one = library().templates[name]
    if style.material and not (name.startswith(one.surface) or name in library().own):
        return False
    festive = one.surface == FESTIVE
    if (festive and style.material != FESTIVE) or (one.seasons and not festive and style.lighting is None):
        return False
    kinds = KNOWN_TYPES if kind == "auto" else (kind,)
    wished = style.material in {None, one.surface, _style_of(one.surface)}
    return wished and style.lighting in {None, one.rig} and set(kinds) <= set(one.suits)


def _style_of(surface: str) -> str:
    """Plaster, paper and sand are minimal, too; satin is no velvet."""
    return MINIMAL if library().surfaces[surface].material == MINIMAL else surface


def shuffled(names: Sequence[str], key: str) -> list[str]:
    """Names in an order that depends on the key alone (rendezvous hashing: one more name moves no other)."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{key}|{name}".encode()).digest())


def mixed(names: Sequence[str]) -> list[str]:
    """At most `MOST` of them, dark, light and medium grounds by turns, so that every piece finds one to stand out on."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_ground(name, library()), []).append(name)
    return [name for name, _ in zip(_by_turns(list(groups.values())), range(MOST), strict=False)]


@lru_cache(maxsize=4096)
def _ground(name: str, known: Library) -> str:
    """Whether the template's ground is dark, light or medium."""
    return tone(known.surface_of(known.templates[name])).word


def _by_turns(groups: list[list[str]]) -> Iterator[str]:
    while any(groups):
        for group in groups:
            if group:
                yield group.pop(0)
