"""A worker process: claims jobs and has them done. The one place that acts on the four bad outcomes.

`python -m daemon.worker --studio DIR --parent PID`. Hears from the supervisor on stdin (which queues are open, stop)
and tells it on stdout what it does. Any number may run; the ledger's leases keep them apart. Refuses to watch.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from daemon.crew import LEDGER_DAMAGED, UNRECORDED
from daemon.darkroom import limit_threads, load_renderer
from daemon.drops import Drop, Drops
from daemon.failpoint import reach
from daemon.jobstore import Claim, Failure, LeaseLost, Queue
from daemon.ledger import Ledger, LedgerDamaged, is_damage
from daemon.limits import cap_memory, die_with
from daemon.line import Line, say
from daemon.logbook import Relay
from daemon.owner import process
from daemon.putaway import PutAway
from daemon.settings import Settings
from daemon.space import NO_ROOM
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio
from daemon.task import Bench, Task
from pipeline.errors import BadInput, Busy, Misconfigured, Unfit, VitrineError
from rules.plan import Plan

log = logging.getLogger("vitrine.worker")
IDLE_S = 1.0
_CV_NO_MEMORY = -4  # cv::Error::StsNoMem
_PASSING = {  # the photo has no part in these
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO,
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.ENODEV,
}  # fmt: skip


class Worker:
    """One claim at a time. out: where the supervisor listens."""

    def __init__(self, bench: Bench, drops: Drops, out: int) -> None:
        self._bench = bench
        self._drops = drops
        self._out = out
        self._putaway = PutAway(bench.studio, drops)
        self._owner = process()
        self._unrecorded: Claim | None = None
        self.no_room = False  # the last job met a full or read-only disk: do not hurry
        self.worn = False  # memory ran out: what is left of it may be in pieces, a fresh process is better
        self.about: dict[str, Any] = {"worker": os.getpid()}  # what the log should know of this moment

    def work_once(self, queues: Sequence[Queue]) -> bool:
        """Claim and do one job; False if there is none.

        Raises Misconfigured after giving the job back, and sqlite3.Error if the ledger could not be written; then the next
        call gives the job back first.
        """
        self.give_back()
        claim = self._bench.store.claim(queues, self._owner, self._bench.lease_s)
        if claim is None:
            return False
        drop = self._drops.get(claim.drop_id)
        self.about |= {"job": claim.key, "drop": drop.id, "photo": _shown(drop)}
        self._say("claimed", claim, drop, **_slow(claim, drop))
        reach("after-claim")
        started, self.no_room = time.monotonic(), False
        trouble: sqlite3.Error | None = None
        try:
            outcome, reason = self._do(claim, drop)
            self._putaway.close(claim.drop_id)
        except LeaseLost:
            outcome, reason = "lost", "another worker took over"
        except OSError as error:  # the result is recorded; the supervisor closes the drop later
            outcome, reason = "delayed", self._refused(error)
        except sqlite3.Error as error:
            outcome, reason, trouble, self._unrecorded = "again", f"the ledger: {error}", error, claim
        self._say(
            "finished", claim, drop,
            outcome=outcome, reason=reason, no_room=self.no_room, seconds=time.monotonic() - started,
        )  # fmt: skip
        if trouble is not None:
            raise trouble
        return True

    def give_back(self) -> None:
        """Free the job whose end could not be recorded; its attempt does not count. Raises sqlite3.Error."""
        if self._unrecorded is not None:
            self._bench.store.release(self._unrecorded)
            self._unrecorded = None

    def _do(self, claim: Claim, drop: Drop) -> tuple[str, str]:
        """Do the job; record how it ended, whatever happens."""
        task = Task(self._bench, claim, drop, self._drops)
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
            failure = self._failure(error)
            retry_at = self._bench.store.fail(claim, failure).retry_at
            return ("rejected" if retry_at is None else "again"), failure.reason

    def _failure(self, error: Exception) -> Failure:
        """What an error means for the job."""
        if isinstance(error, BadInput):
            return Failure(_text(error), lasting=True)
        if _out_of_memory(error):
            # Each worker's memory is capped, so waiting does not help; a photo that is too large must come to an end.
            self.worn = True
            return Failure("there was not enough memory for this photo.")
        if isinstance(error, Busy):
            return Failure(_text(error), excused=True)
        if isinstance(error, OSError) and error.errno in _PASSING:
            return Failure(self._refused(error), excused=True)
        log.error("a defect in Vitrine, met with this photo", exc_info=error)
        return Failure(f"{type(error).__name__}: {error}")

    def _refused(self, error: OSError) -> str:
        self.no_room = error.errno in NO_ROOM
        return f"{error.strerror}: {error.filename}"

    def _say(self, event: str, claim: Claim, drop: Drop, **more: Any) -> None:
        who = {"key": claim.key, "drop": drop.id, "worker": os.getpid(), "variant": claim.variant}
        say(self._out, event=event, name=_shown(drop), **who, **more)


def _slow(claim: Claim, drop: Drop) -> dict[str, bool]:
    """What of this picture may take long; a plan that nobody can read is the job's own trouble."""
    try:
        recipe = Plan.model_validate_json(drop.plan).recipes[claim.variant]
    except ValueError:
        return {}
    painted = bool(recipe.painting) or any(one.painting for one in recipe.pool)
    return {"raytraced": recipe.renderer == "blender", "painted": painted}


