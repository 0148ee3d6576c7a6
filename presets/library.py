"""The one door to the presets: names in, recipes out. Owns the step from a template's name to a `Recipe`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from pipeline.errors import Misconfigured
from pipeline.format import FORMATS, FormatName
from pipeline.recipe import BackdropName, Candidate, JewelryType, Pose, Recipe, Renderer, View
from pipeline.rig import Aim, Rig
from pipeline.stance import stance_for
from presets.loading import Library, load, with_own
from presets.painting import Commission, painting
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
    format: FormatName = "square",  # noqa: A002 - the word that rules and recipes use
    size_px: tuple[int, int] | None = None,
    seed: int = 0,
    draft: bool = False,
    pose: Pose = "auto",
    fill: float | None = None,
    segmenter: str = "network",
    pool: Sequence[str] = (),
    renderer: Renderer = "fast",
    light: Aim | None = None,
    enlarge: str = "",
    backdrop: BackdropName | None = None,
    commission: Commission | None = None,
    presets: Library | None = None,
) -> Recipe:
    """The recipe of `template` for a kind of jewelry; what is given replaces the template's own.

    format: shape of the picture. size_px: width, height; None is the format's own. fill: share of the picture's side that the
    piece's box fills. segmenter: what cuts the piece out. renderer, enlarge: see `Recipe`. pool: templates one of which takes
    this one's place once the piece is seen; what is given replaces theirs, too. light: changes to the key light. backdrop: who
    makes the set, None: as the template says; commission: what a diffusion model is told beside the template. presets: other
    than those in force. Raises Misconfigured when a name is unknown.
    """
    known = presets or library()
    width_px, height_px = size_px or FORMATS[format].size_px
    wish = _Wish(
        jewelry_type,
        lighting,
        look,
        pose,
        fill,
        format,
        light=light or Aim(),
        backdrop=backdrop,
        commission=commission or Commission(),
    )
    own = _candidate(known, template, wish).model_dump(exclude={"flatters"})
    return Recipe(
        **own,
        jewelry_type=jewelry_type,
        format=format,
        width_px=width_px,
        height_px=height_px,
        seed=seed,
        draft=draft,
        segmenter=segmenter,
        pool=tuple(_candidate(known, name, wish) for name in pool),
        renderer=renderer,
        enlarge=enlarge,
    )


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for beside the template."""

    jewelry_type: JewelryType
    lighting: str | None
    look: str | None
    pose: Pose
    fill: float | None
    format: FormatName
    light: Aim
    backdrop: BackdropName | None
    commission: Commission


def _candidate(known: Library, name: str, wish: _Wish) -> Candidate:
    template = _get("template", name, known.templates)
    view, pose = resolve_stance(wish.jewelry_type, template.view, wish.pose)
    rig = _get("lighting", wish.lighting or template.rig, known.rigs)
    own = Aim() if wish.lighting else template.light  # another rig has its own key
    aim = own.joined(wish.light)
    rig = _for_format(rig if aim == Aim() else rig.aimed(aim), wish.format)
    surface = known.surface_of(template)
    painted = (wish.backdrop or template.backdrop) == "diffusion"
    return Candidate(
        template=name,
        surface=surface,
        rig=rig,
        look=_get("look", wish.look or template.look, known.looks),
        view=view,
        pose=pose,
        fill=template.fill if wish.fill is None else wish.fill,
        flatters=template.flatters,
        painting=painting(template, surface, rig, view, wish.commission, aim=aim) if painted else None,
    )


def _for_format(rig: Rig, shape: FormatName) -> Rig:
    """A tall frame shows more ground before and behind the piece: a spot's pool fades out over it, not within a band of it."""
    width, height = FORMATS[shape].size_px
    wider = math.sqrt(height / width)
    if wider == 1:
        return rig
    lights = [
        light.model_copy(update={"cone": light.cone.model_copy(update={"outer": light.cone.outer * wider})})
        if light.cone
        else light
        for light in rig.lights
    ]
    return rig.model_copy(update={"lights": tuple(lights)})


def resolve_stance(jewelry_type: JewelryType, view: View, pose: Pose) -> tuple[View, Pose]:
    """View and pose for a kind of jewelry. For type "auto" both stay open until the type is known."""
    if jewelry_type == "auto" and pose == "auto":
        return view, pose
    return stance_for(jewelry_type, view, pose)


def _get(what: str, name: str, known: Mapping[str, Named]) -> Named:
    if name not in known:
        raise Misconfigured(unknown(what, name, known), "`vitrine templates` lists what there is.")
    return known[name]
