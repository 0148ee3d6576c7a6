"""What waits for the night, folder by folder, and when its turn is. Owns that look at the ledger; changes nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from daemon.ledger import Ledger
from daemon.nights import Calendar
from daemon.pauses import Pauses
from daemon.settings import Settings
from rules.timing import timing_of, windows


@dataclass(frozen=True, slots=True)
class Waiting:
    """One folder. runs: its batch is at work; paused: nothing of it is rendered; opens: when its window opens next."""

    folder: str
    photos: int
    runs: bool
    paused: bool
    opens: dt.datetime


def waiting(ledger: Ledger, settings: Settings, now: dt.datetime) -> list[Waiting]:
    """All folders with photos that wait for a window, in order of name."""
    calendar, known = Calendar(settings.time_zone), windows(settings.rules)
    pauses = Pauses(ledger).all()
    rows = ledger.connection.execute(
        "SELECT d.folder, d.window, count(*), max(b.state = 'running') FROM drops d"
        " LEFT JOIN batches b ON b.id = d.batch WHERE d.state IN ('settling', 'open') GROUP BY d.folder, d.window"
    ).fetchall()
    found = []
    for folder, placed, photos, runs in rows:
        name = timing_of(folder, settings.rules).name if placed is None else placed
        if name:
            opens = calendar.next(known.get(name, settings.overnight), now).opens
            paused = any(pause.holds(folder) for pause in pauses)
            found.append(Waiting(folder, photos, bool(runs), paused, calendar.local(opens)))
    return sorted(found, key=lambda one: one.folder)
