"""Preset files into checked models. Owns reading them and the names that refer from one file to another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import Misconfigured
from pipeline.recipe import JEWELRY_TYPES, MATERIALS, Look, Surface
from pipeline.rig import Rig
from presets.mistakes import Mistake, read
from presets.models import DRAWN_ANEW, FORMED, Defaults, SurfaceFile, Template, TemplateFile
from presets.spelling import unknown
from presets.toml_lines import key_lines, line_of

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """All presets by name. `templates` are in the order of the materials and of the file, the most wanted first.

    defaults: jewelry type to template name; occasions: word to template name; own: the templates that are the studio's.
    """

    surfaces: Mapping[str, SurfaceFile]
    rigs: Mapping[str, Rig]
    looks: Mapping[str, Look]
    templates: Mapping[str, Template]
    defaults: Mapping[str, str]
    occasions: Mapping[str, str]
    own: frozenset[str] = frozenset()

    def surface_of(self, template: Template) -> Surface:
        """What a template's piece stands on."""
        return self.surfaces[template.surface].surface(template.palette, template.change)


@dataclass(slots=True)
class _Reader:
    """Reads one file after the other and collects what is wrong with all of them."""

    home: Path
    wrong: list[str] = field(default_factory=list)

    def read(self, path: Path, model: type[Model], *, named: bool = False) -> Model | None:
        try:
            given = {"name": path.stem} if named else {}
            return read(model, path.read_text("utf-8"), str(path), given)
        except Misconfigured as error:
            self.wrong.append(str(error))
        except (OSError, UnicodeDecodeError) as error:
            self.wrong.append(f"{path}: cannot be read: {error}")
        return None

    def each(self, folder: str, model: type[Model], *, named: bool = False) -> Iterator[tuple[Path, Model]]:
        for path in sorted((self.home / folder).glob("*.toml")):
            found = self.read(path, model, named=named)
            if found is not None:
                yield path, found

    def refer(
        self, path: Path, key: tuple[str, ...], what: str, name: str, known: Mapping[str, object]
    ) -> None:
        """Note a mistake when `name`, which stands at `key` in the file, is not known."""
        if name not in known:
            self.note(path, key, unknown(what, name, known))

    def note(self, path: Path, key: tuple[str, ...], problem: str, accepted: str = "") -> None:
        """Note a mistake at `key` in the file."""
        line = line_of(key_lines(path.read_text("utf-8")), key)
        self.wrong.append(str(Mistake(str(path), line, ".".join(key), problem, accepted)))

    def check(self, path: Path, name: str, template: Template, known: Library) -> None:
        """Note what a template refers to and is not there."""
        surface = known.surfaces.get(template.surface)
        palettes = surface.palettes if surface else {}
        self.refer(path, (name, "surface"), "surface", template.surface, known.surfaces)
        if palettes:
            self.refer(path, (name, "palette"), f"{template.surface} palette", template.palette, palettes)
        self.refer(path, (name, "rig"), "lighting", template.rig, known.rigs)
        self.refer(path, (name, "look"), "look", template.look, known.looks)
        if template.palette in palettes:
            try:
                known.surface_of(template)
            except ValidationError as error:
                self.note(path, (name, "change", "pattern"), str(error.errors()[0]["ctx"]["error"]))
        given = template.change.model_dump(exclude_none=True)
        if given.get("plate") and given["plate"] not in DRAWN_ANEW:
            for key in FORMED:
                if surface and given.get(key, getattr(surface, key)) != getattr(surface, key):
                    problem = (
                        f'has no effect on the plate "{given["plate"]}", whose folds and grain were baked'
                    )
                    self.note(
                        path,
                        (name, "change", key),
                        problem,
                        f"plate or {key}, not both; without a plate it is painted",
                    )


def load(home: Path) -> Library:
    """Read the presets below `home`. Raises Misconfigured: every mistake with file, line, key and accepted values."""
    reader = _Reader(home)
    surfaces = {path.stem: file for path, file in reader.each("surfaces", SurfaceFile, named=True)}
    rigs = {path.stem: rig for path, rig in reader.each("rigs", Rig, named=True)}
    looks = {path.stem: look for path, look in reader.each("looks", Look, named=True)}
    templates = _templates(reader, Library(surfaces, rigs, looks, {}, {}, {}), "templates", {})
    order = [*MATERIALS, *surfaces, *(one.surface for one in templates.values())]  # the last may be unknown
    ordered = dict(sorted(templates.items(), key=lambda item: order.index(item[1].surface)))
    defaults, occasions = _defaults(reader, ordered)
    if reader.wrong:
        raise Misconfigured("\n".join(reader.wrong), "Mend the presets above, or install Vitrine again.")
    return Library(surfaces, rigs, looks, ordered, defaults, occasions)


def with_own(known: Library, home: Path, reserved: Collection[str] = ()) -> Library:
    """`known` and the templates in the files of the folder `home`, which come first; `known` itself when there are none.

    reserved: words that mean something else in a folder's name. Raises Misconfigured as `load` does.
    """
    reader = _Reader(home)
    own = _templates(
        reader, known, ".", {**dict.fromkeys(reserved, "a word of folder names"), **_taken(known)}
    )
    if reader.wrong:
        raise Misconfigured("\n".join(reader.wrong), "Mend the templates above and try again.")
    if not own:
        return known
    return replace(known, templates={**own, **known.templates}, own=frozenset(own))


def _taken(known: Library) -> dict[str, str]:
    """Names that a template of the studio's own cannot have, and what they are."""
    sorts = {
        "a template that comes with Vitrine": known.templates,
        "a surface": known.surfaces,
        "a light": known.rigs,
        "a look": known.looks,
        "an occasion": known.occasions,
    }
    return {name: what for what, names in sorts.items() for name in names}


def _templates(reader: _Reader, known: Library, folder: str, taken: Mapping[str, str]) -> dict[str, Template]:
    """Templates of all files; what they refer to must be in `known`, and their names not in `taken`."""
    found: dict[str, Template] = {}
    names = dict(taken)
    for path, file in reader.each(folder, TemplateFile):
        for name, template in file.root.items():
            if name in names:
                reader.note(path, (name,), f"the name is taken: it is {names[name]}", "another name")
            reader.check(path, name, template, known)
            names[name] = f"a template in {path.name}"
        found |= file.root
    return found


def _defaults(reader: _Reader, templates: Mapping[str, Template]) -> tuple[dict[str, str], dict[str, str]]:
    """Templates by kind of jewelry, and by occasion."""
    path = reader.home / "defaults.toml"
    found = reader.read(path, Defaults)
    if found is None:
        return {}, {}
    named = {str(kind): name for kind, name in found.types.items()}
    for kind, name in named.items():
        reader.refer(path, ("types", kind), "template", name, templates)
    for word, name in found.occasions.items():
        reader.refer(path, ("occasions", word), "template", name, templates)
    for kind in JEWELRY_TYPES:
        if kind not in named:
            reader.wrong.append(
                str(Mistake(str(path), None, f"types.{kind}", "is missing", "a template's name"))
            )
    return named, found.occasions
