"""Ten years of nights in eight time zones, by the daemon's own decision on a real ledger; only the time is invented."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from tests.daemon.nights import Nights, every_date, hours
from tests.soak.proof import Row, Say, share_of, studio_folder

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kolkata",  # never
    "America/Santiago",  # at midnight
    "Asia/Beirut",  # at midnight
    "America/Nuuk",  # late in the evening
    "Pacific/Chatham",  # at a quarter to
)
WINDOWS = """
[[rule]]
match = "a"
overnight = { start = "01:30", end = "04:30" }
[[rule]]
match = "b"
overnight = { start = "02:30", end = "05:00" }
[[rule]]
match = "c"
overnight = { start = "00:00", end = "03:00" }
[[rule]]
match = "d"
overnight = { start = "23:30", end = "01:15" }
"""
NAMES = ("night", "01:30-04:30", "02:30-05:00", "00:00-03:00", "23:30-01:15")
START = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def a_year(one: Nights, step: dt.timedelta, days: int) -> Iterator[str]:
    """Let so many days pass, looking twice each time; what is wrong with the batches afterwards."""
    end = one.now + dt.timedelta(days=days)
    while one.now < end:
        one.jump(step)
        one.ticks += step.total_seconds()
        one.look()
        one.ticks += 1.0
        one.look()  # a second firing
    yield from wrong(one, cause="window")


def changes(zone: str, year: int) -> list[dt.datetime]:
    """When the clocks of a zone change in a year, to the hour; the first of June if they do not."""
    moments = [dt.datetime(year, 1, 1, tzinfo=dt.UTC) + hours(at) for at in range(365 * 24)]
    offsets = [moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in moments]
    found = [
        moment for moment, one, other in zip(moments, offsets, offsets[1:], strict=False) if one != other
    ]
    return found or [dt.datetime(year, 6, 1, tzinfo=dt.UTC)]


def wrong(one: Nights, cause: str | None = None, since: str = "") -> Iterator[str]:
    """Dates from `since` on with another number of batches than one, and batches that did not run in their window."""
    for name in NAMES:
        counted = Counter(date for date in one.dates(name) if date >= since)
        expected = every_date(since or min(counted), max(counted)) if counted else []
        yield from (f"{name} {date}: {counted[date]} batches" for date in expected if counted[date] != 1)
        if cause:
            others = one.rows("date, cause", f"window = '{name}' AND cause <> '{cause}'")
            yield from (f"{name} {date}: {how}" for date, how in others)


def calendar(share: float, say: Say) -> Iterator[Row]:
    """Exactly one batch for each local date; one run to catch up; no second one after a changed clock."""
    days = share_of(3652, share, 370)
    faults: list[str] = []
    nights = 0
    for zone in ZONES:
        with studio_folder("calendar") as root:
            one = Nights(root, zone, START, WINDOWS)
            faults += [f"{zone} {fault}" for fault in a_year(one, dt.timedelta(minutes=50), days)]
            nights += len(one.rows("id"))
            one.end()
        say(f"calendar: {zone}, {days} days: {nights} nights, {len(faults)} wrong")
    for fault in faults[:10]:
        say(fault)
    asked = f"1 for each of {len(ZONES)} zones x {len(NAMES)} windows x {days} days"
    yield Row(
        "batches per local date", asked, f"{nights} dates, {len(faults)} wrong", not faults and nights > 0
    )
    yield from _troubled(share_of(200, share, 20), say)


def _troubled(count: int, say: Say) -> Iterator[Row]:
    """Machines switched off and clocks set wrong, at random; each time the batches and the photos are counted."""
    rng = random.Random(1)
    runs: Counter[int] = Counter()
    late, lost, faults = 0, 0, list[str]()
    with studio_folder("trouble") as root:
        for at in range(count):
            one = Nights(root / str(at), rng.choice(ZONES), START + hours(rng.random() * 80_000))
            one.passing(hours(48))
            since = one.dates()[0]
            one.drop(count=rng.randint(1, 5))
            if at % 2:
                known = one.dates()[-1]
                one.off(hours(rng.uniform(49, 200)))
                late += one.left()
                runs[len({row[0] for row in one.rows("coalesce(run, id)", f"date > '{known}'")})] += 1
            else:
                _set_wrong(one, rng)
            one.passing(hours(60))
            lost += one.left()
            faults += wrong(one, since=since)
            one.end()
        say(f"calendar: {count} troubled studios, {len(faults)} wrong, {lost} photos left")
    for fault in faults[:10]:
        say(fault)
    yield Row(
        "runs after days off, for all nights that were missed",
        f"1 in each of {sum(runs.values())}",
        str(dict(runs)),
        set(runs) == {1},
    )
    yield Row("photos not rendered 31 s after the start", "0", str(late), late == 0)
    yield Row("dates without one batch after clocks were changed", "0", str(len(faults)), not faults)
    yield Row("photos left behind", "0", str(lost), lost == 0)


def _set_wrong(one: Nights, rng: random.Random) -> None:
    """By an hour, by a day or to 1970, for some hours; then right again."""
    right = one.now
    span = rng.choice(
        (hours(1), hours(-1), hours(24), hours(-24), dt.datetime(1970, 1, 1, tzinfo=dt.UTC) - right)
    )
    one.passing(hours(rng.random() * 24))
    one.jump(span)
    one.drop(count=2)
    one.passing(hours(rng.random() * 6))
    one.jump(-span)


PROOFS = {"calendar": calendar}
