"""Captions, descriptions for the blind and hashtags from what is known of a piece. Owns the choice of words; invents no facts.

`Captioner` is the Protocol, `Voice` the engine: lines of a TOML file, the packaged one or the shop's own. The same record, seed and
past give the same words. Another engine stands beside it: `daemon.instagram.language_model`.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

from pydantic import Field

from daemon.instagram.facts import stated, unstated
from pipeline.errors import Misconfigured
from pipeline.rig import Frozen
from presets.mistakes import read
from rules.vocabulary import TYPE_WORDS

_Lines = Annotated[tuple[str, ...], Field(min_length=1)]
_Words = Mapping[str, str]
T = TypeVar("T")
_NAMED_SURFACES = frozenset({"velvet", "marble"})  # whose palette is the colour of one material


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of a piece and its picture. title: "" if nobody gave it one. metal, stones, price, sku, link: as its owner wrote them.

    template, palette, material, light: names of the presets; colours: `pipeline.judge.colours`. seed: of the picture's job.
    """

    title: str = ""
    type: str = "auto"
    metal: str = ""
    stones: tuple[str, ...] = ()
    price: str = ""
    sku: str = ""
    link: str = ""
    material: str = ""
    palette: str = ""
    light: str = ""
    colours: tuple[str, ...] = ()
    seed: str = ""

    @property
    def facts(self) -> str:
        """What may be stated."""
        return " ".join((self.title, self.metal, *self.stones, self.price, self.sku, self.link))


@dataclass(frozen=True, slots=True)
class Said:
    """voice: which lines were chosen, so that the next caption does not begin alike. note: for the post's history."""

    caption: str
    alt_text: str
    voice: str
    note: str = ""


class Captioner(Protocol):
    """Writes the words of a post."""

    def write(self, record: Record, before: Collection[str], last: str) -> Said:
        """Words for the record; never one of the captions `before`, nor lines like those of `last` (a Said.voice)."""
        ...


class VoiceFile(Frozen):
    """One language's lines and words; see `voice/en.toml`."""

    openings: _Lines
    middles: _Lines
    closings: _Lines
    alt: _Lines
    and_: Annotated[str, Field(alias="and")] = "and"
    of_metal: str = ""
    with_stones: str = ""
    in_colours: str = ""
    surface: str = "{palette} {material}"
    bare_surface: str = "{material}"
    type: _Words
    a_type: _Words
    material: _Words
    palette: _Words
    it: _Words = Field(default_factory=dict)
    middles_for: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    light: _Words
    colour: _Words


class Voice:
    """Speaks one language. language: as in the settings."""

    def __init__(self, language: str, file: VoiceFile) -> None:
        self.language = language
        self._file = file

    def write(self, record: Record, before: Collection[str], last: str) -> Said:
        """See Captioner. When every combination was used before, the least recently chosen beginning is used again."""
        words = self._words(record)
        spare: Said | None = None
        for (opening, first), (middle, second), (closing, third) in self._combinations(record, words):
            parts = [line.format_map(words) for line in (first, second, third)]
            said = Said(
                " ".join(_upper(part) for part in parts if part),
                "",
                f"{self.language}:{opening}.{middle}.{closing}",
            )
            if unstated(said.caption, record.facts):
                continue  # the shop's own voice may have such a line
            spare = spare or said
            if said.caption not in before and not _alike(said.voice, last):
                spare = said
                break
        kind = words.get("Type", "")
        if spare is None and kind and not record.title:  # a voice whose lines all want a name
            return self.write(replace(record, title=kind), before, last)
        if spare is None:
            spare = Said(record.title or kind, "", f"{self.language}:-.-.-")
        return Said(spare.caption, self._alt(record, words), spare.voice)

    def may_say(self, record: Record) -> list[str]:
        """All that this voice could say of the record: a vocabulary."""
        file, words = self._file, self._words(record)
        lines = [*file.openings, *file.middles, *file.middles_for.get(record.type, ()), *file.closings]
        return [*(re.sub(r"\{\w+\}", " ", line) for line in lines), *words.values()]

    def described(self, record: Record) -> Mapping[str, str]:
        """Kind, surface and light of the record in this language; "" if it is not known."""
        words = self._words(record)
        return {name: words.get(name, "") for name in ("type", "surface", "light")}

    def _combinations(self, record: Record, words: _Words) -> list[tuple[tuple[int, str], ...]]:
        """All of them: first those that say what is known, and say nothing twice; else as the seed decides."""
        known = [group for group in _WORTH_SAYING if any(word in words for word in group)]

        def clumsy(picked: tuple[tuple[int, str], ...]) -> int:
            said = [word.lower() for _, line in picked for word in _fields(line)]
            counts = [sum(said.count(word) for word in group) for group in known]
            return (
                counts.count(0)
                + sum(said.count(word) > 1 for word in set(said) - {"it"})
                + sum(n > 1 for n in counts)
            )

        return sorted(self._turned(record, words), key=clumsy)

    def _turned(self, record: Record, words: _Words) -> Iterator[tuple[tuple[int, str], ...]]:
        """All that can be said, in an order that the seed decides, so that neighbours in it differ in all three lines."""
        file = self._file
        own = file.middles_for.get(record.type, ())
        middles = (*file.middles, *own, *own)  # what suits this kind is said the more often
        turned = [
            _shuffled(
                [(at, line) for at, line in enumerate(lines) if words.keys() >= set(_fields(line))],
                f"{record.seed} {self.language} {name}",
            )
            for name, lines in (("o", file.openings), ("m", middles), ("c", file.closings))
        ]
        if not all(turned):
            return
        seen = set()
        for step in range(max(len(lines) for lines in turned)):  # first all three move on together
            picked = tuple(lines[step % len(lines)] for lines in turned)
            seen.add(picked)
            yield picked
        yield from (one for one in product(*turned) if one not in seen)

    def _alt(self, record: Record, words: Mapping[str, str]) -> str:
        if record.type == "auto" and (a_type := self._file.a_type.get("auto")):  # here something must be said
            words = {**words, "a_type": a_type, "A_type": _upper(a_type)}
        for line in _shuffled(list(self._file.alt), record.seed):
            text = _filled(line, words)
            if text and not unstated(text, record.facts):
                return _upper(text)
        return _upper(words.get("a_type", "")) + (f": {record.title}" if record.title else "")

    def _words(self, record: Record) -> dict[str, str]:
        """The variables that have a value."""
        file = self._file
        a_type = file.a_type.get(record.type, "")
        known = {
            "title": record.title.strip().rstrip("."), "metal": record.metal, "price": record.price.rstrip("."),
            "sku": record.sku, "link": record.link, "stones": self._listed(record.stones),
            "type": file.type.get(record.type, ""), "a_type": "" if record.type == "auto" else a_type,
            "light": file.light.get(record.light, ""), "it": file.it.get(record.type, ""), "name": self._name(record),
            "colours": self._listed([file.colour[one] for one in record.colours if one in file.colour]),
        }  # fmt: skip
        known["surface"] = self._surface(record)
        known |= {_upper(key): _upper(value) for key, value in known.items() if value}
        known = {key: value for key, value in known.items() if value}
        for optional in _OPTIONAL:
            known[optional] = _filled(getattr(file, optional), known) or ""
        return known

    def _name(self, record: Record) -> str:
        """The title, if it sounds like a name: "Aurora", "Nuit Blanche"; not "Gold ring 22k", not "Ring"."""
        words = record.title.split()
        kinds = {*TYPE_WORDS, *map(str.casefold, self._file.type.values())}
        plain = all(word.isalpha() and word[0].isupper() and word.casefold() not in kinds for word in words)
        return record.title if 0 < len(words) <= 3 and plain and not stated(record.title) else ""

    def _surface(self, record: Record) -> str:
        material = self._file.material.get(record.material, "")
        palette = self._file.palette.get(record.palette, "") if record.material in _NAMED_SURFACES else ""
        words = {key: value for key, value in (("material", material), ("palette", palette)) if value}
        return _filled(self._file.surface, words) or _filled(self._file.bare_surface, words) or ""

    def _listed(self, words: Sequence[str]) -> str:
        if len(words) < 2:
            return "".join(words)
        return f"{', '.join(words[:-1])} {self._file.and_} {words[-1]}"


