"""The night's batch through changed clocks, changes to summer time, machines that were off, and nights too short."""

from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from daemon.settings import load_settings
from tests.daemon.nights import ME, Nights, every_date, hours
from tests.soak.dates import WINDOWS, ZONES, a_year, changes

NOON = dt.datetime(2026, 5, 11, 10, 0, tzinfo=dt.UTC)  # in Berlin
MINUTES = dt.timedelta(minutes=4)
BERLIN = "Europe/Berlin"


@pytest.fixture
def nights(tmp_path):
    made = []

    def make(zone=BERLIN, now=NOON, toml=""):
        made.append(Nights(tmp_path / f"studio-{len(made)}", zone, now, toml))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.mark.parametrize("span", [hours(-1), hours(1), hours(-24), hours(24)], ids=str)
@pytest.mark.parametrize("when", [3.0, 11.0, 15.0], ids=["by day", "in the night", "at its end"])
def test_fm_34_a_changed_clock_gives_no_second_batch_and_loses_no_photo(nights, span, when):
    one = nights()
    one.passing(hours(24))
    one.drop(count=3)
    rendered = one.passing(hours(when))
    one.jump(span)
    one.drop(count=3)
    rendered += one.passing(hours(3))
    one.jump(-span)  # somebody sets it right
    rendered += one.passing(hours(48))
    assert rendered == 6
    assert one.left() == 0
    dates = one.dates()
    assert dates == every_date(dates[0], dates[-1])
    assert len(one.rows("id", "cause <> 'by hand'")) == len(dates)


def test_fm_34_a_clock_that_begins_in_1970_and_is_set_later_still_keeps_every_night(nights):
    one = nights(now=dt.datetime(1970, 1, 1, 0, 5, tzinfo=dt.UTC))
    one.drop(count=2)
    assert one.passing(hours(1)) == 2  # night, as far as anybody can tell
    one.now = NOON
    one.drop(count=2)
    one.look()
    assert one.passing(hours(24)) == 2
    assert one.left() == 0
    dates = one.dates()
    assert len(set(dates)) == len(dates) < 100  # not one row for each night since 1970
    assert dates[-1] == "2026-05-11"


def test_fm_34_leases_and_their_ends_do_not_follow_the_wall_clock(nights):
    one = nights()
    one.passing(hours(14))
    one.drop()
    one.batches.advance(one.now, one.ticks + 1)
    claim = one.store.claim(("overnight",), ME, 60.0)
    for span in (hours(24), hours(-48), dt.timedelta(days=-20_000)):
        one.jump(span)
        one.store.recover()
        assert one.store.beat(claim, 60.0)
    one.ticks += 61.0
    one.store.recover()
    assert not one.store.beat(claim, 60.0)  # the monotonic clock ends it
    claim = one.store.claim(("overnight",), ME, 60.0)
    one.store.finish(claim, [], "done")
    seconds = one.ledger.connection.execute("SELECT seconds FROM jobs").fetchone()[0]
    assert seconds == 0.0


@pytest.mark.parametrize("zone", ZONES)
def test_fm_35_every_local_date_has_one_batch_when_the_clocks_change(nights, zone):
    """Days around each change of 2026 with five windows; the long form takes ten years (`make soak PROOFS=calendar`)."""
    for change in changes(zone, 2026):
        one = nights(zone, change - hours(60), WINDOWS)
        assert list(a_year(one, step=dt.timedelta(minutes=50), days=5)) == []
        assert len(one.dates("02:30-05:00")) >= 4


@pytest.mark.parametrize(
    "case",
    [
        (BERLIN, (2026, 10, 25), ("02:30", "05:00"), "00:30", 3.5),  # 02:30 twice: the first counts
        (BERLIN, (2026, 3, 29), ("02:30", "05:00"), "01:30", 1.5),  # 02:30 absent: half past three
        (
            BERLIN,
            (2026, 3, 29),
            ("02:30", "03:15"),
            "01:30",
            0.75,
        ),  # closes before it opens: its length counts
        ("Australia/Lord_Howe", (2026, 10, 4), ("02:10", "04:00"), "15:40", 1.333),  # 02:10 absent, +30 min
        ("Australia/Lord_Howe", (2026, 4, 5), ("01:45", "04:00"), "14:45", 2.75),  # 01:45 twice
    ],
)
def test_fm_35_a_time_that_comes_twice_or_never_opens_the_night_once(nights, case):
    zone, day, window, opens, length_h = case
    local = dt.datetime(*day, tzinfo=ZoneInfo(zone))
    start = (local - hours(12)).astimezone(dt.UTC)
    one = nights(zone, start, f"[overnight]\nstart = {window[0]!r}\nend = {window[1]!r}\n")
    one.drop()
    opened, rendered, open_minutes = None, 0, 0
    for _ in range(36 * 12):
        one.jump(dt.timedelta(minutes=5))
        one.ticks += 300
        rendered += one.look()
        is_open = bool(one.rows("id", f"date = '{local.date()}' AND state = 'running'"))
        opened = opened or (one.now.strftime("%H:%M") if is_open else None)
        open_minutes += 5 * _open(one)
    assert (opened, rendered) == (opens, 1)
    assert abs(open_minutes / 60 - length_h) < 0.1
    assert one.rows("date, cause", f"date = '{local.date()}'") == [(str(local.date()), "window")]


