"""When a dropped file is complete. Owns that decision, as a tracker with the clock passed in; refuses to act on it.

A file may go on at once when nobody holds it open for writing AND its content ends where its format says it ends.
Where one of the two cannot be known, a quiet time decides instead. "Size and time unchanged" alone is never taken
for complete when the content says otherwise: copies stall, scanners close and reopen, disks are preallocated.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import heapq
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

from daemon.mounts import mount_at
from daemon.scan import Stamp
from pipeline.photo.endmark import end_state

_AHEAD, _FIRST, _NEW = (
    -3.0,
    -2.0,
    -1.0,
)  # before all times: what is urgent, what events named, what was not looked at yet
POLL_S = 0.25  # an open file is looked at again after this, should the event of its closing be lost


class Writer(Enum):
    """Whether some process holds a file open for writing."""

    NONE = "none"
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a look at the file says. end: whether the content is whole. trouble: why it cannot be read, or ""."""

    writer: Writer
    end: Literal["complete", "incomplete", "unknown"]
    trouble: str = ""


class Step(Enum):
    """What to do with a file now."""

    WAIT = "wait"
    TAKE = "take"
    REFUSE_EMPTY = "empty"
    REFUSE_CUT_OFF = "cut off"
    COMPLAIN = "complain"


_Turn = tuple[float, int, Path]  # when, a number that keeps the order of arrival, which file


@dataclass(slots=True)
class _Watch:
    stamp: Stamp
    since: float
    turn: _Turn
    complained: bool = False


@contextlib.contextmanager
def quiet_file(handle: int) -> Iterator[Writer]:
    """Ask the kernel whether anybody writes, and keep writers waiting while the block runs (milliseconds).

    A read lease is refused (EAGAIN) while any process has the file open for writing. While it is held, one who wants to
    write waits until it is given back. Writers on other machines are not seen, and without the owner's rights it is
    not given; then the answer is UNKNOWN. The process must ignore SIGIO, by which the kernel asks for it back.
    """
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        yield Writer.OPEN if error.errno in {errno.EAGAIN, errno.EBUSY} else Writer.UNKNOWN
        return
    try:
        yield Writer.NONE
    finally:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def probe(path: Path) -> Probe:
    """Look at a file on disk. Raises FileNotFoundError if it is gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        return Probe(Writer.UNKNOWN, "unknown", os.strerror(error.errno or 0))
    try:
        with quiet_file(handle) as writer:
            end = "incomplete" if writer is Writer.OPEN else end_state(path)
        if writer is Writer.NONE and end != "incomplete" and mount_at(handle).remote:
            writer = Writer.UNKNOWN  # some network drives give the lease all the same
        return Probe(writer, end)
    except FileNotFoundError:
        raise
    except OSError as error:
        return Probe(Writer.UNKNOWN, "unknown", os.strerror(error.errno or 0))
    finally:
        os.close(handle)


class Settle:
    """Files that are in the inbox and not yet complete.

    settle_s: quiet time where only the writer or only the content can be judged; blind_s: where the writer cannot
    be known at all (network drives); incomplete_after_s: how long an unfinished file may stay untouched.
    """

    def __init__(self, settle_s: float, incomplete_after_s: float, blind_s: float = 10.0) -> None:
        self.settle_s = settle_s
        self.incomplete_after_s = incomplete_after_s
        self.blind_s = blind_s
        self._watched: dict[Path, _Watch] = {}
        self._turns: list[_Turn] = []  # a heap; a turn that is not its file's present one is void
        self._count = itertools.count()

    def __len__(self) -> int:
        return len(self._watched)

    def __contains__(self, path: Path) -> bool:
        return path in self._watched

    def see(self, path: Path, stamp: Stamp, now: float) -> None:
        """Note that a scan found the file. A change starts its quiet time anew."""
        watched = self._watched.get(path)
        if watched is None or watched.stamp != stamp:
            self._watched[path] = _Watch(stamp, now, self._turn(path, _NEW))

    def hurry(self, path: Path, *, ahead: bool = False) -> None:
        """Look now, before all that merely wait: an event said that something happened to the file. ahead: urgent."""
        watched = self._watched.get(path)
        turn = _AHEAD if ahead else _FIRST
        if watched is not None and watched.turn[0] > turn:
            watched.turn = self._turn(path, turn)

    def forget(self, path: Path) -> None:
        """The file was taken, or is gone."""
        self._watched.pop(path, None)

    def paths(self) -> tuple[Path, ...]:
        """All that wait."""
        return tuple(self._watched)

    def due(self, now: float, most: int = sys.maxsize) -> list[Path]:
        """Files to look at now, `most` of them: what events named, then new ones, then what waited longest."""
        turns: list[_Turn] = []
        while len(turns) < most and (at := self.next_due()) is not None and at <= now:
            turns.append(heapq.heappop(self._turns))
        for turn in turns:
            heapq.heappush(self._turns, turn)
        return [path for _, _, path in turns]

    def next_due(self) -> float | None:
        """When to look next, on the same clock; None if nothing waits."""
        while self._turns:
            turn = self._turns[0]
            watched = self._watched.get(turn[2])
            if watched is not None and watched.turn is turn:
                return turn[0]
            heapq.heappop(self._turns)
        return None

    def check(self, path: Path, now: float, look: Callable[[Path], Probe] = probe) -> Step:
        """Decide about one file that is due."""
        watched = self._watched[path]
        quiet = now - watched.since
        watched.turn = self._turn(path, now + 1.0)  # should the look fail, it does not fail in a tight loop
        seen = look(path)
        step, wait = self._judge(watched, quiet, seen)
        watched.turn = self._turn(path, now + min(max(wait, POLL_S / 5), 60.0))
        if step is Step.COMPLAIN:
            watched.complained = True
        return step

    def _turn(self, path: Path, when: float) -> _Turn:
        turn = (when, next(self._count), path)
        heapq.heappush(self._turns, turn)
        return turn

    def _judge(self, watched: _Watch, quiet: float, seen: Probe) -> tuple[Step, float]:
        """The step, and seconds until the next look if it is WAIT."""
        patience = self.incomplete_after_s - quiet
        if seen.trouble:
            new = patience <= 0 and not watched.complained
            return (Step.COMPLAIN if new else Step.WAIT), min(max(patience, 1.0), 5.0)
        if seen.writer is Writer.OPEN:
            return Step.WAIT, POLL_S
        if watched.stamp.size == 0:
            return (Step.REFUSE_EMPTY if patience <= 0 else Step.WAIT), patience
        if seen.end == "incomplete":
            return (Step.REFUSE_CUT_OFF if patience <= 0 else Step.WAIT), min(patience, max(1.0, quiet))
        if seen.writer is Writer.NONE and seen.end == "complete":
            return Step.TAKE, 0.0
        needed = self.settle_s if seen.writer is Writer.NONE else max(self.settle_s, self.blind_s)
        return (Step.TAKE if quiet >= needed else Step.WAIT), needed - quiet
