"""A worker process: claims jobs, renders, delivers, records. The one place that acts on the four bad outcomes.

`python -m daemon.worker --studio DIR --parent PID`. Hears from the supervisor on stdin (which queues are open, stop)
and tells it on stdout what it does. Any number may run; the ledger's leases keep them apart. Refuses to watch.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daemon import durable
from daemon.accepting import decide
from daemon.darkroom import Renderer, limit_threads, load_renderer, print_pictures
from daemon.deliver import Delivery, Pictures, as_json
from daemon.drops import Drop, Drops
from daemon.jobstore import Artifact, Claim, Failure, LeaseLost, Outcome, Queue
from daemon.ledger import Ledger
from daemon.limits import cap_memory, die_with
from daemon.line import Line, say
from daemon.owner import process
from daemon.putaway import PutAway
from daemon.settings import Settings, load_settings
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio
from pipeline.errors import BadInput, Busy, Misconfigured, Unfit, VitrineError
from rules.plan import Plan

IDLE_S = 1.0
_PASSING = {  # the photo has no part in these
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO,
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT,
}  # fmt: skip


class Worker:
    """One claim at a time. tell: what happens, for the supervisor."""

    def __init__(self, studio: Studio, settings: Settings, renderer: Renderer, out: int) -> None:
        self._studio = studio
        self._settings = settings
        self._renderer = renderer
        self._out = out
        ledger = Ledger(studio.ledger)
        self._drops = Drops(ledger)
        self._store = SqliteStore(ledger)
        self._putaway = PutAway(studio, self._drops)
        self._owner = process()
        self._lease_s = 2 * settings.job_deadline_s + 60

    def work_once(self, queues: Sequence[Queue]) -> bool:
        """Claim and do one job; False if there is none. Raises Misconfigured after giving the job back."""
        claim = self._store.claim(queues, self._owner, self._lease_s)
        if claim is None:
            return False
        drop = self._drops.get(claim.drop_id)
        self._say("claimed", claim, drop)
        started = time.monotonic()
        try:
            outcome, reason = self._guarded(claim, drop)
            self._putaway.close(claim.drop_id)
        except LeaseLost:
            outcome, reason = "lost", "another worker took over"
        except OSError as error:  # the result is recorded; the supervisor closes the drop later
            outcome, reason = "delayed", f"{error.strerror}: {error.filename}"
        self._say("finished", claim, drop, outcome=outcome, reason=reason, seconds=time.monotonic() - started)
        return True

    def _guarded(self, claim: Claim, drop: Drop) -> tuple[str, str]:
        """Do the job and record how it ended."""
        try:
            return self._job(claim, drop)
        except Misconfigured:
            self._store.release(claim)
            raise
        except BadInput as error:
            return self._failed(claim, Failure(_text(error), lasting=True))
        except Unfit as error:
            plan = Plan.model_validate_json(drop.plan)
            verdict = {"outcome": "fail", "reasons": [_text(error)]}
            made = Delivery(self._studio, drop, plan, claim).hold(None, [_text(error)], verdict)
            return self._finish(claim, made, "review", _text(error))
        except Busy as error:
            return self._failed(claim, Failure(_text(error), excused=True))
        except MemoryError:
            return self._failed(claim, Failure("there was not enough memory for this photo."))
        except OSError as error:
            excused = error.errno in _PASSING
            if not excused:
                traceback.print_exc()
            reason = f"{error.strerror}: {error.filename}"
            return self._failed(claim, Failure(reason, excused=excused))
        except (LeaseLost, sqlite3.Error):
            raise
        except Exception as error:  # noqa: BLE001 - a defect must cost one photo, not the night
            traceback.print_exc()
            return self._failed(claim, Failure(f"{type(error).__name__}: {error}"))

    def _job(self, claim: Claim, drop: Drop) -> tuple[str, str]:
        if self._taken_away(drop):
            reason = "it was taken out of the inbox before its turn"
            self._store.cancel(claim, reason)
            return "vanished", reason
        plan = Plan.model_validate_json(drop.plan)
        source = self._source(drop)
        render = self._renderer(source, plan.recipes[claim.variant], self._settings.max_pixels)
        publish, reasons = decide(render.verdict)
        mark = plan.watermark if publish and "watermark" in plan.outputs else None
        pictures = print_pictures(render, mark, self._studio.root)
        if not self._store.beat(claim, self._lease_s):
            raise LeaseLost(claim.key)
        made = self._deliver(claim, drop, plan, pictures, render, reasons, publish=publish)
        return self._finish(claim, made, "done" if publish else "review", "; ".join(reasons))

    def _deliver(
        self,
        claim: Claim,
        drop: Drop,
        plan: Plan,
        pictures: Pictures,
        render: Any,
        reasons: Sequence[str],
        *,
        publish: bool,
    ) -> list[Artifact]:
        delivery = Delivery(self._studio, drop, plan, claim)
        verdict = {
            "outcome": render.verdict.outcome,
            "published": publish,
            "reasons": [{"code": note.code, "text": note.text} for note in render.verdict.reasons],
            "figures": dict(render.verdict.figures),
            "notes": [{"code": note.code, "text": note.text} for note in render.notes],
            "seconds": dict(render.seconds),
            "photo": drop.digest,
            "name": drop.name,
            "folder": drop.folder,
            "template": plan.recipes[claim.variant].template,
            "recipe": plan.recipes[claim.variant].digest,
            "why": list(plan.reasons),
        }
        made = delivery.publish(pictures) if publish else delivery.hold(pictures.clean, reasons, verdict)
        verdict["outputs"] = [item.path for item in made]
        durable.write_atomic(self._studio.verdicts / f"{claim.key}.json", as_json(verdict))
        return made

    def _finish(self, claim: Claim, made: list[Artifact], outcome: Outcome, reason: str) -> tuple[str, str]:
        self._store.finish(claim, made, outcome, reason)
        return outcome, reason

    def _failed(self, claim: Claim, failure: Failure) -> tuple[str, str]:
        retry_at = self._store.fail(claim, failure).retry_at
        return ("rejected" if retry_at is None else "again"), failure.reason

    def _taken_away(self, drop: Drop) -> bool:
        """Whether the owner removed the photo before its turn. A drive that went away is no such wish."""
        if drop.archived or os.path.lexists(self._studio.inbox / os.fsdecode(drop.path)):
            return False
        if not (self._studio.inbox / "README.txt").exists():
            raise Busy(f"{self._studio.inbox}: the inbox is not there; is the drive connected?")
        return True

    def _source(self, drop: Drop) -> Path:
        """The private copy, whole. A crash of the machine may have damaged it: then it is taken anew."""
        source = self._studio.absolute(drop.source)
        if source.exists() and durable.digest_of(source) == drop.digest:
            return source
        inbox = self._studio.inbox / os.fsdecode(drop.path)
        if durable.digest_of(inbox) == drop.digest and source.is_relative_to(self._studio.staging):
            durable.remove(source)
            handle = os.open(inbox, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                durable.copy_private(handle, source)
            finally:
                os.close(handle)
            return source
        raise BadInput("The stored copy of the photo is damaged.", "Drop the photo again.")

    def _say(self, event: str, claim: Claim, drop: Drop, **more: Any) -> None:
        folder_name = f"{drop.folder}/{drop.name}" if drop.folder else drop.name
        say(
            self._out,
            event=event,
            key=claim.key,
            drop=drop.id,
            name=folder_name,
            variant=claim.variant,
            **more,
        )


def _text(error: VitrineError) -> str:
    return f"{error} {error.advice}".strip()


def _run(worker: Worker, line: Line) -> int:
    stop = False
    queues: list[Queue] = ["urgent", "normal"]

    def _stop(*_: object) -> None:
        nonlocal stop
        stop = True

    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides
    while not stop and not line.closed:
        worked = worker.work_once(queues)
        for message in line.read(0.0 if worked else IDLE_S):
            queues = message.get("queues", queues)
            stop = stop or bool(message.get("stop"))
    return 0


def main() -> int:
    """Run a worker; the exit code says why it ended (0 asked to, 78 configuration, 1 anything else)."""
    parser = argparse.ArgumentParser(prog="daemon.worker")
    parser.add_argument("--studio", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    die_with(arguments.parent)
    out = os.dup(1)
    os.dup2(2, 1)  # a library that prints must not speak on the line
    try:
        settings = load_settings(arguments.studio)
        cap_memory(settings.memory_mb)
        renderer = load_renderer()
        limit_threads(settings.worker_threads)
        worker = Worker(Studio(arguments.studio), settings, renderer, out)
        say(out, event="ready")
        return _run(worker, Line(0))
    except Misconfigured as error:
        say(out, event="misconfigured", reason=_text(error))
        return 78


if __name__ == "__main__":
    sys.exit(main())
