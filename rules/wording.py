"""The words of a post from a file's name and its sidecar. Owns titles and hashtags; refuses to invent facts."""

from __future__ import annotations

import re

from pipeline.recipe import JewelryType
from rules.plan import Post
from rules.sidecar import Sidecar
from rules.vocabulary import TYPE_WORDS

# What cameras, telephones and programs write into names.
_NOT_A_TITLE = frozenset(
    word
    for line in (
        "img image images photo photos pic picture dsc dscn dscf pxl mvimg dji gopr dcim p wa e at am pm",
        "whatsapp signal telegram screenshot scan untitled copy edit edited final crop cropped new jpg jpeg",
        "png heic",
    )
    for word in line.split()
)
_TAGS = {
    "ring": "#ring",
    "earrings": "#earrings",
    "necklace": "#necklace",
    "pendant": "#pendant",
    "bracelet": "#bracelet",
    "bangle": "#bangles",
    "watch": "#watch",
    "brooch": "#brooch",
    "set": "#jewelryset",
}


def title_of(name: str) -> str:
    """A title from a file's name, or "" when a camera named it: `gold_ring-22k.jpg` becomes "Gold ring 22k"."""
    stem = name.rpartition(".")[0] or name
    if not set(re.findall(r"[^\W\d_]+", stem.casefold())) - _NOT_A_TITLE:
        return ""
    words = re.sub(r"[\s_-]+", " ", stem).strip()
    return words[:1].upper() + words[1:200]


def type_in_name(name: str) -> JewelryType | None:
    """The kind of jewelry that a file's name says, if it says exactly one: `gold ring 3.jpg` is a ring.

    A pendant on a chain is a pendant.
    """
    words = re.findall(r"[^\W\d_]+", name.rpartition(".")[0].casefold())
    kinds = {TYPE_WORDS[word] for word in words if word in TYPE_WORDS} - {"auto", "set"}
    if kinds == {"pendant", "necklace"} and not {"necklace", "necklaces"} & set(words):
        kinds = {"pendant"}
    return kinds.pop() if len(kinds) == 1 else None


def post(name: str, kind: JewelryType, sidecar: Sidecar, hashtags: tuple[str, ...] | None) -> Post:
    """The words of the post. The sidecar's come first; price and SKU are never made up."""
    title = sidecar.title or title_of(name) or ("" if kind == "auto" else kind.capitalize())
    tags = hashtags if hashtags is not None else tuple(filter(None, ("#jewelry", _TAGS.get(kind))))
    lines = (title, sidecar.price_line)
    return Post(
        title=title,
        caption=sidecar.caption or "\n".join(line for line in lines if line),
        own_caption=sidecar.caption,
        sku=sidecar.sku,
        price_line=sidecar.price_line,
        metal=sidecar.metal,
        stones=sidecar.stones,
        link=sidecar.link,
        alt_text=sidecar.alt_text,
        hashtags=tags,
        own_hashtags=hashtags is not None,
    )
