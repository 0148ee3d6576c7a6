"""When a night batch runs. Owns that decision; refuses rows (`daemon.batch_rows`), dates (`daemon.nights`) and photos.

Nothing here waits for an alarm clock. Each time the supervisor passes, the present state is compared with what it should
be, from the wall clock and the ledger alone. So a clock that rings twice, a changed clock, a machine that was off or asleep
need no care of their own: a date that has its batch never gets a second one, and a date without one is seen.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import time

from daemon.batch_rows import Batch, BatchRows, Cause
from daemon.ledger import Ledger
from daemon.nights import Calendar, Night
from daemon.report import write_report
from daemon.settings import Settings
from daemon.studio import Studio
from rules.plan import Window
from rules.timing import timing_of, windows

log = logging.getLogger("vitrine.batches")
_PASS_S = 0.5
_RETRY_S = 5.0  # after a full disk and the like
_LINGER_S = 300.0  # a night's report waits so long for one more photo
_COPYING_S = 30.0  # a batch by day waits so long for files that are still being copied
_AWAY = dt.timedelta(minutes=5)
_MOST_MERGED = 62  # nights of longer ago are not written down one by one


class Batches:
    """All night batches of a studio. alarm: what the owner should know about an unfinished night, or ""."""

    def __init__(
        self, studio: Studio, ledger: Ledger, settings: Settings, linger_s: float = _LINGER_S
    ) -> None:
        self.alarm = ""
        self._studio = studio
        self._ledger = ledger
        self._rows = BatchRows(ledger)
        self._linger_s = linger_s
        self._next = 0.0
        self._seen_at: dt.datetime | None = None
        self._idle: dict[int, float] = {}  # batches without work, since which tick
        self._trouble = ""
        self._take_up(settings)

    def follow(self, settings: Settings) -> None:
        """Other rules are in force: the files that wait are placed anew."""
        self._take_up(settings)
        self._rows.unplace()

    def advance(self, now: dt.datetime, ticks: float) -> None:
        """Bring all batches to where they should be. now: the wall clock; ticks: monotonic seconds."""
        if ticks < self._next:
            return
        self._next = ticks + _PASS_S
        self._rows.place(self._window_of)
        for name, window in self._windows.items():
            night = self._calendar.open(window, now)
            if night is None:
                self._catch_up(name, window, now)
            else:
                self._open(name, night)
        for batch in self._rows.by_state("running"):
            self._rows.adopt(batch)
            self._look_after(batch, now, ticks)
        for batch in self._rows.by_state("resting"):
            if not self._rows.active(batch):
                self._end(batch, ticks)
        self._seen_at = now
        self.alarm = " ".join(filter(None, (self._trouble, *map(self._late, self._unfinished()))))

    def ended(self, number: int) -> bool:
        """Whether that batch has done its work, its report included."""
        return self._rows.is_over(number)

    def _take_up(self, settings: Settings) -> None:
        self._settings = settings
        self._windows = windows(settings.rules)
        self._calendar = Calendar(settings.time_zone)
        self._next = 0.0

    def _window_of(self, folder: str) -> str:
        return timing_of(folder, self._settings.rules).name

    def _open(self, name: str, night: Night) -> None:
        """The window is open: its date has a batch, and that batch runs."""
        known = self._rows.find(name, str(night.date))
        if known is None:
            self._begin(name, night.date, "window", self._missed(name, night.date))
            return
        run = self._rows.get(known.run) if known.run is not None else known
        if run.state == "resting":
            self._rows.resume(run.id, "window")
        elif run.state == "ended" and self._rows.due(name):  # one more photo came
            self._rows.resume(known.id, "window")

    def _catch_up(self, name: str, window: Window, now: dt.datetime) -> None:
        """The window is closed; should there have been no batch when it was open last, that is seen here."""
        last = self._calendar.last(window, now)
        if self._rows.find(name, str(last.date)) is not None:
            return
        waited = self._rows.waited(name, last.closes.timestamp())
        if self._settings.catch_up and waited:
            self._begin(name, last.date, "caught up", self._missed(name, last.date))
        elif waited or self._rows.latest_before(name, str(last.date)) is not None:
            with self._ledger.writing():
                self._rows.skip(name, [*self._missed(name, last.date), str(last.date)])

    def _begin(self, name: str, date: dt.date, cause: Cause, missed: list[str]) -> None:
        """The batch of `date`: a new one, or that of an earlier night whose work is not done."""
        unfinished = self._rows.unfinished(name)
        with self._ledger.writing():
            if unfinished is None:
                run = self._rows.open(name, str(date), cause)
            else:
                run = unfinished.id
                self._rows.resume(run, cause)
                missed = [*missed, str(date)]
            if self._settings.catch_up or unfinished is not None:
                self._rows.merge(name, missed, run)
            else:
                self._rows.skip(name, missed)
        nights = self._rows.nights(self._rows.get(run))
        log.info(
            "the night batch of %s begins%s", ", ".join(nights), " now, to catch up" * (cause != "window")
        )

    def _missed(self, name: str, until: dt.date) -> list[str]:
        """Dates between the last one that has a batch and `until`."""
        known = self._rows.latest_before(name, str(until))
        if known is None:
            return []
        count = min((until - dt.date.fromisoformat(known)).days - 1, _MOST_MERGED)
        dates = [until - dt.timedelta(days=back) for back in range(count, 0, -1)]
        return [str(date) for date in dates if self._calendar.exists(self._windows[name], date)]

    def _look_after(self, batch: Batch, now: dt.datetime, ticks: float) -> None:
        """Let a batch that runs go on, end or rest."""
        busy = self._rows.active(batch) > 0
        idle_s = 0.0 if busy else ticks - self._idle.setdefault(batch.id, ticks)
        if busy:
            self._idle.pop(batch.id, None)
        patience_s = _COPYING_S if self._rows.files(batch, "settling") else 0.0
        if batch.cause == "window":
            window = self._windows.get(batch.window)
            is_open = window is not None and self._calendar.open(window, now) is not None
            patience_s = self._linger_s if is_open else 0.0
            if busy and not is_open:
                self._interrupt(batch, window, now)
        if not busy and idle_s >= patience_s:
            self._end(batch, ticks)

    def _interrupt(self, batch: Batch, window: Window | None, now: dt.datetime) -> None:
        """The window closed over unfinished work. If we were away then, that is made up for; if not, it waits."""
        if window is None:  # the rules know it no more; the files have moved to another
            self._rows.rest(batch.id, late=False)
            return
        date = dt.date.fromisoformat(self._rows.nights(batch)[-1])
        closes = self._calendar.night(window, date).closes
        away = self._seen_at is None or closes - self._seen_at > _AWAY
        if away and now >= closes and self._settings.catch_up:
            self._rows.resume(batch.id, "caught up")
            log.info("the night batch of %s was interrupted and goes on now", batch.date)
            return
        late = now >= closes
        report = ""
        with contextlib.suppress(OSError):  # it is written again when the work is done
            report = self._report(batch) if late else ""
        self._rows.rest(batch.id, late=late, report=report)

    def _end(self, batch: Batch, ticks: float) -> None:
        try:
            report = self._report(batch)
        except OSError as error:
            self._trouble = f"The report of the night cannot be written: {error.strerror} ({error.filename})."
            self._next = ticks + _RETRY_S
            return
        self._trouble = ""
        self._idle.pop(batch.id, None)
        self._rows.end(batch.id, report)
        if report:
            log.info("the night batch of %s is done: %s.txt", batch.date, report)

    def _report(self, batch: Batch) -> str:
        """Path of the report below the studio, without suffix; "" for a night without photos."""
        if not self._rows.files(batch):
            return ""
        return write_report(self._studio, self._ledger, batch, self._calendar, time.time())

    def _unfinished(self) -> list[Batch]:
        return [one for state in ("running", "resting") for one in self._rows.by_state(state) if one.late]

    def _late(self, batch: Batch) -> str:
        count = self._rows.active(batch)
        return (
            f"The night batch of {batch.date} was not finished when its window ended: {count}"
            f" {'photo waits' if count == 1 else 'photos wait'}. It goes on when the window opens again;"
            " `vitrine batch --now` lets it go on at once."
        )
