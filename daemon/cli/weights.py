"""`vitrine weights`: diffusion models, ControlNets, LoRAs, upscalers and cut-out networks on this machine. Owns the words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.app import Exit
from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.digests import Digests
from daemon.settings import load_settings
from daemon.studio import Studio as Folders
from daemon.weights_room import SORTS, Thing, WeightsRoom
from pipeline.diffusion.load import require_libraries
from pipeline.diffusion.shelf import Shelf
from pipeline.errors import Misconfigured
from presets.library import library
from presets.painting import worn
from weights import licences
from weights.store import Damaged, manifest, network

_ACTIONS = ("list", "check", "import")


def command(  # noqa: PLR0917 - typer reads the options off the signature
    action: Annotated[str, typer.Argument(help=f"What to do: {', '.join(_ACTIONS)}.")] = "list",
    source: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="import: the file or folder.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="import: what to call it here.")] = "",
    sort: Annotated[
        str, typer.Option("--as", help=f"import: {', '.join(SORTS)}; by its files if not given.")
    ] = "",
    sha256: Annotated[
        str, typer.Option("--sha256", help="import: the digest that its maker gives for the file.")
    ] = "",
    studio: Studio = STUDIO,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show what is there, check all of it, or copy something in. Nothing is ever fetched."""
    if action not in _ACTIONS:
        raise typer.BadParameter(f'"{action}" is not one of {", ".join(_ACTIONS)}')
    if sort and sort not in SORTS:
        raise typer.BadParameter(f'"{sort}" is not one of {", ".join(SORTS)}', param_hint="--as")
    folders = Folders(studio.absolute())
    settings = load_settings(folders.root)
    room = WeightsRoom(
        Shelf(folders.weights(settings.diffusion.weights)), Digests(folders.private / "digests.json")
    )
    if action == "import":
        if source is None:
            raise typer.BadParameter("import needs a file or folder", param_hint="PATH")
        made = room.bring(source, name, sort, sha256)
        typer.echo(f"{made.path}: {made.about or made.sort}. Licence: {made.licence}")
        if made.wrong:
            raise Misconfigured(made.wrong)
        return
    things = [*_own(), *_cutters(), *room.things()]
    states = (
        {thing.path: "" if thing.wrong else room.changed(thing) for thing in things if thing.sort in SORTS}
        if action == "check"
        else {}
    )
    if as_json:
        typer.echo(json.dumps([_as_dict(thing, states) for thing in things], indent=2))
    else:
        _told(things, states)
        if action == "list":
            _uses(room)
    if any(thing.wrong or states.get(thing.path, "").startswith("CHANGED") for thing in things):
        raise typer.Exit(Exit.SOME_FAILED)


def _own() -> list[Thing]:
    """The networks that come with Vitrine."""
    found = []
    for name in manifest():
        try:
            size, wrong = len(network(name)), ""
        except Damaged as error:
            size, wrong = 0, str(error)
        found.append(Thing("own network", name, Path(name), "cuts pieces out", size, licences.OWN, wrong))
    return found


def _cutters() -> list[Thing]:
    """Rembg's networks in their folder."""
    from pipeline.cutout.engines import networks_folder  # noqa: PLC0415 - brings the imaging libraries
    from pipeline.cutout.rembg_sessions import LOCAL_NETWORKS, find_network  # noqa: PLC0415

    found = []
    for name in LOCAL_NETWORKS:
        try:
            path = find_network(name, networks_folder())
        except Misconfigured:
            continue
        about = f'segmenter = "rembg:{name}"'
        found.append(Thing("rembg", name, path, about, path.stat().st_size, licences.CUTTERS[name]))
    return found


def _told(things: list[Thing], states: dict[Path, str]) -> None:
    """Sort by sort, a line each; what each licence allows stands below."""
    wide = max(len(thing.name) for thing in things)
    sort = ""
    for thing in things:
        if thing.sort != sort:
            sort = thing.sort
            typer.echo(sort)
        said = filter(None, (thing.about, f"{thing.size / 2**20:.0f} MB", states.get(thing.path)))
        typer.echo(
            f"  {thing.name:<{wide}}  {(thing.wrong and 'CANNOT BE USED. ' + thing.wrong) or ', '.join(said)}"
        )
    typer.echo("licences")
    for licence in dict.fromkeys(thing.licence for thing in things if not thing.wrong):
        typer.echo(f"  {', '.join(thing.name for thing in things if thing.licence == licence)}: {licence}")


def _uses(room: WeightsRoom) -> None:
    """What painted sets would use, and what templates name that is not there."""
    try:
        require_libraries()
        model = room.shelf.model()
        control = room.shelf.control("auto", model)
    except Misconfigured as error:
        typer.echo(f"No background can be painted: {error} {error.advice}")
        return
    held = f"held by the ControlNet {control.name}" if control else "held by no ControlNet"
    typer.echo(f"Every template can be painted (--diffusion) by {model.name}, {held}.")
    for name, template in library().templates.items():
        for lora in template.lora:
            try:
                room.shelf.lora(worn(lora).name)
                typer.echo(f"{name} wears the LoRA {lora}.")
            except Misconfigured as error:
                typer.echo(f"{name} names a LoRA that cannot be used: {error}")


def _as_dict(thing: Thing, states: dict[Path, str]) -> dict[str, object]:
    told = {
        "sort": thing.sort,
        "name": thing.name,
        "path": str(thing.path),
        "about": thing.about,
        "bytes": thing.size,
    }
    return told | {"licence": thing.licence, "wrong": thing.wrong, "state": states.get(thing.path, "")}
