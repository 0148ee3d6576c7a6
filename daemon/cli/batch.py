"""`vitrine batch`: what waits for the night and when its turn is; with --now it does not wait."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from daemon.batch_rows import BatchRows
from daemon.cli.app import Exit
from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.cli.run import work
from daemon.cli.studio_open import folder_of, ledger_of, shown
from daemon.drops import Drops
from daemon.ledger import Ledger
from daemon.nights import Calendar
from daemon.pauses import EVERYTHING, Pause, Pauses
from daemon.settings import Settings, load_settings
from daemon.studio import Studio as Folders
from daemon.studio_lock import watcher
from daemon.waiting import Waiting, waiting
from pipeline.errors import BadInput
from rules.timing import timing_of

_LOOK_S = 0.25
_ENDED = ("done", "review", "rejected", "duplicate", "vanished")
Folder = Annotated[
    Path | None, typer.Argument(metavar="[FOLDER]", help="A folder of the inbox; all of them without.")
]
Now = Annotated[bool, typer.Option("--now", help="Render them now instead of at night.")]


def command(
    folder: Folder = None,
    now: Now = False,  # noqa: FBT002
    studio: Studio = STUDIO,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show what waits for the night, or render it now."""
    folders = Folders(studio.absolute())
    settings = load_settings(folders.root)
    with ledger_of(folders) as ledger:
        name = folder_of(folder, folders)
        _check_overnight(name, folders, settings)
        if now:
            _run(folders, ledger, settings, name, as_json=as_json)
        else:
            _show(folders, ledger, settings, name, as_json=as_json)


def _check_overnight(name: str, folders: Folders, settings: Settings) -> None:
    """A folder that is rendered at once has no night. Raises BadInput."""
    if name == EVERYTHING:
        return
    inside = (path.relative_to(folders.inbox).as_posix() for path in (folders.inbox / name).rglob("*/"))
    if not any(timing_of(one, settings.rules).name for one in (name, *inside)):
        raise BadInput(
            f"{shown(name)} is not rendered overnight: its photos are rendered at once.",
            f"`vitrine plan {name}` says why.",
        )


def _show(folders: Folders, ledger: Ledger, settings: Settings, name: str, *, as_json: bool) -> None:
    pid = watcher(folders)
    found = _of_folder(ledger, settings, name)
    if as_json:
        rows = [
            {
                "folder": one.folder,
                "photos": one.photos,
                "runs": one.runs,
                "paused": one.paused,
                "next": one.opens.isoformat(),
            }
            for one in found
        ]
        typer.echo(json.dumps({"daemon": pid, "waiting": rows}, indent=2, ensure_ascii=False))
        return
    for one in found:
        photos = f"{one.photos} {'photo' if one.photos == 1 else 'photos'}"
        typer.echo(f"{shown(one.folder)}: {photos}, {_when(one)}")
    if not found:
        typer.echo("Nothing waits for the night.")
    if pid is None:
        typer.echo(
            "No daemon is running in this studio (start `vitrine run`): nothing starts by itself, and photos that were"
            " dropped since it stopped are not counted."
        )


def _of_folder(ledger: Ledger, settings: Settings, name: str) -> list[Waiting]:
    found = waiting(ledger, settings, dt.datetime.now(dt.UTC))
    return [one for one in found if Pause(name, 0.0).holds(one.folder)]


def _when(one: Waiting) -> str:
    if one.paused:
        return "paused (`vitrine resume`)"
    return "being rendered now" if one.runs else f"from {one.opens:%A %H:%M} on"


def _run(folders: Folders, ledger: Ledger, settings: Settings, name: str, *, as_json: bool) -> None:
    """Ask for the batch, follow it to its end, and say how it went."""
    if Pauses(ledger).holds(name):
        raise BadInput(f"{shown(name)} is paused.", "`vitrine resume` first.")
    pid = watcher(folders)
    if pid is not None and not _of_folder(ledger, settings, name):
        typer.echo("[]" if as_json else "Nothing waits for the night.")
        return
    today = Calendar(settings.time_zone).local(dt.datetime.now(dt.UTC)).date()
    number = BatchRows(ledger).ask(name, str(today))
    console = Console(stderr=True)
    if pid is None:
        console.print("No daemon is running in this studio: the photos are rendered by this command.")
        work(folders, until_batch=number)
    else:
        _follow(ledger, folders, number, console)
    _tell(folders, ledger, number, as_json=as_json)


def _follow(ledger: Ledger, folders: Folders, number: int, console: Console) -> None:
    """Watch the daemon at work until the batch has ended."""
    rows, drops = BatchRows(ledger), Drops(ledger)
    told: set[int] = set()
    with _bar(console) as progress, _leaving(console):
        task = progress.add_task("rendering", total=None)
        while (batch := rows.get(number)).state != "ended":
            if watcher(folders) is None:
                raise BadInput(
                    "The daemon stopped before the batch was done.", "It goes on when `vitrine run` starts."
                )
            for one in reversed(drops.recent(_ENDED, -1, number)):
                if one.id not in told:
                    told.add(one.id)
                    _line(console, one.folder, one.name, one.state, one.reason)
            progress.update(task, total=rows.files(batch), completed=len(told))
            time.sleep(_LOOK_S)


def _line(console: Console, folder: str, name: str, state: str, reason: str) -> None:
    place = "/".join(filter(None, (folder, name)))
    console.print(f"{place}: {state}{f' ({reason})' if reason else ''}", markup=False, highlight=False)


@contextlib.contextmanager
def _leaving(console: Console) -> Iterator[None]:
    """Ctrl-C ends the looking, not the work."""
    try:
        yield
    except KeyboardInterrupt:
        console.print("The batch goes on without you; `vitrine batch` shows how far it is.")
        sys.exit(Exit.DONE)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _tell(folders: Folders, ledger: Ledger, number: int, *, as_json: bool) -> None:
    batch = BatchRows(ledger).get(number)
    if batch.state != "ended":
        raise BadInput("The batch was stopped before it was done.", "It goes on when `vitrine run` starts.")
    account: dict[str, Any] = dict(Drops(ledger).account(number))
    if as_json:
        report = folders.root / f"{batch.report}.json"
        typer.echo(report.read_text("utf-8") if batch.report else json.dumps({"account": account}))
    elif batch.report:
        parts = ", ".join(f"{count} {state}" for state, count in account.items() if count and state != "seen")
        typer.echo(f"{account['seen']} photos: {parts}. Report: {folders.root / batch.report}.txt")
    else:
        typer.echo("Nothing waited for the night.")
    if account["review"] or account["rejected"]:
        sys.exit(Exit.SOME_FAILED)
