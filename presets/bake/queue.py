"""Which plates there are to bake, the most wanted first. Data; refuses to bake.

A plate whose look was changed gets the next `version`: what lies half baked of the old one is then left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from pipeline.backdrop.plate_file import Lobe, Lobes, folder_of

View = Literal["table", "flat"]
# Radius of the blur disk per unit of depth out of focus.
CLOTH_LENS = STONE_LENS = 0.016
PETALS_LENS, LAMPS_LENS, LIGHTS_LENS = 0.024, 0.03, 0.04


@dataclass(frozen=True, slots=True)
class Bake:
    """One surface. unit_px: canvas pixels per unit of the lamps' pictures; mask_px: of the mask of its other colours, 0 for none.

    glow: whether lights are part of the set. from_above: the lobes in the view `flat`, where they differ. lens: see
    `Canvas.lens_blur`. take: another set under the same name, for another seed at run time. draft: not yet good enough to
    ship, baked only by name. The other fields go into the plate as they are (`Plate`).
    """

    name: str
    lobes: Lobes = field(default_factory=Lobes)
    from_above: Lobes | None = None
    texture: Literal["pile", "grain", "veins", "none"] = "grain"
    texture_gain: float = 1.0
    unit_px: int = 190
    mask_px: int = 0
    glow: bool = False
    samples: int = 10
    seed: int = 1
    take: int = 1
    lens: float = STONE_LENS
    roughness: float = 0.9
    f0: float = 0.04
    views: tuple[View, ...] = ("table", "flat")
    version: int = 1
    draft: bool = False

    def plate(self, view: View) -> str:
        """Name of the plate's folder."""
        return folder_of(self.name, view, take=self.take).name


def _gloss(color: Literal["base", "accent", "white"], gain: float = 1.0) -> Lobes:
    return Lobes(gloss=Lobe(color=color, gain=gain))


def _sheen(gain: float) -> Lobes:
    """Dense pile is brighter than the one layer of fibres of the sheen model."""
    return Lobes(sheen=Lobe(color="accent", gain=gain))


VELVET = Bake("velvet", _sheen(5.0), _sheen(3.2), "pile", unit_px=250, samples=24, seed=3, lens=CLOTH_LENS)
QUEUE: tuple[Bake, ...] = (
    VELVET,
    Bake("marble", texture="veins", unit_px=160, seed=4, roughness=0.1),
    Bake("satin", _gloss("accent", 0.8), texture="none", seed=5, lens=CLOTH_LENS),
    Bake("sand", texture_gain=5.0, seed=2, unit_px=230),
    Bake("plaster", texture_gain=1.5, seed=2, unit_px=230, roughness=0.5),
    Bake("suede", _sheen(1.6), _sheen(3.0), "pile", seed=6, lens=CLOTH_LENS),
    Bake("travertine", unit_px=220, mask_px=440, seed=1, roughness=0.34),
    Bake("paper", seed=3, unit_px=190),
    Bake("silk", _gloss("accent", 0.5), texture="none", seed=8, lens=CLOTH_LENS),
    replace(VELVET, take=2, seed=12),
    Bake("slate", texture_gain=3.0, seed=2, unit_px=260, roughness=0.4),
    Bake("spun-metal", _gloss("accent"), texture="none", unit_px=230, roughness=0.3, f0=0.5),
    Bake("smoked-glass", texture="none", unit_px=220, mask_px=220, seed=3, roughness=0.06, f0=0.06),
    Bake("lights", texture="none", unit_px=220, seed=5, lens=LIGHTS_LENS, glow=True, roughness=0.1, f0=0.06),
    Bake("curtain", texture="none", seed=6, lens=LIGHTS_LENS, glow=True, roughness=0.1, f0=0.06),
    Bake(
        "diyas",
        texture="none",
        unit_px=220,
        mask_px=220,
        seed=7,
        lens=LAMPS_LENS,
        glow=True,
        roughness=0.1,
        f0=0.06,
    ),
    Bake("petals", _gloss("accent", 0.4), texture="none", unit_px=250, mask_px=250, seed=9, lens=PETALS_LENS),
)
