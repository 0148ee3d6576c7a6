"""A studio's nights through invented time: the real decision and a real ledger; photos are rows, the clock is passed in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from daemon.batches import Batches
from daemon.jobstore import JobSpec
from daemon.ledger import Ledger
from daemon.owner import process
from daemon.settings import load_settings
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio

ME = process()
QUEUES = ("urgent", "normal", "overnight")


def hours(count):
    return dt.timedelta(hours=count)


class Nights:
    """now: UTC, may be set to anything; ticks: monotonic seconds."""

    def __init__(self, root: Path, zone: str, now: dt.datetime, toml: str = ""):
        self.studio = Studio(root)
        self.studio.create()
        (root / "vitrine.toml").write_text(f'time_zone = "{zone}"\n{toml}')
        self.now, self.ticks = now, 1000.0
        self.ledger = Ledger(self.studio.ledger)
        self.ledger.connection.execute(
            "PRAGMA synchronous = OFF"
        )  # years pass here, and nothing is ever switched off
        self.store = SqliteStore(self.ledger, self.clock, lambda: self.ticks)
        self.dropped = 0
        self.start()

    def start(self):
        """A daemon that has just been started."""
        self.batches = Batches(self.studio, self.ledger, load_settings(self.studio.root))

    def clock(self):
        return self.now.timestamp()

    def drop(self, folder="rings--overnight", count=1):
        """Photos that intake has taken."""
        with self.ledger.writing() as connection:
            for _ in range(count):
                self.dropped += 1
                values = (b"%d" % self.dropped, folder, f"{self.dropped}.jpg", self.now.timestamp())
                cursor = connection.execute(
                    "INSERT INTO drops (path, folder, name, state, seen_at) VALUES (?, ?, ?, 'open', ?)",
                    values,
                )
                self.store.offer(JobSpec(f"{self.dropped:06}", cursor.lastrowid, 0, "overnight"))

    def look(self, render=1_000_000):
        """One pass of the supervisor; then the workers render so many photos. How many they did."""
        self.batches.advance(self.now, self.ticks)
        done = 0
        while done < render and (claim := self.store.claim(QUEUES, ME, 10.0)):
            self.store.finish(claim, [], "done")
            self.ledger.connection.execute("UPDATE drops SET state = 'done' WHERE id = ?", (claim.drop_id,))
            done += 1
        return done

    def passing(self, span, step=dt.timedelta(minutes=20), render=1_000_000):
        """Let time pass while the daemon looks around every `step`; how many photos were rendered."""
        end, done = self.now + span, 0
        while self.now < end:
            self.jump(min(step, end - self.now))
            self.ticks += step.total_seconds()
            done += self.look(render)
        return done

    def jump(self, span):
        """The wall clock only."""
        self.now += span

    def off(self, span):
        """The machine is off, and started again."""
        self.now += span
        self.ticks = 10.0
        self.start()
        done = self.look()
        self.ticks += 31.0
        return done + self.look()

    def rows(self, columns, where="1"):
        query = f"SELECT {columns} FROM batches WHERE {where} ORDER BY date, id"  # noqa: S608
        return [tuple(row) for row in self.ledger.connection.execute(query)]

    def dates(self, window="night"):
        return [row[0] for row in self.rows("date", f"window = '{window}'")]

    def left(self):
        return self.ledger.connection.execute("SELECT count(*) FROM jobs WHERE state <> 'done'").fetchone()[0]

    def end(self):
        self.ledger.close()


def every_date(first, last):
    """ISO dates from first to last, both included."""
    day, last = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [str(day + dt.timedelta(days=at)) for at in range((last - day).days + 1)]
