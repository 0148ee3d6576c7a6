"""The pieces of the truth set: what each is, how it stands, on which set it is shown. Data; refuses Blender.

Those of the half `dev` were looked at while the engine was made; the figures are those of the half `test`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.recipe import JewelryType, Recipe
from presets.library import recipe

SIDE_PX = 720
UNIT_PX = 440.0  # long side of the piece
CONTACT_ROW, MIDDLE_ROW = 0.70, 0.50  # of the frame, as in `pipeline.layout`
TABLE_DEG = 30.0


@dataclass(frozen=True, slots=True)
class Truth:
    """One piece on one set. family, lie, metal, stone: see `weights.train.catalogue`; the seed draws its sizes and its turn."""

    name: str
    family: str
    lie: str
    kind: JewelryType
    metal: str
    stone: str
    template: str
    seed: int
    half: Literal["dev", "test"] = "test"

    @property
    def recipe(self) -> Recipe:
        """What Vitrine is asked for."""
        size = (SIDE_PX, SIDE_PX)
        view, pose = ("flat", "hanging") if self.lie == "hanging" else ("auto", "auto")
        return recipe(self.template, self.kind, size_px=size).model_copy(
            update={"jewelry_type": self.kind, "view": view, "pose": pose, "seed": 0}
        )


TRUTHS: tuple[Truth, ...] = (
    Truth("solitaire", "solitaire", "standing", "ring", "gold_18k", "diamond", "velvet-navy-moody", 9001, "dev"),
    Truth("halo-ring", "halo_ring", "standing", "ring", "white_gold", "sapphire", "marble-white-soft-glow", 9002, "dev"),
    Truth("hoop", "hoop", "flat", "earrings", "gold_14k", "diamond", "minimal-dove-studio", 9003, "dev"),
    Truth("pendant", "pendant", "flat", "pendant", "silver", "ruby", "satin-champagne-moody", 9004, "dev"),
    Truth("bangle", "bangle", "flat", "bangle", "gold_22k", "diamond", "paper-white-studio", 9005, "dev"),
    Truth("tennis", "tennis", "flat", "bracelet", "white_gold", "diamond", "velvet-emerald-studio", 9006, "dev"),
    Truth("drop-hanging", "drop", "hanging", "earrings", "gold_18k", "emerald", "plaster-lime-moody", 9007, "dev"),
    Truth("strap-watch", "strap_watch", "flat", "watch", "steel", "diamond", "suede-camel-moody", 9008, "dev"),
    Truth("solitaire-2", "solitaire", "standing", "ring", "rose_gold", "ruby", "marble-white-studio", 9009),
    Truth("band", "band", "standing", "ring", "gold_18k", "diamond", "velvet-burgundy-moody", 9010),
    Truth("halo-ring-2", "halo_ring", "standing", "ring", "gold_18k", "emerald", "paper-cream-moody", 9011),
    Truth("eternity", "eternity", "standing", "ring", "platinum", "diamond", "minimal-dove-studio", 9012),
    Truth("cocktail", "cocktail", "standing", "ring", "gold_22k", "garnet", "satin-midnight-moody", 9013),
    Truth("pearl-ring", "pearl_ring", "standing", "ring", "silver", "diamond", "velvet-navy-spotlight", 9014),
    Truth("twisted-ring", "twisted_ring", "standing", "ring", "gold_14k", "amethyst", "plaster-clay-moody", 9015),
    Truth("hoop-2", "hoop", "flat", "earrings", "silver", "diamond", "velvet-navy-soft-glow", 9016),
    Truth("stud", "stud", "flat", "earrings", "white_gold", "aqua", "marble-black-studio", 9017),
    Truth("drop", "drop", "flat", "earrings", "gold_18k", "sapphire", "minimal-sage-moody", 9018),
    Truth("long-drop", "long_drop", "flat", "earrings", "rose_gold", "amethyst", "travertine-roman-soft-glow", 9019),
    Truth("drop-hanging-2", "drop", "hanging", "earrings", "silver", "topaz_blue", "paper-rose-soft-glow", 9020),
    Truth("heart-pendant", "heart_pendant", "flat", "pendant", "gold_18k", "ruby", "velvet-pewter-moody", 9021),
    Truth("pendant-2", "pendant", "flat", "pendant", "white_gold", "emerald", "gradient-pearl-studio", 9022),
    Truth("pendant-hanging", "pendant", "hanging", "pendant", "gold_14k", "diamond", "plaster-ink-spotlight", 9023),
    Truth("pearl-strand", "pearl_strand", "flat", "necklace", "gold_18k", "diamond", "satin-black-studio", 9024),
    Truth("chain-necklace", "chain_necklace", "flat", "necklace", "gold_18k", "diamond", "sand-dune-moody", 9025),
    Truth("chain-bracelet", "chain_bracelet", "flat", "bracelet", "silver", "diamond", "marble-white-moody", 9026),
    Truth("tennis-2", "tennis", "flat", "bracelet", "gold_18k", "ruby", "travertine-silver-studio", 9027),
    Truth("bead-bracelet", "bead_bracelet", "flat", "bracelet", "gold_14k", "turquoise", "velvet-ivory-soft-glow", 9028),
    Truth("bangle-2", "bangle", "flat", "bangle", "silver", "diamond", "velvet-black-moody", 9029),
    Truth("stone-bangle", "stone_bangle", "flat", "bangle", "gold_22k", "ruby", "minimal-sand-moody", 9030),
    Truth("mesh-watch", "mesh_watch", "flat", "watch", "steel", "diamond", "marble-grey-studio", 9031),
    Truth("flower-brooch", "flower_brooch", "flat", "brooch", "gold_18k", "sapphire", "suede-charcoal-moody", 9032),
    Truth("cocktail-2", "cocktail", "standing", "ring", "gold_18k", "ruby", "minimal-dove-studio", 9101, "dev"),
    Truth("stud-2", "stud", "flat", "earrings", "gold_18k", "sapphire", "minimal-sand-moody", 9102, "dev"),
    Truth("drop-2", "drop", "flat", "earrings", "silver", "amethyst", "minimal-chalk-palm", 9103, "dev"),
    Truth("pendant-3", "pendant", "flat", "pendant", "gold_18k", "aqua", "marble-white-moody", 9104, "dev"),
    Truth("chain-bracelet-2", "chain_bracelet", "flat", "bracelet", "gold_18k", "diamond", "marble-grey-studio", 9105, "dev"),
    Truth("flower-brooch-2", "flower_brooch", "flat", "brooch", "silver", "ruby", "gradient-pearl-studio", 9106, "dev"),
)  # fmt: skip
