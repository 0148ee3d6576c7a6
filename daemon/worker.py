"""A worker process: claims jobs and has them done. The one place that acts on the four bad outcomes.

`python -m daemon.worker --studio DIR --parent PID`. Hears from the supervisor on stdin (which queues are open, stop)
and tells it on stdout what it does. Any number may run; the ledger's leases keep them apart. Refuses to watch.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daemon.darkroom import limit_threads, load_renderer
from daemon.drops import Drop, Drops
from daemon.jobstore import Claim, Failure, LeaseLost, Queue
from daemon.ledger import Ledger
from daemon.limits import cap_memory, die_with
from daemon.line import Line, say
from daemon.logbook import Relay
from daemon.owner import process
from daemon.putaway import PutAway
from daemon.settings import Settings
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio
from daemon.task import Bench, Task
from pipeline.errors import BadInput, Busy, Misconfigured, Unfit, VitrineError

log = logging.getLogger("vitrine.worker")
IDLE_S = 1.0
_PASSING = {  # the photo has no part in these
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO,
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT,
}  # fmt: skip


class Worker:
    """One claim at a time. out: where the supervisor listens."""

    def __init__(self, bench: Bench, drops: Drops, out: int) -> None:
        self._bench = bench
        self._drops = drops
        self._out = out
        self._putaway = PutAway(bench.studio, drops)
        self._owner = process()
        self.about: dict[str, Any] = {"worker": os.getpid()}  # what the log should know of this moment

    def work_once(self, queues: Sequence[Queue]) -> bool:
        """Claim and do one job; False if there is none. Raises Misconfigured after giving the job back."""
        claim = self._bench.store.claim(queues, self._owner, self._bench.lease_s)
        if claim is None:
            return False
        drop = self._drops.get(claim.drop_id)
        self.about |= {"job": claim.key, "drop": drop.id, "photo": _shown(drop)}
        self._say("claimed", claim, drop)
        started = time.monotonic()
        try:
            outcome, reason = self._do(claim, drop)
            self._putaway.close(claim.drop_id)
        except LeaseLost:
            outcome, reason = "lost", "another worker took over"
        except OSError as error:  # the result is recorded; the supervisor closes the drop later
            outcome, reason = "delayed", f"{error.strerror}: {error.filename}"
        self._say("finished", claim, drop, outcome=outcome, reason=reason, seconds=time.monotonic() - started)
        return True

    def _do(self, claim: Claim, drop: Drop) -> tuple[str, str]:
        """Do the job; record how it ended, whatever happens."""
        task = Task(self._bench, claim, drop)
        try:
            return task.do()
        except Misconfigured:
            self._bench.store.release(claim)
            raise
        except Unfit as error:
            task.hold(_text(error))
            return "review", _text(error)
        except (LeaseLost, sqlite3.Error):
            raise
        except Exception as error:  # noqa: BLE001 - a defect must cost one photo, not the night
            failure = _failure(error)
            retry_at = self._bench.store.fail(claim, failure).retry_at
            return ("rejected" if retry_at is None else "again"), failure.reason

    def _say(self, event: str, claim: Claim, drop: Drop, **more: Any) -> None:
        who = {"key": claim.key, "drop": drop.id, "worker": os.getpid(), "variant": claim.variant}
        say(self._out, event=event, name=_shown(drop), **who, **more)


def _shown(drop: Drop) -> str:
    return f"{drop.folder}/{drop.name}" if drop.folder else drop.name


def _failure(error: Exception) -> Failure:
    """What an error means for the job."""
    if isinstance(error, BadInput):
        return Failure(_text(error), lasting=True)
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        # Each worker's memory is capped, so waiting does not help; a photo that is too large must come to an end.
        return Failure("there was not enough memory for this photo.")
    if isinstance(error, Busy):
        return Failure(_text(error), excused=True)
    if isinstance(error, OSError) and error.errno in _PASSING:
        return Failure(f"{error.strerror}: {error.filename}", excused=True)
    log.error("a defect in Vitrine, met with this photo", exc_info=error)
    return Failure(f"{type(error).__name__}: {error}")


def _text(error: VitrineError) -> str:
    return f"{error} {error.advice}".strip()


def _run(worker: Worker, line: Line) -> int:
    stop = False
    queues: list[Queue] = ["urgent", "normal"]  # until the supervisor says which are open

    def _stop(*_: object) -> None:
        nonlocal stop
        stop = True

    signal.signal(signal.SIGTERM, _stop)
    while not stop and not line.closed:
        worked = worker.work_once(queues)
        for message in line.read(0.0 if worked else IDLE_S):
            queues = message.get("queues", queues)
            stop = stop or bool(message.get("stop"))
    return 0


def _settings(line: Line) -> Settings | None:
    """The supervisor's settings, the first thing it says: the file may hold a mistake by now. None if it left."""
    while not line.closed:
        for message in line.read(IDLE_S):
            return Settings.model_validate(message["settings"])
    return None


def main() -> int:
    """Run a worker; the exit code says why it ended (0 asked to, 78 configuration, 1 anything else)."""
    parser = argparse.ArgumentParser(prog="daemon.worker")
    parser.add_argument("--studio", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    die_with(arguments.parent)
    out = os.dup(1)
    os.dup2(2, 1)  # a library that prints must not speak on the line
    line = Line(0)
    settings = _settings(line)
    if settings is None:
        return 0
    try:
        cap_memory(settings.memory_mb)
        limit_threads(settings.worker_threads)
        studio = Studio(arguments.studio)
        ledger = Ledger(studio.ledger)
        bench = Bench(
            studio, settings, load_renderer(), SqliteStore(ledger), 2 * settings.job_deadline_s + 60
        )
        worker = Worker(bench, Drops(ledger), out)
        logging.captureWarnings(capture=True)
        logging.getLogger().addHandler(Relay(out, lambda: worker.about))
        say(out, event="ready")
        return _run(worker, line)
    except Misconfigured as error:
        say(out, event="misconfigured", reason=_text(error))
        return 78


if __name__ == "__main__":
    sys.exit(main())
