"""Rows of the ledger that stand for files: seen, taken, ended. Owns their SQL and the account; refuses the files."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from daemon.failpoint import reach
from daemon.jobstore import Artifact, JobSpec, Offer
from daemon.ledger import Ledger
from daemon.scan import Stamp
from daemon.sqlite_store import SqliteStore

Ended = Literal["done", "review", "rejected", "duplicate", "vanished"]
ACCOUNT = ("waiting", "leased", "done", "review", "rejected", "duplicate", "vanished", "ignored")


@dataclass(frozen=True, slots=True)
class Drop:
    """One file that was dropped. path, source: the disk's bytes, below the inbox and below the studio."""

    id: int
    path: bytes
    folder: str
    name: str
    stamp: Stamp
    state: str
    digest: str
    kind: str
    source: bytes
    archived: bool
    sidecar: str | None
    plan: str
    reason: str
    seen_at: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What intake found out: goes into the ledger in one transaction, together with the jobs."""

    digest: str
    kind: str
    source: bytes
    sidecar: str | None
    plan: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as the drop's end sees it."""

    key: str
    variant: int
    state: str
    reason: str


class Drops:
    """Files in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._run = ledger.connection.execute

    def see(self, path: bytes, folder: str, name: str, stamp: Stamp) -> int:
        """A file that is not taken yet: one row per path, its stamp kept fresh. Call inside `Ledger.writing`."""
        row = self._run(
            "INSERT INTO drops (path, folder, name, dev, ino, size, mtime_ns, state, seen_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'settling', ?)"
            " ON CONFLICT (path) WHERE state IN ('settling', 'ignored') DO UPDATE SET state = 'settling',"
            " dev = excluded.dev, ino = excluded.ino, size = excluded.size, mtime_ns = excluded.mtime_ns"
            " RETURNING id",
            (path, folder, name, *_columns(stamp), time.time()),
        ).fetchone()
        return int(row[0])

    def ignore(self, path: bytes, folder: str, name: str, reason: str) -> bool:
        """Something that is no photo; True the first time."""
        cursor = self._run(
            "INSERT INTO drops (path, folder, name, state, reason, seen_at) VALUES (?, ?, ?, 'ignored', ?, ?)"
            " ON CONFLICT (path) WHERE state IN ('settling', 'ignored') DO NOTHING",
            (path, folder, name, reason, time.time()),
        )
        return cursor.rowcount == 1

    def unfinished(self) -> Iterator[Drop]:
        """Files that were seen and not taken, and taken ones whose original is still in the inbox."""
        rows = self._run(
            "SELECT * FROM drops WHERE state = 'settling' OR (state = 'open' AND archived = 0) ORDER BY id"
        )
        return map(_drop, rows)

    def in_inbox(self) -> set[int]:
        """Ids of taken files whose original is still in the inbox."""
        return {row[0] for row in self._run("SELECT id FROM drops WHERE state = 'open' AND archived = 0")}

    def take(self, drop_id: int, stamp: Stamp, taken: Taken, jobs: Iterable[JobSpec]) -> list[Offer]:
        """Make it durable that the file is taken, with its plan and its jobs, in one step."""
        store = SqliteStore(self.ledger)
        with self.ledger.writing():
            # Another try is decided anew: what did not come to a picture before must not count at the end.
            self._run(
                "DELETE FROM jobs WHERE drop_id = ? AND state IN ('review', 'rejected', 'vanished')",
                (drop_id,),
            )
            self._run(
                "UPDATE drops SET state = 'open', dev = ?, ino = ?, size = ?, mtime_ns = ?, digest = ?, kind = ?,"
                " source = ?, sidecar = ?, plan = ?, reason = ?, taken_at = ? WHERE id = ?",
                (
                    *_columns(stamp),
                    taken.digest,
                    taken.kind,
                    taken.source,
                    taken.sidecar,
                    taken.plan,
                    taken.reason,
                    time.time(),
                    drop_id,
                ),
            )
            offers = [store.offer(job) for job in jobs]
            reach("in-take")
        return offers

    def retake(self, drop_id: int, taken: Taken, jobs: Iterable[JobSpec]) -> bool:
        """Put another plan and other jobs in the place of those that wait; False if one of them is past waiting."""
        store = SqliteStore(self.ledger)
        with self.ledger.writing():
            states = {job.state for job in self.jobs(drop_id)}
            if states != {"waiting"}:
                return False
            self._run("DELETE FROM jobs WHERE drop_id = ?", (drop_id,))
            self._run(
                "UPDATE drops SET sidecar = ?, plan = ? WHERE id = ?", (taken.sidecar, taken.plan, drop_id)
            )
            for job in jobs:
                store.offer(job)
        return True

    def vanish(self, drop_ids: Iterable[int]) -> None:
        """Files that went away before they were taken."""
        with self.ledger.writing():
            for drop_id in drop_ids:
                self._run(
                    "UPDATE drops SET state = 'vanished', reason = 'it was taken out of the inbox', ended_at = ?"
                    " WHERE id = ? AND state = 'settling'",
                    (time.time(), drop_id),
                )

    def moved(self, drop_id: int, source: bytes, *, archived: bool) -> None:
        """The bytes are somewhere else now."""
        with self.ledger.writing():
            self._run(
                "UPDATE drops SET source = ?, archived = ? WHERE id = ?", (source, int(archived), drop_id)
            )

    def end(self, drop_id: int, state: Ended, reason: str) -> None:
        """Nothing is left to do for the file."""
        with self.ledger.writing():
            self._run(
                "UPDATE drops SET state = ?, reason = ?, ended_at = ? WHERE id = ?",
                (state, reason, time.time(), drop_id),
            )

    def get(self, drop_id: int) -> Drop:
        """One row. KeyError if there is none."""
        row = self._run("SELECT * FROM drops WHERE id = ?", (drop_id,)).fetchone()
        if row is None:
            raise KeyError(drop_id)
        return _drop(row)

    def jobs(self, drop_id: int) -> list[JobRow]:
        """The drop's jobs, by variant."""
        rows = self._run(
            "SELECT key, variant, state, reason FROM jobs WHERE drop_id = ? ORDER BY variant", (drop_id,)
        )
        return [JobRow(*row) for row in rows]

    def outputs(self, drop_id: int, state: str) -> list[Artifact]:
        """Files that the drop's jobs in this state made."""
        rows = self._run("SELECT outputs FROM jobs WHERE drop_id = ? AND state = ?", (drop_id, state))
        return [Artifact(**item) for row in rows for item in json.loads(row[0])]

    def again_since(self, drop: Drop) -> list[Drop]:
        """Later drops of the same photo, or the photo moved in the inbox: they may rely on this drop's jobs."""
        rows = self._run(
            "SELECT * FROM drops WHERE digest = ? AND id > ? AND state IN ('open', 'duplicate')",
            (drop.digest, drop.id),
        )
        return [_drop(row) for row in rows]

    def closing(self) -> list[int]:
        """Taken drops without an open job: their end was interrupted."""
        rows = self._run(
            "SELECT id FROM drops d WHERE state = 'open' AND NOT EXISTS"
            " (SELECT 1 FROM jobs WHERE drop_id = d.id AND state IN ('waiting', 'leased'))"
        )
        return [row[0] for row in rows]

    def recent(self, states: Iterable[str], limit: int = 50, batch: int | None = None) -> list[Drop]:
        """The newest drops in these states (of that night batch)."""
        wanted = tuple(states)
        marks = ", ".join("?" * len(wanted))
        rows = self._run(
            f"SELECT * FROM drops WHERE state IN ({marks}) AND ? IN (batch, -1) ORDER BY id DESC LIMIT ?",  # noqa: S608
            (*wanted, -1 if batch is None else batch, limit),
        )
        return [_drop(row) for row in rows]

    def sources(self) -> set[bytes]:
        """Private copies and other files that open drops still need."""
        rows = self._run("SELECT source FROM drops WHERE source IS NOT NULL AND state = 'open'")
        return {row[0] for row in rows}

    def account(self, batch: int | None = None) -> Mapping[str, int]:
        """Every file that was ever seen (or belongs to that batch), by what became of it; `unexplained` must be 0."""
        where, values = ("batch = ?", (batch,)) if batch is not None else ("1", ())
        busy = "state = 'open' AND NOT EXISTS (SELECT 1 FROM jobs WHERE drop_id = d.id AND state = 'waiting')"
        with self.ledger.reading():  # a photo that ends meanwhile must not be counted twice, or not at all
            states = f"SELECT state, count(*) FROM drops WHERE {where} GROUP BY state"  # noqa: S608
            counts: dict[str, int] = dict(self._run(states, values).fetchall())
            seen, leased = self._run(
                f"SELECT count(*), count(*) FILTER (WHERE {busy}) FROM drops d WHERE {where}",  # noqa: S608
                values,
            ).fetchone()
        account = {state: counts.get(state, 0) for state in ACCOUNT}
        account["leased"] = leased
        account["waiting"] = counts.get("settling", 0) + counts.get("open", 0) - leased
        return {"seen": seen, **account, "unexplained": seen - sum(account.values())}


def _columns(stamp: Stamp) -> tuple[int, int, int, int]:
    return _signed(stamp.dev), _signed(stamp.ino), stamp.size, stamp.mtime_ns


def _signed(number: int) -> int:
    """SQLite's integers are signed; inode numbers of some network drives use all 64 bits."""
    return number - (1 << 64) if number >= 1 << 63 else number


def _stamp(row: sqlite3.Row) -> Stamp:
    return Stamp(row["dev"] or 0, (row["ino"] or 0) % (1 << 64), row["size"] or 0, row["mtime_ns"] or 0)


def _drop(row: sqlite3.Row) -> Drop:
    return Drop(
        id=row["id"],
        path=row["path"],
        folder=row["folder"],
        name=row["name"],
        stamp=_stamp(row),
        state=row["state"],
        digest=row["digest"] or "",
        kind=row["kind"] or "",
        source=row["source"] or b"",
        archived=bool(row["archived"]),
        sidecar=row["sidecar"],
        plan=row["plan"] or "",
        reason=row["reason"],
        seen_at=row["seen_at"],
    )
