"""The words a shop uses for jewelry and for what should happen to a photo. Owns the lists; refuses styles."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.recipe import JewelryType

MAX_VARIANTS = 12
MODIFIERS = ("overnight", "urgent", "draft", "raytraced", "diffusion", "no-instagram")

_SAME: Mapping[JewelryType, str] = {
    "ring": "band solitaire engagement-ring wedding-ring",
    "earrings": "earring ear-ring stud hoop jhumka jhumki chandbali",
    "necklace": "chain choker mangalsutra haar collar",
    "pendant": "locket charm",
    "bracelet": "anklet payal",
    "bangle": "kada churi cuff",
    "watch": "wristwatch timepiece",
    "brooch": "pin lapel-pin",
    "set": "parure matching-set",
    "auto": "any mixed detect",
}
_SAME_MODIFIER: Mapping[str, str] = {
    "overnight": "night nightly tonight",
    "urgent": "rush express asap",
    "draft": "preview quick",
    "raytraced": "ray-traced raytrace path-traced pathtraced blender",
    "diffusion": "diffused stable-diffusion ai-background painted-background",
    "no-instagram": "no-insta no-ig noinstagram",
}


def _plurals(word: str) -> tuple[str, ...]:
    """The word and its plural."""
    return word, word + ("es" if word.endswith(("ch", "sh", "s", "x")) else "s")


TYPE_WORDS: Mapping[str, JewelryType] = {
    form: kind
    for kind, others in _SAME.items()
    for word in (kind, *others.split())
    for form in _plurals(word)
}
_MODIFIER_WORDS = {word: name for name, others in _SAME_MODIFIER.items() for word in (name, *others.split())}

FOLDER_WORDS = (
    *TYPE_WORDS,
    *_MODIFIER_WORDS,
)  # what no style may be called: in a folder's name it would be lost


def modifier(word: str) -> dict[str, bool | int] | None:
    """The field that a modifier sets ("x4": four variants), or None when the word is not one."""
    if word in _MODIFIER_WORDS:
        return {_MODIFIER_WORDS[word].replace("-", "_"): True}
    count = re.fullmatch(r"x([0-9]{1,3})", word, re.ASCII)
    if count and 1 <= int(count.group(1)) <= MAX_VARIANTS:
        return {"variants": int(count.group(1))}
    return None
