"""The door to all sets: what a backdrop is, and which painter makes which material. Refuses to paint.

A painter returns the *empty* set as one radiance image per light (`Scene.groups`), with that light's colour,
strength, pattern, shadowing by the set's own relief, and the rig's exposure in it; the plain sum is what the camera
sees, white paper near 1. A shadow of the piece then darkens only the group whose light it blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pipeline.backdrop.diffused import Backgrounds, NotPainted, diffused, no_backgrounds
from pipeline.backdrop.festive import festive
from pipeline.backdrop.gradient import gradient
from pipeline.backdrop.marble import marble
from pipeline.backdrop.minimal import minimal
from pipeline.backdrop.plate import plated
from pipeline.backdrop.plate_file import NotForThis, Unusable
from pipeline.backdrop.stage import Stage
from pipeline.backdrop.velvet import velvet
from pipeline.errors import Misconfigured
from pipeline.recipe import Painting, Surface
from pipeline.rig import Rig
from pipeline.values import Ground, Note, Scene

SceneView = Literal["table", "flat"]


class Backdrop(Protocol):
    """Makes empty, lit sets of one kind."""

    def scene(  # noqa: PLR0917 - all six decide the picture; callers name them
        self, surface: Surface, rig: Rig, view: SceneView, size_px: tuple[int, int], seed: int, ground: Ground
    ) -> Scene:
        """Paint the set as seen in `view`. size_px: (width, height). seed: another seed, another equally good set."""
        ...


@dataclass(frozen=True, slots=True)
class Painted:
    """A backdrop made by one painter, a function from the stage to the scene."""

    painter: Callable[[Stage], Scene]

    def scene(  # noqa: PLR0917 - the interface of all backdrops
        self, surface: Surface, rig: Rig, view: SceneView, size_px: tuple[int, int], seed: int, ground: Ground
    ) -> Scene:
        """Paint the set; see `Backdrop.scene`."""
        return self.painter(Stage(surface, rig, view, *size_px, seed, ground))


@dataclass(frozen=True, slots=True)
class Plated:
    """A path-traced plate, lit anew; where there is none for this picture, the painter's set.

    A plate that ships but cannot be opened is told to the owner; one that was made for other light or frames is not.
    """

    painted: Painted

    def scene(  # noqa: PLR0917 - the interface of all backdrops
        self, surface: Surface, rig: Rig, view: SceneView, size_px: tuple[int, int], seed: int, ground: Ground
    ) -> Scene:
        """Light the plate; see `Backdrop.scene`."""
        try:
            return plated(Stage(surface, rig, view, *size_px, seed, ground))
        except NotForThis:
            return self.painted.scene(surface, rig, view, size_px, seed, ground)
        except Unusable as error:
            text = f"The background was painted, because its plate cannot be used: {error}. Install Vitrine again."
            scene = self.painted.scene(surface, rig, view, size_px, seed, ground)
            return replace(scene, notes=(Note("no-plate", text),))


@dataclass(frozen=True, slots=True)
class Diffused:
    """A diffusion model's picture; where there is none, the ordinary set and a note that says why."""

    painting: Painting
    backgrounds: Backgrounds
    ordinary: Backdrop

    def scene(  # noqa: PLR0917 - the interface of all backdrops
        self, surface: Surface, rig: Rig, view: SceneView, size_px: tuple[int, int], seed: int, ground: Ground
    ) -> Scene:
        """Paint the set; see `Backdrop.scene`."""
        stage = Stage(surface, rig, view, *size_px, seed, ground)
        try:
            return diffused(stage, self.backgrounds(stage, self.painting))
        except NotPainted as error:
            scene = self.ordinary.scene(surface, rig, view, size_px, seed, ground)
            note = Note(
                "not-painted", f"The ordinary background was taken instead of a painted one: {error}."
            )
            return replace(scene, notes=(*scene.notes, note))


PAINTERS: Mapping[str, Painted] = {
    "velvet": Painted(velvet),
    "marble": Painted(marble),
    "minimal": Painted(minimal),
    "gradient": Painted(gradient),
    "festive": Painted(festive),
}


def backdrop_for(surface: Surface) -> Backdrop:
    """The surface's plate if it names one, else the painter of its material. Raises `Misconfigured` for a material that nobody paints."""
    try:
        painted = PAINTERS[surface.material]
    except KeyError:
        known = ", ".join(sorted(PAINTERS))
        raise Misconfigured(
            f"surface '{surface.name}' asks for the material '{surface.material}', which does not exist",
            f"use one of: {known}",
        ) from None
    return Plated(painted) if surface.plate else painted


def paint(  # noqa: PLR0917 - the interface of all backdrops
    surface: Surface,
    rig: Rig,
    view: SceneView,
    size_px: tuple[int, int],
    seed: int,
    ground: Ground,
    painting: Painting | None = None,
    backgrounds: Backgrounds = no_backgrounds,
) -> Scene:
    """Paint `surface` under `rig`, or have a diffusion model do it; see `Backdrop.scene`."""
    backdrop = backdrop_for(surface)
    if painting:
        backdrop = Diffused(painting, backgrounds, backdrop)
    return backdrop.scene(surface, rig, view, size_px, seed, ground)
