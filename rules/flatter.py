"""Which set flatters a piece. Owns that judgement and its reasons; refuses pixels (they are measured in `pipeline.tones`).

What a stylist goes by, in order of weight:
- The piece must stand out. Dark pieces vanish on black, pearls and silver on white, gold on sand. Separation is the distance
  in OKLab between piece and ground, colour counting double: gold and navy of one lightness are still far apart. And what is
  black in a bright piece (onyx, jet beads, enamel) must not sink into a black ground.
- The metal must glow. Gold warms up on navy, emerald, burgundy, cream and warm stone; silver, white gold, platinum and
  diamonds want black, slate, blue or cool marble, because beige makes them look yellow; rose gold lives on grey, plum, blush
  and sage; pearls need depth around them; oxidised metal needs light. Each template says which it flatters.
- The stones must not drown: a ruby on burgundy is lost. The complementary colour lifts them a little.
What is nearly as good as the best counts as equal, and the order of the pool decides: so a batch does not all look the same.
"""

from __future__ import annotations

import math
from typing import Protocol

from pipeline.recipe import Candidate, Recipe, Surface
from pipeline.rig import Frozen

ENOUGH = 0.34  # separation from which more does not help
METAL = 0.45  # weight of the metal, separation being 1
DROWNED, LIFTED = 0.5, 0.1  # stones in a ground of their own hue; of the opposite hue
SUNK, BLACK, BLACKISH = 0.3, 0.22, 0.36  # weight; lightness of a piece's darkest tenth, and of a ground
SAME_HUE_DEG, OPPOSITE_DEG = 32.0, 130.0
COLOURED = 0.035  # chroma from which a ground has a hue
ALIKE = 0.14  # scores that differ by less are equal
DARK, LIGHT = 0.45, 0.72  # lightness of grounds
METAL_WORDS = {
    "yellow-gold": "yellow gold",
    "rose-gold": "rose gold",
    "white-metal": "silver or white gold",
    "dark-metal": "dark metal",
    "pearl": "pearl",
}
# How much of base, accent and detail one sees of a pattern, a plate or a material, fitted to the rendered sets (the tests compare them).
_SHARES = {
    "velvet": (0.62, 0.38, 0.0),
    "onyx": (0.6, 0.1, 0.3),
    "terrazzo": (0.72, 0.14, 0.14),
    "marble": (0.85, 0.0, 0.15),
    "minimal": (1.0, 0.0, 0.0),
    "halo": (0.6, 0.1, 0.3),
    "horizon": (0.55, 0.25, 0.2),
    "gradient": (0.5, 0.1, 0.4),
    "festive": (0.9, 0.1, 0.0),
    "smoked-glass": (1.0, 0.0, 0.0),
    "silk": (0.8, 0.2, 0.0),
    "petals": (0.85, 0.15, 0.0),
    "diyas": (0.97, 0.03, 0.0),
}


class Piece(Protocol):
    """What is read of a piece's tones (`pipeline.tones.Tones`, which this process must not import: it brings numpy)."""

    @property
    def metal(self) -> str:
        """One of `METALS`."""
        ...

    @property
    def lab(self) -> tuple[float, float, float]:
        """OKLab of the piece, median."""
        ...

    @property
    def low(self) -> float:
        """Lightness of its darkest tenth."""
        ...

    @property
    def stones_deg(self) -> float | None:
        """Hue of the stones, OKLCh; None without coloured stones."""
        ...


class Tone(Frozen):
    """OKLab of a ground."""

    lightness: float
    a: float
    b: float

    @property
    def chroma(self) -> float:
        """How coloured."""
        return math.hypot(self.a, self.b)

    @property
    def word(self) -> str:
        """For people and for sorting."""
        return "dark" if self.lightness < DARK else "light" if self.lightness > LIGHT else "medium"


def choose(recipe: Recipe, piece: Piece) -> tuple[Recipe, str]:
    """The recipe on the first set of its pool that flatters as well as any, and why, in a sentence."""
    scores = [score(one, piece) for one in recipe.pool]
    best = max(scores, default=0.0)
    at = next((k for k, value in enumerate(scores) if value >= best - ALIKE), None)
    if at is None:
        return recipe, ""
    taken = recipe.pool[at]
    return recipe.on(taken), why(taken, piece)


def score(candidate: Candidate, piece: Piece) -> float:
    """How well a set flatters, about -0.8..1.55; more is better."""
    ground = tone(candidate.surface)
    apart = math.dist(
        (piece.lab[0], 2 * piece.lab[1], 2 * piece.lab[2]), (ground.lightness, 2 * ground.a, 2 * ground.b)
    )
    sunk = piece.low < BLACK and ground.lightness < BLACKISH
    metal = piece.metal in candidate.flatters
    return min(apart / ENOUGH, 1.0) + METAL * metal - SUNK * sunk + _stones(ground, piece)


def _stones(ground: Tone, piece: Piece) -> float:
    if piece.stones_deg is None or ground.chroma < COLOURED:
        return 0.0
    turn = abs((math.degrees(math.atan2(ground.b, ground.a)) - piece.stones_deg + 180) % 360 - 180)
    return -DROWNED if turn < SAME_HUE_DEG else LIFTED if turn > OPPOSITE_DEG else 0.0


def why(taken: Candidate, piece: Piece) -> str:
    """The choice in a sentence for the shop owner."""
    stones = "" if piece.stones_deg is None else " with coloured stones"
    ground = tone(taken.surface).word
    flatters = "flatters" if piece.metal in taken.flatters else "sets off"
    return (
        f"Template {taken.template}: chosen by the piece, which looks like {METAL_WORDS[piece.metal]}{stones};"
        f" this {ground} ground {flatters} it."
    )


def tone(surface: Surface) -> Tone:
    """The colour that a surface has as a whole (Ottosson 2020, in plain numbers: no imaging library here)."""
    kinds = (surface.pattern, surface.plate, surface.material)
    shares = next((_SHARES[kind] for kind in kinds if kind in _SHARES), (1.0, 0.0, 0.0))
    colours = (_linear(surface.base), _linear(surface.accent), _linear(surface.detail))
    red, green, blue = (
        sum(share * colour[c] for share, colour in zip(shares, colours, strict=True)) for c in range(3)
    )
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return Tone(
        lightness=0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        a=1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        b=0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _linear(code: str) -> tuple[float, float, float]:
    """Linear light of a hex colour (IEC 61966-2-1)."""
    red, green, blue = (int(code[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return _decoded(red), _decoded(green), _decoded(blue)


def _decoded(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
