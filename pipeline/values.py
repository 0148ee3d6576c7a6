"""The values that flow through a render. Owns their shapes, units and colour state; refuses behaviour.

`rgb` is always scene-linear float32 with Rec.709 primaries, white paper at 1.0; `srgb` names mean encoded pixels.
Images are (height, width, channels), rows downwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.recipe import Recipe

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
Mask = NDArray[np.bool_]
Area = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in units around a ground's origin, y down."""


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open pixel rectangle: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Rows."""
        return self.y1 - self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in an image array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


@dataclass(frozen=True, slots=True)
class Note:
    """A finding about one photo. `code` is stable for machines, `text` is for the shop owner."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo, upright, in sRGB encoding.

    srgb: (H, W, 3) uint8 or uint16, sRGB transfer, Rec.709 primaries (ICC already applied).
    alpha: (H, W) uint8 the file's own transparency, or None. source: format, mode, size, profile as found.
    """

    srgb: U8 | U16
    alpha: U8 | None
    source: Mapping[str, Any]
    notes: tuple[Note, ...] = ()

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.srgb.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.srgb.shape[1])


@dataclass(frozen=True, slots=True)
class Cutout:
    """The piece without its paper, on a crop of the photo at working scale.

    rgb: (h, w, 3) the piece's own colours, unpremultiplied, white-balanced, paper at 1.0; alpha: (h, w) 0..1.
    box: the crop in photo pixels; scale: working pixels per photo pixel. confidence: 0..1, honest.
    paper_rgb: (3,) the paper's colour before white balance. touches: sides of the frame the piece runs out of.
    metal, gem: soft masks 0..1 (h, w) of neutral-or-warm metal and of coloured stone, for the judge.
    """

    rgb: F32
    alpha: F32
    box: Box
    scale: float
    confidence: float
    paper_rgb: F32
    touches: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """The plane the piece stands on as the camera sees it.

    elevation_deg: camera above the ground, 90 = from above (also for a wall). unit_px: pixels of one world unit (the
    piece's long side). origin: (x, y) pixel of the world origin, the middle of the contact line.
    """

    elevation_deg: float
    unit_px: float
    origin: tuple[float, float]


Settle = Callable[[U8, F32], U8]
"""A finished picture (H, W, 3) and where it may change (H, W) 0..1, to a picture painted over there; raises `NotPainted`."""


@dataclass(frozen=True, slots=True)
class Scene:
    """An empty set, lit. Radiance = sum of `groups`; each light's share is kept apart so that a shadow darkens only it.

    groups: light name (or "ambient") -> (H, W, 3) rgb. roughness, f0, reflection: for the floor reflection.
    spill_rgb: (3,) mean colour the ground throws back on the piece. safe: where a piece may stand; None: anywhere.
    notes: what the owner should know of the set. settle: paints over a part of a finished picture; see
    `pipeline.backdrop.settle`.
    """

    groups: Mapping[str, F32]
    ground: Ground
    roughness: float
    f0: float
    reflection: float
    spill_rgb: F32
    safe: Area | None = None
    notes: tuple[Note, ...] = ()
    settle: Settle | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one render: `pass`, `review` or `fail`, why, and all figures."""

    outcome: str
    reasons: tuple[Note, ...]
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Render:
    """A finished picture.

    srgb: (H, W, 3) uint8, sRGB. verdict: the judge's. seconds: wall time by step. notes: what the owner should know.
    colours: of the piece itself, as plain words, the most frequent first. recipe: the one that was followed, why: what
    decided where the asked one left a choice.
    """

    srgb: U8
    verdict: Verdict
    seconds: Mapping[str, float]
    notes: tuple[Note, ...] = ()
    colours: tuple[str, ...] = ()
    recipe: Recipe | None = None
    why: str = ""
