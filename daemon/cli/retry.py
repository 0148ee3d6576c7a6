"""`vitrine retry`: another try for photos in review or rejected."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from daemon.again import choose, reopen
from daemon.cli.app import Exit
from daemon.cli.options import STUDIO, Studio
from daemon.drops import Drops
from daemon.ledger import Ledger
from daemon.settings import load_settings
from daemon.studio import Studio as Folders
from pipeline.errors import BadInput


def command(
    number: Annotated[
        int | None, typer.Argument(metavar="ID", help="The photo's number, as in `vitrine status`.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All in review/ and rejected/.")] = False,  # noqa: FBT002
    studio: Studio = STUDIO,
) -> None:
    """Give photos in review or rejected another try, with the present settings."""
    if (number is None) != every:
        raise typer.BadParameter("give one photo's number, or --all")
    folders = Folders(studio.absolute())
    settings = load_settings(folders.root)
    if not folders.ledger.exists():
        raise BadInput(f"{folders.root}: there is no studio here.", "Start one with `vitrine run`.")
    ledger = Ledger(folders.ledger)
    failed = 0
    for drop in choose(Drops(ledger), number):
        try:
            jobs = reopen(folders, ledger, settings.rules, drop)
            typer.echo(f"{drop.id} {drop.name}: {jobs} {'job waits' if jobs == 1 else 'jobs wait'} again")
        except BadInput as error:
            failed += 1
            typer.echo(f"{error} {error.advice}", err=True)
    ledger.close()
    if failed:
        sys.exit(Exit.SOME_FAILED)