def _shown(drop: Drop) -> str:
    return f"{drop.folder}/{drop.name}" if drop.folder else drop.name


def _out_of_memory(error: BaseException | None) -> bool:
    """Whether this, or what it came from, says that memory ran out: Python's, OpenCV's, or a graphics card's.

    Libraries have classes of their own for it (torch.OutOfMemoryError), and none of them is imported here.
    """
    while error is not None:
        names = {kind.__name__ for kind in type(error).__mro__}
        if names & {"MemoryError", "OutOfMemoryError"}:
            return True
        if isinstance(error, RuntimeError) and "out of memory" in str(error).lower():
            return True
        if type(error).__module__ == "cv2" and getattr(error, "code", 0) == _CV_NO_MEMORY:
            return True
        error = error.__cause__
    return False


def _text(error: VitrineError) -> str:
    return f"{error} {error.advice}".strip()


def _run(worker: Worker, line: Line, queues: list[Queue]) -> int:
    stop = False

    def _stop(*_: object) -> None:
        nonlocal stop
        stop = True

    signal.signal(signal.SIGTERM, _stop)
    while not stop and not line.closed and not worker.worn:
        worked = False
        with _ledger_troubles(worker):
            worked = worker.work_once(queues)
        for message in line.read(0.0 if worked and not worker.no_room else IDLE_S):
            queues = message.get("queues", queues)
            stop = stop or bool(message.get("stop"))
    try:
        worker.give_back()
    except sqlite3.OperationalError:
        return UNRECORDED
    return 0


@contextlib.contextmanager
def _ledger_troubles(worker: Worker) -> Iterator[None]:
    """A full disk, or somebody who holds the ledger, passes: it costs no photo and no process. Damage does not pass."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if is_damage(error):
            raise LedgerDamaged(str(error)) from error
        worker.no_room = True
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise LedgerDamaged(str(error)) from error
        raise


def _settings(line: Line) -> tuple[Settings, list[Queue]] | None:
    """The supervisor's first words: its settings (the file may hold a mistake by now) and the queues. None: not needed."""
    while not line.closed:
        if messages := line.read(IDLE_S):
            told = {key: value for message in messages for key, value in message.items()}
            return None if told.get("stop") else (Settings.model_validate(told["settings"]), told["queues"])
    return None


def main() -> int:
    """Run a worker; the exit code says why it ended.

    0 asked to, 78 configuration, 74 the ledger is damaged, 75 the end of a job could not be recorded, 1 anything else.
    """
    parser = argparse.ArgumentParser(prog="daemon.worker")
    parser.add_argument("--studio", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    die_with(arguments.parent)
    out = os.dup(1)
    os.dup2(2, 1)  # a library that prints must not speak on the line
    line = Line(0)
    told = _settings(line)
    if told is None:
        return 0
    settings, queues = told
    try:
        cap_memory(settings.worker_memory_mb)
        limit_threads(settings.worker_threads)
        studio = Studio(arguments.studio)
        ledger = Ledger(studio.ledger)
        bench = Bench(
            studio,
            settings,
            load_renderer(settings, studio),
            SqliteStore(ledger),
            2 * settings.longest_job_s + 60,
        )
        worker = Worker(bench, Drops(ledger), out)
        logging.captureWarnings(capture=True)
        logging.getLogger().addHandler(Relay(out, lambda: worker.about))
        say(out, event="ready")
        return _run(worker, line, queues)
    except LedgerDamaged:
        return LEDGER_DAMAGED
    except Misconfigured as error:
        say(out, event="misconfigured", reason=_text(error))
        return 78


if __name__ == "__main__":
    sys.exit(main())
