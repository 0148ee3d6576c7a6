"""The door to all sets: what a backdrop is, and which painter makes which material. Refuses to paint.

A painter returns the *empty* set as one radiance image per light (`Scene.groups`), with that light's colour,
strength, pattern, shadowing by the set's own relief, and the rig's exposure in it; the plain sum is what the camera
sees, white paper near 1. A shadow of the piece then darkens only the group whose light it blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from pipeline.backdrop.festive import Festive
from pipeline.backdrop.gradient import Gradient
from pipeline.backdrop.marble import Marble
from pipeline.backdrop.minimal import Minimal
from pipeline.backdrop.velvet import Velvet
from pipeline.errors import Misconfigured
from pipeline.recipe import Surface
from pipeline.rig import Rig
from pipeline.values import Ground, Scene

SceneView = Literal["table", "flat"]


class Backdrop(Protocol):
    """Makes empty, lit sets of one kind."""

    def scene(
        self, surface: Surface, rig: Rig, view: SceneView, size_px: tuple[int, int], seed: int, ground: Ground
    ) -> Scene:
        """Paint the set as seen in `view`. size_px: (width, height). seed: another seed, another equally good set."""
        ...


PAINTERS: Mapping[str, Backdrop] = {
    "velvet": Velvet(),
    "marble": Marble(),
    "minimal": Minimal(),
    "gradient": Gradient(),
    "festive": Festive(),
}


def backdrop_for(surface: Surface) -> Backdrop:
    """The painter of the surface's material. Raises `Misconfigured` for a material that nobody paints."""
    try:
        return PAINTERS[surface.material]
    except KeyError:
        known = ", ".join(sorted(PAINTERS))
        raise Misconfigured(
            f"surface '{surface.name}' asks for the material '{surface.material}', which does not exist",
            f"use one of: {known}",
        ) from None


def paint(
    surface: Surface, rig: Rig, view: SceneView, size_px: tuple[int, int], seed: int, ground: Ground
) -> Scene:
    """Paint `surface` under `rig`; see `Backdrop.scene`."""
    return backdrop_for(surface).scene(surface, rig, view, size_px, seed, ground)
