"""Who works in a studio: one daemon at a time. Owns the lock and what it says; refuses the folders (`daemon.studio`)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from daemon.studio import Studio, unwritable
from pipeline.errors import Busy, Misconfigured

_RECORD_BYTES = 1024  # always as many, so that a full disk, without room for more, can still be written over


@dataclass(frozen=True, slots=True)
class Holder:
    """Who works, or worked last, in a studio. since, ended: Unix time; run: the folder of its live state.

    working: it does so now. ended: when it left in order, 0 if it still works or was ended by force.
    """

    pid: int
    since: float = 0.0
    run: str = ""
    ended: float = 0.0
    working: bool = False


class StudioLock:
    """One daemon per studio: a lock that the kernel frees when its owner dies, whatever the cause."""

    def __init__(self, studio: Studio) -> None:
        self._path = studio.private / "lock"
        self._handle = -1
        self._holder = Holder(os.getpid())

    def acquire(self) -> None:
        """Take the lock and write who we are into it. Raises Busy that says who holds it."""
        try:
            handle = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        except PermissionError as error:
            raise Misconfigured(
                f"{self._path} cannot be written by the user that runs Vitrine.",
                "Give the file to that user.",
            ) from error
        except OSError as error:
            raise unwritable(self._path, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = _parse(os.read(handle, _RECORD_BYTES))
            os.close(handle)
            since = f", since {clock_words(held.since)}" if held.since else ""
            raise Busy(
                f"{self._path.parent.parent}: another Vitrine (process {held.pid or 'unknown'}{since}) is already"
                " working in this studio.",
                "Stop it first, or give this one another folder with --studio.",
            ) from None
        self._handle = handle
        self._holder = Holder(os.getpid(), time.time())
        self._write()

    def tell(self, run: Path) -> None:
        """Note where the live state is kept, for whoever asks."""
        self._holder = replace(self._holder, run=os.fspath(run))
        self._write()

    def release(self) -> None:
        """Give the lock back, in order."""
        if self._handle >= 0:
            self._holder = replace(self._holder, ended=time.time())
            self._write()
            os.close(self._handle)
            self._handle = -1

    def _write(self) -> None:
        record = {"pid": self._holder.pid, "since": self._holder.since, "run": self._holder.run}
        record["ended"] = self._holder.ended
        with contextlib.suppress(OSError):  # it is for people; the lock itself is the kernel's
            os.pwrite(self._handle, json.dumps(record).encode().ljust(_RECORD_BYTES - 1) + b"\n", 0)


def clock_words(when: float) -> str:
    """Unix time as the owner's clock shows it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))


def holder(studio: Studio) -> Holder | None:
    """Who works, or worked last, in the studio; None if nobody ever did."""
    try:
        handle = os.open(studio.private / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    working = False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        working = True
    try:
        return replace(_parse(os.read(handle, _RECORD_BYTES)), working=working)
    finally:
        os.close(handle)


def watcher(studio: Studio) -> int | None:
    """Process id of the daemon that works in the studio now, None if there is none."""
    held = holder(studio)
    return held.pid if held is not None and held.working else None


def _parse(record: bytes) -> Holder:
    """What a lock says; a plain number is the process id that versions before this one wrote."""
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        found = json.loads(record[: record.find(b"\n")] if b"\n" in record else record)
        if isinstance(found, int):
            return Holder(found)
        return Holder(
            int(found["pid"]), float(found["since"]), str(found["run"]), float(found.get("ended", 0.0))
        )
    return Holder(0)
