"""What the generator can make: families, metals, stones, set-ups, and which of them training never sees.

Owns the names, the physical figures and the split. Refuses Blender and chance: `spec.py` draws from here, the workshop
in `atelier/` builds what was drawn.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

Split = Literal["train", "test"]
Part = Literal["ground", "metal", "clear_stone", "coloured_stone", "pearl", "other"]
PARTS: Final[tuple[Part, ...]] = ("ground", "metal", "clear_stone", "coloured_stone", "pearl", "other")
"""Codes of the part map: a pixel holds the place of its part in this row."""

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Metal:
    """Linear reflectance at normal incidence, and how smooth hands have made it."""

    colour: RGB
    roughness: float
    finish: Literal["polished", "satin", "brushed", "hammered", "oxidised"] = "polished"
    split: Split = "train"


@dataclass(frozen=True)
class Stone:
    """Transmitted colour per body, index of refraction, absorption per mm for a stone of 3 mm half width.

    `look` "clear" is cut glass-like material, the others are opaque or milky and are cut as cabochons or beads.
    """

    part: Part
    colour: RGB
    ior: float = 1.55
    density: float = 0.0
    look: Literal["clear", "opaque", "milky", "veined", "nacre", "enamel", "hide"] = "clear"
    split: Split = "train"


METALS: Final[dict[str, Metal]] = {
    "gold_18k": Metal((1.0, 0.78, 0.34), 0.10),
    "gold_22k": Metal((1.0, 0.72, 0.25), 0.13),
    "gold_14k": Metal((0.97, 0.80, 0.46), 0.08),
    "gold_satin": Metal((1.0, 0.77, 0.35), 0.30, "satin"),
    "gold_hammered": Metal((1.0, 0.77, 0.35), 0.14, "hammered"),
    "gold_antique": Metal((0.85, 0.60, 0.26), 0.24, "oxidised"),
    "white_gold": Metal((0.80, 0.765, 0.742), 0.07),
    "silver": Metal((0.95, 0.93, 0.89), 0.10),
    "silver_satin": Metal((0.93, 0.915, 0.88), 0.32, "satin"),
    "silver_oxidised": Metal((0.80, 0.785, 0.76), 0.24, "oxidised"),
    "steel": Metal((0.56, 0.57, 0.58), 0.16),
    "steel_brushed": Metal((0.60, 0.605, 0.61), 0.26, "brushed"),
    "brass": Metal((0.90, 0.77, 0.45), 0.18),
    "gunmetal": Metal((0.11, 0.11, 0.12), 0.18),
    # seen only in the test split
    "rose_gold": Metal((1.0, 0.70, 0.50), 0.10, split="test"),
    "rose_gold_satin": Metal((1.0, 0.70, 0.52), 0.30, "satin", split="test"),
    "platinum": Metal((0.67, 0.64, 0.58), 0.12, split="test"),
    "silver_hammered": Metal((0.95, 0.93, 0.89), 0.15, "hammered", split="test"),
    "copper": Metal((0.955, 0.638, 0.538), 0.20, "oxidised", split="test"),
    "gold_pale": Metal((0.98, 0.84, 0.58), 0.09, split="test"),
}

STONES: Final[dict[str, Stone]] = {
    "diamond": Stone("clear_stone", (1, 1, 1), 2.42),
    "zircon": Stone("clear_stone", (1, 1, 1), 1.93),
    "sapphire": Stone("coloured_stone", (0.015, 0.20, 0.74), 1.76, 0.48),
    "ruby": Stone("coloured_stone", (0.85, 0.02, 0.07), 1.76, 0.30),
    "emerald": Stone("coloured_stone", (0.04, 0.72, 0.30), 1.58, 0.42),
    "amethyst": Stone("coloured_stone", (0.40, 0.08, 0.72), 1.55, 0.24),
    "aqua": Stone("coloured_stone", (0.35, 0.78, 0.92), 1.58, 0.20),
    "citrine": Stone("coloured_stone", (0.98, 0.58, 0.05), 1.55, 0.22),
    "garnet": Stone("coloured_stone", (0.55, 0.02, 0.04), 1.78, 0.60),
    "peridot": Stone("coloured_stone", (0.55, 0.80, 0.10), 1.67, 0.24),
    "smoky": Stone("coloured_stone", (0.40, 0.26, 0.17), 1.55, 0.30),
    "onyx": Stone("coloured_stone", (0.008, 0.008, 0.010), look="opaque"),
    "turquoise": Stone("coloured_stone", (0.09, 0.50, 0.48), look="veined"),
    "coral": Stone("coloured_stone", (0.75, 0.11, 0.06), look="opaque"),
    "moonstone": Stone("clear_stone", (0.80, 0.84, 0.90), look="milky"),
    "jade": Stone("coloured_stone", (0.12, 0.45, 0.18), look="milky"),
    "pearl_white": Stone("pearl", (0.88, 0.83, 0.76), look="nacre"),
    "pearl_cream": Stone("pearl", (0.90, 0.77, 0.60), look="nacre"),
    "pearl_silver": Stone("pearl", (0.72, 0.73, 0.76), look="nacre"),
    "enamel_red": Stone("other", (0.42, 0.012, 0.02), look="enamel"),
    "enamel_green": Stone("other", (0.01, 0.20, 0.07), look="enamel"),
    "enamel_blue": Stone("other", (0.01, 0.06, 0.35), look="enamel"),
    "enamel_white": Stone("other", (0.80, 0.79, 0.75), look="enamel"),
    "leather_brown": Stone("other", (0.13, 0.05, 0.022), look="hide"),
    "leather_black": Stone("other", (0.012, 0.011, 0.010), look="hide"),
    # seen only in the test split
    "topaz_white": Stone("clear_stone", (0.97, 0.98, 1.0), 1.62, 0.02, split="test"),
    "tourmaline": Stone("coloured_stone", (0.90, 0.18, 0.45), 1.63, 0.26, split="test"),
    "tanzanite": Stone("coloured_stone", (0.22, 0.16, 0.80), 1.70, 0.36, split="test"),
    "topaz_blue": Stone("coloured_stone", (0.10, 0.58, 0.88), 1.62, 0.26, split="test"),
    "lapis": Stone("coloured_stone", (0.012, 0.035, 0.22), look="veined", split="test"),
    "opal": Stone("clear_stone", (0.86, 0.88, 0.84), look="milky", split="test"),
    "pearl_rose": Stone("pearl", (0.88, 0.72, 0.68), look="nacre", split="test"),
    "pearl_black": Stone("pearl", (0.10, 0.11, 0.12), look="nacre", split="test"),
    "enamel_black": Stone("other", (0.008, 0.008, 0.009), look="enamel", split="test"),
    "enamel_teal": Stone("other", (0.01, 0.17, 0.20), look="enamel", split="test"),
    "leather_tan": Stone("other", (0.33, 0.15, 0.06), look="hide", split="test"),
}


@dataclass(frozen=True)
class Family:
    """A way to build a piece. `lie`: how it may be put down before the camera."""

    type: str
    lie: tuple[str, ...] = ("flat",)
    split: Split = "train"
    weight: float = 1.0


FAMILIES: Final[dict[str, Family]] = {
    "band": Family("ring", ("standing", "lying", "propped", "boxed", "worn")),
    "solitaire": Family("ring", ("standing", "lying", "propped", "boxed", "worn"), weight=1.5),
    "halo_ring": Family("ring", ("standing", "lying", "propped", "boxed", "worn"), weight=1.5),
    "eternity": Family("ring", ("standing", "lying", "propped")),
    "twisted_ring": Family("ring", ("standing", "lying", "propped")),
    "cocktail": Family("ring", ("standing", "propped")),
    "pearl_ring": Family("ring", ("standing", "propped")),
    "stud": Family("earrings"),
    "pearl_stud": Family("earrings"),
    "hoop": Family("earrings", ("flat", "standing"), weight=1.5),
    "drop": Family("earrings", ("flat", "hanging"), weight=1.5),
    "long_drop": Family("earrings", ("flat", "hanging")),
    "filigree_drop": Family("earrings", ("flat", "hanging")),
    "jhumka": Family("earrings", ("standing", "flat")),
    "pendant": Family("pendant", ("flat", "flat", "hanging"), weight=2.0),
    "bar_pendant": Family("pendant"),
    "heart_pendant": Family("pendant", ("flat", "hanging")),
    "line_necklace": Family("necklace"),
    "bead_necklace": Family("necklace"),
    "pearl_strand": Family("necklace", weight=1.5),
    "chain_necklace": Family("necklace", weight=1.5),
    "chain_bracelet": Family("bracelet", weight=1.5),
    "tennis": Family("bracelet", ("flat", "standing")),
    "bead_bracelet": Family("bracelet"),
    "bangle": Family("bangle", weight=1.5),
    "stone_bangle": Family("bangle"),
    "bangle_stack": Family("bangle", weight=1.5),
    "strap_watch": Family("watch"),
    "mesh_watch": Family("watch"),
    "flower_brooch": Family("brooch"),
    "wreath_brooch": Family("brooch"),
    "parure": Family("set"),
    "ring_row": Family("set"),
    # seen only in the test split
    "bridal_set": Family("set", split="test", weight=1.5),
    "three_stone": Family("ring", ("standing", "lying", "propped", "boxed", "worn"), "test"),
    "signet": Family("ring", ("standing", "lying", "propped"), "test"),
    "openwork_ring": Family("ring", ("standing", "lying", "propped"), "test"),
    "chandelier": Family("earrings", ("flat", "hanging"), split="test"),
    "cuff_earring": Family("earrings", ("flat",), "test"),
    "filigree_pendant": Family("pendant", split="test"),
    "locket": Family("pendant", split="test"),
    "bib_necklace": Family("necklace", split="test"),
    "station_necklace": Family("necklace", split="test"),
    "charm_bracelet": Family("bracelet", split="test"),
    "cuff": Family("bangle", ("flat", "standing"), "test"),
    "link_watch": Family("watch", split="test"),
    "bar_brooch": Family("brooch", split="test"),
}


@dataclass(frozen=True)
class Ground:
    """What the piece lies on. Reflectances are linear; `spread` widens the draw of the tone."""

    kind: Literal["paper", "cloth", "wood", "acrylic", "velvet", "marble"]
    colour: RGB
    spread: float = 0.1
    split: Split = "train"
    weight: float = 1.0


GROUNDS: Final[dict[str, Ground]] = {
    "white_paper": Ground("paper", (0.86, 0.86, 0.85), 0.06, weight=9),
    "grey_paper": Ground("paper", (0.52, 0.53, 0.54), 0.35, weight=4),
    "cream_paper": Ground("paper", (0.80, 0.74, 0.63), 0.10, weight=3),
    "blush_paper": Ground("paper", (0.75, 0.50, 0.46), 0.25, weight=1),
    "blue_paper": Ground("paper", (0.22, 0.34, 0.48), 0.40, weight=1),
    "black_paper": Ground("paper", (0.03, 0.03, 0.032), 0.5, weight=1.5),
    "white_acrylic": Ground("acrylic", (0.80, 0.80, 0.80), 0.08, weight=2),
    "black_acrylic": Ground("acrylic", (0.006, 0.006, 0.007), 0.3, weight=1),
    "white_cloth": Ground("cloth", (0.78, 0.77, 0.74), 0.1, weight=2),
    "dark_cloth": Ground("cloth", (0.05, 0.055, 0.08), 0.6, weight=1),
    "navy_velvet": Ground("velvet", (0.012, 0.018, 0.06), 0.5, weight=1),
    "oak": Ground("wood", (0.45, 0.27, 0.13), 0.3, weight=1.5),
    "white_marble": Ground("marble", (0.78, 0.77, 0.75), 0.08, weight=1.5),
    # seen only in the test split
    "clipped_paper": Ground("paper", (0.90, 0.90, 0.90), 0.02, "test", 6),
    "silver_paper": Ground("paper", (0.66, 0.66, 0.67), 0.15, "test", 4),
    "ivory_paper": Ground("paper", (0.83, 0.80, 0.72), 0.05, "test", 3),
    "sage_paper": Ground("paper", (0.34, 0.42, 0.33), 0.3, "test", 1),
    "linen": Ground("cloth", (0.60, 0.54, 0.44), 0.15, "test", 1.5),
    "grey_acrylic": Ground("acrylic", (0.30, 0.30, 0.31), 0.3, "test", 1.5),
    "walnut": Ground("wood", (0.16, 0.08, 0.04), 0.3, "test", 1),
    "wine_velvet": Ground("velvet", (0.07, 0.006, 0.012), 0.4, "test", 1),
}


@dataclass(frozen=True)
class Light:
    """A way to light: `spec.py` draws the figures, `atelier/lights.py` builds it."""

    kind: Literal["tent", "boxes", "window", "flash", "overcast", "ring", "lamps"]
    split: Split = "train"
    weight: float = 1.0


LIGHTS: Final[dict[str, Light]] = {
    "tent": Light("tent", weight=4),
    "two_boxes": Light("boxes", weight=3),
    "window": Light("window", weight=3),
    "flash": Light("flash", weight=1),
    "lamps": Light("lamps", weight=1),
    "overcast": Light("overcast", "test", 3),
    "ring_light": Light("ring", "test", 2),
    "strip_boxes": Light("boxes", "test", 3),
}


@dataclass(frozen=True)
class Versions:
    """Changes whenever pictures of an old seed would change."""

    generator: int = 1
    layers: int = 1
    extra: dict[str, str] = field(default_factory=dict)


VERSIONS: Final = Versions()
