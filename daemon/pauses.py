"""Which folders rest: their photos are taken and accounted for, and not rendered. Owns the rows; claims look at them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from daemon.ledger import Ledger

EVERYTHING = "/"  # no folder is called so: the whole studio
# For SQL in which `d` is a drop.
PAUSED = (
    "EXISTS (SELECT 1 FROM pauses p WHERE p.folder IN ('/', d.folder)"
    " OR substr(d.folder, 1, length(p.folder) + 1) = p.folder || '/')"
)


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause. folder: below the inbox with all that is in it, or EVERYTHING; since: Unix time."""

    folder: str
    since: float

    def holds(self, folder: str) -> bool:
        """Whether the photos of `folder` rest because of it."""
        return self.folder in {EVERYTHING, folder} or folder.startswith(f"{self.folder}/")


class Pauses:
    """All pauses of a studio. They outlive the daemon, and any process may change them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def all(self) -> list[Pause]:
        """In order of folder, the whole studio first."""
        rows = self._ledger.connection.execute("SELECT folder, since FROM pauses")
        return sorted((Pause(*row) for row in rows), key=lambda one: (one.folder != EVERYTHING, one.folder))

    def holds(self, folder: str) -> bool:
        """Whether the photos of `folder` rest."""
        return any(one.holds(folder) for one in self.all())

    def begin(self, folder: str) -> bool:
        """Pause; False if it was paused already."""
        with self._ledger.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO pauses (folder, since) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (folder, time.time()),
            )
        return cursor.rowcount == 1

    def end(self, folder: str) -> list[Pause]:
        """End the pauses of a folder and of those in it (EVERYTHING: all there are); those that were ended."""
        ended = [one for one in self.all() if Pause(folder, 0.0).holds(one.folder)]
        with self._ledger.writing() as connection:
            for one in ended:
                connection.execute("DELETE FROM pauses WHERE folder = ?", (one.folder,))
        return ended
