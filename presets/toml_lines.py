"""At which line of a TOML text a key stands. Owns that search; refuses to judge values (`tomllib` has read them).

`tomllib` keeps no positions. The text given here has already passed `tomllib`, so this scan may trust its syntax.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]
Lines = dict[Path, int]

_PART = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+)\s*(\.)?')
_SKIP = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|' r"'''.*?'''|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'|" r"#[^\n]*|" r".",
    re.DOTALL,
)


def _dotted(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """The dotted key that starts at `at`, and where it ends."""
    parts: list[str] = []
    while match := _PART.match(text, at):
        at = match.end()
        word = match.group(1)
        parts.append(str(tomllib.loads(f"k = {word}")["k"]) if word[0] in "\"'" else word)
        if not match.group(2):
            break
    return tuple(parts), at


def _value_end(text: str, at: int) -> int:
    """Where the value that starts at `at` ends: the first line break outside strings and brackets."""
    depth = 0
    while at < len(text) and (token := _SKIP.match(text, at)):
        piece = token.group()
        if piece == "\n" and depth == 0:
            break
        depth += (piece in {"[", "{"}) - (piece in {"]", "}"})
        at = token.end()
    return at


def key_lines(text: str) -> Lines:
    """Line (from 1) of every key and table header; elements of `[[x]]` are counted from 0.

    Keys inside inline tables and elements of lists are not listed: ask `line_of`, which falls back to their owner.
    """
    lines: Lines = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    at = 0
    while at < len(text):
        rest = re.compile(r"[\s]*(?:#[^\n]*\s*)*").match(text, at)
        at = rest.end() if rest else at
        if at >= len(text):
            break
        line = text.count("\n", 0, at) + 1
        if text[at] == "[":
            is_list = text.startswith("[[", at)
            parts, end = _dotted(text, at + 1 + is_list)
            table = _table(parts, counts, is_list=is_list)
            lines.setdefault(table, line)
            at = text.index("]", end) + 1 + is_list
            continue
        parts, end = _dotted(text, at)
        for depth in range(1, len(parts) + 1):
            lines.setdefault((*table, *parts[:depth]), line)
        at = _value_end(text, max(end, at + 1))
    return lines


def _table(parts: tuple[str, ...], counts: dict[Path, int], *, is_list: bool) -> Path:
    """The path of a header, with the index of the newest element after each list of tables on the way."""
    path: Path = ()
    for depth, part in enumerate(parts):
        path = (*path, part)
        if is_list and depth == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def line_of(lines: Lines, path: Path) -> int | None:
    """Line of the key, or of the nearest owner that has one; None when nothing on the way is in the file."""
    for depth in range(len(path), 0, -1):
        if path[:depth] in lines:
            return lines[path[:depth]]
    return None
