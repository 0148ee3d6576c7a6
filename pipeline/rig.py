"""The light rig: one list of lights that every step shares. Owns the data model; refuses pixels.

World axes: X to the right of the picture, Y away from the camera, Z up from the ground; one unit is the
piece's long side. The camera is orthographic (a 100 mm macro lens is), `elevation` degrees above the ground:
`x = s*X`, `y_down = -s*(Y*sin(e) + Z*cos(e))`.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Rgb = tuple[float, float, float]
LAMP_UNITS = 5.0
"""From the piece to a lamp beside the set."""


class Frozen(BaseModel):
    """Immutable value, closed to unknown keys, so that a mistyped key is an error and not silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Gobo(Frozen):
    """What stands in front of a light, in ground coordinates (units of the piece).

    window: `columns` x `rows` panes; palm: leaves, of the size of a pane, between which the light falls.
    """

    kind: Literal["window", "palm"] = "window"
    columns: Annotated[int, Field(ge=1, le=8)] = 2
    rows: Annotated[int, Field(ge=1, le=8)] = 3
    pane: Annotated[float, Field(gt=0.05, le=4)] = 0.62  # width and height of one pane's light patch
    tall: Annotated[float, Field(ge=0.05, le=8)] = 1.0  # height of a pane over its width
    bar: Annotated[float, Field(ge=0, le=0.5)] = 0.14  # width of the bars between the panes
    turn_deg: Annotated[float, Field(ge=-180, le=180)] = 18.0
    softness: Annotated[float, Field(ge=0.005, le=0.5)] = 0.05  # half width of the pane's penumbra
    leak: Annotated[float, Field(ge=0, le=1)] = 0.06  # what gets through the bars
    center: tuple[float, float] = (0.0, 0.0)


class Cone(Frozen):
    """A spot light's pool on the ground: smoothstep from `inner` to `outer` radius (units of the piece)."""

    inner: Annotated[float, Field(gt=0, le=5)] = 0.55
    outer: Annotated[float, Field(gt=0, le=8)] = 1.4


class Light(Frozen):
    """One area light, far away, seen as a disk.

    azimuth_deg: where it stands, seen from above: 0 behind the piece, 90 at the right, -90 left, 180 at the camera.
    elevation_deg: height above the ground. size_deg: angular radius. color: linear Rec.709, luminance about 1.
    """

    name: str
    role: Literal["key", "fill", "rim"]
    azimuth_deg: Annotated[float, Field(ge=-180, le=180)]
    elevation_deg: Annotated[float, Field(ge=8, le=90)]
    size_deg: Annotated[float, Field(ge=0.5, le=45)]
    color: Rgb = (1.0, 1.0, 1.0)
    strength: Annotated[float, Field(ge=0, le=20)]
    gobo: Gobo | None = None
    cone: Cone | None = None

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector from the piece to the light, world axes."""
        az, el = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        return (math.cos(el) * math.sin(az), math.cos(el) * math.cos(az), math.sin(el))

    @property
    def distance(self) -> float:
        """From the piece, in its units. A window's sun, a spot and a rim light are far away; a bare lamp stands beside the set."""
        return math.inf if self.gobo or self.cone or self.role == "rim" else LAMP_UNITS


class Ambient(Frozen):
    """Light from the whole dome."""

    color: Rgb = (1.0, 1.0, 1.0)
    strength: Annotated[float, Field(ge=0, le=5)] = 0.3


class Aim(Frozen):
    """What a template, a rule or one photo wants otherwise of a rig's key light; None leaves it as it is.

    azimuth_deg, elevation_deg, size_deg: as of `Light`. intensity_ev: stops more or less of it. spread: 0..1, share of the open
    ground's light that comes from the whole dome. gobo: what stands before it, "none" for nothing.
    """

    azimuth_deg: Annotated[float, Field(ge=-180, le=180)] | None = None
    elevation_deg: Annotated[float, Field(ge=8, le=90)] | None = None
    size_deg: Annotated[float, Field(ge=0.5, le=45)] | None = None
    intensity_ev: Annotated[float, Field(ge=-3, le=3)] | None = None
    spread: Annotated[float, Field(ge=0.02, le=0.95)] | None = None
    gobo: Literal["none", "window", "palm"] | None = None

    def joined(self, other: Aim) -> Aim:
        """Both; the other's wins where it says something."""
        return Aim(**(self.model_dump() | other.model_dump(exclude_none=True)))


class Rig(Frozen):
    """A lighting preset: `lights` plus the dome. Irradiance of the open ground is near 1 before `exposure_ev`.

    relight: 0..1, how strongly the piece itself follows the rig (weight of the bounded gain).
    bloom: 0..0.04, share of the energy of highlights that is spread.
    words: what a diffusion prompt says about this light.
    """

    name: str
    title: str
    lights: tuple[Light, ...]
    ambient: Ambient
    exposure_ev: Annotated[float, Field(ge=-3, le=3)] = 0.0
    relight: Annotated[float, Field(ge=0, le=1)] = 0.5
    bloom: Annotated[float, Field(ge=0, le=0.04)] = 0.02
    shine_ev: Annotated[float, Field(ge=0, le=0.5)] = 0.25
    words: str = ""

    @property
    def key(self) -> Light:
        """The light that makes the main shadow: the strongest with role `key`."""
        return max((light for light in self.lights if light.role == "key"), key=lambda light: light.strength)

    def aimed(self, aim: Aim) -> Rig:
        """The rig with its key light changed; a new elevation keeps what the open ground gets from it."""
        key = self.key
        change = {
            name: value
            for name in ("azimuth_deg", "elevation_deg", "size_deg")
            if (value := getattr(aim, name)) is not None
        }
        turned = key.model_copy(update=change)
        strength = key.strength * key.direction[2] / turned.direction[2] * 2.0 ** (aim.intensity_ev or 0.0)
        update: dict[str, object] = {"strength": strength}
        if aim.gobo is not None:
            update |= {"gobo": None if aim.gobo == "none" else Gobo(kind=aim.gobo), "cone": None}
        turned = turned.model_copy(update=update)
        rig = self.model_copy(update={"lights": tuple(turned if one is key else one for one in self.lights)})
        return rig if aim.spread is None else rig._spread(aim.spread)  # noqa: SLF001 - its own kind

    def _spread(self, share: float) -> Rig:
        """The same light on the open ground, `share` of it from the dome."""
        direct = sum(light.strength * light.direction[2] for light in self.lights)
        total = direct + self.ambient.strength
        gain = (1 - share) * total / max(direct, 1e-6)
        lights = tuple(one.model_copy(update={"strength": one.strength * gain}) for one in self.lights)
        ambient = self.ambient.model_copy(update={"strength": share * total})
        return self.model_copy(update={"lights": lights, "ambient": ambient})
