"""What the daemon tells of itself, once a second: to systemd, to `vitrine status`, to Prometheus, to the owner's command.

Owns the one place where each part's own word of trouble becomes a state of `daemon.health`. Refuses to mend anything.
"""

from __future__ import annotations

import importlib.metadata
import logging
import math
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon import logbook
from daemon.crew import Crew, Member
from daemon.drops import Drops
from daemon.health import Health
from daemon.line import Message
from daemon.live import METRICS_NAME, Live
from daemon.metrics import Metrics
from daemon.notify import Systemd
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio
from daemon.watch import Watch

log = logging.getLogger("vitrine.bulletin")
PERIOD_S = 1.0
OVERFLOW_SHOWN_S = 300.0
_OVERFLOW = (
    "more was dropped at once than the system could tell of, so the whole inbox was looked through. Nothing is lost. If"
    " it happens often: sudo sysctl -w fs.inotify.max_queued_events=131072"
)


@dataclass(slots=True)
class Bulletin:
    """All that can be seen of one daemon.

    troubles: what other parts have to say, by code; scan_limit_s: a full scan older than this is a state of its own.
    """

    studio: Studio
    live: Live
    health: Health
    systemd: Systemd
    drops: Drops
    store: SqliteStore
    crew: Crew
    watch: Watch
    scan_limit_s: Callable[[], float]
    troubles: Callable[[], dict[str, str]] = dict
    last_scan: float = field(default_factory=time.monotonic)
    scans: int = 0
    _metrics: Metrics = field(default_factory=Metrics)
    _started: float = field(default_factory=time.time)
    _last_photo: float = 0.0
    _overflows: int = 0
    _account: dict[str, int] = field(default_factory=dict)
    _queues: dict[str, dict[str, int]] = field(default_factory=dict)
    _next: float = -math.inf
    _failed: bool = False

    def __post_init__(self) -> None:
        self._last_photo = self.store.last_end()

    def hear(self, message: Message) -> None:
        """One message of a worker."""
        if message.get("event") == "finished":
            self._metrics.took(float(message.get("seconds", 0.0)))
            self._last_photo = time.time()

    def scanned(self, now: float) -> None:
        """The whole inbox was looked through. now: monotonic seconds."""
        self.scans += 1
        self.last_scan = now

    def scan_is_fresh(self, now: float) -> bool:
        """Whether the last full scan is young enough."""
        return now - self.last_scan < self.scan_limit_s()

    def publish(self, now: float) -> None:
        """Tell it all, at most once in PERIOD_S."""
        if now < self._next:
            return
        self._next = now + PERIOD_S
        for code, text in self._troubles(now).items():
            self.health.set(code, text)
        if self.watch.overflows != self._overflows:
            self._overflows = self.watch.overflows
            self.health.show("overflow", _OVERFLOW, OVERFLOW_SHOWN_S)
        self._count()
        self.systemd.status(self.words())
        self._measure(now)
        self._write(now)

    def close(self) -> None:
        """The daemon ends."""
        self.live.clear()

    def words(self) -> str:
        """One line: what there is to do, and what is wrong."""
        account = self._account
        line = f"{account.get('waiting', 0)} waiting, {account.get('leased', 0)} in work, {account.get('done', 0)} done"
        line += f", {account.get('review', 0)} to review."
        return " ".join([line, *(f"{state.code}: {state.text}" for state in self.health.states)])

    def _troubles(self, now: float) -> dict[str, str]:
        """What is wrong, by code; "" where nothing is. Each matter finds out for itself and has one line here."""
        fresh = self.scan_is_fresh(now)
        return self.troubles() | {
            "polling": "" if self.watch.missing else self.watch.degraded,
            "workers": self.crew.trouble(now),
            "log": logbook.trouble(),
            "scan": "" if fresh else f"{self.studio.inbox} could not be looked through for too long.",
        }

    def _count(self) -> None:
        try:
            self._account = dict(self.drops.account())
            self._queues = self.store.queues()
        except sqlite3.Error:  # `ledger` is a state by then; the figures from before are shown on
            return

    def _measure(self, now: float) -> None:
        metrics = self._metrics
        metrics.files(self._account)
        metrics.jobs(self._queues)
        metrics.degraded(state.code for state in self.health.states)
        metrics.count("inbox_overflows", "Times that events of the inbox were lost.", self.watch.overflows)
        metrics.count("scans", "Full scans of the inbox.", self.scans)
        metrics.count("worker_deaths", "Workers that came to an unwanted end.", self.crew.deaths)
        restarts = max(0, self.crew.starts - self.crew.settings.workers)
        metrics.count("worker_restarts", "Workers that were started in another's place.", restarts)
        metrics.gauge("workers", "Workers that run.", len(self.crew.members))
        metrics.gauge(
            "scan_age_seconds", "Since the last full scan, at the last update.", now - self.last_scan
        )
        metrics.gauge(
            "last_photo_age_seconds", "Since the last finished picture, at the last update.", self._idle_s()
        )
        metrics.gauge("free_bytes", "Free space on the studio's disk.", self._free())
        metrics.gauge("supervisor_memory_bytes", "Resident memory of the supervisor.", resident_bytes())
        metrics.gauge("start_time_seconds", "Unix time of the daemon's start.", self._started)
        metrics.gauge(
            "updated_time_seconds", "Unix time of this update; old: the daemon is held up.", time.time()
        )

    def _write(self, now: float) -> None:
        try:
            self.live.write(self._report(now), self._metrics.text())
        except OSError as error:
            if not self._failed:
                log.warning(
                    "%s: the live state cannot be written there: %s", self.live.folder, error.strerror
                )
            self._failed = True
        else:
            self._failed = False

    def _report(self, now: float) -> dict[str, Any]:
        return {
            "version": importlib.metadata.version("vitrine"),
            "studio": os.fspath(self.studio.root),
            "pid": os.getpid(),
            "started": self._started,
            "updated": time.time(),
            "words": self.words(),
            "degraded": [state.as_json() for state in self.health.states],
            "account": self._account,
            "queues": self._queues,
            "workers": [_worker(member, now) for member in self.crew.members],
            "worker_deaths": self.crew.deaths,
            "scan_age_s": round(now - self.last_scan, 3),
            "scans": self.scans,
            "overflows": self.watch.overflows,
            "last_photo": self._last_photo or None,
            "free_bytes": self._free(),
            "memory_bytes": resident_bytes(),
            "metrics": os.fspath(self.live.folder / METRICS_NAME),
        }

    def _idle_s(self) -> float:
        return max(0.0, time.time() - self._last_photo) if self._last_photo else math.nan

    def _free(self) -> int:
        try:
            disk = os.statvfs(self.studio.root)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize


def resident_bytes(pid: int | str = "self") -> int:
    """Memory of a process that is in RAM (/proc/PID/statm, proc(5))."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _worker(member: Member, now: float) -> dict[str, Any]:
    busy = member.busy_since is not None
    return {
        "pid": member.child.pid,
        "ready": member.ready,
        "job": member.key if busy else None,
        "photo": member.job if busy else None,
        "busy_s": round(now - member.busy_since, 3) if member.busy_since is not None else None,
    }
