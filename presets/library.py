"""The one door to the presets: names in, recipes out. Owns the step from a template's name to a `Recipe`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from pipeline.errors import Misconfigured
from pipeline.format import FORMATS, FormatName
from pipeline.recipe import JewelryType, Pose, Recipe, View
from pipeline.rig import Rig
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
    format: FormatName = "square",  # noqa: A002 - the word that rules and recipes use
    size_px: tuple[int, int] | None = None,
    seed: int = 0,
    draft: bool = False,
    pose: Pose = "auto",
    fill: float | None = None,
    segmenter: str = "network",
    presets: Library | None = None,
) -> Recipe:
    """The recipe of `template` for a kind of jewelry; what is given replaces the template's own.

    format: shape of the picture. size_px: width, height; None is the format's own. fill: share of the picture's side that the piece's box fills. segmenter: what cuts the piece out. presets: other than those that
    come with Vitrine. Raises Misconfigured when a name is unknown.
    """
    known = presets or library()
    chosen = _get("template", template, known.templates)
    width_px, height_px = size_px or FORMATS[format].size_px
    view, stance = resolve_stance(jewelry_type, chosen.view, pose)
    return Recipe(
        template=template,
        jewelry_type=jewelry_type,
        surface=known.surfaces[chosen.surface].surface(chosen.palette),
        rig=_for_format(_get("lighting", lighting or chosen.rig, known.rigs), format),
        look=_get("look", look or chosen.look, known.looks),
        view=view,
        pose=stance,
        format=format,
        width_px=width_px,
        height_px=height_px,
        fill=chosen.fill if fill is None else fill,
        seed=seed,
        draft=draft,
        segmenter=segmenter,
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
