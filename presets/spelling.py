"""Did you mean ...? Owns the nearest known word to a mistyped one; refuses to correct silently."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when nothing is near."""
    matches = difflib.get_close_matches(word.casefold(), sorted(known), n=1, cutoff=0.62)
    return matches[0] if matches else None


MOST = 30  # words that anybody reads in a message


def listing(words: Iterable[str]) -> str:
    """`a, b, c` with every word in quotes as it is written in TOML."""
    return ", ".join(f'"{word}"' for word in words)


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """Say that `word` is not a known `what`, what was likely meant, and what is accepted."""
    names = list(known)
    near = closest(word, names)
    hint = f'; did you mean "{near}"?' if near else ""
    like = (
        difflib.get_close_matches(word.casefold(), names, n=MOST // 3, cutoff=0)
        if len(names) > MOST
        else names
    )
    rest = f", and {len(names) - len(like)} more" if len(like) < len(names) else ""
    return f'there is no {what} "{word}"{hint} (accepted: {listing(like)}{rest})'
