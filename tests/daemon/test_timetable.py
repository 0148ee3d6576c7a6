"""The overnight window: in the shop's time, across summer time; and the clock that wakes the supervisor."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from daemon.nights import Calendar
from daemon.timetable import Timetable
from rules.plan import Window

NIGHT = Window(start="22:00", end="06:00")


def _open(zone, *moment):
    return Calendar(zone).open(NIGHT, dt.datetime(*moment, tzinfo=dt.UTC)) is not None


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        ("Asia/Kolkata", (2026, 5, 1, 16, 29), False),  # 21:59 in Kolkata
        ("Asia/Kolkata", (2026, 5, 1, 16, 30), True),
        ("Asia/Kolkata", (2026, 5, 2, 0, 29), True),
        ("Asia/Kolkata", (2026, 5, 2, 0, 30), False),
        ("Europe/Berlin", (2026, 10, 25, 0, 30), True),  # 02:30, the first time that night
        ("Europe/Berlin", (2026, 10, 25, 1, 30), True),  # 02:30, the second time
        ("Europe/Berlin", (2026, 10, 25, 5, 0), False),  # 06:00
        ("Australia/Lord_Howe", (2026, 10, 3, 11, 29), False),
        ("Australia/Lord_Howe", (2026, 10, 3, 11, 30), True),
    ],
)
def test_the_window_is_the_shops(zone, moment, expected):
    assert _open(zone, *moment) is expected


def test_the_clock_rings_when_the_window_opens():
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1.2)
    window = Window(start=soon.time().replace(microsecond=0), end=(soon + dt.timedelta(hours=1)).time())
    rang = threading.Event()
    timetable = Timetable([window], "UTC")
    timetable.start(rang.set)
    try:
        assert rang.wait(5)
    finally:
        timetable.stop()
    assert Calendar("UTC").open(window, dt.datetime.now(dt.UTC)) is not None


def test_the_nights_before_and_after():
    calendar, noon = Calendar("Asia/Kolkata"), dt.datetime(2026, 5, 2, 6, 30, tzinfo=dt.UTC)
    assert calendar.last(NIGHT, noon).date == dt.date(2026, 5, 1)
    assert calendar.next(NIGHT, noon).date == dt.date(2026, 5, 2)
    assert calendar.next(NIGHT, noon).opens == dt.datetime(2026, 5, 2, 16, 30, tzinfo=dt.UTC)


def test_this_machines_own_zone_is_used_when_none_is_named():
    date = dt.date(2026, 5, 2)
    assert Calendar("").night(NIGHT, date).opens == dt.datetime.combine(date, NIGHT.start).astimezone(dt.UTC)
