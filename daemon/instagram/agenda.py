"""Which posts may go out, and when: the queue, the ledger and the cadence put together. Changes nothing, sends nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypedDict
from zoneinfo import ZoneInfo

from tzlocal import get_localzone

from daemon.instagram.post import Entry
from daemon.instagram.post_ledger import PostLedger
from rules.cadence import Cadence, Sent, Turn, Waiting, calendar, next_turn


class Pace(TypedDict):
    """What decides when."""

    cadence: Cadence
    zone: dt.tzinfo
    seed: int


class Agenda:
    """As it is now. entries: all posts of the queue; ledger: None where nothing was ever sent."""

    def __init__(self, entries: Sequence[Entry], ledger: PostLedger | None, pace: Pace) -> None:
        self._pace = pace
        self._sent: list[Sent] = ledger.sent() if ledger else []
        out = {row.id for row in ledger.half_done()} if ledger else set()
        failing = ledger.failing() if ledger else set()
        approved = [entry for entry in entries if entry.post.state == "approved" and entry.id not in out]
        # Those that failed again and again do not stand in the way of the others.
        self.due = sorted(approved, key=lambda entry: entry.id in failing)

    def turn(self, now: dt.datetime) -> Turn | None:
        """What goes out next, and when."""
        return next_turn(self._waiting(), self._sent, now, **self._pace)

    def calendar(self, now: dt.datetime) -> tuple[Turn, ...]:
        """All that is approved, with times."""
        return calendar(self._waiting(), self._sent, now, **self._pace)

    def _waiting(self) -> list[Waiting]:
        zone = self._pace["zone"]
        return [
            Waiting(id=one.id, template=one.post.template, type=one.post.type, wanted=one.post.wanted(zone))
            for one in self.due
        ]


def zone_of(name: str) -> dt.tzinfo:
    """The studio's time zone; "" is this machine's own."""
    return ZoneInfo(name) if name else get_localzone()
