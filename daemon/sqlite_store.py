"""`JobStore` on the ledger: one table, one transaction per step. Refuses photos, files and plans."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict

from daemon.failpoint import reach
from daemon.jobstore import (
    BACKOFF_S,
    MAX_ATTEMPTS,
    Artifact,
    Claim,
    Failure,
    JobSpec,
    LeaseLost,
    Next,
    Offer,
    Outcome,
    Queue,
)
from daemon.ledger import Ledger
from daemon.owner import Owner
from daemon.pauses import PAUSED

_DAY_S = 86_400.0
_SHIFT = {"urgent": -_DAY_S, "normal": 0.0, "overnight": _DAY_S}
_ORDER: tuple[Queue, ...] = ("urgent", "normal", "overnight")
# Of the job `j` of the drop `d`: nobody paused its folder, and by day it does not belong to the night.
_RUNS = "EXISTS (SELECT 1 FROM batches b WHERE b.id = d.batch AND b.state = 'running')"
_FREE = f"NOT {PAUSED} AND (j.queue <> 'overnight' OR {_RUNS})"
_ENDED = "owner = NULL, ended_at = ?, seconds = ? - begun"
GIVEN_UP = "Vitrine tried this photo {attempts} times and had to stop each time. Last: {reason}"


class SqliteStore:
    """The default store. clock: Unix time, for what must outlive a restart; ticks: monotonic time of this boot."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ticks = ticks
        self._owed = True  # whether the next turn is that of a job that waited too long

    def offer(self, job: JobSpec) -> Offer:
        """See JobStore. Joins the caller's transaction if there is one."""
        if not self._ledger.connection.in_transaction:
            with self._ledger.writing():
                return self.offer(job)
        now = self._clock()
        rank = now + _SHIFT[job.queue]
        run = self._ledger.connection.execute
        known = run("SELECT state FROM jobs WHERE key = ?", (job.key,)).fetchone()
        if known is None:
            run(
                "INSERT INTO jobs (key, drop_id, variant, queue, state, rank, not_before, offered_at)"
                " VALUES (?, ?, ?, ?, 'waiting', ?, ?, ?)",
                (job.key, job.drop_id, job.variant, job.queue, rank, job.not_before, now),
            )
            return Offer.NEW
        if known["state"] in {"waiting", "leased", "done"}:
            return Offer.DUPLICATE
        run(
            "UPDATE jobs SET drop_id = ?, variant = ?, queue = ?, state = 'waiting', rank = ?, not_before = ?,"
            " attempts = 0, excused = 0, owner = NULL, reason = '', ended_at = NULL WHERE key = ?",
            (job.drop_id, job.variant, job.queue, rank, job.not_before, job.key),
        )
        return Offer.RETRY

    def claim(self, queues: Sequence[Queue], owner: Owner, lease_s: float) -> Claim | None:
        """See JobStore."""
        if not queues:
            return None
        now = self._clock()
        with self._ledger.writing() as connection:
            key = self._next(queues, now)
            row = connection.execute(
                "UPDATE jobs SET state = 'leased', owner = ?, lease_until = ?, begun = ?, attempts = attempts + 1,"
                " token = token + 1 WHERE key = ? RETURNING key, drop_id, variant, token, attempts, queue",
                (str(owner), self._ticks() + lease_s, self._ticks(), key),
            ).fetchone()
        return Claim(*row) if row is not None else None

    def _next(self, queues: Sequence[Queue], now: float) -> str | None:
        """The job whose turn it is: urgent, normal, overnight, each in the order of arrival.

        So that nothing starves, every second turn goes to one that has waited for a day too long, if there is one: then
        an urgent photo still waits for one job at most.
        """
        heads = [head for queue in _ORDER if queue in queues and (head := self._head(queue, now))]
        overdue = [head for head in heads[1:] if _overdue(head["rank"], now)]
        if overdue and self._owed:
            self._owed = False
            return str(min(overdue, key=lambda head: float(head["rank"]))["key"])
        self._owed = True
        return str(heads[0]["key"]) if heads else None

    def _head(self, queue: Queue, now: float) -> sqlite3.Row | None:
        """The first of a queue that may be claimed. The order is that of the rows, whatever the clock said."""
        # A wait longer than any backoff means that the clock was set back; then the time does not count.
        due = "(j.not_before <= ? OR j.not_before > ?)"
        head: sqlite3.Row | None = self._ledger.connection.execute(
            "SELECT j.key, j.rank FROM jobs j CROSS JOIN drops d ON d.id = j.drop_id"  # noqa: S608
            f" WHERE j.state = 'waiting' AND j.queue = ? AND {due} AND {_FREE} ORDER BY j.rowid LIMIT 1",
            (queue, now, now + 2 * BACKOFF_S[-1]),
        ).fetchone()
        return head

    def beat(self, claim: Claim, lease_s: float) -> bool:
        """See JobStore."""
        return self._update(claim, "lease_until = ?", self._ticks() + lease_s)

    def finish(self, claim: Claim, outputs: Sequence[Artifact], outcome: Outcome, reason: str = "") -> None:
        """See JobStore."""
        made = json.dumps([asdict(output) for output in outputs], sort_keys=True)
        sets = f"state = ?, reason = ?, outputs = ?, {_ENDED}"
        with self._ledger.writing():
            mine = self._set(claim, sets, outcome, reason, made, self._clock(), self._ticks())
            reach("in-finish")
        if not mine:
            raise LeaseLost(claim.key)

    def fail(self, claim: Claim, failure: Failure) -> Next:
        """See JobStore."""
        if failure.excused:
            again = self._clock() + self._backoff(claim)
            sets = (
                "state = 'waiting', owner = NULL, reason = ?, attempts = attempts - 1, excused = excused + 1,"
                " not_before = ?"
            )
            self._fenced(claim, sets, failure.reason, again)
            return Next(again)
        if not failure.lasting and claim.attempt < MAX_ATTEMPTS:
            again = self._clock() + BACKOFF_S[min(claim.attempt, len(BACKOFF_S)) - 1]
            sets = "state = 'waiting', owner = NULL, reason = ?, not_before = ?"
            self._fenced(claim, sets, failure.reason, again)
            return Next(again)
        reason = failure.reason
        if not failure.lasting:
            reason = GIVEN_UP.format(attempts=claim.attempt, reason=reason)
        self._fenced(claim, f"state = 'rejected', reason = ?, {_ENDED}", reason, self._clock(), self._ticks())
        return Next(None)

    def cancel(self, claim: Claim, reason: str) -> None:
        """See JobStore."""
        self._fenced(claim, f"state = 'vanished', reason = ?, {_ENDED}", reason, self._clock(), self._ticks())

    def release(self, claim: Claim) -> None:
        """See JobStore."""
        self._update(claim, "state = 'waiting', owner = NULL, attempts = attempts - 1")

    def recover(self, unburied: Collection[Owner] = ()) -> list[int]:
        """See JobStore."""
        spared = {str(owner) for owner in unburied}

        def free(job: sqlite3.Row) -> bool:
            return job["lease_until"] <= self._ticks() or not (
                job["owner"] in spared or Owner.parse(job["owner"]).alive
            )

        given_up: list[int] = []
        if not any(free(job) for job in self._leased()):
            return []
        with self._ledger.writing() as connection:
            for job in filter(free, self._leased()):
                if job["attempts"] < MAX_ATTEMPTS:
                    connection.execute(
                        "UPDATE jobs SET state = 'waiting', owner = NULL WHERE key = ?", (job["key"],)
                    )
                    continue
                why = job["reason"] or "the photo made the program crash, run out of memory or hang."
                reason = GIVEN_UP.format(attempts=job["attempts"], reason=why)
                connection.execute(
                    "UPDATE jobs SET state = 'rejected', owner = NULL, reason = ?, ended_at = ? WHERE key = ?",
                    (reason, self._clock(), job["key"]),
                )
                given_up.append(job["drop_id"])
        return given_up

    def _leased(self) -> list[sqlite3.Row]:
        return self._ledger.connection.execute("SELECT * FROM jobs WHERE state = 'leased'").fetchall()

    def excuse(self, owner: Owner) -> None:
        """Free what `owner` holds without counting the attempt: it was stopped by us, not by a photo."""
        with self._ledger.writing() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'waiting', owner = NULL, attempts = attempts - 1"
                " WHERE state = 'leased' AND owner = ?",
                (str(owner),),
            )

    def spare(self, owner: Owner, most: int) -> None:
        """As `excuse`, for what is most likely no fault of the photo: only so often, then each attempt counts."""
        with self._ledger.writing() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'waiting', owner = NULL, attempts = attempts - 1, excused = excused + 1"
                " WHERE state = 'leased' AND owner = ? AND excused < ?",
                (str(owner), most),
            )

    def blame(self, owner: Owner, reason: str) -> None:
        """Note why the worker that holds a job came to its end; it is told to the owner if the job is given up."""
        with self._ledger.writing() as connection:
            connection.execute(
                "UPDATE jobs SET reason = ? WHERE state = 'leased' AND owner = ?", (reason, str(owner))
            )

    def hasten(self) -> int:
        """Let the jobs that were excused be tried now: what was in their way is gone; how many."""
        with self._ledger.writing() as connection:
            return connection.execute(
                "UPDATE jobs SET not_before = 0 WHERE state = 'waiting' AND excused > 0 AND not_before > 0"
            ).rowcount

    def open_jobs(self, queues: Sequence[Queue]) -> int:
        """Jobs that are leased, or wait in one of these queues and may be claimed (now or after a backoff)."""
        marks = ", ".join("?" * len(queues))
        row = self._ledger.connection.execute(
            "SELECT count(*) FROM jobs j JOIN drops d ON d.id = j.drop_id WHERE j.state = 'leased'"  # noqa: S608
            f" OR (j.state = 'waiting' AND j.queue IN ({marks}) AND {_FREE})",
            tuple(queues),
        ).fetchone()
        return int(row[0])

    def queues(self) -> dict[str, dict[str, int]]:
        """Jobs that wait or are in work, by queue."""
        counts = {queue: {"waiting": 0, "leased": 0} for queue in _SHIFT}
        rows = self._ledger.connection.execute(
            "SELECT queue, state, count(*) FROM jobs WHERE state IN ('waiting', 'leased') GROUP BY queue, state"
        )
        for queue, state, count in rows:
            counts[queue][state] = count
        return counts

    def last_end(self) -> float:
        """When the last job came to its end (Unix time); 0 if none did."""
        row = self._ledger.connection.execute("SELECT max(ended_at) FROM jobs").fetchone()
        return float(row[0] or 0.0)

    def _backoff(self, claim: Claim) -> float:
        row = self._ledger.connection.execute(
            "SELECT excused FROM jobs WHERE key = ?", (claim.key,)
        ).fetchone()
        return BACKOFF_S[min(row["excused"], len(BACKOFF_S) - 1)]

    def _update(self, claim: Claim, sets: str, *values: object) -> bool:
        with self._ledger.writing():
            return self._set(claim, sets, *values)

    def _set(self, claim: Claim, sets: str, *values: object) -> bool:
        """Change the job's row if the claim still holds it. Call inside `Ledger.writing`."""
        cursor = self._ledger.connection.execute(
            f"UPDATE jobs SET {sets} WHERE key = ? AND token = ? AND state = 'leased'",  # noqa: S608
            (*values, claim.key, claim.token),
        )
        return cursor.rowcount == 1

    def _fenced(self, claim: Claim, sets: str, *values: object) -> None:
        if not self._update(claim, sets, *values):
            raise LeaseLost(claim.key)


def _overdue(rank: float, now: float) -> bool:
    """Whether a job of this rank has waited for a day longer than it should; a rank far ahead: the clock was set back."""
    return rank <= now - _DAY_S or rank > now + 2 * _DAY_S
