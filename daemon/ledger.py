"""The ledger: every file that was ever seen, and every job. Owns the SQLite file and its schema.

`daemon.drops` and `daemon.sqlite_store` speak its SQL. Needs a local disk: write-ahead logging does not work on network drives.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_FIRST = """
CREATE TABLE drops (
  id INTEGER PRIMARY KEY,
  path BLOB NOT NULL,              -- below the inbox, the disk's own bytes
  folder TEXT NOT NULL,            -- the same for people: folder and name
  name TEXT NOT NULL,
  dev INTEGER, ino INTEGER, size INTEGER, mtime_ns INTEGER,
  state TEXT NOT NULL CHECK (state IN
    ('settling', 'open', 'done', 'review', 'rejected', 'duplicate', 'vanished', 'ignored')),
  digest TEXT, kind TEXT,
  source BLOB,                     -- where the bytes are now, below the studio
  archived INTEGER NOT NULL DEFAULT 0,  -- 1: the original has left the inbox for its last place
  sidecar TEXT,
  plan TEXT,                       -- the decision, frozen when the file was taken
  reason TEXT NOT NULL DEFAULT '',
  seen_at REAL NOT NULL, taken_at REAL, ended_at REAL
) STRICT;
CREATE UNIQUE INDEX drops_settling ON drops (path) WHERE state IN ('settling', 'ignored');
CREATE INDEX drops_state ON drops (state);
CREATE INDEX drops_digest ON drops (digest);
CREATE TABLE jobs (
  key TEXT PRIMARY KEY,
  drop_id INTEGER NOT NULL REFERENCES drops (id),
  variant INTEGER NOT NULL,
  queue TEXT NOT NULL CHECK (queue IN ('urgent', 'normal', 'overnight')),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'done', 'review', 'rejected', 'vanished')),
  rank REAL NOT NULL,              -- the lower the sooner: time of the offer, shifted by urgency (so nothing starves)
  not_before REAL NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  excused INTEGER NOT NULL DEFAULT 0,
  token INTEGER NOT NULL DEFAULT 0,
  owner TEXT, lease_until REAL,    -- CLOCK_MONOTONIC of the boot named in owner
  reason TEXT NOT NULL DEFAULT '',
  outputs TEXT NOT NULL DEFAULT '[]',
  offered_at REAL NOT NULL, ended_at REAL
) STRICT;
CREATE INDEX jobs_next ON jobs (state, queue, rank);
CREATE INDEX jobs_drop ON jobs (drop_id);
"""
_ROOTS = """
CREATE TABLE roots (
  name TEXT PRIMARY KEY,           -- folder of the studio
  mark TEXT NOT NULL,              -- text of its marker file, '' if it needs none
  dev INTEGER NOT NULL,
  own INTEGER NOT NULL             -- 1: a mount of its own
) STRICT
"""
_NIGHTS = """
CREATE TABLE batches (
  id INTEGER PRIMARY KEY,
  date TEXT NOT NULL,              -- local date on which its window opened
  window TEXT NOT NULL,            -- its name: 'night', or the times of a rule's own; '' for a batch by hand
  cause TEXT NOT NULL CHECK (cause IN ('window', 'caught up', 'missed', 'by hand')),
  state TEXT NOT NULL CHECK (state IN ('running', 'resting', 'ended', 'merged')),
  run INTEGER REFERENCES batches (id),  -- the batch that does its work, where state is 'merged'
  folder TEXT NOT NULL DEFAULT '/',     -- by hand: which folder; '/' for all
  late INTEGER NOT NULL DEFAULT 0,      -- 1: its window ended before its work did
  sheet INTEGER NOT NULL DEFAULT 0,     -- of its report: 0 none wanted, 1 to be made, 2 made, 3 could not be made
  report TEXT NOT NULL DEFAULT '',      -- path below the studio, without suffix
  opened_at REAL NOT NULL, ended_at REAL
) STRICT;
CREATE UNIQUE INDEX batches_once ON batches (date, window) WHERE cause <> 'by hand';
CREATE INDEX batches_state ON batches (state);
CREATE INDEX batches_run ON batches (run);
CREATE INDEX batches_sheet ON batches (sheet) WHERE sheet = 1;
CREATE TABLE pauses (
  folder TEXT PRIMARY KEY,         -- below the inbox, with all that is in it; '/' for the whole studio
  since REAL NOT NULL
) STRICT;
-- Of drops.window: NULL is not known yet, '' is not overnight, else it is the window's name.
ALTER TABLE drops ADD COLUMN window TEXT;
ALTER TABLE drops ADD COLUMN batch INTEGER REFERENCES batches (id);
UPDATE drops SET window = '' WHERE state NOT IN ('settling', 'open');
CREATE INDEX drops_unplaced ON drops (folder) WHERE window IS NULL;
CREATE INDEX drops_night ON drops (window, batch);
CREATE INDEX drops_batch ON drops (batch);
-- CLOCK_MONOTONIC of the last claim, and the seconds that the last try took.
ALTER TABLE jobs ADD COLUMN begun REAL;
ALTER TABLE jobs ADD COLUMN seconds REAL;
DROP INDEX jobs_next;
CREATE INDEX jobs_turn ON jobs (state, queue);
"""
# One script for each version of the schema, the first from nothing. Scripts are only ever added: a studio's ledger
# may be of any of them.
_STEPS = (_FIRST, _ROOTS, _NIGHTS)


BUSY_S = 3.0  # another process may have it for that long; a stop must not wait longer
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class LedgerDamaged(Exception):  # noqa: N818 - an outcome: it is put aside and built anew
    """The ledger's file is damaged, or somebody took it away while it was in use."""


