"""The words people use for a style, and the template they get. Owns that step; refuses folder names and files.

A word is a template ("velvet-navy-moody"), an occasion ("diwali"), a light ("soft-glow"), a look
("warm-gold"), a material ("velvet"), a stone or cloth of its own name ("malachite"), or several of them joined ("velvet-moody", "marble-black", "velvet-navy-soft-glow").
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pipeline.recipe import JewelryType
from pipeline.rig import Frozen
from presets.library import library
from presets.loading import Library
from presets.models import Template


class Style(Frozen):
    """What was asked for; None is not asked. `template` is exact and wins over `material` and `palette`."""

    template: str | None = None
    material: str | None = None
    palette: str | None = None
    lighting: str | None = None
    look: str | None = None

    def joined(self, other: Style) -> Style:
        """Both wishes; the other's win where they disagree, and a new template or material drops the old one."""
        mine, theirs = self.model_dump(), other.model_dump(exclude_none=True)
        if other.template or other.material:
            mine |= {"template": None, "material": None, "palette": None}
        return Style(**{**mine, **theirs})


class Choice(Frozen):
    """A template, and the light and look that replace its own (None: its own)."""

    template: str
    lighting: str | None = None
    look: str | None = None


def find_style(word: str, presets: Library | None = None) -> Style | None:
    """What `word` (lower case, hyphens) asks for, or None when it is not a style."""
    return _find(word, presets or library())


@lru_cache(maxsize=4096)
def _find(word: str, known: Library) -> Style | None:
    if word in known.templates:
        return Style(template=word)
    if word in known.occasions:
        return Style(template=known.occasions[word])
    if stone := _proper_names(known).get(word):
        return Style(material=stone.surface, palette=stone.palette)
    parts = _parts(word, _vocabulary(known)) if word.count("-") < 8 else None
    if not parts:
        return None
    if "palette" in parts:
        palette = _palette_of(known, parts.get("material"), parts["palette"])
        return Style(**{**parts, "palette": palette}) if palette else None
    return Style(**parts)


def _proper_names(known: Library) -> dict[str, Template]:
    """What is known by a name of its own, such as "malachite" or "linen-flax": templates not called after their material."""
    return {
        _colour_in(name, one): one
        for name, one in known.templates.items()
        if name not in known.own and not name.startswith(one.surface) and name.endswith(f"-{one.rig}")
    }


def style_words(presets: Library | None = None) -> tuple[str, ...]:
    """Every single word for a style: templates, materials, lights, looks, occasions."""
    known = presets or library()
    names = (known.templates, known.surfaces, known.rigs, known.looks, known.occasions, _proper_names(known))
    return tuple(word for sort in names for word in sort)


def choose(style: Style, jewelry_type: JewelryType, presets: Library | None = None) -> Choice:
    """The template for a wish: the named one, else the best match, else the default of the type of jewelry.

    A template that suits the type is preferred, then one that already has the light, before one whose light must be replaced.
    """
    known = presets or library()
    default = known.defaults[jewelry_type]
    name = style.template or _best(style, jewelry_type, known, default)
    template = known.templates[name]
    return Choice(
        template=name,
        lighting=style.lighting if style.lighting != template.rig else None,
        look=style.look if style.look != template.look else None,
    )


def _best(style: Style, jewelry_type: JewelryType, known: Library, default: str) -> str:
    home = known.templates[default]
    material = style.material or home.surface
    palette = style.palette or (None if style.material else home.palette)
    order = list(known.templates)

    def rank(name: str) -> tuple[bool, bool, bool, bool, int]:
        one = known.templates[name]
        light, look = style.lighting or one.rig, style.look or one.look
        fits = jewelry_type == "auto" or jewelry_type in one.suits
        return not fits, one.rig != light, one.look != look, name != default, order.index(name)

    fitting = [name for name in order if _is(known.templates[name], material, palette)]
    return min(fitting, key=rank, default=default)


def _is(template: Template, material: str, palette: str | None) -> bool:
    return template.surface == material and palette in {None, template.palette}


def _palette_of(known: Library, material: str | None, word: str) -> str | None:
    """The palette of `material` that `word` names: by its own name, or as templates call it ("marble-black-studio").

    None without a material: a colour alone would make "rings-gold" a festive set, which nobody meant.
    """
    mine = [(name, one) for name, one in known.templates.items() if one.surface == material]
    exact = (one.palette for _, one in mine if one.palette == word)
    called = (one.palette for name, one in mine if _colour_in(name, one) == word)
    return next(exact, None) or next(called, None)


def _colour_in(name: str, template: Template) -> str:
    """`black` in `marble-black-studio`."""
    return name.removeprefix(f"{template.surface}-").removesuffix(f"-{template.rig}")


def _vocabulary(known: Library) -> dict[str, set[str]]:
    colours = {_colour_in(name, template) for name, template in known.templates.items()}
    return {
        "material": set(known.surfaces),
        "lighting": set(known.rigs),
        "look": set(known.looks),
        "palette": colours | {template.palette for template in known.templates.values()},
    }


def _parts(word: str, vocabulary: Mapping[str, set[str]]) -> dict[str, str] | None:
    """Cut `word` at hyphens into known words, at most one of each sort; None when that is not possible."""
    if not word:
        return {}
    pieces = word.split("-")
    for count in range(len(pieces), 0, -1):
        head, rest = "-".join(pieces[:count]), "-".join(pieces[count:])
        for sort, words in vocabulary.items():
            if head in words:
                left = {key: value for key, value in vocabulary.items() if key != sort}
                tail = _parts(rest, left)
                if tail is not None:
                    return {sort: head, **tail}
    return None
