"""The one door to the presets: names in, recipes out. Owns the step from a template's name to a `Recipe`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from pipeline.errors import Misconfigured
from pipeline.recipe import JewelryType, Pose, Recipe, Renderer, View
from pipeline.stance import stance_for
from presets.loading import Library, load
from presets.spelling import unknown

__all__ = ["HOME", "Library", "library", "load", "recipe", "resolve_stance"]

HOME = Path(__file__).parent
Named = TypeVar("Named")


@cache
def library() -> Library:
    """The presets that come with Vitrine, read once. Raises Misconfigured that lists every mistake in them."""
    return load(HOME)


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
    renderer: Renderer = "fast",
    presets: Library | None = None,
) -> Recipe:
    """The recipe of `template` for a kind of jewelry; what is given replaces the template's own.

    size_px: width, height. fill: share of the picture's side that the piece's box fills. segmenter: what cuts the piece out. renderer: see `Recipe`. presets: other than those that
    come with Vitrine. Raises Misconfigured when a name is unknown.
    """
    known = presets or library()
    chosen = _get("template", template, known.templates)
    view, stance = resolve_stance(jewelry_type, chosen.view, pose)
    return Recipe(
        template=template,
        jewelry_type=jewelry_type,
        surface=known.surfaces[chosen.surface].surface(chosen.palette),
        rig=_get("lighting", lighting or chosen.rig, known.rigs),
        look=_get("look", look or chosen.look, known.looks),
        view=view,
        pose=stance,
        width_px=size_px[0],
        height_px=size_px[1],
        fill=chosen.fill if fill is None else fill,
        seed=seed,
        draft=draft,
        segmenter=segmenter,
        renderer=renderer,
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
