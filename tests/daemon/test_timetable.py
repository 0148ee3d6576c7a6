"""The overnight window: in the shop's time, across summer time, whatever the clock's library does."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from daemon.timetable import Timetable
from rules.plan import Window

NIGHT = Window(start="22:00", end="06:00")


def _open(zone, *moment):
    now = dt.datetime(*moment, tzinfo=dt.UTC)
    return "overnight" in Timetable(NIGHT, zone, lambda: now).queues()


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
    timetable = Timetable(window, "UTC")
    timetable.start(rang.set)
    try:
        assert rang.wait(5)
    finally:
        timetable.stop()
    assert "overnight" in timetable.queues()


def test_overnight_jobs_wait_for_the_night(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1), "rings--overnight")
    hall.pass_time()
    assert hall.work(("urgent", "normal")) == 0
    hall.account(waiting=1)
    assert hall.work(("urgent", "normal", "overnight")) == 1
    hall.account(done=1)
