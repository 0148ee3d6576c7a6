"""Hashtags from Vitrine's own list, by what is known of a piece, and no more than are allowed. Refuses what is not in the record."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from daemon.instagram.captions import Record

_SEASONS = ("winter", "winter", *["spring"] * 3, *["summer"] * 3, *["autumn"] * 3, "winter")  # northern


def hashtags(record: Record, shop: Sequence[str], most: int, month: int) -> list[str]:
    """At most `most`, the shop's own first. month: 1..12, for the season."""
    known = _list()
    said = f"{record.metal} {' '.join(record.stones)}".casefold()
    groups = [
        known["type"].get(record.type, ()),
        *_named(known["metal"], said),
        *_named(known["stone"], said),
        known["general"],
        known["template"].get(record.material, ()),
        known["season"][_SEASONS[month - 1]],
    ]
    turned = [_turned(group, record.seed) for group in groups if group]
    mixed = [group[at] for at in range(max(map(len, turned))) for group in turned if at < len(group)]
    return list(dict.fromkeys([*shop, *mixed]))[:most]


def _named(known: Mapping[str, Sequence[str]], said: str) -> list[Sequence[str]]:
    """Groups whose word is said, the longer word first ("white gold" before "gold")."""
    found = [word for word in known if re.search(rf"\b{re.escape(word)}s?\b", said)]
    found.sort(key=len, reverse=True)
    if any(word.endswith(" gold") for word in found):
        found = [word for word in found if word != "gold"]
    return [known[word] for word in found]


def _turned(group: Sequence[str], seed: str) -> list[str]:
    """The group, beginning elsewhere for every piece."""
    start = hashlib.sha256(f"{seed} {group[0]}".encode()).digest()[0] % len(group)
    return [*group[start:], *group[:start]]


@cache
def _list() -> dict[str, Any]:
    text = (resources.files("daemon.instagram") / "voice" / "hashtags.toml").read_text("utf-8")
    return tomllib.loads(text)
