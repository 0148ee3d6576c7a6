"""Whether a text that nobody wrote may stand below the shop's picture. Owns that check; writes nothing, and knows no model.

What is checked is what the text is made of, not what it means: every word must be one of the record's, of the voice's, or of a
list of plain words that state nothing (`voice/plain.toml`), every number one of the record's. So a metal, a stone, an origin, a
price or a promise that is on no list is refused as well. A good caption that is refused costs nothing: another one is used.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache
from importlib import resources

from daemon.instagram.captions import Record, Voice
from daemon.instagram.facts import stated, unstated

LONGEST, SHORTEST = 280, 12
_MOST_SENTENCES = 4
_MARKS = set(" .,;:!?'\u2019\u2018\u201c\u201d\u201e\"-\u2013\u2014()&/€$£%·")
_CLAIMS = re.compile(  # of plain words, which say more together than each of them
    r"\bby hand\b|\bof a kind\b|\bone of\b|\bvon hand\b|\bfor life\b|\bfor ever\b|\bein leben lang\b|\ball your life\b"
)
_NUMBERS = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "dozen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "hundred",
        "thousand",
        "half",
        "double",
        "triple",
        "zwei",
        "drei",
        "vier",
        "fünf",
        "sechs",
        "sieben",
        "acht",
        "neun",
        "zehn",
        "elf",
        "zwölf",
        "dutzend",
        "zwanzig",
        "dreißig",
        "fünfzig",
        "hundert",
        "tausend",
        "doppelt",
        "dreifach",
    ]
)

_NUMBER = re.compile(r"([^\W\d_]+|[€$£])?\s?(?<![\d.,])(\d+(?:[.,]\d+)*)\s?([^\W\d_]+|[€$£])?")
_COLOURS = frozenset(
    [
        "white",
        "yellow",
        "rose",
        "red",
        "pink",
        "green",
        "black",
        "blue",
        "grey",
        "gray",
        "violet",
        "orange",
        "champagne",
        "cream",
    ]
)


def doubts(text: str, record: Record, voice: Voice, before: Collection[str]) -> list[str]:
    """All that speaks against `text`, in words for the log; [] if it may be used."""
    return list(_doubts(unicodedata.normalize("NFC", text), record, voice, before))


def _doubts(text: str, record: Record, voice: Voice, before: Collection[str]) -> Iterator[str]:
    if not SHORTEST <= len(text) <= LONGEST:
        yield f"it has {len(text)} characters"
    if not text.endswith((".", "!", "?")):
        yield "it does not end"
    if len(re.findall(r"[.!?](?:\s|$)", text)) > _MOST_SENTENCES:
        yield "it has too many sentences"
    if text in before:
        yield "it was said before"
    if strange := sorted({letter for letter in text if not (letter.isalnum() or letter in _MARKS)}):
        yield f"it has signs such as {strange[0]!r}"
    if re.search(r"\w[./:]\w*[a-z]", text, re.IGNORECASE):
        yield "it may hold a link"
    if found := _CLAIMS.search(text.casefold()):
        yield f'"{found[0]}" is a promise'
    yield from _unknown(text, record, voice)
    words = Counter(word for word in _words(text) if len(word) > 3)
    if words and words.most_common(1)[0][1] > 2:
        yield f'it says "{words.most_common(1)[0][0]}" again and again'


def _unknown(text: str, record: Record, voice: Voice) -> Iterator[str]:
    facts = record.facts
    known = set(_words(facts))
    if invented := sorted(unstated(text, facts)):
        yield f'"{invented[0]}" is not in the record'
    yield from _misused(text, facts)
    said = set(_words(text)) - known
    if counted := sorted(said & _NUMBERS):
        yield f'"{counted[0]}" is not in the record'
    allowed = set(_words(" ".join(voice.may_say(record)))) | _plain(voice.language)
    if unknown := sorted(said - allowed):
        yield f'"{unknown[0]}" is not one of the words that may be used'


def _misused(text: str, facts: str) -> Iterator[str]:
    """Numbers that do not stand beside what they stand beside in the record, and metals and stones of another colour."""
    known = re.sub(r"\s", "", facts).casefold()
    for found in _NUMBER.finditer(text.casefold()):
        before, number, after = found.groups(default="")
        if number not in known or not (
            (before and before + number in known) or (after and number + after in known)
        ):
            yield f'the number "{number}" is not in the record like that'
    for fact in stated(text):
        for colour in re.findall(rf"(\w+)[\s-]+{re.escape(fact)}", text.casefold()):
            if colour in _COLOURS and colour + fact not in re.sub(r"-", "", known):
                yield f'"{colour} {fact}" is not in the record'


def _words(text: str) -> list[str]:
    """In small letters, without numbers; "it's" is two."""
    return re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", text).lower())


@cache
def _plain(language: str) -> frozenset[str]:
    text = (resources.files("daemon.instagram") / "voice" / "plain.toml").read_text("utf-8")
    return frozenset(_words(tomllib.loads(text).get(language, "")))
