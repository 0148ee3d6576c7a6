"""`vitrine backgrounds`: the painted backgrounds, for people. Owns the words; the files are `daemon.background_files`' matter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from daemon.background_files import BackgroundFiles, Entry
from daemon.backgrounds import Library
from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.darkroom import library_of
from daemon.settings import Settings, load_settings
from daemon.studio import Studio as Folders
from pipeline.backdrop.diffused import NotPainted
from pipeline.backdrop.stage import Stage
from pipeline.errors import BadInput
from pipeline.format import FORMAT_NAMES, FORMATS, FormatName
from pipeline.layout import TABLE_ELEVATION
from pipeline.recipe import Recipe
from pipeline.stance import stance_for
from pipeline.values import Ground
from presets.library import recipe
from presets.painting import Commission
from presets.styles import choose, find_style
from rules.vocabulary import TYPE_WORDS

_ACTIONS = ("list", "show", "pin", "ban", "free", "paint")


def command(  # noqa: PLR0917 - typer reads the options off the signature
    action: Annotated[str, typer.Argument(help=f"What to do: {', '.join(_ACTIONS)}.")] = "list",
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Backgrounds; for paint: templates.")
    ] = None,
    kind: Annotated[
        str, typer.Option("--type", help="paint: the kind of jewelry that shall stand on it.")
    ] = "ring",
    shape: Annotated[
        str, typer.Option("--format", "-f", help=f"paint: {', '.join(FORMAT_NAMES)}.")
    ] = "square",
    count: Annotated[
        int, typer.Option("--count", min=0, max=100, help="paint: how many; 0 as in [diffusion].")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="paint: of the first one.")] = 0,
    studio: Studio = STUDIO,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Look at the painted backgrounds, keep the good ones, ban the bad ones, paint some before the night."""
    if action not in _ACTIONS:
        raise typer.BadParameter(f'"{action}" is not one of {", ".join(_ACTIONS)}')
    folders = Folders(studio.absolute())
    settings = load_settings(folders.root)
    wall = Wall(folders, BackgroundFiles(folders.backgrounds, settings.diffusion.keep_mb), as_json=as_json)
    if action == "paint":
        if kind not in TYPE_WORDS or shape not in FORMAT_NAMES:
            raise typer.BadParameter("--type or --format is not known")
        wall.paint(library_of(settings, folders), _recipes(settings, names or [], kind, shape, count, seed))
    elif action == "list":
        wall.list()
    else:
        for name in names or []:
            getattr(wall, action)(name)


@dataclass(frozen=True, slots=True)
class Wall:
    """One call of the command."""

    folders: Folders
    files: BackgroundFiles
    as_json: bool

    def list(self) -> None:
        """All of them."""
        entries = self.files.all()
        if self.as_json:
            typer.echo(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=2))
            return
        if not entries:
            typer.echo(f"There are no painted backgrounds in {self.files.folder}.")
            return
        wide = max(len(entry.name) for entry in entries)
        for entry in entries:
            state = "banned" if entry.banned else "pinned" if entry.pinned else ""
            line = f"{entry.name:<{wide}}  {entry.made:%Y-%m-%d}  {entry.told.get('model', '')}  {state}"
            typer.echo(line.rstrip())

    def show(self, name: str) -> None:
        """All of one."""
        entry = self._entry(name)
        if not self.as_json:
            typer.echo(str(self.files.folder / f"{entry.name}.png"))
        typer.echo(entry.model_dump_json(indent=2))

    def pin(self, name: str) -> None:
        """Prefer one, and never take it away."""
        self._marked(
            name, "is pinned: its set uses pinned ones only, and it is never taken away", pinned=True
        )

    def ban(self, name: str) -> None:
        """Never use one again."""
        self._marked(name, "is banned: it is never used again, and its picture is gone", banned=True)

    def free(self, name: str) -> None:
        """Neither pinned nor banned."""
        self._marked(name, "is neither pinned nor banned")

    def paint(self, library: Library, recipes: Sequence[Recipe]) -> None:
        """Paint what is not there yet for these sets."""
        try:
            for wanted in recipes:
                if wanted.painting is None:
                    continue
                made = library.fill(_stage(wanted), wanted.painting)
                for entry in made:
                    card = f", {entry.told['card_mb']} MB of the card" if entry.told["card_mb"] else ""
                    cost = f"{entry.told['seconds']} s{card}"
                    typer.echo(f"{wanted.template}: {self.files.folder / entry.name}.png ({cost})")
                if not made:
                    typer.echo(f"{wanted.template}: all are there")
        except NotPainted as error:
            raise BadInput(f"No background was painted: {error}.") from error
        finally:
            library.painter.close()

    def _marked(self, name: str, words: str, *, pinned: bool = False, banned: bool = False) -> None:
        entry = self._entry(name).model_copy(update={"pinned": pinned, "banned": banned})
        self.files.mark(entry)
        typer.echo(f"{entry.name} {words}.")

    def _entry(self, name: str) -> Entry:
        """The background that a name or the beginning of one means. Raises BadInput."""
        plain = Path(name).name.removesuffix(".png").removesuffix(".json")
        found = [one for one in self.files.all() if one.name == plain]
        found = found or [one for one in self.files.all() if one.name.startswith(plain)]
        if len(found) != 1:
            what = "several backgrounds begin like that" if found else "there is no such background"
            raise BadInput(f"{name}: {what}.", "`vitrine backgrounds` lists them.")
        return found[0]


def _recipes(  # noqa: PLR0917 - what the options say
    settings: Settings, names: list[str], kind: str, shape: str, count: int, seed: int
) -> list[Recipe]:
    """One for each template; without names, those that rules and defaults name where they want painted sets."""
    brush = settings.rules.diffusion.model_copy(update={"backgrounds": count} if count else {})
    asked = [
        one for one in (settings.defaults, *settings.rule) if one.backdrop == "diffusion" and one.template
    ]
    templates = names or list(dict.fromkeys(str(one.template) for one in asked))
    if not templates:
        raise BadInput("Name the templates to paint for.", "`vitrine templates` lists them.")
    wanted: FormatName = next(one for one in FORMAT_NAMES if one == shape)
    made = []
    for name in templates:
        style = find_style(name.casefold())
        if style is None:
            raise BadInput(f'There is no template or style "{name}".', "`vitrine templates` lists them.")
        choice = choose(style, TYPE_WORDS[kind])
        made.append(
            recipe(
                choice.template,
                TYPE_WORDS[kind],
                lighting=choice.lighting,
                look=choice.look,
                format=wanted,
                size_px=settings.size_px if wanted == "square" else FORMATS[wanted].size_px,
                seed=seed,
                backdrop="diffusion",
                commission=Commission(brush=brush),
            )
        )
    return made


def _stage(wanted: Recipe) -> Stage:
    """The set as any piece would see it."""
    view, _ = stance_for(wanted.jewelry_type, wanted.view, wanted.pose)
    ground = Ground(TABLE_ELEVATION if view == "table" else 90.0, 1.0, (0.0, 0.0))
    return Stage(wanted.surface, wanted.rig, view, wanted.width_px, wanted.height_px, wanted.seed, ground)
