"""The clock that wakes the supervisor at the edges of the overnight windows. Owns APScheduler's one door; decides nothing.

Should it ring twice or not at all (a change to summer time, a sleeping machine), nothing goes wrong: what is due is
decided by `daemon.batches` each time the supervisor passes, from the time and the ledger.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from rules.plan import Window


class Timetable:
    """Rings at the start and the end of each window, in the shop's time zone ("" = this machine's)."""

    def __init__(self, windows: Iterable[Window], time_zone: str) -> None:
        self._edges = {edge for window in windows for edge in (window.start, window.end)}
        self._zone = ZoneInfo(time_zone) if time_zone else dt.datetime.now().astimezone().tzinfo
        self._scheduler: BackgroundScheduler | None = None

    def start(self, wake: Callable[[], None]) -> None:
        """Call `wake` (from another thread) whenever a window opens or closes."""
        self._scheduler = BackgroundScheduler(timezone=self._zone)
        for edge in sorted(self._edges):
            trigger = CronTrigger(hour=edge.hour, minute=edge.minute, second=edge.second, timezone=self._zone)
            self._scheduler.add_job(wake, trigger, coalesce=True, misfire_grace_time=None)
        self._scheduler.start()

    def stop(self) -> None:
        """End the clock's thread."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
