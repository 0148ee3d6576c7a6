"""The daemon's main loop: one thread that hears the inbox, the clock, the workers and signals.

Owns the order of things; refuses pixels (no imaging library is ever loaded here) and leaves each matter to its own module.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import sqlite3
import time
from collections.abc import Callable

from daemon import durable
from daemon.alerts import Alerts
from daemon.arrivals import Arrivals
from daemon.batches import Batches
from daemon.bell import Bell
from daemon.bulletin import Bulletin
from daemon.crew import Crew
from daemon.drops import Drops
from daemon.health import Health
from daemon.intake import SIDECAR_HOLD_S, Accepted, Intake
from daemon.jobstore import Queue
from daemon.ledger import LedgerDamaged, is_damage
from daemon.line import Message
from daemon.live import Live, run_folder
from daemon.notify import Systemd
from daemon.patience import DISK, LEDGER, Patience
from daemon.rebuild import open_complete
from daemon.reload import SettingsFile
from daemon.settings import SETTINGS_NAME, Settings
from daemon.settle import Settle
from daemon.sheet import SheetMaker
from daemon.space import Space
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio
from daemon.studio_lock import StudioLock
from daemon.tidy import remove_leftovers
from daemon.timetable import Timetable
from daemon.watch import Watch
from rules.timing import windows

log = logging.getLogger("vitrine")
GRACE_S = 12.0  # of the 15 s that a stop may take
_LOOK_S = 0.5  # a disk that fills up is seen within a second, also on a machine that is busy
_RECOVER_S = 1.0  # between looks after the owners of leases
_SCAN_REST = 5.0  # times as long as a full scan took: a hundred thousand files must not keep the loop busy with looking
_SCAN_REST_MOST_S = 15.0
_POLL_S = 2.0  # full scans when events cannot be had
_QUEUES: tuple[Queue, ...] = ("urgent", "normal", "overnight")  # what is open in them, the ledger says


class Supervisor:
    """One studio's daemon. hear: each message of a worker, for a progress display; accepted: each photo taken."""

    def __init__(
        self,
        studio: Studio,
        hear: Callable[[Message], None] = lambda _: None,
        accepted: Callable[[Accepted], None] = lambda _: None,
    ) -> None:
        self._file = SettingsFile(studio.root)
        self._settings = self._file.settings
        self._studio = studio
        self._hear = hear
        self._accepted = accepted
        self._bell = Bell()
        self._alerts = Alerts(studio.root, self._settings.alerts)
        self._health = Health(self._alerts.hear)
        self._systemd = Systemd()
        self._patience = Patience(self._health, self._bell, self._systemd, self._report)
        self._bulletin: Bulletin | None = None

    def run(self, *, until_idle: bool = False, until_batch: int | None = None) -> int:
        """Work until a signal says stop, until nothing is left, or until that batch has ended.

        Gives the number of photos that came to review or were rejected.
        Raises Busy (another daemon has the studio) and Misconfigured.
        """
        lock = StudioLock(self._studio)
        try:
            with self._bell.hung():
                self._patience.begin(lambda: self._enter(lock), "disk", DISK)
                live = Live(run_folder(self._studio))
                lock.tell(live.folder)
                self._open_patiently()
                self._bulletin = self._write_bulletin(live)
                failed_before = self._failed()
                try:
                    self._loop(until_idle=until_idle, until_batch=until_batch)
                finally:
                    self._stop()
                failed = self._failed() - failed_before
                self._ledger.close()
                return max(0, failed)
        finally:
            lock.release()

    def _enter(self, lock: StudioLock) -> None:
        """Set the studio up and be the only daemon in it."""
        self._studio.create()
        lock.acquire()

    def _open_patiently(self) -> None:
        self._patience.begin(self._open, "ledger", LEDGER, self._studio.ledger)

    def _open(self) -> None:
        self._ledger = ledger = open_complete(self._studio)
        self._drops = Drops(ledger)
        self._store = SqliteStore(ledger)
        self._store.recover()
        remove_leftovers(self._studio, self._drops)
        self._settle = Settle(0, 0)
        self._pace()
        self._intake = Intake(self._studio, ledger, self._settings.rules, _hold_s(self._settings))
        self._arrivals = Arrivals(self._studio, ledger, self._intake, self._settle)
        self._watch = Watch(self._studio.inbox, self._bell.ring)
        self._batches = Batches(self._studio, ledger, self._settings)
        self._sheets = SheetMaker(self._studio, ledger)
        self._timetable = Timetable(windows(self._settings.rules).values(), self._settings.time_zone)
        self._timetable.start(self._bell.ring)
        self._queues: tuple[Queue, ...] = _QUEUES
        self._crew = Crew(self._studio, self._store, self._settings, self._heard)
        self._space = Space(self._studio, self._settings.min_free_mb)
        self._last_scan = self._scan_rest = self._recover_at = 0.0
        self._wake_again = math.inf

    def _write_bulletin(self, live: Live) -> Bulletin:
        return Bulletin(
            studio=self._studio,
            live=live,
            health=self._health,
            systemd=self._systemd,
            drops=self._drops,
            store=self._store,
            crew=self._crew,
            watch=self._watch,
            troubles=lambda: {
                "missing": self._watch.missing or self._arrivals.missing,
                "batch": self._batches.alarm,
            },
            scan_limit_s=lambda: 3 * self._settings.scan_s + self._scan_rest + 30,
        )

    def _failed(self) -> int:
        account = self._drops.account()
        return account["review"] + account["rejected"]

    def _stop(self) -> None:
        self._systemd.stopping()
        log.info("stopping")
        self._watch.stop()
        self._timetable.stop()
        self._sheets.stop()
        try:
            self._crew.stop(GRACE_S, lambda: len(self._bell.stops) > 1)
            self._store.recover()
            self._arrivals.put_away_the_rest()
            account = self._drops.account()
        except sqlite3.Error as error:  # what is not written down now is found at the next start
            log.error("the ledger cannot be written (%s)", error)  # noqa: TRY400
            self._crew.kill()
        else:
            log.info("stopped: %s", ", ".join(f"{count} {state}" for state, count in account.items()))
        if self._bulletin is not None:
            self._bulletin.close()

    def _loop(self, *, until_idle: bool, until_batch: int | None) -> None:
        self._watch.supervise()
        self._scan_all(time.monotonic())
        self._systemd.ready()
        log.info("watching %s", self._studio.inbox)
        while not self._bell.stops:
            now = time.monotonic()
            try:
                if self._health.holds("ledger"):
                    self._ledger.try_writing()
                    self._crew.recover()  # a worker may have died meanwhile
                self._pass(now)
                self._health.set("ledger", "")
                if until_idle and self._idle():
                    return
                if until_batch is not None and self._batches.ended(until_batch):
                    return
                self._report()
                self._wait(now)
            except LedgerDamaged as error:
                self._begin_anew(error)
            except sqlite3.DatabaseError as error:
                if is_damage(error):
                    self._begin_anew(error)
                elif isinstance(error, sqlite3.OperationalError):
                    self._patience.rest("ledger", LEDGER.format(where=self._studio.ledger, error=error))
                else:
                    raise

    def _begin_anew(self, error: Exception) -> None:
        """The ledger is damaged or was taken away: nobody may write to it any more. A sound one is opened."""
        log.error("%s: %s", self._studio.ledger, error)
        self._crew.kill()
        self._watch.stop()
        self._timetable.stop()
        self._ledger.close()
        durable.make_folders(self._studio.ledger.parent)
        live, self._bulletin = self._bulletin.live if self._bulletin else Live(run_folder(self._studio)), None
        self._open_patiently()
        self._bulletin = self._write_bulletin(live)
        self._watch.supervise()
        self._scan_all(time.monotonic())

    def _pass(self, now: float) -> None:
        if not self._ledger.in_place:
            raise LedgerDamaged("it was moved, replaced or removed while Vitrine was using it")
        if self._space.look(now):
            self._go_on(now)
        self._health.set("disk", self._space.trouble, aloud=True)
        self._inbox(now)
        self._batches.advance(dt.datetime.now(dt.UTC), now)
        self._sheets.advance()
        self._workers(now)

    def _inbox(self, now: float) -> None:
        self._follow_settings()
        folders, lost = self._watch.take()
        period = self._settings.scan_s if not self._watch.degraded else min(self._settings.scan_s, _POLL_S)
        lost |= self._arrivals.came_back(now)
        if lost or self._watch.moved() or now - self._last_scan >= max(period, self._scan_rest):
            self._watch.supervise()
            self._scan_all(now)
        elif folders:
            self._arrivals.look_into(folders, now)
        accepted: list[Accepted] = []
        if not self._space.trouble:
            accepted = self._arrivals.advance(now)
            if self._arrivals.no_room:
                self._space.refused(self._arrivals.no_room, now)
        for one in accepted:
            self._accepted(one)
        if accepted:
            self._crew.wake(self._queues)
            self._wake_again = now + self._intake.hold_s

    def _scan_all(self, now: float) -> None:
        self._arrivals.look_everywhere(now)
        self._arrivals.put_away_the_rest()
        self._last_scan = now
        self._scan_rest = min(_SCAN_REST * (time.monotonic() - now), _SCAN_REST_MOST_S)
        if self._bulletin is not None:
            self._bulletin.scanned(now)

    def _workers(self, now: float) -> None:
        for member in self._crew.members:
            self._crew.listen(member)
        self._crew.enforce_deadline(now)
        buried = self._crew.bury(now)
        if now >= self._recover_at:  # a worker of a daemon that was killed may have lived on for a moment
            self._recover_at = now + _RECOVER_S
            buried |= self._crew.recover()
        if buried:
            self._arrivals.put_away_the_rest()
        self._crew.fill(now, self._queues)
        if now >= self._wake_again:  # those that waited for a late sidecar may go on
            self._crew.wake(self._queues)
            self._wake_again = math.inf
        queues = () if self._space.trouble else _QUEUES
        if queues != self._queues:
            self._queues = queues
            self._crew.wake(queues)

    def _heard(self, message: Message) -> None:
        """A worker said something."""
        if message.get("no_room"):
            self._space.refused(str(message.get("reason", "")), time.monotonic())
        if self._bulletin is not None:
            self._bulletin.hear(message)
        if message.get("event") == "finished":
            self._arrivals.left(int(message.get("drop", 0)))
        self._hear(message)

    def _go_on(self, now: float) -> None:
        """There is room again: what was put off because there was none has its turn now."""
        self._arrivals.hurry()
        self._store.hasten()
        self._wake_again = now  # also if the queues are those from before

    def _report(self) -> None:
        now = time.monotonic()
        if self._bulletin is None:  # the ledger cannot be opened yet
            self._systemd.status(" ".join(state.text for state in self._health.states))
        else:
            self._bulletin.publish(now)
        waits = self._bulletin is None or self._health.holds("ledger")
        if waits or (self._bulletin and self._bulletin.scan_is_fresh(now)):
            self._systemd.alive()  # with a full disk, too: a new start would free none
        self._alerts.tend(now)

    def _idle(self) -> bool:
        if self._space.trouble:
            return False
        if self._arrivals.waiting or self._store.open_jobs(_QUEUES) or self._drops.closing():
            return False
        if self._last_scan < self._idle_since():
            self._scan_all(time.monotonic())
        return not self._arrivals.waiting

    def _idle_since(self) -> float:
        """A last full look, so that a photo whose event was lost is not left behind."""
        return time.monotonic() - 0.05

    def _wait(self, now: float) -> None:
        due = self._arrivals.next_due()
        until = max(now, min(now + _LOOK_S, self._wake_again, math.inf if due is None else due))
        self._bell.wait(
            until, [member.line.fileno() for member in self._crew.members if not member.line.closed]
        )

    def _follow_settings(self) -> None:
        asked, self._bell.reload = self._bell.reload, False
        changed = self._file.changed(asked=asked)
        self._health.set("settings", self._file.trouble, aloud=True)
        if changed:
            self._apply(self._file.settings)
            log.info("%s: new settings are in force", SETTINGS_NAME)

    def _apply(self, settings: Settings) -> None:
        self._settings = settings
        self._intake.rules, self._intake.hold_s = settings.rules, _hold_s(settings)
        self._pace()
        self._timetable.stop()
        self._batches.follow(settings)
        self._timetable = Timetable(windows(settings.rules).values(), settings.time_zone)
        self._timetable.start(self._bell.ring)
        self._space.min_free_mb = settings.min_free_mb
        self._alerts.settings = settings.alerts
        self._crew.settings = settings
        self._crew.renew()

    def _pace(self) -> None:
        settle, settings = self._settle, self._settings
        settle.settle_s, settle.blind_s = settings.settle_s, settings.settle_network_s
        settle.incomplete_after_s = settings.incomplete_after_s


def _hold_s(settings: Settings) -> float:
    return min(SIDECAR_HOLD_S, settings.settle_s)
