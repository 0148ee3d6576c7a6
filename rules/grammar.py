"""What a folder's name asks for: `<type>[--<template|style>][--<lighting>][--<modifier>...]`.

Owns reading and writing such names. Upper and lower case, blanks, underscores, plurals and typing habits are forgiven; a
word that means nothing becomes a finding with a suggestion, never an error.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import Field

from pipeline.recipe import JEWELRY_TYPES, JewelryType
from pipeline.rig import Frozen
from presets.spelling import closest
from presets.styles import Style, find_style, style_words
from rules.plan import Finding
from rules.vocabulary import MAX_VARIANTS, MODIFIERS, TYPE_WORDS, modifier

LONGEST = 80


class Wish(Frozen):
    """What a folder's name asks for. None and False: it does not say."""

    type: JewelryType | None = None
    style: Style = Style()
    overnight: bool = False
    urgent: bool = False
    draft: bool = False
    raytraced: bool = False
    diffusion: bool = False
    no_instagram: bool = False
    variants: Annotated[int, Field(ge=1, le=MAX_VARIANTS)] | None = None
    findings: tuple[Finding, ...] = ()


def read_folder(folder: str) -> Wish:
    """Read the folder below the inbox ("/"-separated). Never raises; inner folders refine what outer ones say."""
    wish, findings = Wish(), list[Finding]()
    for depth, part in enumerate(filter(None, folder.split("/"))):
        for token in tokens(part):
            fields, unknown = _words(token, wish)
            wish = wish.model_copy(update=fields)
            # Folders inside a folder are often dates or lot names: only what looks like a typing mistake is reported.
            findings += [found for found in map(_unknown, unknown) if depth == 0 or found.suggestion]
    return wish.model_copy(update={"findings": tuple(findings)})


def write_folder(wish: Wish) -> str:
    """The canonical folder name of a wish; reading it gives the wish back (findings apart)."""
    style = wish.style
    colour = "-".join(filter(None, (style.material, style.palette)))
    words = [wish.type or "auto", style.template, colour, style.lighting, style.look]
    words += [name for name in MODIFIERS if getattr(wish, name.replace("-", "_"))]
    words += [f"x{wish.variants}" if wish.variants else None]
    return "--".join(word for word in words if word)


def tokens(part: str) -> list[str]:
    """The words of one folder name, lower case with hyphens inside. Programs turn "--" into a dash: undone here."""
    text = unicodedata.normalize("NFKC", part).casefold()
    text = re.sub(r"\s*[\u2013\u2014]\s*", "--", text)
    text = re.sub(r"[\s_+,.]", "-", re.sub(r"\s*-\s*", "-", text.strip()))
    return [token for token in (piece.strip("-") for piece in re.split(r"-{2,}", text)) if token]


def _words(token: str, wish: Wish) -> tuple[dict[str, object], list[str]]:
    """The wish's fields that a token sets, and the words in it that mean nothing.

    Takes the longest known beginning and goes on with the rest, without turning back: a name from the disk must not
    be able to cost more than its length squared.
    """
    known = _word(token, wish)
    if known is not None or len(token) > LONGEST:
        return known or {}, [] if known is not None else [token[:LONGEST]]
    for cut in reversed([match.start() for match in re.finditer("-", token)]):
        first = _word(token[:cut], wish)
        if first is not None:
            second, unknown = _words(token[cut + 1 :], wish.model_copy(update=first))
            if "type" in first or not unknown:  # "bangles-diwali" is still about bangles
                return {**first, **second}, unknown
            break
    return {}, [token]


def _word(word: str, wish: Wish) -> dict[str, object] | None:
    """The fields that one known word sets; None when it is not known."""
    if word in TYPE_WORDS:
        return {"type": TYPE_WORDS[word]}
    if (found := modifier(word)) is not None:
        return dict(found)
    style = find_style(word)
    return None if style is None else {"style": wish.style.joined(style)}


def _unknown(word: str) -> Finding:
    text = f'The word "{word}" in the folder name means nothing to Vitrine and was ignored.'
    if re.fullmatch(r"x[0-9]+", word):
        return Finding(
            code="unknown-word",
            text=f"{text} For variants write x1 to x{MAX_VARIANTS}, such as x4.",
            suggestion="x4",
        )
    near = _meant(word)
    if near:
        return Finding(code="unknown-word", text=f'{text} Did you mean "{near}"?', suggestion=near)
    hint = f"Types are {', '.join(JEWELRY_TYPES)}; `vitrine templates` lists the styles."
    return Finding(code="unknown-word", text=f"{text} {hint}")


def _meant(word: str) -> str | None:
    """The known word nearest to a mistyped one; a joined word is also mended piece by piece."""
    known = [*TYPE_WORDS, *MODIFIERS, *style_words()]
    pieces = word.split("-")[:8]
    mended = "-".join(closest(piece, known) or piece for piece in pieces)
    if len(pieces) > 1 and _words(mended, Wish())[1] == []:
        return mended
    return closest(word, known)
