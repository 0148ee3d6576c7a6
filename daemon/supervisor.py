"""The daemon's main loop: one thread that hears the inbox, the clock, the workers and signals.

Owns the order of things; refuses pixels (no imaging library is ever loaded here) and leaves each matter to its own module.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import selectors
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from daemon.arrivals import Arrivals
from daemon.crew import Crew
from daemon.drops import Drops
from daemon.intake import SIDECAR_HOLD_S, Accepted, Intake
from daemon.jobstore import Queue
from daemon.ledger import open_ledger
from daemon.line import Message
from daemon.notify import Systemd
from daemon.settings import SETTINGS_NAME, Settings, load_settings
from daemon.settle import Settle
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio, StudioLock
from daemon.tidy import remove_leftovers
from daemon.timetable import Timetable
from daemon.watch import Watch
from pipeline.errors import Misconfigured

log = logging.getLogger("vitrine")
GRACE_S = 12.0  # of the 15 s that a stop may take
_PASS_S = 1.0
_STALLED_S = 5.0
_SCAN_REST = 5.0  # times as long as a full scan took: a hundred thousand files must not keep the loop busy with looking
_SCAN_REST_MOST_S = 15.0
_POLL_S = 2.0  # full scans when events cannot be had


class Supervisor:
    """One studio's daemon. hear: each message of a worker, for a progress display; accepted: each photo taken."""

    def __init__(
        self,
        studio: Studio,
        hear: Callable[[Message], None] = lambda _: None,
        accepted: Callable[[Accepted], None] = lambda _: None,
    ) -> None:
        self._settings = load_settings(studio.root)
        self._settings_seen = _mark(studio)
        self._studio = studio
        self._hear = hear
        self._accepted = accepted
        self._signals: list[int] = []
        self._reload = False

    def run(self, *, until_idle: bool = False) -> int:
        """Work until a signal says stop, or until nothing is left; how many photos came to review or were rejected.

        Raises Busy (another daemon has the studio) and Misconfigured.
        """
        self._studio.create()
        lock = StudioLock(self._studio)
        lock.acquire()
        try:
            with self._wakeable():
                self._open()
                failed_before = self._failed()
                try:
                    self._loop(until_idle=until_idle)
                finally:
                    self._stop()
                failed = self._failed() - failed_before
                self._ledger.close()
                return max(0, failed)
        finally:
            lock.release()

    def _open(self) -> None:
        ledger, trouble = open_ledger(self._studio.ledger)
        if trouble:
            log.error("%s", trouble)
        self._ledger = ledger
        self._drops = Drops(ledger)
        self._store = SqliteStore(ledger)
        self._store.recover()
        remove_leftovers(self._studio, self._drops)
        self._settle = Settle(0, 0)
        self._pace()
        self._intake = Intake(self._studio, ledger, self._settings.rules, _hold_s(self._settings))
        self._arrivals = Arrivals(self._studio, ledger, self._intake, self._settle)
        self._watch = Watch(self._studio.inbox, self._wake)
        self._timetable = Timetable(self._settings.overnight, self._settings.time_zone)
        self._timetable.start(self._wake)
        self._queues: tuple[Queue, ...] = self._timetable.queues()
        self._crew = Crew(self._studio, self._store, self._settings, self._hear)
        self._systemd = Systemd()
        self._last_scan = self._next_report = self._scan_rest = 0.0
        self._wake_again = math.inf
        self._degraded = ""

    def _failed(self) -> int:
        account = self._drops.account()
        return account["review"] + account["rejected"]

    def _stop(self) -> None:
        self._systemd.stopping()
        log.info("stopping")
        self._watch.stop()
        self._timetable.stop()
        self._crew.stop(GRACE_S, lambda: len(self._signals) > 1)
        self._store.recover()
        self._arrivals.put_away_the_rest()
        account = self._drops.account()
        log.info("stopped: %s", ", ".join(f"{count} {state}" for state, count in account.items()))

    def _loop(self, *, until_idle: bool) -> None:
        self._watch.supervise()
        self._scan_all(time.monotonic())
        self._systemd.ready()
        log.info("watching %s", self._studio.inbox)
        while not self._signals:
            now = time.monotonic()
            try:
                self._pass(now)
                if until_idle and self._idle():
                    return
            except (
                sqlite3.OperationalError
            ) as error:  # the disk is full, or somebody else has the ledger open
                log.error("the ledger cannot be written (%s); it is tried again", error)  # noqa: TRY400
                now += _STALLED_S
            self._wait(now)

    def _pass(self, now: float) -> None:
        self._inbox(now)
        self._workers(now)
        self._report(now)

    def _inbox(self, now: float) -> None:
        self._follow_settings()
        folders, lost = self._watch.take()
        period = self._settings.scan_s if not self._watch.degraded else min(self._settings.scan_s, _POLL_S)
        lost |= self._arrivals.came_back(now) or self._watch.replaced
        if lost or now - self._last_scan >= max(period, self._scan_rest):
            self._watch.supervise()
            self._scan_all(now)
        elif folders:
            self._arrivals.look_into(folders, now)
        accepted = self._arrivals.advance(now)
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

    def _workers(self, now: float) -> None:
        for member in self._crew.members:
            self._crew.listen(member)
        self._crew.enforce_deadline(now)
        if self._crew.bury(now):
            self._arrivals.put_away_the_rest()
        self._crew.fill(now, self._queues)
        if now >= self._wake_again:  # those that waited for a late sidecar may go on
            self._crew.wake(self._queues)
            self._wake_again = math.inf
        queues = self._timetable.queues()
        if queues != self._queues:
            self._queues = queues
            log.info("overnight work %s", "begins" if "overnight" in queues else "ends for today")
            self._crew.wake(queues)

    def _report(self, now: float) -> None:
        if now - self._last_scan < 3 * self._settings.scan_s + 30:
            self._systemd.alive()
        if self._watch.degraded != self._degraded:
            self._degraded = self._watch.degraded
            log.warning("%s", self._degraded or "the inbox is watched again")
        if now < self._next_report:
            return
        self._next_report = now + _PASS_S
        account = self._drops.account()
        words = f"{account['waiting']} waiting, {account['leased']} in work, {account['done']} done"
        self._systemd.status(f"{words}, {account['review']} to review. {self._degraded}".strip())

    def _idle(self) -> bool:
        if self._arrivals.waiting or self._store.open_jobs(self._queues) or self._drops.closing():
            return False
        if self._last_scan < self._idle_since():
            self._scan_all(time.monotonic())
        return not self._arrivals.waiting

    def _idle_since(self) -> float:
        """A last full look, so that a photo whose event was lost is not left behind."""
        return time.monotonic() - 0.05

    def _wait(self, now: float) -> None:
        due = self._arrivals.next_due()
        until = max(now, min(now + _PASS_S, self._wake_again, math.inf if due is None else due))
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell, selectors.EVENT_READ)
            for member in self._crew.members:
                if not member.line.closed:
                    selector.register(member.line, selectors.EVENT_READ)
            selector.select(max(0.0, until - time.monotonic()))
        with contextlib.suppress(BlockingIOError):
            while os.read(self._bell, 4096):
                pass

    def _follow_settings(self) -> None:
        """Take up a changed vitrine.toml; with a mistake in it the last good one stays in force."""
        mark = _mark(self._studio)
        if mark == self._settings_seen and not self._reload:
            return
        self._settings_seen, self._reload = mark, False
        try:
            settings = load_settings(self._studio.root)
        except Misconfigured as error:
            log.error("%s %s The settings from before stay in force.", error, error.advice)  # noqa: TRY400
            return
        self._apply(settings)
        log.info("%s: new settings are in force", SETTINGS_NAME)

    def _apply(self, settings: Settings) -> None:
        self._settings = settings
        self._intake.rules, self._intake.hold_s = settings.rules, _hold_s(settings)
        self._pace()
        self._timetable.stop()
        self._timetable = Timetable(settings.overnight, settings.time_zone)
        self._timetable.start(self._wake)
        self._crew.settings = settings
        self._crew.renew()

    def _pace(self) -> None:
        settle, settings = self._settle, self._settings
        settle.settle_s, settle.blind_s = settings.settle_s, settings.settle_network_s
        settle.incomplete_after_s = settings.incomplete_after_s

    def _hang_up(self, number: int, _: object) -> None:
        """For a service SIGHUP means "read the settings again"; in a terminal, that its window was closed."""
        if sys.stderr.isatty():
            self._signals.append(number)
        else:
            self._reload = True

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._ring, b"!")

    @contextlib.contextmanager
    def _wakeable(self) -> Iterator[None]:
        """A pipe that events and signals write to, so that the loop sleeps and still answers at once."""
        self._bell, self._ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = signal.set_wakeup_fd(self._ring, warn_on_full_buffer=False)
        handlers: dict[int, Callable[[int, FrameType | None], None] | signal.Handlers] = {
            signal.SIGTERM: lambda number, _: self._signals.append(number),
            signal.SIGINT: lambda number, _: self._signals.append(number),
            signal.SIGHUP: self._hang_up,
            signal.SIGIO: signal.SIG_IGN,  # the kernel asks for a lease back; we give it back anyway
        }
        old = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            os.close(self._bell)
            os.close(self._ring)


def _hold_s(settings: Settings) -> float:
    return min(SIDECAR_HOLD_S, settings.settle_s)


def _mark(studio: Studio) -> tuple[int, int] | None:
    """What changes when the settings file is saved."""
    with contextlib.suppress(OSError):
        status = (studio.root / SETTINGS_NAME).stat()
        return status.st_mtime_ns, status.st_ino
    return None
