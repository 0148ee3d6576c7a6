"""The one door to the presets: names in, recipes out. Owns the step from a template's name to a `Recipe`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from pipeline.errors import Misconfigured
from pipeline.recipe import Candidate, JewelryType, Pose, Recipe, View
from pipeline.stance import stance_for
from presets.loading import Library, load, with_own
from presets.spelling import unknown

__all__ = [
    "HOME",
    "Library",
    "adopting",
    "library",
    "load",
    "recipe",
    "resolve_stance",
    "shipped",
    "with_own",
]

HOME = Path(__file__).parent
Named = TypeVar("Named")
_adopted: list[Library] = []  # a process works for one studio, whose own templates are known everywhere in it


@cache
def shipped() -> Library:
    """The presets that come with Vitrine, read once. Raises Misconfigured that lists every mistake in them."""
    return load(HOME)


def library() -> Library:
    """The presets that are in force in this process: those that come with Vitrine, and the studio's own (`adopting`)."""
    return _adopted[-1] if _adopted else shipped()


@contextmanager
def adopting(presets: Library) -> Iterator[None]:
    """Put `presets` in force. They stay so after the block, unless it raises: then the former ones are back."""
    former = _adopted[:]
    _adopted[:] = [presets]
    try:
        yield
    except BaseException:
        _adopted[:] = former
        raise


def recipe(
    template: str,
    jewelry_type: JewelryType = "auto",
    *,
    lighting: str | None = None,
    look: str | None = None,
    size_px: tuple[int, int] = (1080, 1080),
    seed: int = 0,
    draft: bool = False,
    pose: Pose = "auto",
    fill: float | None = None,
    segmenter: str = "network",
    pool: Sequence[str] = (),
    presets: Library | None = None,
) -> Recipe:
    """The recipe of `template` for a kind of jewelry; what is given replaces the template's own.

    size_px: width, height. fill: share of the picture's side that the piece's box fills. segmenter: what cuts the piece out.
    pool: templates one of which takes this one's place once the piece is seen; what is given replaces theirs, too.
    presets: other than those in force. Raises Misconfigured when a name is unknown.
    """
    known = presets or library()
    wish = _Wish(jewelry_type, lighting, look, pose, fill)
    own = _candidate(known, template, wish).model_dump(exclude={"flatters"})
    return Recipe(
        **own,
        jewelry_type=jewelry_type,
        width_px=size_px[0],
        height_px=size_px[1],
        seed=seed,
        draft=draft,
        segmenter=segmenter,
        pool=tuple(_candidate(known, name, wish) for name in pool),
    )


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for beside the template."""

    jewelry_type: JewelryType
    lighting: str | None
    look: str | None
    pose: Pose
    fill: float | None


def _candidate(known: Library, name: str, wish: _Wish) -> Candidate:
    template = _get("template", name, known.templates)
    view, pose = resolve_stance(wish.jewelry_type, template.view, wish.pose)
    return Candidate(
        template=name,
        surface=known.surface_of(template),
        rig=_get("lighting", wish.lighting or template.rig, known.rigs),
        look=_get("look", wish.look or template.look, known.looks),
        view=view,
        pose=pose,
        fill=template.fill if wish.fill is None else wish.fill,
        flatters=template.flatters,
    )


def resolve_stance(jewelry_type: JewelryType, view: View, pose: Pose) -> tuple[View, Pose]:
    """View and pose for a kind of jewelry. For type "auto" both stay open until the type is known."""
    if jewelry_type == "auto" and pose == "auto":
        return view, pose
    return stance_for(jewelry_type, view, pose)


def _get(what: str, name: str, known: Mapping[str, Named]) -> Named:
    if name not in known:
        raise Misconfigured(unknown(what, name, known), "`vitrine templates` lists what there is.")
    return known[name]
