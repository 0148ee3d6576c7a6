"""Whether the drive behind each folder of the studio is there. Owns the markers and what the ledger remembers of them.

The inbox, and each other folder that is a mount of its own, has a marker file whose text the ledger knows. A folder
without its marker is a bare mount point or was made anew; the mount it lies on and its device tell which. Refuses to
move photos or results: it only says where they must not be looked for, or put, now.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from daemon import durable
from daemon.ledger import Ledger
from daemon.mounts import mount_of
from daemon.studio import MARKER, Studio

_MARK_BYTES = 64


class Away(OSError):  # noqa: N818 - an outcome: wait
    """A folder's drive is not there. Passes: everything that needs the folder waits."""

    def __init__(self, folder: Path) -> None:
        super().__init__(errno.ENODEV, "the drive is not there", os.fspath(folder))


class Standing(Enum):
    """What a look at a folder says."""

    HERE = "here"
    NEW = "new"  # made anew, or seen for the first time: to be marked
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger remembers. own: the folder was a mount of its own (not the studio's)."""

    mark: str
    dev: int
    own: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there now. mark: the marker's text, None without marker."""

    mark: str | None
    dev: int
    own: bool


def judge(known: Known | None, seen: Seen | None, *, inbox: bool, absent: bool = False) -> Standing:
    """Decide about one folder. seen: None if it cannot be read; absent: there is not even its name.

    An empty marker is the owner's word that the folder is right as it is.
    """
    was_drive = known is not None and known.own
    if seen is None:
        return Standing.NEW if absent and not inbox and not was_drive else Standing.AWAY
    if seen.mark is not None:
        if known is None or not seen.mark or not known.mark:
            return Standing.NEW
        return Standing.HERE if seen.mark == known.mark else Standing.AWAY
    if not inbox and not seen.own:
        return Standing.AWAY if was_drive else Standing.HERE
    if known is None or (not inbox and not known.own):
        return Standing.NEW
    same_place = seen.own == known.own and (not seen.own or seen.dev == known.dev)
    return Standing.NEW if same_place else Standing.AWAY


class Roots:
    """The folders of one studio."""

    def __init__(self, studio: Studio, ledger: Ledger) -> None:
        self._studio = studio
        self._ledger = ledger

    def look(self) -> str:
        """Look at all folders, mark new ones, remember them; what is missing, in words for the owner ("": nothing)."""
        return "\n".join(text for folder in self._studio.roots if (text := self._look_at(folder)))

    def away(self, folders: Iterable[Path]) -> Path | None:
        """The first of these folders whose drive is not there at this moment."""
        return next((folder for folder in folders if self._judge(folder)[2] is Standing.AWAY), None)

    def require(self, *folders: Path) -> None:
        """Raise Away if the drive of one of these folders is not there."""
        if (missing := self.away(folders)) is not None:
            raise Away(missing)

    def _look_at(self, folder: Path) -> str:
        known, seen, standing = self._judge(folder)
        if standing is Standing.AWAY:
            return (
                f"{folder}: its drive is not there, or another one is in its place. Nothing is taken out of this folder"
                " or put into it until the drive is connected again; then it goes on by itself."
                f" If the folder is right as it is, put an empty file named {MARKER} into it."
            )
        try:
            if seen is None:
                durable.make_folders(folder)
            elif standing is Standing.NEW:
                self._mark(folder, seen)
            else:
                self._remember(folder, known, Known(seen.mark or "", seen.dev, seen.own))
        except OSError as error:
            return f"{folder}: cannot be used ({error.strerror}). What needs it waits, and goes on by itself."
        return ""

    def _judge(self, folder: Path) -> tuple[Known | None, Seen | None, Standing]:
        known, seen = self._known(folder), _seen(folder, self._studio)
        inbox, absent = folder == self._studio.inbox, not os.path.lexists(folder)
        return known, seen, judge(known, seen, inbox=inbox, absent=absent)

    def _mark(self, folder: Path, seen: Seen) -> None:
        """Known first, then written: a crash in between leaves a folder that is marked again."""
        mark = seen.mark or secrets.token_hex(16)
        self._remember(folder, None, Known(mark, seen.dev, seen.own))
        if seen.mark != mark:
            durable.write_atomic(folder / MARKER, f"{mark}\n".encode())
        if folder == self._studio.inbox:
            self._studio.furnish()

    def _known(self, folder: Path) -> Known | None:
        row = self._ledger.connection.execute(
            "SELECT mark, dev, own FROM roots WHERE name = ?", (folder.name,)
        ).fetchone()
        return None if row is None else Known(row["mark"], row["dev"], bool(row["own"]))

    def _remember(self, folder: Path, known: Known | None, now: Known) -> None:
        if now == known:
            return
        with self._ledger.writing() as connection:
            connection.execute(
                "INSERT INTO roots (name, mark, dev, own) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " mark = excluded.mark, dev = excluded.dev, own = excluded.own",
                (folder.name, now.mark, now.dev, int(now.own)),
            )


def _seen(folder: Path, studio: Studio) -> Seen | None:
    """What is there; None if the folder is missing or does not answer."""
    with contextlib.suppress(OSError):
        device = folder.stat().st_dev
        own = mount_of(folder).id != mount_of(studio.root).id
        return Seen(_read_mark(folder / MARKER), device, own)
    return None


def _read_mark(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return stream.read(_MARK_BYTES).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
