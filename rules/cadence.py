"""When the next post goes out, and which: a pure function of queue, past and clock. Refuses to read clocks, files or zones' names.

All instants are aware; local times are those of the zone that is passed in, also on days that have 23, 24.5 or 25 hours.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from pipeline.rig import Frozen
from rules.plan import Window

_DAY = dt.timedelta(days=1)
_SECOND = dt.timedelta(seconds=1)
_LOOK_DAYS = (
    16  # a shop that posts in one hour of one weekday, and whose day is full, is served the week after
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Hour = Annotated[int, Field(ge=0, le=23)]
Hours = Annotated[tuple[Hour, ...], Field(max_length=24)]


def _none_if_false(value: object) -> object:
    return None if value is False else value


class BestHours(Frozen):
    """Hours of the day in which posts go out, per weekday: 19 is 19:00 to 19:59. An empty list is any hour."""

    mon: Hours = ()
    tue: Hours = ()
    wed: Hours = ()
    thu: Hours = ()
    fri: Hours = ()
    sat: Hours = ()
    sun: Hours = ()

    def on(self, date: dt.date) -> Hours:
        """Of that date."""
        found: Hours = getattr(self, WEEKDAYS[date.weekday()])
        return found


class Cadence(Frozen):
    """How often and when. gap_min: between two posts; jitter_min: at most so much is added, differently each time.

    posts_a_day: in a calendar day, and in any 24 hours. quiet: nothing goes out in it; false: there is no such time.
    """

    posts_a_day: Annotated[int, Field(ge=1, le=50)] = 8
    gap_min: Annotated[float, Field(ge=1, le=10_080)] = 45.0
    jitter_min: Annotated[float, Field(ge=0, le=720)] = 20.0
    quiet: Annotated[Window | None, BeforeValidator(_none_if_false)] = Window(
        start=dt.time(22, 0), end=dt.time(8, 0)
    )
    hours: BestHours = BestHours()

    @model_validator(mode="after")
    def _some_time_is_left(self) -> Self:
        if not any(self._wall_open(weekday, minute) for weekday in range(7) for minute in range(24 * 60)):
            raise ValueError("the best hours all lie in the quiet hours, so nothing would ever be posted")
        return self

    def open_at(self, local: dt.datetime) -> bool:
        """Whether a post may go out at that local time."""
        if self.quiet is not None and self.quiet.holds(local.time()):
            return False
        hours = self.hours.on(local.date())
        return not hours or local.hour in hours

    def _wall_open(self, weekday: int, minute: int) -> bool:
        monday = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock without a place
        return self.open_at(monday + dt.timedelta(days=weekday, minutes=minute))


class Waiting(Frozen):
    """A post that may go out. wanted: not before then (and then before all others); None for when there is room."""

    id: str
    template: str = ""
    type: str = ""
    wanted: dt.datetime | None = None


class Sent(Frozen):
    """A post that went out."""

    at: dt.datetime
    template: str = ""
    type: str = ""


class Turn(Frozen):
    """The next post and its time. A time that has passed means: now."""

    id: str
    at: dt.datetime


def next_turn(
    queue: Sequence[Waiting],
    sent: Sequence[Sent],
    now: dt.datetime,
    *,
    cadence: Cadence,
    zone: dt.tzinfo,
    seed: int = 0,
) -> Turn | None:
    """Which post of the `queue` (in the owner's order) goes out next, and when; None if there is none.

    The answer does not change by asking again later: the jitter hangs on the seed and on the last post alone.
    """
    if not queue:
        return None
    past = sorted(sent, key=lambda one: one.at)
    slot = _slot(past, now, cadence, zone, seed)
    ready = [one for one in queue if one.wanted is None or one.wanted <= slot]
    if not ready:  # all of them are wanted later
        first = min(queue, key=lambda one: one.wanted or slot)
        later = _slot(past, max(now, first.wanted or slot), cadence, zone, seed)
        return Turn(id=first.id, at=later)
    return Turn(id=_choose(ready, past[-1] if past else None).id, at=slot)


def calendar(
    queue: Sequence[Waiting],
    sent: Sequence[Sent],
    now: dt.datetime,
    *,
    cadence: Cadence,
    zone: dt.tzinfo,
    seed: int = 0,
) -> tuple[Turn, ...]:
    """All that waits, each with the time it would go out if nothing is changed."""
    left, past, turns = list(queue), list(sent), []
    while (turn := next_turn(left, past, now, cadence=cadence, zone=zone, seed=seed)) is not None:
        turns.append(turn)
        one = next(item for item in left if item.id == turn.id)
        left.remove(one)
        now = max(now, turn.at)
        past.append(Sent(at=now, template=one.template, type=one.type))
    return tuple(turns)


def _choose(ready: Sequence[Waiting], last: Sent | None) -> Waiting:
    """Those with a time of their own first; among the others, one that differs from its neighbour."""
    timed = [one for one in ready if one.wanted is not None]
    if timed:
        return min(timed, key=lambda one: one.wanted.timestamp() if one.wanted else 0.0)
    if last is None:
        return ready[0]
    unlike = [one for one in ready if not one.template or one.template != last.template]
    both = [one for one in unlike if not one.type or one.type != last.type]
    return (both or unlike or list(ready))[0]


def _slot(
    past: Sequence[Sent], now: dt.datetime, cadence: Cadence, zone: dt.tzinfo, seed: int
) -> dt.datetime:
    """The first instant at which a post may go out; one that has passed counts as now."""
    earliest = now
    if past:
        gap = cadence.gap_min + cadence.jitter_min * _chance(seed, past[-1].at)
        earliest = past[-1].at + dt.timedelta(minutes=gap)
    if len(past) >= cadence.posts_a_day:
        earliest = max(earliest, past[-cadence.posts_a_day].at + _DAY)
    start = max(earliest, now)
    for begin, end in _openings(start, cadence, zone):
        # Not at the stroke of the hour at which a window opens; and not later than the window's own half.
        late = min(cadence.jitter_min * 60, (end - begin).total_seconds() / 2) * _chance(seed, begin)
        at = max(earliest, begin + dt.timedelta(seconds=late))
        if max(at, now) < end and _count(past, max(at, now), zone) < cadence.posts_a_day:
            return max(at, now)
    raise AssertionError("unreachable: a Cadence leaves some time of the week open")


def _count(past: Sequence[Sent], at: dt.datetime, zone: dt.tzinfo) -> int:
    """Posts on the local date of `at`."""
    date = at.astimezone(zone).date()
    return sum(1 for one in past[-60:] if one.at.astimezone(zone).date() == date)


def _openings(
    start: dt.datetime, cadence: Cadence, zone: dt.tzinfo
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Stretches [begin, end) of UTC in which posts may go out, each on one local date; the first holds or follows `start`."""
    date = start.astimezone(zone).date()
    for day in range(_LOOK_DAYS):
        edges = _edges(date + dt.timedelta(days=day), cadence, zone)
        begin: dt.datetime | None = None
        for edge, following in zip(edges, [*edges[1:], None], strict=True):
            is_open = following is not None and cadence.open_at(edge.astimezone(zone))
            if is_open and begin is None:
                begin = edge
            if begin is not None and not is_open:
                if edge > start:
                    yield begin, edge
                begin = None


def _edges(date: dt.date, cadence: Cadence, zone: dt.tzinfo) -> list[dt.datetime]:
    """Instants of a local date, from its first to the next one's, between which nothing changes."""
    walls = {dt.time(hour) for hour in range(24)} if cadence.hours.on(date) else set()
    if cadence.quiet is not None:
        walls |= {cadence.quiet.start, cadence.quiet.end}
    first, last = _midnight(date, zone), _midnight(date + dt.timedelta(days=1), zone)
    found = {first, last}
    for wall in walls:
        for fold in (0, 1):
            naive = dt.datetime.combine(date, wall).replace(fold=fold, tzinfo=zone)
            found.add(naive.astimezone(dt.UTC))
    found |= set(_transitions(first, last, zone))
    return sorted(edge for edge in found if first <= edge <= last)


def _midnight(date: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """The first instant of a local date, in UTC; zones that skip midnight begin later."""
    begin = dt.datetime.combine(date, dt.time()).replace(tzinfo=zone).astimezone(dt.UTC)
    low, high = begin - dt.timedelta(hours=3), begin + dt.timedelta(hours=3)
    if low.astimezone(zone).date() >= date or high.astimezone(zone).date() < date:
        return begin
    return _first(low, high, lambda at: at.astimezone(zone).date() >= date)


def _transitions(first: dt.datetime, last: dt.datetime, zone: dt.tzinfo) -> Iterator[dt.datetime]:
    """When the zone's offset changes, to the second."""
    if first.astimezone(zone).utcoffset() == last.astimezone(zone).utcoffset():
        return
    new = last.astimezone(zone).utcoffset()
    yield _first(first, last, lambda at: at.astimezone(zone).utcoffset() == new)


def _first(low: dt.datetime, high: dt.datetime, holds: Callable[[dt.datetime], bool]) -> dt.datetime:
    """The first whole second after `low` at which `holds`; it does at `high`."""
    while high - low > _SECOND:
        middle = low + dt.timedelta(seconds=int((high - low).total_seconds()) // 2)
        if holds(middle):
            high = middle
        else:
            low = middle
    return high


def _chance(seed: int, at: dt.datetime) -> float:
    """A number from 0 to 1 that is the same for the same instant."""
    digest = hashlib.sha256(f"{seed} {at.timestamp():.0f}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
