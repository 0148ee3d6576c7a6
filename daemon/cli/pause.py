"""`vitrine pause`: nothing, or nothing of one folder, is rendered until `vitrine resume`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.options import STUDIO, Studio
from daemon.cli.studio_open import folder_of, ledger_of, shown
from daemon.pauses import EVERYTHING, Pauses
from daemon.studio import Studio as Folders

Folder = Annotated[
    Path | None, typer.Argument(metavar="[FOLDER]", help="A folder of the inbox; the whole studio without.")
]


def command(folder: Folder = None, studio: Studio = STUDIO) -> None:
    """Render nothing (of FOLDER) for now; photos are still taken and kept."""
    folders = Folders(studio.absolute())
    with ledger_of(folders) as ledger:
        name = folder_of(folder, folders)
        new = Pauses(ledger).begin(name)
    back = "vitrine resume" + (f" {name}" if name not in {EVERYTHING, ""} else "")
    typer.echo(
        f"{shown(name)}: {'paused' if new else 'is paused already'}. Photos are still taken and wait;"
        f" a picture in work is finished. `{back}` goes on."
    )
