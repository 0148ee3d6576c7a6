"""Which night it is: the overnight window's opening and closing as instants. Pure; refuses the clock and the ledger.

A night is named by the local date on which its window opens. A time that the clocks skip (a change to summer time) comes
as much later as they were put forward; of a time that comes twice the first counts. So each date has exactly one night,
and a date that a country left out has none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from rules.plan import Window

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Night:
    """One opening of a window. opens belongs to it, closes does not; both in UTC."""

    date: dt.date
    opens: dt.datetime
    closes: dt.datetime

    def holds(self, now: dt.datetime) -> bool:
        """Whether the window is open at `now`."""
        return self.opens <= now < self.closes


class Calendar:
    """Nights of a time zone ("" = this machine's)."""

    def __init__(self, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone) if time_zone else None

    def local(self, now: dt.datetime) -> dt.datetime:
        """The shop's time at `now`."""
        return now.astimezone(self._zone)

    def night(self, window: Window, date: dt.date) -> Night:
        """The window that opens on `date`."""
        opens = self._instant(date, window.start)
        closes = self._instant(date if window.start < window.end else date + _DAY, window.end)
        return Night(date, opens, closes if closes > opens else opens + _length(window))

    def open(self, window: Window, now: dt.datetime) -> Night | None:
        """The night in which `now` lies, None by day."""
        return next((night for night in self._around(window, now) if night.holds(now)), None)

    def last(self, window: Window, now: dt.datetime) -> Night:
        """The night that ended last before `now`."""
        return next(night for night in self._around(window, now) if night.closes <= now)

    def next(self, window: Window, now: dt.datetime) -> Night:
        """The night that opens next after `now`."""
        return min(
            (night for night in self._around(window, now) if night.opens > now), key=lambda night: night.opens
        )

    def exists(self, window: Window, date: dt.date) -> bool:
        """Whether the zone has this date: a country that moves across the date line leaves one out."""
        return self._instant(date, window.start) < self._instant(date + _DAY, window.start)

    def _around(self, window: Window, now: dt.datetime) -> Iterator[Night]:
        """The nights near `now`, the latest first: of two that open at one moment (a date left out) the true one."""
        today = self.local(now).date()
        for days in range(2, -4, -1):
            yield self.night(window, today + days * _DAY)

    def _instant(self, date: dt.date, time: dt.time) -> dt.datetime:
        """Local time to UTC. PEP 495 with fold=0 is the rule that the module's docstring tells."""
        return dt.datetime.combine(date, time, self._zone).astimezone(dt.UTC)


def _length(window: Window) -> dt.timedelta:
    """What the clock's face says; for a window whose end the change of the clocks put before its start."""
    day = dt.date(2000, 1, 1)
    length = dt.datetime.combine(day, window.end) - dt.datetime.combine(day, window.start)
    return length if length > dt.timedelta(0) else length + _DAY
