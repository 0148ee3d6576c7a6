"""Mistakes in TOML files, said so that the owner can mend them: file, line, key, what is wrong, what is accepted.

Owns reading a TOML text into a pydantic model with such messages. Refuses to open files.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import annotated_types as at
from pydantic import BaseModel, RootModel, ValidationError

from pipeline.errors import Misconfigured
from presets.spelling import closest, listing
from presets.toml_lines import Lines, Path, key_lines, line_of

Model = TypeVar("Model", bound=BaseModel)
_PLAIN: Mapping[Any, str] = {
    bool: "true or false",
    str: "text in quotes",
    dt.time: 'a time of day such as "22:00"',
}
# Names for the members of a union (`pydantic.Tag`): they stand in the place of an error, and are no keys of the file.
UNION_TAGS = (TABLE, PLAIN) = "<table>", "<plain>"
_PROBLEMS = {"missing": "is missing", "extra_forbidden": "is not a known key"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. `line` counts from 1, None when the file does not say it at all; `key` is dotted."""

    file: str
    line: int | None
    key: str
    problem: str
    accepted: str = ""

    def __str__(self) -> str:
        place = ", ".join(
            part for part in (self.file, f"line {self.line}" if self.line else "", self.key) if part
        )
        return f"{place}: {self.problem}" + (f" (accepted: {self.accepted})" if self.accepted else "")


def misconfigured(mistakes: Sequence[Mistake]) -> Misconfigured:
    """All mistakes as one error."""
    count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "mistake"
    return Misconfigured(
        "\n".join(str(mistake) for mistake in mistakes), f"Mend the {count} above and try again."
    )


def parse(text: str, file: str) -> tuple[dict[str, Any], list[Mistake]]:
    """The text as a dictionary, or where its syntax breaks."""
    try:
        return tomllib.loads(text), []
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        what = re.sub(r"\s*\(at .*\)$", "", str(error)).rstrip(".")
        written = (text.splitlines() or [""])[min(line, max(1, len(text.splitlines()))) - 1].strip()
        accepted = 'key = value, with text in "quotes" and lists in [brackets]'
        return {}, [Mistake(file, line, "", f"cannot be read: {what}, near `{written[:60]}`", accepted)]


def read(model: type[Model], text: str, file: str, given: Mapping[str, Any] | None = None) -> Model:
    """The text as a `model`; `given` are fields that do not stand in the text. Raises Misconfigured: every mistake."""
    data, wrong = parse(text, file)
    if wrong:
        raise misconfigured(wrong)
    try:
        return model.model_validate({**data, **(given or {})})
    except ValidationError as error:
        raise misconfigured(explain(error, model, file, key_lines(text))) from None


def explain(error: ValidationError, model: type[BaseModel], file: str, lines: Lines) -> list[Mistake]:
    """Every mistake in `error`, located."""
    found = []
    for item in error.errors(include_url=False):
        path: Path = tuple(part for part in item["loc"] if part not in UNION_TAGS)
        kind, given = item["type"], item.get("input")
        problem = _PROBLEMS.get(kind) or f"{_shown(given)} does not fit"
        accepted = _accepted(_target(model, path))
        if kind == "extra_forbidden":
            keys = _keys(_target(model, path[:-1]))
            near = closest(str(path[-1]), keys)
            problem += f'; did you mean "{near}"?' if near else ""
            accepted = ", ".join(keys)
        elif kind in {"value_error", "assertion_error"}:
            problem, accepted = str(item["ctx"]["error"]), ""
        elif (
            kind == "literal_error"
            and isinstance(given, str)
            and (near := closest(given, _words(model, path)))
        ):
            problem = f'{_shown(given)} is not known; did you mean "{near}"?'
        found.append(Mistake(file, line_of(lines, path), dotted(path), problem, accepted))
    return sorted(found, key=lambda mistake: (mistake.line or 0, mistake.key))


def dotted(path: Path) -> str:
    """`("rule", 0, "match")` as `rule[1].match`; people count from one."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _target(model: Any, path: Path) -> Any:
    """The type that the model wants at `path`; None when it wants nothing there."""
    kind: Any = model
    for part in path:
        kind = _bare(kind)
        if isinstance(part, int) or get_origin(kind) is dict:
            items = [arg for arg in get_args(kind) if arg is not Ellipsis]
            kind = items[min(part, len(items) - 1) if isinstance(part, int) else 1] if items else None
        elif isinstance(kind, type) and issubclass(kind, BaseModel) and part in kind.model_fields:
            field = kind.model_fields[part]
            kind = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        else:
            return None
    return kind


def _bare(kind: Any) -> Any:
    """The type without its `Annotated`, without "or None", and a root model's own content."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {types.UnionType, Union}:
        rest = [_bare(arg) for arg in get_args(kind) if arg is not type(None)]
        tables = [arg for arg in rest if isinstance(arg, type) and issubclass(arg, BaseModel)]
        return rest[0] if len(rest) == 1 else tables[0] if tables else kind
    if isinstance(kind, type) and issubclass(kind, RootModel):
        return kind.model_fields["root"].annotation
    return kind


def _keys(kind: Any) -> list[str]:
    kind = _bare(kind)
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _words(model: Any, path: Path) -> list[str]:
    kind = _bare(_target(model, path))
    return [str(word) for word in get_args(kind)] if get_origin(kind) is Literal else []


def _bounds(kind: Any) -> tuple[list[Any], Any]:
    """Constraints of a type, also inside "or None", and the type itself."""
    if get_origin(kind) in {types.UnionType, Union}:
        kind = next(arg for arg in get_args(kind) if arg is not type(None))
    if get_origin(kind) is Annotated:
        inner, *extra = get_args(kind)
        deeper, bare = _bounds(inner)
        flat = [part for item in extra for part in getattr(item, "metadata", [item])]
        return [*flat, *deeper], bare
    return [], kind


def _accepted(kind: Any) -> str:
    """What a value of this type looks like, for a person."""
    limits, bare = _bounds(kind)
    if get_origin(bare) is Literal:
        return listing(map(str, get_args(bare)))
    if bare in {int, float}:
        noun = "a whole number" if bare is int else "a number"
        return noun + _span(limits)
    if get_origin(bare) is tuple:
        items = get_args(bare)
        count = "" if items[-1] is Ellipsis else f"{len(items)} values, each "
        return f"a list of {count}{_accepted(items[0])}"
    if keys := _keys(bare):
        return "a table with " + ", ".join(keys)
    if any("#" in (getattr(limit, "pattern", None) or "") for limit in limits):
        return 'a colour such as "#0b1a3f"'
    return _PLAIN.get(bare, "")


def _span(limits: Sequence[Any]) -> str:
    low = next((f" from {x.ge}" for x in limits if isinstance(x, at.Ge)), "")
    low = low or next((f" above {x.gt}" for x in limits if isinstance(x, at.Gt)), "")
    high = next((f" to {x.le}" for x in limits if isinstance(x, at.Le)), "")
    return low + (high or next((f" and below {x.lt}" for x in limits if isinstance(x, at.Lt)), ""))
