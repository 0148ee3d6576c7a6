"""When the next post goes out: caps, gaps, quiet hours and best hours, also on days whose clocks change."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.cadence import WEEKDAYS, Cadence, Sent, Waiting, calendar, next_turn

BERLIN = ZoneInfo("Europe/Berlin")
PLAIN = Cadence(jitter_min=0, gap_min=45, quiet=None)
RING = [Waiting(id="ring")]


def at(text, zone=BERLIN):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(dt.UTC)


def turn(now, *, queue=RING, sent=(), cadence=PLAIN, zone=BERLIN, seed=0):
    return next_turn(queue, sent, now, cadence=cadence, zone=zone, seed=seed)


def test_nothing_waits_nothing_goes():
    assert turn(at("2026-05-04 12:00"), queue=[]) is None


def test_the_first_goes_at_once_the_next_after_the_gap():
    now = at("2026-05-04 12:00")
    assert turn(now).at == now
    assert turn(now, sent=[Sent(at=now)]).at == at("2026-05-04 12:45")


def test_no_more_than_so_many_a_day_and_in_24_hours():
    cadence = Cadence(posts_a_day=3, jitter_min=0, gap_min=45, quiet=None)
    sent = [Sent(at=at(f"2026-05-04 {hour:02}:00")) for hour in (9, 15, 23)]
    assert turn(at("2026-05-04 23:50"), sent=sent, cadence=cadence).at == at("2026-05-05 09:00")


def test_on_a_day_of_25_hours_the_date_counts_too():
    cadence = Cadence(posts_a_day=1, jitter_min=0, gap_min=1, quiet=None)
    sent = [Sent(at=at("2026-10-25 00:10"))]
    assert turn(at("2026-10-25 12:00"), sent=sent, cadence=cadence).at == at("2026-10-26 00:00")


def test_quiet_hours_and_their_end_are_kept():
    cadence = Cadence(jitter_min=0)
    assert turn(at("2026-05-04 23:00"), cadence=cadence).at == at("2026-05-05 08:00")
    assert turn(at("2026-05-05 07:59"), cadence=cadence).at == at("2026-05-05 08:00")
    assert turn(at("2026-05-05 21:59"), cadence=cadence).at == at("2026-05-05 21:59")


@pytest.mark.parametrize(
    ("zone", "quiet", "now", "expected"),
    [
        # 02:30 does not exist: quiet ends when the clocks jump to 03:00.
        ("Europe/Berlin", ("22:00", "02:30"), "2026-03-28T23:00+00:00", "2026-03-29T01:00+00:00"),
        # 02:30 comes twice: the first ends the quiet hours, 02:00 to 02:29 come again and are quiet again.
        ("Europe/Berlin", ("22:00", "02:30"), "2026-10-24T23:30+00:00", "2026-10-25T00:30+00:00"),
        ("Europe/Berlin", ("22:00", "02:30"), "2026-10-25T01:10+00:00", "2026-10-25T01:30+00:00"),
        # Half an hour: 02:00 becomes 01:30.
        ("Australia/Lord_Howe", ("22:00", "01:45"), "2026-04-04T15:05+00:00", "2026-04-04T15:15+00:00"),
        # Midnight does not exist in Cairo on that day.
        ("Africa/Cairo", ("20:00", "00:30"), "2026-04-23T20:00+00:00", "2026-04-23T22:00+00:00"),
    ],
)
def test_days_whose_clocks_change(zone, quiet, now, expected):
    cadence = Cadence.model_validate({"quiet": {"start": quiet[0], "end": quiet[1]}, "jitter_min": 0})
    found = turn(dt.datetime.fromisoformat(now), cadence=cadence, zone=ZoneInfo(zone))
    assert found.at == dt.datetime.fromisoformat(expected)


def test_best_hours_of_a_weekday():
    cadence = Cadence.model_validate({"quiet": False, "jitter_min": 0, "hours": {"mon": [11, 19]}})
    assert turn(at("2026-05-04 12:00"), cadence=cadence).at == at("2026-05-04 19:00")
    assert turn(at("2026-05-04 20:00"), cadence=cadence).at == at("2026-05-05 00:00")  # Tuesday: any hour


def test_hours_that_leave_nothing_are_refused():
    with pytest.raises(ValidationError, match="nothing would ever be posted"):
        Cadence.model_validate({"hours": {day: [23] for day in WEEKDAYS}})


def test_jitter_differs_from_post_to_post_and_not_by_asking_again():
    cadence = Cadence(quiet=None)
    gaps = set()
    for minute in range(20):
        last = at(f"2026-05-04 12:{minute:02}")
        first = turn(last, sent=[Sent(at=last)], cadence=cadence).at
        later = turn(first - dt.timedelta(minutes=1), sent=[Sent(at=last)], cadence=cadence).at
        assert first == later
        gaps.add(first - last)
    assert len(gaps) == 20
    assert all(dt.timedelta(minutes=45) <= gap <= dt.timedelta(minutes=65) for gap in gaps)


def test_a_wanted_time_is_kept_and_comes_before_all_others():
    queue = [*RING, Waiting(id="timed", wanted=at("2026-05-04 18:00"))]
    assert turn(at("2026-05-04 12:00"), queue=queue).id == "ring"
    assert turn(at("2026-05-04 18:01"), queue=queue).id == "timed"
    only = turn(at("2026-05-04 12:00"), queue=queue[1:])
    assert (only.id, only.at) == ("timed", at("2026-05-04 18:00"))


def test_neighbours_differ_in_template_and_type_where_they_can():
    queue = [
        Waiting(id=f"{template}{kind}", template=template, type=kind) for template in "ab" for kind in "xy"
    ]
    order = [one.id for one in calendar(queue, [], at("2026-05-04 09:00"), cadence=PLAIN, zone=BERLIN)]
    assert order == ["ax", "by", "ay", "bx"]


def test_a_machine_that_was_off_posts_one_and_not_all_it_missed():
    now = at("2026-05-04 12:00")
    sent = [Sent(at=now - dt.timedelta(days=3))]
    queue = [Waiting(id=str(number)) for number in range(5)]
    turns = calendar(queue, sent, now, cadence=PLAIN, zone=BERLIN)
    assert turns[0].at <= now
    assert turns[1].at - now >= dt.timedelta(minutes=45)


@given(
    minutes=st.integers(0, 525_600), zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "UTC"]),
    start=st.integers(0, 1439), length=st.integers(1, 1200), hours=st.lists(st.integers(0, 23), max_size=3),
)  # fmt: skip
def test_whatever_the_settings_nothing_goes_out_in_quiet_hours(minutes, zone, start, length, hours):
    clock = [dt.time(value // 60, value % 60) for value in (start, (start + length) % 1440)]
    try:
        cadence = Cadence.model_validate(
            {"quiet": {"start": clock[0], "end": clock[1]}, "hours": {"tue": hours}}
        )
    except ValidationError:
        return
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    found = turn(now, cadence=cadence, zone=ZoneInfo(zone)).at.astimezone(ZoneInfo(zone))
    assert found >= now
    assert not cadence.quiet.holds(found.time())
    assert found.weekday() != 1 or not hours or found.hour in hours