class Ledger:
    """One connection. Use it from one thread of one process; other processes open their own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(
            "PRAGMA synchronous = FULL"
        )  # NORMAL may take back commits after a power loss
        self.connection.execute("PRAGMA foreign_keys = ON")
        self._migrate()
        self._files = self._identities()

    @property
    def in_place(self) -> bool:
        """Whether the files that are written are still the ones that stand there: else all work is for nothing."""
        return self._identities() == self._files

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from its first statement: all of it, or nothing.

        Inside another one it is a part of that.
        """
        if self.connection.in_transaction:
            yield self.connection
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk makes SQLite roll back by itself, most often
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """All that is read inside is of one moment, whatever other processes write. Joins a transaction."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("COMMIT")

    def try_writing(self) -> None:
        """Write and change nothing. Raises sqlite3.OperationalError if the disk is full, read-only or locked."""
        with self.writing() as connection:
            connection.execute(f"PRAGMA user_version = {self._version()}")

    def sound(self) -> bool:
        """Whether SQLite finds the file intact, its indexes too: a job that the index lacks would never be claimed."""
        return bool(self.connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")

    def _identities(self) -> list[tuple[int, int] | None]:
        found: list[tuple[int, int] | None] = []
        for path in (self._path, self._path.with_name(f"{self._path.name}-wal")):
            try:
                status = path.stat()
                found.append((status.st_dev, status.st_ino))
            except OSError:
                found.append(None)
        return found

    def _migrate(self) -> None:
        if self._version() < 0:
            raise LedgerDamaged("its version is no version")
        if self._version() >= len(_STEPS):
            return
        with self.writing() as connection:
            for version in range(self._version(), len(_STEPS)):
                for statement in _STEPS[version].split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")

    def _version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])


def open_ledger(path: Path) -> tuple[Ledger, str]:
    """Open the ledger for the supervisor and say what was wrong with it ("" if nothing).

    A damaged file is put aside, never deleted, and a new one begun: the inbox still holds every unfinished photo, and
    `daemon.rebuild` knows the finished ones by their originals and verdicts.
    """
    trouble = ""
    try:
        ledger = Ledger(path)
        if ledger.sound():
            return ledger, ""
        ledger.close()
        trouble = "it is damaged"
    except LedgerDamaged as error:
        trouble = str(error)
    except UnicodeDecodeError:  # SQLite quotes what it stumbled over, byte for byte
        trouble = "it is damaged"
    except sqlite3.DatabaseError as error:
        if _code(error) not in {*_DAMAGE, sqlite3.SQLITE_ERROR}:  # that one: other tables than it says
            raise
        trouble = str(error)
    aside = _put_aside(path)
    return Ledger(path), f"{path}: {trouble}. It was put aside as {aside.name} and a new one was begun."


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is no sound database. Full, locked or unreadable is another matter."""
    return _code(error) in _DAMAGE


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 if the error is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _put_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside
