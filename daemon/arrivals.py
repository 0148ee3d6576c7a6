"""From "something happened in that folder" to drops in the ledger: scan, settle, take.

Owns what is known of the inbox; refuses to wait or sleep (the supervisor passes the time in) and to render.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from daemon import names
from daemon.companions import Companions
from daemon.drops import Drops
from daemon.intake import Accepted, Changed, Intake
from daemon.ledger import Ledger
from daemon.logbook import Once
from daemon.putaway import PutAway
from daemon.roots import Roots
from daemon.scan import Found, Stamp, is_temporary, look, scan
from daemon.settle import Settle, Step
from daemon.space import NO_ROOM
from daemon.studio import Studio
from daemon.words import CUT_OFF, EMPTY
from pipeline.errors import VitrineError
from rules.timing import timing_of

log = logging.getLogger("vitrine.arrivals")
_AT_ONCE = 16  # files taken per call, so that the loop also hears its workers while a thousand files arrive
_LOOKS_AT_ONCE = 200  # most of a hundred thousand files that wait are only looked at
_PORTION = 2000  # files per transaction
_ROOTS_S = 1.0  # between looks at the drives
_STALLED_S = 5.0  # after a full disk and the like, before the next try


class Arrivals:
    """The inbox as the supervisor sees it.

    What it remembers of a file ends when the file has left the inbox, so that a daemon that runs for years stays as small
    as on its first day: what a worker put away by its word (`left`), all else by the next full scan.
    """

    def __init__(self, studio: Studio, ledger: Ledger, intake: Intake, settle: Settle) -> None:
        self._studio = studio
        self._ledger = ledger
        self._drops = Drops(ledger)
        self._putaway = PutAway(studio, self._drops)
        self._intake = intake
        self._tell = Once(log)
        self._companions = Companions(studio, ledger, intake, self._tell)
        self._settle = settle
        self._ids: dict[Path, int] = {}  # seen, not taken
        self._taken: dict[Path, tuple[int, Stamp]] = {}  # taken, still lying in the inbox
        self._left: set[int] = set()  # by a worker's word
        self._stamps: dict[Path, Stamp] = {}
        self._folders: set[Path] = set()  # all that the last scans read
        self._urgency: dict[Path, bool] = {}  # by folder
        self._urgency_by = intake.rules
        self._stalled_until = 0.0
        self.no_room = ""  # why the last `advance` stopped, if that was for want of room
        self._recalled = False
        self._roots = Roots(studio, ledger)
        self._look_at_roots = 0.0
        self._inbox_away = False
        self.missing = ""  # folders whose drive is not there, in words for the owner

    @property
    def waiting(self) -> int:
        """Files that are seen and not taken."""
        return len(self._ids)

    def came_back(self, now: float) -> bool:
        """Look after the drives; whether the inbox's was away and is there again (look everywhere)."""
        if now < self._look_at_roots:
            return False
        self._look_at_roots = now + _ROOTS_S
        self._forget_the_left()
        self.missing = self._roots.look()
        was_away, self._inbox_away = self._inbox_away, self._is_away()
        return was_away and not self._inbox_away

    def look_everywhere(self, now: float) -> None:
        """Full scan. Finds what events did not tell, and what went away."""
        self._look_at_roots = now
        self.came_back(now)
        if self._inbox_away:
            return
        self._recall()
        found = scan(self._studio.inbox)
        self._folders = found.folders
        self._note(found, now)
        self._gone([path for path in self._ids if path not in found.photos], found.unreadable)
        if not found.unreadable:
            self._companions.keep(found.sidecars, found.ignored)

    def look_into(self, paths: Iterable[Path], now: float) -> None:
        """Look at what events named: files, and new folders with all that is below them."""
        if self._inbox_away or self._is_away():
            return
        found = Found()
        for path in paths:
            if self._studio.inbox in path.parents and not _hidden(path.relative_to(self._studio.inbox)):
                found.add(look(path))
        self._folders |= found.folders
        self._note(found, now)
        for path in found.photos:
            self._settle.hurry(path)
        gone = [path for path in paths if path in self._ids and path not in found.photos]
        if lost := {path for path in paths if path in self._folders and path not in found.folders}:
            self._folders -= lost
            gone += [path for path in self._ids if not lost.isdisjoint(path.parents)]
        self._gone(gone, found.unreadable)

    def advance(self, now: float) -> list[Accepted]:
        """Look at the files whose time has come, and take those that are complete."""
        self.no_room = ""
        if now < self._stalled_until or self._inbox_away:
            return []
        accepted: list[Accepted] = []
        for path in self._settle.due(now, _LOOKS_AT_ONCE):
            if len(accepted) >= _AT_ONCE:
                break
            try:
                step = self._settle.check(path, now)
                if step is not Step.WAIT:
                    accepted += self._act(path, step)
            except FileNotFoundError:
                self._gone([path])
            except Changed:
                self._look_again(path, now)
            except OSError as error:
                self._stalled_until = now + _STALLED_S
                words = f"{error.strerror} ({error.filename})"
                if error.errno in NO_ROOM:
                    self.no_room = words
                else:
                    self._tell(f"taking photos is paused: {words}. It goes on by itself.")
                break
        return accepted

    def hurry(self) -> None:
        """What stopped `advance` is gone."""
        self._stalled_until = 0.0

    def _urgent(self, folder: Path) -> bool:
        """Whether photos of this folder go first: an urgent one is not kept at the door by a thousand others."""
        if self._intake.rules is not self._urgency_by:
            self._urgency_by = self._intake.rules
            self._urgency.clear()
        if folder not in self._urgency:
            inside = folder.relative_to(self._studio.inbox).as_posix()
            self._urgency[folder] = timing_of(inside, self._urgency_by).urgency == "urgent"
        return self._urgency[folder]

    def left(self, drop_id: int) -> None:
        """A worker is done with a job of this drop: its original may have left the inbox."""
        self._left.add(drop_id)

    def next_due(self) -> float | None:
        """When `advance` has something to do."""
        due = None if self._inbox_away else self._settle.next_due()
        return None if due is None else max(due, self._stalled_until)

    def put_away_the_rest(self) -> None:
        """End drops whose end was interrupted by a crash or a full disk."""
        for drop_id in self._drops.closing():
            try:
                self._putaway.close(drop_id)
            except OSError as error:
                self._tell(f"an original cannot be put away: {error.strerror} ({error.filename}).")

    def _recall(self) -> None:
        """What the ledger knows: all of it once; then only what workers have put away since."""
        if self._recalled:
            left = self._drops.in_inbox()
            self._taken = {path: known for path, known in self._taken.items() if known[0] in left}
            return
        inbox = os.fspath(self._studio.inbox)
        for drop in self._drops.unfinished():
            path = Path(inbox, os.fsdecode(drop.path))
            if drop.state == "settling":
                self._ids[path] = drop.id
            else:
                self._taken[path] = (drop.id, drop.stamp)
        self._recalled = True

    def _forget_the_left(self) -> None:
        left, self._left = self._left, set()
        for drop_id in left:
            with contextlib.suppress(KeyError):  # a new ledger may know it by another number, or not at all
                drop = self._drops.get(drop_id)
                path = self._studio.inbox / os.fsdecode(drop.path)
                if drop.archived and self._taken[path][0] == drop_id:
                    del self._taken[path]

    def _note(self, found: Found, now: float) -> None:
        taken, nothing = self._taken, (0, None)
        new = [(path, stamp) for path, stamp in found.photos.items() if taken.get(path, nothing)[1] != stamp]
        self._record([(path, stamp) for path, stamp in new if path not in self._ids])
        for path, stamp in new:
            self._stamps[path] = stamp
            known = path in self._settle
            self._settle.see(path, stamp, now)
            if not known and self._urgent(path.parent):
                self._settle.hurry(path, ahead=True)
        self._companions.note(found, taken)

    def _record(self, fresh: list[tuple[Path, Stamp]]) -> None:
        """Make it durable that files were seen; in portions, so that workers are not kept from the ledger for long."""
        for start in range(0, len(fresh), _PORTION):
            with self._ledger.writing():
                ids = {
                    path: self._drops.see(*names.entry(self._studio.in_inbox(path)), stamp)
                    for path, stamp in fresh[start : start + _PORTION]
                }
            self._ids |= ids  # only now: what could not be written was not seen

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
        try:
            state = self._putaway.close(drop_id)
        except OSError as error:  # it is tried again with the rest
            self._tell(f"an original cannot be put away: {error.strerror} ({error.filename}).")
            return
        self._taken.pop(path, None)
        level = logging.WARNING if state == "rejected" else logging.INFO
        about = {"drop": drop_id, "photo": self._shown(path)}
        log.log(level, "%s: %s%s", self._shown(path), state, f" ({reason})" if reason else "", extra=about)

    def _look_again(self, path: Path, now: float) -> None:
        stamp = Stamp.of(path.lstat()) if os.path.lexists(path) else None
        if stamp is None:
            self._gone([path])
        else:
            self._stamps[path] = stamp
            self._settle.see(path, stamp, now)

    def _gone(self, paths: list[Path], unreadable: Mapping[Path, str] = MappingProxyType({})) -> None:
        """Files that are not where they were. What lies where nobody can look, or on a drive that is away, is not gone."""
        if unreadable:
            paths = [path for path in paths if unreadable.keys().isdisjoint((path, *path.parents))]
        if not paths or self._is_away():
            return
        self._drops.vanish(self._ids[path] for path in paths if path in self._ids)
        for path in paths:
            self._forget(path)

    def _is_away(self) -> bool:
        return self._roots.away([self._studio.inbox]) is not None

    def _forget(self, path: Path) -> None:
        self._ids.pop(path, None)
        self._stamps.pop(path, None)
        self._settle.forget(path)

    def _shown(self, path: Path) -> str:
        return names.readable(self._studio.in_inbox(path))


def _hidden(path: Path) -> bool:
    """Whether a scan would pass it over: it lies in a hidden or temporary folder."""
    return any(is_temporary(part) for part in path.parent.parts)
