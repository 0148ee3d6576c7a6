"""The painted backdrop: a diffusion model's picture becomes a set like any other. Owns how its light is taken apart.

A painted picture has all its light in one. It is split so that shadows fall right: each light's group is its share of the
rig's irradiance on open ground, and the groups' sum is the picture, bit for bit but for rounding. Panes and spots are not laid
over the picture, whose words asked for them: they enter the shares only as far as they are really seen in it, so that nothing
is doubled and a shadow in a dark pane is not darkened twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pipeline.backdrop.filters import f32
from pipeline.backdrop.stage import Stage, Takings
from pipeline.color import linear_from_srgb, luminance
from pipeline.light.gobo import light_pattern
from pipeline.recipe import Painting
from pipeline.values import F32, U8, Note, Scene, Settle

LEAST_SPREAD, DARKEST, BRIGHTEST = 0.004, 0.004, 0.97  # of sRGB, 0..1: outside, the model painted nothing
COARSE_PX = 96  # side at which the picture is compared with the rig's pattern
PATTERNED = 0.02  # variance of log irradiance from which a rig has a pattern to look for
FAINT = 0.02


@dataclass(frozen=True, slots=True)
class Background:
    """A painted picture, (h, w, 3) sRGB of any size with the frame's shape, and the name it has in the library.

    notes: what its owner should know of it. settle: see `Scene`.
    """

    srgb: U8
    name: str
    notes: tuple[Note, ...] = ()
    settle: Settle | None = None


class NotPainted(Exception):  # noqa: N818 - a state of one picture, not a failure of the job
    """The set could not be painted; the text is for the owner, without a full stop."""


class NotAgain(NotPainted):
    """The same order would fare the same now: too slow, or an empty picture."""


Backgrounds = Callable[[Stage, Painting], Background]  # raises `NotPainted`


def no_backgrounds(_stage: Stage, _painting: Painting) -> Background:
    """The backgrounds of a program that was given none."""
    raise NotPainted("no painter was set up")


def lanczos(srgb: U8, size_px: tuple[int, int]) -> F32:
    """The picture in another size, by Lanczos' window; larger or, by area, smaller."""
    smaller = size_px[0] < srgb.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LANCZOS4
    large = cv2.resize(srgb.astype(np.float32) / np.float32(255), size_px, interpolation=method)
    return f32(np.clip(large, 0, 1))


def diffused(stage: Stage, background: Background) -> Scene:
    """The set of a painted picture. Raises `NotPainted` for one that is black, white or empty."""
    refuse_nothing(background.srgb)
    rgb = linear_from_srgb(lanczos(background.srgb, (stage.width, stage.height)))
    takings = Takings(
        replace(stage, rig=stage.rig.model_copy(update={"exposure_ev": 0.0}))
    )  # the picture is exposed
    for name, share in shares(stage, rgb).items():
        takings.add(name, rgb * share[..., None])
    told = f"The background is {background.name}; `vitrine backgrounds ban {background.name}` takes it out of use."
    return replace(
        takings.scene(), notes=(Note("background", told), *background.notes), settle=background.settle
    )


def refuse_nothing(srgb: U8) -> None:
    """Raises `NotAgain` when the picture shows nothing: a model in a precision that it cannot bear paints black."""
    mean, spread = (float(one) / 255 for one in (srgb.mean(), srgb.std()))
    if spread < LEAST_SPREAD or not DARKEST < mean < BRIGHTEST:
        raise NotAgain('the model painted an empty picture; dtype = "float32" in [diffusion] may help')


def shares(stage: Stage, rgb: F32) -> dict[str, F32]:
    """Share of each light in the picture's light, by name, (H, W) each; they sum to 1."""
    seen = _pattern_seen(stage, rgb)
    X, Y = stage.plane(1)
    parts = {
        light.name: np.float32(light.strength * light.direction[2])
        * light_pattern(light, X, Y) ** np.float32(seen)
        for light in stage.rig.lights
    }
    parts["ambient"] = np.full_like(X, max(stage.rig.ambient.strength, 1e-3))
    total = np.add.reduce(list(parts.values()))
    return {name: f32(part / total) for name, part in parts.items()}


def _pattern_seen(stage: Stage, rgb: F32) -> float:
    """How much of the rig's panes and spots the picture shows where they should be, 0..1.

    The slope of the picture's log luminance over the rig's log irradiance (least squares), times their correlation, so that a
    picture that varies for reasons of its own shows none.
    """
    size = (COARSE_PX, max(1, round(COARSE_PX * stage.height / stage.width)))
    X, Y = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in stage.plane(4))
    irradiance = np.full_like(X, stage.rig.ambient.strength)
    for light in stage.rig.lights:
        irradiance += np.float32(light.strength * light.direction[2]) * light_pattern(light, X, Y)
    wanted = np.log(irradiance + np.float32(FAINT)).ravel()
    if float(wanted.var()) < PATTERNED:
        return 0.0
    light = cv2.resize(luminance(rgb), size, interpolation=cv2.INTER_AREA)
    found = np.log(light + np.float32(FAINT)).ravel()
    if float(found.var()) < 1e-6:
        return 0.0
    wanted, found = wanted - wanted.mean(), found - found.mean()
    slope = float((wanted * found).mean() / wanted.var())
    alike = float((wanted * found).mean() / (wanted.std() * found.std()))
    return float(np.clip(slope * max(alike, 0.0), 0.0, 1.0))
