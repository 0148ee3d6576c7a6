"""From "something happened in that folder" to drops in the ledger: scan, settle, take.

Owns what is known of the inbox; refuses to wait or sleep (the supervisor passes the time in) and to render.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from daemon import names
from daemon.drops import Drops
from daemon.intake import Accepted, Changed, Intake, sidecar_path
from daemon.ledger import Ledger
from daemon.putaway import PutAway
from daemon.scan import Found, Stamp, scan
from daemon.settle import Settle, Step
from daemon.studio import Studio
from daemon.words import CUT_OFF, EMPTY
from pipeline.errors import VitrineError

log = logging.getLogger("vitrine.arrivals")
_AT_ONCE = 16  # files per call, so that the loop also hears its workers while a thousand files arrive
_STALLED_S = 5.0  # after a full disk and the like, before the next try


class Arrivals:
    """The inbox as the supervisor sees it."""

    def __init__(self, studio: Studio, ledger: Ledger, intake: Intake, settle: Settle) -> None:
        self._studio = studio
        self._ledger = ledger
        self._drops = Drops(ledger)
        self._putaway = PutAway(studio, self._drops)
        self._intake = intake
        self._settle = settle
        self._ids: dict[Path, int] = {}  # seen, not taken
        self._taken: dict[Path, tuple[int, Stamp]] = {}  # taken, still lying in the inbox
        self._sidecars: dict[Path, Stamp] = {}
        self._stamps: dict[Path, Stamp] = {}
        self._told: set[str] = set()
        self._stalled_until = 0.0

    @property
    def waiting(self) -> int:
        """Files that are seen and not taken."""
        return len(self._ids)

    def look_everywhere(self, now: float) -> None:
        """Full scan. Finds what events did not tell, and what went away."""
        self._taken = {
            self._studio.inbox / os.fsdecode(path): known for path, known in self._drops.in_inbox().items()
        }
        self._ids = {
            self._studio.inbox / os.fsdecode(path): drop_id
            for path, drop_id in self._drops.settling().items()
        }
        found = scan(self._studio.inbox)
        if found.photos and not self._studio.marker.exists():
            self._studio.mark()  # a new folder stands in the old one's place, and is in use
        self._note(found, now)
        self._gone(path for path in self._ids if path not in found.photos)

    def look_into(self, folders: Iterable[Path], now: float) -> None:
        """Scan the folders that events named; new folders with all that is below them."""
        for folder in folders:
            if folder != self._studio.inbox and self._studio.inbox not in folder.parents:
                continue
            found = scan(folder, deep=folder != self._studio.inbox)
            self._note(found, now)
            for path in found.photos:
                self._settle.hurry(path, now)
            self._gone(
                path for path in self._ids if path.parent in found.folders and path not in found.photos
            )

    def advance(self, now: float) -> list[Accepted]:
        """Look at the files whose time has come, and take those that are complete."""
        if now < self._stalled_until:
            return []
        accepted: list[Accepted] = []
        for path in self._settle.due(now)[:_AT_ONCE]:
            try:
                step = self._settle.check(path, now)
                if step is not Step.WAIT:
                    accepted += self._act(path, step)
            except FileNotFoundError:
                self._gone((path,))
            except Changed:
                self._look_again(path, now)
            except OSError as error:
                self._stalled_until = now + _STALLED_S
                self._tell(
                    f"taking photos is paused: {error.strerror} ({error.filename}). It goes on by itself."
                )
                break
        return accepted

    def next_due(self) -> float | None:
        """When `advance` has something to do."""
        due = self._settle.next_due()
        return None if due is None else max(due, self._stalled_until)

    def put_away_the_rest(self) -> None:
        """End drops whose end was interrupted by a crash or a full disk."""
        for drop_id in self._drops.closing():
            try:
                self._putaway.close(drop_id)
            except OSError as error:
                self._tell(f"an original cannot be put away: {error.strerror} ({error.filename}).")

    def _note(self, found: Found, now: float) -> None:
        known = {path: stamp for path, (_, stamp) in self._taken.items()}
        new = [(path, stamp) for path, stamp in found.photos.items() if known.get(path) != stamp]
        fresh = [(path, stamp) for path, stamp in new if path not in self._ids]
        if fresh or found.ignored:
            with self._ledger.writing():
                for path, stamp in fresh:
                    self._ids[path] = self._drops.see(*self._named(path), stamp)
                for path, reason in found.ignored.items():
                    if self._drops.ignore(*self._named(path), reason):
                        log.warning("%s: ignored: %s", self._shown(path), reason)
        for path, stamp in new:
            self._stamps[path] = stamp
            self._settle.see(path, stamp, now)
        for path, stamp in found.sidecars.items():
            if self._sidecars.get(path) != stamp:
                self._sidecars[path] = stamp
                self._reconsider(path)

    def _reconsider(self, sidecar: Path) -> None:
        """A sidecar that comes just after its photo still counts, as long as the photo's turn has not come."""
        for photo, (drop_id, _) in self._taken.items():
            if sidecar_path(photo) != sidecar:
                continue
            try:
                heard = self._intake.reconsider(drop_id, photo)
            except (VitrineError, OSError) as error:
                log.warning("%s", error)
                continue
            if not heard:
                log.warning(
                    "%s came after its photo's turn; to use it, drop the photo once more",
                    self._shown(sidecar),
                )

    def _act(self, path: Path, step: Step) -> list[Accepted]:
        drop_id, stamp = self._ids[path], self._stamps[path]
        if step is Step.COMPLAIN:
            log.warning("%s cannot be read: check its permissions", self._shown(path))
            return []
        try:
            if step is Step.TAKE:
                accepted = self._intake.take(drop_id, path, stamp)
                self._forget(path)
                self._taken[path] = (drop_id, stamp)
                for finding in accepted.plan.findings:
                    self._tell(finding.text)
                if not self._drops.jobs(drop_id):
                    self._finish(drop_id, path)
                return [accepted]
            reason = EMPTY if step is Step.REFUSE_EMPTY else CUT_OFF
        except VitrineError as error:
            reason = f"{error} {error.advice}".strip()
        self._intake.refuse(drop_id, path, stamp, reason)
        self._forget(path)
        self._taken[path] = (drop_id, stamp)
        self._finish(drop_id, path, reason)
        return []

    def _finish(self, drop_id: int, path: Path, reason: str = "") -> None:
        state = self._putaway.close(drop_id)
        level = logging.WARNING if state == "rejected" else logging.INFO
        about = {"drop": drop_id, "photo": self._shown(path)}
        log.log(level, "%s: %s%s", self._shown(path), state, f" ({reason})" if reason else "", extra=about)

    def _look_again(self, path: Path, now: float) -> None:
        stamp = Stamp.of(path.lstat()) if os.path.lexists(path) else None
        if stamp is None:
            self._gone((path,))
        else:
            self._stamps[path] = stamp
            self._settle.see(path, stamp, now)

    def _gone(self, paths: Iterable[Path]) -> None:
        gone = list(paths)
        if gone and not self._studio.marker.exists():
            self._tell(
                f"{self._studio.inbox} is not there; is the drive connected? Nothing counts as taken away."
            )
            return
        if gone:
            self._drops.vanish(self._ids[path] for path in gone if path in self._ids)
        for path in gone:
            self._forget(path)

    def _forget(self, path: Path) -> None:
        self._ids.pop(path, None)
        self._stamps.pop(path, None)
        self._settle.forget(path)

    def _named(self, path: Path) -> tuple[bytes, str, str]:
        relative = path.relative_to(self._studio.inbox)
        folder = "" if relative.parent == Path() else names.readable(relative.parent.as_posix())
        return os.fsencode(relative), folder, names.readable(relative.name)

    def _shown(self, path: Path) -> str:
        return names.readable(path.relative_to(self._studio.inbox).as_posix())

    def _tell(self, text: str) -> None:
        """Say a thing once, not once per photo."""
        if text not in self._told:
            self._told.add(text)
            log.warning("%s", text)