def _open(one):
    window = one.batches._windows["night"]
    return one.batches._calendar.open(window, one.now) is not None


def test_fm_35_a_date_that_a_country_left_out_has_no_night(nights):
    one = nights("Pacific/Apia", dt.datetime(2011, 12, 28, 0, tzinfo=dt.UTC))
    one.passing(hours(24 * 6))
    assert one.dates()[:4] == ["2011-12-27", "2011-12-28", "2011-12-29", "2011-12-31"]
    off = nights("Pacific/Apia", dt.datetime(2011, 12, 28, 0, tzinfo=dt.UTC))
    off.passing(hours(24))
    off.drop()
    assert off.off(hours(24 * 6)) == 1
    assert "2011-12-30" not in off.dates()
    assert {"2011-12-29", "2011-12-31"} <= set(off.dates())


def test_fm_36_three_days_off_are_made_up_for_by_one_run_within_a_minute(nights):
    one = nights()
    one.passing(hours(24))
    one.drop(count=5)
    assert one.off(hours(72)) == 5  # looked at twice, 31 s apart
    missed = one.rows("date, cause, state", "date >= '2026-05-12'")
    assert missed == [
        ("2026-05-12", "window", "merged"),
        ("2026-05-13", "window", "merged"),
        ("2026-05-14", "caught up", "ended"),
    ]
    assert one.passing(hours(1)) == 0
    report = json.loads((one.studio.reports / "2026-05-14.json").read_text())
    assert report["nights"] == ["2026-05-12", "2026-05-13", "2026-05-14"]
    assert report["account"]["done"] == report["account"]["seen"] == 5


def test_fm_36_a_machine_that_slept_catches_up_without_a_restart(nights):
    one = nights()
    one.passing(hours(6))
    one.drop(count=2)
    one.jump(hours(15))  # asleep: no tick passed
    assert one.passing(dt.timedelta(minutes=1), step=dt.timedelta(seconds=20)) == 2


def test_fm_36_a_night_that_was_interrupted_is_finished_at_the_next_start(nights):
    one = nights()
    one.drop(count=4)
    assert one.passing(hours(12), render=0) == 0
    assert one.look(render=1) == 1
    assert one.off(hours(11)) == 3
    assert one.rows("date, cause, state") == [("2026-05-11", "caught up", "ended")]
    assert one.batches.alarm == ""


def test_fm_36_catching_up_can_be_turned_off(nights):
    one = nights(toml="catch_up = false\n")
    one.passing(hours(24))
    one.drop(count=5)
    assert one.off(hours(72)) == 0
    assert {row[0] for row in one.rows("cause", "date >= '2026-05-12'")} == {"missed"}
    assert one.passing(hours(12)) == 5
    assert one.dates() == every_date(one.dates()[0], "2026-05-15")


def test_fm_36_a_new_studio_has_missed_nothing(nights):
    one = nights()
    one.drop()
    assert one.passing(hours(8)) == 0
    assert one.rows("id") == []


def test_fm_37_a_night_too_short_goes_on_in_the_next_and_raises_an_alarm(nights):
    one = nights()
    one.drop(count=150)
    first = one.passing(hours(21), MINUTES, render=1)  # 22 to 06, one photo every 4 minutes
    assert 115 < first < 125
    assert one.rows("date, state, late") == [("2026-05-11", "resting", 1)]
    assert "was not finished" in one.batches.alarm
    morning = json.loads((one.studio.reports / "2026-05-11.json").read_text())
    assert not morning["finished"]
    assert morning["account"]["waiting"] == 150 - first
    assert morning["account"]["unexplained"] == 0
    one.drop(count=3)
    assert one.look() == 0  # by day nothing is rendered
    assert one.passing(hours(24), render=5) == 153 - first
    assert one.rows("date, state, late") == [("2026-05-11", "ended", 0), ("2026-05-12", "merged", 0)]
    assert one.batches.alarm == ""
    done = json.loads((one.studio.reports / "2026-05-12.json").read_text())
    assert done["nights"] == ["2026-05-11", "2026-05-12"]
    assert done["account"]["done"] == 153


def test_fm_37_a_batch_longer_than_a_day_merges_each_night_that_passes(nights):
    one = nights()
    one.drop(count=400)
    one.passing(hours(24 * 5), MINUTES, render=1)
    assert one.left() == 0
    assert one.dates() == every_date("2026-05-11", "2026-05-15")
    runs = {row[0] for row in one.rows("coalesce(run, id)", "date <= '2026-05-14'")}
    assert len(runs) == 1


def test_a_change_of_a_folders_own_window_counts_for_what_waits_in_it(nights):
    one = nights(toml='[[rule]]\nmatch = "a"\novernight = { start = "23:00", end = "04:00" }\n')
    one.drop("a", count=2)
    assert one.passing(hours(9)) == 0  # it is nine in the evening
    path = one.studio.root / "vitrine.toml"
    path.write_text(path.read_text().replace("23:00", "20:00"))
    one.batches.follow(load_settings(one.studio.root))
    assert one.look() == 2
    assert one.dates("20:00-04:00") == ["2026-05-11"]