def voice_for(language: str, own: Path | None) -> Voice:
    """The voice of a language: the shop's own file in the folder `own`, else the packaged one. Raises Misconfigured."""
    text, name = _own_voice(language, own) if own is not None else ("", "")
    if not text:
        packaged = resources.files("daemon.instagram") / "voice" / f"{language}.toml"
        if not packaged.is_file():
            raise Misconfigured(
                f'There is no voice for the language "{language}".',
                f"Write captions/{language}.toml in the studio folder (a copy of Vitrine's en.toml is a good start), or"
                ' use "en" or "de".',
            )
        text, name = packaged.read_text("utf-8"), f"{language}.toml"
    file = read(VoiceFile, text, name)
    _check(file, name)
    return Voice(language, file)


def _own_voice(language: str, own: Path) -> tuple[str, str]:
    path = own / f"{language}.toml"
    try:
        return path.read_text("utf-8"), str(path)
    except FileNotFoundError:
        return "", ""
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: cannot be read: {error}", "The file must be UTF-8 text.") from None


_OPTIONAL = ("of_metal", "with_stones", "in_colours")  # parts of an alternative text, said if known
_WORTH_SAYING = (("title", "name"), ("metal",), ("stones",), ("price",))  # what its owner would say first
_VARIABLES = frozenset(
    (
        "title",
        "metal",
        "price",
        "sku",
        "link",
        "stones",
        "type",
        "a_type",
        "light",
        "colours",
        "surface",
        "it",
        "name",
        *_OPTIONAL,
    )
)


def _check(file: VoiceFile, name: str) -> None:
    """Every variable of every line must be one that there is."""
    own = (line for lines in file.middles_for.values() for line in lines)
    for line in (*file.openings, *file.middles, *own, *file.closings, *file.alt):
        try:
            used = _fields(line)
        except ValueError as error:
            raise Misconfigured(f"{name}: {line!r}: {error}", "Write {{ for a brace of its own.") from None
        if strange := {word for word in used if word.lower() not in _VARIABLES}:
            raise Misconfigured(
                f"{name}: {line!r}: there is no {{{strange.pop()}}}",
                f"There are {', '.join(sorted(_VARIABLES))}.",
            )


@cache
def _fields(line: str) -> tuple[str, ...]:
    return tuple(field for _, field, _, _ in string.Formatter().parse(line) if field is not None)


def _filled(line: str, words: Mapping[str, str]) -> str | None:
    """The line, or None if it needs what is not known."""
    if any(field not in words for field in _fields(line)):
        return None
    return line.format_map(words)


def _alike(voice: str, last: str) -> bool:
    """Whether the same opening, or the same middle, would follow itself."""
    one, other = voice.partition(":")[2].split("."), last.partition(":")[2].split(".")
    return one[0] == other[0] or one[1:2] == other[1:2]


def _upper(word: str) -> str:
    return word[:1].upper() + word[1:]


def _shuffled(items: list[T], seed: str) -> list[T]:
    """An order that hangs on the seed alone, on any machine."""

    def rank(at: int) -> bytes:
        return hashlib.sha256(f"{seed} {at}".encode()).digest()

    return [items[at] for at in sorted(range(len(items)), key=rank)]
