"""Batches in the ledger: one row for each local date and window, and which files belong to it. Owns their SQL.

Refuses the clock (`daemon.nights`) and the decision when a batch runs (`daemon.batches`). An overnight job may be claimed
while its file's batch is `running` (`daemon.sqlite_store`), so a change of a row here is all that starts or stops a night.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from daemon.ledger import Ledger
from daemon.pauses import EVERYTHING, PAUSED
from rules.timing import NIGHT

Cause = Literal["window", "caught up", "missed", "by hand"]
State = Literal["running", "resting", "ended", "merged"]
# Of a file: no batch that runs has it. (+ keeps SQLite from walking through all files that the window ever had.)
_LOOSE = "NOT EXISTS (SELECT 1 FROM batches b WHERE b.id = batch AND b.state = 'running')"
_IN_FOLDER = "(:folder = '/' OR folder = :folder OR substr(folder, 1, length(:folder) + 1) = :folder || '/')"


@dataclass(frozen=True, slots=True)
class Batch:
    """One row. date: local, ISO; run: the batch that does its work if it is merged; report: path without suffix."""

    id: int
    date: str
    window: str
    cause: Cause
    state: State
    run: int | None
    folder: str
    late: bool
    report: str
    opened_at: float
    ended_at: float | None


class BatchRows:
    """The table of batches."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._run = ledger.connection.execute

    def place(self, window_of: Callable[[str], str]) -> None:
        """Note of each new file in which window it is due; window_of: a folder's, "" for none."""
        new = self._run("SELECT DISTINCT folder FROM drops WHERE window IS NULL").fetchall()
        # Decided as overnight before the rules changed: it stays so, for its plan was frozen.
        stray = " WHERE window = '' AND id IN (SELECT drop_id FROM jobs WHERE state = 'waiting' AND queue = 'overnight')"
        if not new and self._run(f"SELECT 1 FROM drops{stray} LIMIT 1").fetchone() is None:  # noqa: S608
            return
        with self._ledger.writing():
            for (folder,) in new:
                values = (window_of(folder), folder)
                self._run("UPDATE drops SET window = ? WHERE window IS NULL AND folder = ?", values)
            self._run(f"UPDATE drops SET window = ?{stray}", (NIGHT,))  # noqa: S608

    def unplace(self) -> None:
        """The rules changed: all files that are not finished are asked again."""
        with self._ledger.writing():
            self._run("UPDATE drops SET window = NULL WHERE state IN ('settling', 'open')")

    def get(self, number: int) -> Batch:
        """One row. KeyError if there is none."""
        found = self._batches("WHERE id = ?", number)
        if not found:
            raise KeyError(number)
        return found[0]

    def is_over(self, number: int) -> bool:
        """Whether a batch has ended and has its contact sheet, if it gets one."""
        row = self._run(
            "SELECT state = 'ended' AND sheet <> 1 FROM batches WHERE id = ?", (number,)
        ).fetchone()
        return bool(row[0])

    def find(self, window: str, date: str) -> Batch | None:
        """The batch of a date, None when that night has not come yet."""
        found = self._batches("WHERE window = ? AND date = ? AND cause <> 'by hand'", window, date)
        return found[0] if found else None

    def unfinished(self, window: str) -> Batch | None:
        """The batch of an earlier night that still has work."""
        where = "WHERE window = ? AND cause <> 'by hand' AND state IN ('running', 'resting') ORDER BY id"
        found = self._batches(where, window)
        return found[0] if found else None

    def by_state(self, state: State) -> list[Batch]:
        """All in this state."""
        return self._batches("WHERE state = ? ORDER BY id", state)

    def latest_before(self, window: str, date: str) -> str | None:
        """The last date before `date` that has a batch."""
        where = "window = ? AND date < ? AND cause <> 'by hand'"
        row = self._run(f"SELECT max(date) FROM batches WHERE {where}", (window, date)).fetchone()  # noqa: S608
        return str(row[0]) if row[0] is not None else None

    def nights(self, batch: Batch) -> list[str]:
        """Dates whose work it does."""
        rows = self._run("SELECT date FROM batches WHERE id = ?1 OR run = ?1 ORDER BY date", (batch.id,))
        return [row[0] for row in rows]

    def open(self, window: str, date: str, cause: Cause, folder: str = EVERYTHING) -> int:
        """A new batch that runs; its number. Joins the caller's transaction."""
        return self._insert(window, date, cause, "running", folder=folder)

    def merge(self, window: str, dates: Iterable[str], run: int) -> None:
        """Nights whose work another batch does."""
        for date in dates:
            self._insert(window, date, "window", "merged", run=run)

    def skip(self, window: str, dates: Iterable[str]) -> None:
        """Nights that passed without a batch, and will not be caught up with."""
        for date in dates:
            self._insert(window, date, "missed", "ended")

    def ask(self, folder: str, date: str) -> int:
        """A batch by hand: from now on, whatever the time. The same number while one for that folder still runs."""
        with self._ledger.writing():
            same = self._batches("WHERE cause = 'by hand' AND state = 'running' AND folder = ?", folder)
            return same[0].id if same else self.open("", date, "by hand", folder)

    def resume(self, number: int, cause: Cause) -> None:
        """Let it run (again)."""
        sets = "state = 'running', cause = ?, run = NULL, ended_at = NULL"
        self._run(f"UPDATE batches SET {sets} WHERE id = ?", (cause, number))  # noqa: S608

    def rest(self, number: int, *, late: bool, report: str = "") -> None:
        """Its window is closed and its work not done."""
        sets = "state = 'resting', late = max(late, ?), report = ?, sheet = ?"
        with self._ledger.writing():
            self._run(f"UPDATE batches SET {sets} WHERE id = ?", (late, report, bool(report), number))  # noqa: S608

    def end(self, number: int, report: str) -> None:
        """All its work is done. Files that are still being copied are left to the next."""
        with self._ledger.writing():
            self._run(
                "UPDATE batches SET state = 'ended', late = 0, report = ?, sheet = ?, ended_at = ? WHERE id = ?",
                (report, bool(report), time.time(), number),
            )
            self._run("UPDATE drops SET batch = NULL WHERE batch = ? AND state = 'settling'", (number,))

    def adopt(self, batch: Batch) -> None:
        """Let it have what is due in it: what no batch has, and unfinished files of batches that do not run."""
        values = {"id": batch.id, "window": batch.window, "folder": batch.folder}
        if batch.cause == "by hand":
            wheres = [f"state IN ('settling', 'open') AND +window <> '' AND {_IN_FOLDER} AND {_LOOSE}"]
        else:
            wheres = [
                "window = :window AND batch IS NULL",
                f"state = 'open' AND +window = :window AND {_LOOSE}",
            ]
        for where in wheres:
            if self._run(f"SELECT 1 FROM drops WHERE {where} LIMIT 1", values).fetchone():  # noqa: S608
                with self._ledger.writing():
                    self._run(f"UPDATE drops SET batch = :id WHERE {where}", values)  # noqa: S608

    def due(self, window: str) -> bool:
        """Whether a photo waits for a batch of this window."""
        where = f"d.state = 'open' AND +d.window = ? AND {_LOOSE} AND NOT {PAUSED}"
        return self._run(f"SELECT 1 FROM drops d WHERE {where} LIMIT 1", (window,)).fetchone() is not None  # noqa: S608

    def waited(self, window: str, moment: float) -> bool:
        """Whether a photo of this window was there before Unix time `moment` and is not finished."""
        row = self._run(
            "SELECT 1 FROM drops WHERE state IN ('settling', 'open') AND +window = ?"
            " AND min(seen_at, coalesce(mtime_ns / 1e9, seen_at)) < ? LIMIT 1",
            (window, moment),
        ).fetchone()
        return row is not None

    def active(self, batch: Batch) -> int:
        """Files of it that are not finished; those of paused folders do not count, unless they are in work."""
        leased = "EXISTS (SELECT 1 FROM jobs WHERE drop_id = d.id AND state = 'leased')"
        where = f"d.batch = ? AND d.state = 'open' AND (NOT {PAUSED} OR {leased})"
        return int(self._run(f"SELECT count(*) FROM drops d WHERE {where}", (batch.id,)).fetchone()[0])  # noqa: S608

    def files(self, batch: Batch, *states: str) -> int:
        """Files of it, in these states or in any."""
        which = f" AND state IN ({', '.join('?' * len(states))})" if states else ""
        row = self._run(f"SELECT count(*) FROM drops WHERE batch = ?{which}", (batch.id, *states)).fetchone()  # noqa: S608
        return int(row[0])

    def without_sheet(self) -> Batch | None:
        """One whose report still lacks its contact sheet."""
        found = self._batches("WHERE sheet = 1 ORDER BY id DESC LIMIT 1")
        return found[0] if found else None

    def sheet_tried(self, number: int, *, made: bool) -> None:
        """The contact sheet was made, or cannot be."""
        with self._ledger.writing():
            self._run("UPDATE batches SET sheet = ? WHERE id = ?", (2 if made else 3, number))

    def _insert(
        self,
        window: str,
        date: str,
        cause: Cause,
        state: State,
        *,
        run: int | None = None,
        folder: str = EVERYTHING,
    ) -> int:
        cursor = self._run(
            "INSERT INTO batches (date, window, cause, state, run, folder, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (date, window, cause, state, run, folder, time.time()),
        )
        return int(cursor.lastrowid or 0)

    def _batches(self, where: str, *values: object) -> list[Batch]:
        columns = "id, date, window, cause, state, run, folder, late, report, opened_at, ended_at"
        rows: list[sqlite3.Row] = self._run(f"SELECT {columns} FROM batches {where}", values).fetchall()  # noqa: S608
        return [Batch(*row) for row in rows]
