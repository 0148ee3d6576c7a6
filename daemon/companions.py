"""What lies in the inbox and is no photo: sidecars that come late, links and pipes, what nobody can look at.

Owns what is known of them and what is said about them. Refuses photos; those are `daemon.arrivals`'.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from daemon import names
from daemon.drops import Drops
from daemon.intake import Intake, sidecar_path
from daemon.ledger import Ledger
from daemon.scan import Found, Stamp
from daemon.studio import Studio
from pipeline.errors import VitrineError

log = logging.getLogger("vitrine.arrivals")
_Taken = Mapping[Path, tuple[int, Stamp]]


class Companions:
    """Beside the photos of one inbox. tell: says a thing once."""

    def __init__(self, studio: Studio, ledger: Ledger, intake: Intake, tell: Callable[[str], None]) -> None:
        self._studio = studio
        self._ledger = ledger
        self._drops = Drops(ledger)
        self._intake = intake
        self._tell = tell
        self._sidecars: dict[Path, Stamp] = {}
        self._ignored: set[Path] = set()

    def note(self, found: Found, taken: _Taken) -> None:
        """See what a scan found. taken: photos that wait for their turn, as number and stamp; a sidecar may be theirs."""
        self._ignore(found.ignored)
        for path, reason in found.unreadable.items():
            self._tell(f"{self._shown(path)} cannot be looked at ({reason}): check its permissions")
        changed = {path for path, stamp in found.sidecars.items() if self._sidecars.get(path) != stamp}
        self._sidecars |= {path: found.sidecars[path] for path in changed}
        if changed:
            for photo, (drop_id, _) in list(taken.items()):
                if (sidecar := sidecar_path(photo)) in changed:
                    self._reconsider(sidecar, photo, drop_id)

    def keep(self, sidecars: Iterable[Path], ignored: Iterable[Path]) -> None:
        """Forget all but these: a full scan found no more."""
        self._sidecars = {path: self._sidecars[path] for path in sidecars}
        self._ignored = set(ignored)

    def _ignore(self, ignored: Mapping[Path, str]) -> None:
        unknown = {path: reason for path, reason in ignored.items() if path not in self._ignored}
        if not unknown:
            return
        with self._ledger.writing():
            first = [
                path for path, reason in unknown.items() if self._drops.ignore(*self._entry(path), reason)
            ]
        self._ignored |= unknown.keys()
        for path in first:
            log.warning("%s: ignored: %s", self._shown(path), unknown[path])

    def _reconsider(self, sidecar: Path, photo: Path, drop_id: int) -> None:
        """A sidecar that comes just after its photo still counts, as long as the photo's turn has not come."""
        try:
            heard = self._intake.reconsider(drop_id, photo)
        except (VitrineError, OSError) as error:
            log.warning("%s", error)
            return
        if not heard:
            log.warning(
                "%s came after its photo's turn; to use it, drop the photo once more", self._shown(sidecar)
            )

    def _entry(self, path: Path) -> tuple[bytes, str, str]:
        return names.entry(self._studio.in_inbox(path))

    def _shown(self, path: Path) -> str:
        return names.readable(self._studio.in_inbox(path))
