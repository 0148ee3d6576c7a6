"""The studio that a command is about: its ledger, and folders of its inbox by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.cli.plan import below_inbox
from daemon.ledger import Ledger
from daemon.names import readable
from daemon.pauses import EVERYTHING
from daemon.studio import Studio
from pipeline.errors import BadInput


@contextmanager
def ledger_of(folders: Studio) -> Iterator[Ledger]:
    """The studio's ledger; of a studio whose daemon never ran, a new one. Raises BadInput when there is no studio."""
    if folders.inbox.is_dir():
        folders.create()
    elif not folders.ledger.exists():
        raise BadInput(f"{folders.root}: there is no studio here.", "Start one with `vitrine run`.")
    ledger = Ledger(folders.ledger)
    try:
        yield ledger
    finally:
        ledger.close()


def folder_of(folder: Path | None, studio: Studio) -> str:
    """The folder below the inbox as the ledger writes it; EVERYTHING when none is named. Raises BadInput."""
    if folder is None:
        return EVERYTHING
    inside = below_inbox(folder, studio.inbox)
    if ".." in inside.parts:
        raise BadInput(f"{folder} is not in the inbox {studio.inbox}", "Name a folder below the inbox.")
    return readable(inside.as_posix()) if inside.parts else ""


def shown(folder: str) -> str:
    """A folder's name for people."""
    return {EVERYTHING: "the whole studio", "": "the inbox itself"}.get(folder, folder)
