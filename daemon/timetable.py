"""When overnight work may run. Owns the clock (APScheduler's one door); what is due is asked of the window itself.

APScheduler only wakes the supervisor at the window's edges. Should it fire twice or not at all (a change to summer time,
a sleeping machine), nothing goes wrong: the supervisor asks `queues` each time it passes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from daemon.jobstore import Queue
from rules.plan import Window


class Timetable:
    """The overnight window in the shop's time zone ("" = this machine's)."""

    def __init__(self, window: Window, time_zone: str, now: Callable[[], dt.datetime] | None = None) -> None:
        self.window = window
        self._zone = ZoneInfo(time_zone) if time_zone else None
        self._now = now or (lambda: dt.datetime.now(dt.UTC))
        self._scheduler: BackgroundScheduler | None = None

    def queues(self) -> tuple[Queue, ...]:
        """Queues that are open at this moment."""
        local = self._now().astimezone(self._zone)
        return ("urgent", "normal", "overnight") if self.window.holds(local.time()) else ("urgent", "normal")

    def start(self, wake: Callable[[], None]) -> None:
        """Call `wake` (from another thread) whenever the window opens or closes."""
        zone = self._zone or dt.datetime.now().astimezone().tzinfo
        self._scheduler = BackgroundScheduler(timezone=zone)
        for edge in (self.window.start, self.window.end):
            trigger = CronTrigger(hour=edge.hour, minute=edge.minute, second=edge.second, timezone=zone)
            self._scheduler.add_job(wake, trigger, coalesce=True, misfire_grace_time=None)
        self._scheduler.start()

    def stop(self) -> None:
        """End the clock's thread."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
