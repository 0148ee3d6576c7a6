"""`vitrine resume`: go on after `vitrine pause`."""

from __future__ import annotations

import typer

from daemon.cli.options import STUDIO, Studio
from daemon.cli.pause import Folder
from daemon.cli.studio_open import folder_of, ledger_of, shown
from daemon.pauses import Pauses
from daemon.studio import Studio as Folders


def command(folder: Folder = None, studio: Studio = STUDIO) -> None:
    """End the pause of FOLDER; without, every pause there is."""
    folders = Folders(studio.absolute())
    with ledger_of(folders) as ledger:
        name = folder_of(folder, folders)
        ended = Pauses(ledger).end(name)
        left = [pause for pause in Pauses(ledger).all() if pause.holds(name)]
    for pause in ended:
        typer.echo(f"{shown(pause.folder)}: goes on.")
    if not ended:
        typer.echo(f"{shown(name)}: was not paused.")
    for pause in left:
        typer.echo(f"{shown(name)} still rests, because {shown(pause.folder)} is paused.")
