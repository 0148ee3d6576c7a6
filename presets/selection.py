"""Which templates meet some wishes: the filters of the list, and of the choice by piece. Refuses to render or to print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.errors import Misconfigured
from pipeline.recipe import JEWELRY_TYPES, METALS, JewelryType
from pipeline.rig import Frozen
from pipeline.stance import stance_for
from presets.library import library
from presets.loading import Library
from presets.models import SEASONS, Template
from presets.spelling import unknown

Words = tuple[str, ...]


class Filters(Frozen):
    """What is wanted; an empty field wants nothing in particular. Several words in one field: any of them will do.

    season: templates for all the year meet every season. view: as the template shows a piece of the asked types.
    """

    style: Words = ()
    palette: Words = ()
    rig: Words = ()
    look: Words = ()
    tag: Words = ()
    type: Words = ()
    metal: Words = ()
    season: Words = ()
    view: Words = ()
    own: bool = False


def select(filters: Filters, presets: Library | None = None) -> list[str]:
    """Names of the templates that meet all wishes, in the library's order. Raises Misconfigured for an unknown word."""
    known = presets or library()
    _refuse_unknown(filters, known)
    return [name for name, one in known.templates.items() if _meets(name, one, filters, known)]


def words_of(presets: Library | None = None) -> dict[str, list[str]]:
    """The words that each filter knows."""
    known = presets or library()
    templates = known.templates.values()
    return {
        "style": list(known.surfaces),
        "palette": _once(one.palette for one in templates),
        "rig": list(known.rigs),
        "look": list(known.looks),
        "tag": sorted(_once(tag for one in templates for tag in one.tags)),
        "type": list(JEWELRY_TYPES),
        "metal": list(METALS),
        "season": list(SEASONS),
        "view": ["table", "flat"],
    }


def _refuse_unknown(filters: Filters, known: Library) -> None:
    for field, words in words_of(known).items():
        for word in getattr(filters, field):
            if word not in words:
                raise Misconfigured(unknown(field, word, words), "`vitrine templates` lists what there is.")


def _meets(name: str, one: Template, filters: Filters, known: Library) -> bool:
    own: dict[str, Sequence[str]] = {
        "style": (one.surface,),
        "palette": (one.palette,),
        "rig": (one.rig,),
        "look": (one.look,),
        "tag": one.tags,
        "type": (*one.suits, "auto"),
        "metal": one.flatters,
        "season": one.seasons or SEASONS,
        "view": _views(one, filters.type),
    }
    wanted = ((getattr(filters, field), has) for field, has in own.items())
    met = all(not words or set(words) & set(has) for words, has in wanted)
    return met and (name in known.own or not filters.own)


def _views(one: Template, types: Words) -> list[str]:
    """How the template shows pieces of these types (all it suits, when none is asked for)."""
    kinds: Iterable[JewelryType] = [kind for kind in one.suits if not types or kind in types] or one.suits
    return _once(stance_for(kind, one.view, "auto")[0] for kind in kinds)


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
