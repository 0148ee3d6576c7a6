"""What was sent, and what was about to be: the publisher's own SQLite file. Owns its schema; refuses files and network.

A row is on the disk before the first byte leaves (write-ahead), and says again, before the request that publishes, that this
is about to happen. So a publisher that was killed knows at its next start what may be out there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rules.cadence import Sent

Step = Literal["uploading", "publishing", "posted", "undecided", "failed"]
Comment = Literal["", "wanted", "tried", "made", "given up"]
_SCHEMA = """
CREATE TABLE posts (
  id TEXT PRIMARY KEY,
  upload_id TEXT NOT NULL UNIQUE,
  step TEXT NOT NULL CHECK (step IN ('uploading', 'publishing', 'posted', 'undecided', 'failed')),
  tried INTEGER NOT NULL DEFAULT 0,     -- 1: the request that publishes was sent at least once
  away INTEGER NOT NULL DEFAULT 0,      -- 1: posted, and its file has left the queue
  attempts INTEGER NOT NULL DEFAULT 0,
  template TEXT NOT NULL, type TEXT NOT NULL, text TEXT NOT NULL,
  begun_at REAL NOT NULL, posted_at REAL,
  media TEXT NOT NULL DEFAULT '', address TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX posts_posted ON posts (posted_at);
CREATE TABLE gate (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  halted TEXT NOT NULL DEFAULT '',      -- why a person is needed
  until REAL NOT NULL DEFAULT 0,        -- nothing is sent before
  why TEXT NOT NULL DEFAULT '',
  throttled INTEGER NOT NULL DEFAULT 0, -- times in a row
  logged_in REAL NOT NULL DEFAULT 0     -- last new session after one that ended
) STRICT;
INSERT INTO gate (id) VALUES (1)
"""
# Of user_version 1 to 2. handle: by which the back end asks what became of a try. comment: '' there is none, 'wanted' nothing
# was sent yet, 'tried' it may be there, 'made', 'given up'.
_UPGRADE = """
ALTER TABLE posts ADD COLUMN handle TEXT NOT NULL DEFAULT '';
ALTER TABLE posts ADD COLUMN comment TEXT NOT NULL DEFAULT '';
ALTER TABLE posts ADD COLUMN comment_tries INTEGER NOT NULL DEFAULT 0
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A post that was sent or begun. begun_at, posted_at: Unix time."""

    id: str
    upload_id: str
    step: Step
    tried: bool
    away: bool
    attempts: int
    text: str
    begun_at: float
    posted_at: float | None
    media: str
    address: str
    reason: str
    handle: str
    comment: Comment
    comment_tries: int


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether anything may be sent."""

    halted: str
    until: float
    why: str
    throttled: int
    logged_in: float


class PostLedger:
    """One connection; one publisher has it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=3.0, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        os.chmod(path, 0o600)  # noqa: PTH101
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        with self._writing():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            for statements in (_SCHEMA, _UPGRADE)[version:]:
                for statement in statements.split(";\n"):
                    self._connection.execute(statement)
            self._connection.execute("PRAGMA user_version = 2")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def begin(self, post_id: str, template: str, kind: str, text: str, now: float) -> Row:
        """A try begins: nothing of it is out yet."""
        with self._writing():
            self._connection.execute(
                "INSERT INTO posts (id, upload_id, step, template, type, text, begun_at) VALUES (?, ?, 'failed', ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (post_id, upload_id(post_id), template, kind, text, now),
            )
            self._connection.execute(
                "UPDATE posts SET step = 'uploading', attempts = attempts + 1, template = ?, type = ?, text = ?"
                " WHERE id = ? AND step IN ('failed', 'uploading')",
                (template, kind, text, post_id),
            )
        return self.row(post_id)

    def publishing(self, post_id: str, handle: str) -> None:
        """The next request makes it public."""
        self._set(post_id, "step = 'publishing', tried = 1, handle = ?", handle)

    def posted(self, post_id: str, media: str, address: str, now: float, *, comment: bool = False) -> None:
        """It is there. comment: a first comment is to follow."""
        with self._writing():
            self._connection.execute(
                "UPDATE posts SET step = 'posted', media = ?, address = ?, posted_at = ?, reason = '', comment = ?"
                " WHERE id = ?",
                (media, address, now, "wanted" if comment else "", post_id),
            )
            self._connection.execute("UPDATE gate SET throttled = 0")

    def try_comment(self, post_id: str) -> None:
        """A try at the first comment begins."""
        self._set(post_id, "comment_tries = comment_tries + 1")

    def comment(self, post_id: str, comment: Comment) -> None:
        """How far it is: "tried" before the request that makes it public."""
        self._set(post_id, "comment = ?", comment)

    def put_away(self, post_id: str) -> None:
        """Its file has left the queue."""
        self._set(post_id, "away = 1")

    def failed(self, post_id: str, reason: str) -> None:
        """It is certainly not there."""
        self._set(post_id, "step = 'failed', reason = ?", reason)

    def undecided(self, post_id: str, reason: str) -> None:
        """A person must look."""
        self._set(post_id, "step = 'undecided', reason = ?", reason)

    def forget(self, post_id: str) -> None:
        """A person says that it is not there."""
        self._set(post_id, "step = 'failed', tried = 0, reason = 'a person said that it did not go out'")

    def row(self, post_id: str) -> Row:
        """Of a post that was begun; KeyError."""
        found = self._connection.execute("SELECT * FROM posts WHERE id = ?", (post_id,)).fetchone()
        if found is None:
            raise KeyError(post_id)
        return _row(found)

    def get(self, post_id: str) -> Row | None:
        """Of any post."""
        try:
            return self.row(post_id)
        except KeyError:
            return None

    def open_rows(self) -> list[Row]:
        """Those that a publisher that ended by force was about to send."""
        found = self._connection.execute("SELECT * FROM posts WHERE step IN ('uploading', 'publishing')")
        return [_row(one) for one in found.fetchall()]

    def half_done(self) -> list[Row]:
        """Those that are out, and whose first comment or file still needs a hand."""
        found = self._connection.execute("SELECT * FROM posts WHERE step = 'posted' AND NOT away")
        return [_row(one) for one in found.fetchall()]

    def media(self) -> frozenset[str]:
        """What Instagram calls the posts that went out last."""
        found = self._connection.execute(
            "SELECT media FROM posts WHERE step = 'posted' ORDER BY posted_at DESC LIMIT 200"
        )
        return frozenset(one["media"] for one in found)

    def sent(self, most: int = 200) -> list[Sent]:
        """What went out, for the cadence; a post of which nobody knows counts, too."""
        found = self._connection.execute(
            "SELECT coalesce(posted_at, begun_at) AS at, template, type FROM posts"
            " WHERE step IN ('posted', 'publishing', 'undecided') ORDER BY 1 DESC LIMIT ?",
            (most,),
        ).fetchall()
        return [
            Sent(at=dt.datetime.fromtimestamp(one["at"], dt.UTC), template=one["template"], type=one["type"])
            for one in reversed(found)
        ]

    def texts(self, most: int = 500) -> list[str]:
        """What was said, the last first."""
        found = self._connection.execute("SELECT text FROM posts ORDER BY begun_at DESC LIMIT ?", (most,))
        return [one["text"] for one in found.fetchall()]

    def failing(self, attempts: int = 3) -> set[str]:
        """Those that could not be sent so many times."""
        found = self._connection.execute(
            "SELECT id FROM posts WHERE step = 'failed' AND attempts >= ?", (attempts,)
        )
        return {one["id"] for one in found}

    def posted_since(self, at: float) -> int:
        """How many went out since that Unix time."""
        found = self._connection.execute(
            "SELECT count(*) FROM posts WHERE step = 'posted' AND posted_at >= ?", (at,)
        )
        return int(found.fetchone()[0])

    def count(self, step: Step) -> int:
        """So many are there."""
        return int(
            self._connection.execute("SELECT count(*) FROM posts WHERE step = ?", (step,)).fetchone()[0]
        )

    @property
    def gate(self) -> Gate:
        """As it is now."""
        found = self._connection.execute(
            "SELECT halted, until, why, throttled, logged_in FROM gate"
        ).fetchone()
        return Gate(*found)

    def halt(self, why: str) -> None:
        """Nothing is sent until a person says `vitrine publish --resume`."""
        self._gate("halted = ?", why)

    def rest(self, until: float, why: str, *, throttled: bool = False) -> None:
        """Nothing is sent until then."""
        self._gate(f"until = max(until, ?), why = ?, throttled = throttled + {int(throttled)}", until, why)

    def logged_in(self, now: float) -> None:
        """A new session was begun because the old one had ended."""
        self._gate("logged_in = ?", now)

    def resume(self) -> None:
        """A person has looked: go on."""
        self._gate("halted = '', until = 0, why = '', throttled = 0, logged_in = 0")

    def _gate(self, change: str, *values: object) -> None:
        with self._writing():
            self._connection.execute(f"UPDATE gate SET {change}", values)  # noqa: S608 - our own words

    def _set(self, post_id: str, change: str, *values: object) -> None:
        with self._writing():
            self._connection.execute(f"UPDATE posts SET {change} WHERE id = ?", (*values, post_id))  # noqa: S608

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def upload_id(post_id: str, picture: int = 0) -> str:
    """15 digits that are the same at every try, on every machine."""
    digest = hashlib.sha256(f"{post_id} {picture}".encode()).digest()
    return str(10**14 + int.from_bytes(digest[:8]) % (9 * 10**14))


def _row(found: sqlite3.Row) -> Row:
    values = {name: found[name] for name in Row.__dataclass_fields__}
    return Row(**values | {"tried": bool(found["tried"]), "away": bool(found["away"])})
