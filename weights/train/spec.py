"""One sample as a value: what is photographed, on what, in which light, by which camera. Owns the draw; refuses Blender.

The same (seed, split) gives the same spec. Train and test draw from disjoint families, metals, stones, grounds and
lights, so that a network is judged on pieces and set-ups of kinds it never saw. Two stones are shared because jewelry
without them is none: diamond as the small stone, and white pearls.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from weights.train.catalogue import FAMILIES, GROUNDS, LIGHTS, METALS, STONES, VERSIONS, Split

TEST_EVERY: Final = 8
"""One sample in so many belongs to the test split."""


@dataclass(frozen=True)
class Shot:
    """The photograph: camera and development."""

    elevation_deg: float
    fill: float  # share of the frame's tighter side that the piece spans
    offset: tuple[float, float]  # of the piece from the middle, in frame widths
    lens_mm: float
    f_number: float
    focus: float  # 0 focus on the front of the piece … 1 on its back
    white: float  # display value (0…1) the open ground is exposed to; above 1 clips
    cast: tuple[float, float, float]
    falloff: float
    tilt: tuple[float, float]  # brightness gradient over the frame, share per half frame
    noise: float
    blur_px: float
    sharpen: float
    contrast: float
    quality: int
    chroma: int  # Pillow's subsampling: 0 is 4:4:4, 2 is 4:2:0


@dataclass(frozen=True)
class Spec:
    """Everything that decides a sample but its size and ray count."""

    seed: int
    split: Split
    family: str
    type: str
    lie: str
    metal: str
    trim: str
    stone: str
    accent: str
    pearl: str
    enamel: str
    leather: str
    ground: str
    light: str
    aspect: float  # width / height
    shot: Shot

    def as_json(self) -> dict[str, Any]:
        """Plain types, with the generator's version."""
        return {**asdict(self), "version": VERSIONS.generator}


def split_of(seed: int) -> Split:
    """Which side of the wall a seed is on."""
    return "test" if seed % TEST_EVERY == TEST_EVERY - 1 else "train"


def _draw(rng: np.random.Generator, table: Mapping[str, Any], split: Split, *also: str) -> str:
    names = [k for k, v in table.items() if v.split == split or k in also]
    weights = np.array([getattr(table[k], "weight", 1.0) for k in names])
    return str(rng.choice(names, p=weights / weights.sum()))


def _stones(rng: np.random.Generator, split: Split) -> dict[str, str]:
    def of(*looks: str) -> dict[str, Any]:
        return {k: v for k, v in STONES.items() if v.look in looks}

    gems = of("clear", "opaque", "milky", "veined")
    clear = {k: v for k, v in of("clear").items() if v.part == "clear_stone"}
    bright = clear if rng.random() < 0.3 else gems
    return {
        "stone": _draw(rng, bright, split),
        "accent": _draw(rng, of("clear"), split) if rng.random() < 0.35 else "diamond",
        "pearl": _draw(rng, of("nacre"), split, "pearl_white"),
        "enamel": _draw(rng, of("enamel"), split),
        "leather": _draw(rng, of("hide"), split),
    }


def _cast(rng: np.random.Generator) -> tuple[float, float, float]:
    """White balance error along the daylight line, and a little green or magenta."""
    warm, green = rng.normal(0.01, 0.05), rng.normal(0, 0.012)
    if rng.random() < 0.12:
        warm += 0.12  # tungsten left uncorrected
    return (float(1 + warm), float(1 + green), float(1 - 1.2 * warm))


def _shot(rng: np.random.Generator, *, flat: bool, hung: bool, dark: bool, clipped: bool) -> Shot:
    elevation = rng.uniform(84, 90) if hung else rng.uniform(48, 88) if flat else rng.uniform(14, 42)
    white = float(
        rng.choice(
            [rng.uniform(0.55, 0.8), rng.uniform(0.8, 0.97), rng.uniform(0.97, 1.25)], p=[0.3, 0.4, 0.3]
        )
    )
    if clipped:
        white = float(rng.uniform(1.02, 1.3))
    if dark:
        white *= float(rng.uniform(0.75, 0.95))
    return Shot(
        elevation_deg=float(elevation),
        fill=float(rng.uniform(0.5, 0.92)),
        offset=(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03))),
        lens_mm=float(rng.choice([50, 70, 100, 100, 28])),
        f_number=float(rng.choice([9, 11, 16, 22, 22, 32, 45])),
        focus=float(rng.uniform(0.0, 0.6)),
        white=white,
        cast=_cast(rng),
        falloff=float(rng.uniform(0, 0.14)),
        tilt=(float(rng.normal(0, 0.05)), float(rng.normal(0, 0.07))),
        noise=float(np.exp(rng.uniform(np.log(0.002), np.log(0.02)))),
        blur_px=float(rng.choice([0.0, rng.uniform(0.2, 0.6), rng.uniform(0.6, 1.3)], p=[0.4, 0.4, 0.2])),
        sharpen=float(rng.choice([0.0, rng.uniform(0.2, 0.8)])),
        contrast=float(rng.normal(0.05, 0.08)),
        quality=int(rng.integers(75, 96)),
        chroma=int(rng.choice([0, 2, 2])),
    )


def draw(seed: int, split: Split | None = None) -> Spec:
    """The spec of a seed; its split follows from the seed unless it is forced."""
    side = split or split_of(seed)
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    family = _draw(rng, FAMILIES, side)
    lie = str(rng.choice(FAMILIES[family].lie))
    metal = _draw(rng, METALS, side)
    trim = _draw(rng, METALS, side) if rng.random() < 0.2 else metal
    stones = _stones(rng, side)
    ground, light = _draw(rng, GROUNDS, side), _draw(rng, LIGHTS, side)
    flat = lie in ("flat", "lying") and not (
        FAMILIES[family].type in ("bangle", "ring") and rng.random() < 0.6
    )
    tone = float(np.mean(GROUNDS[ground].colour))
    return Spec(
        seed=seed,
        split=side,
        family=family,
        type=FAMILIES[family].type,
        lie=lie,
        metal=metal,
        trim=trim,
        **stones,
        ground=ground,
        light=light,
        aspect=float(rng.choice([1.0, 1.0, 4 / 3, 3 / 4, 3 / 2, 4 / 5])),
        shot=_shot(rng, flat=flat, hung=lie == "hanging", dark=tone < 0.3, clipped=ground == "clipped_paper"),
    )
