"""Who holds a lease: one process, named so that it can be told apart from all others, also after a restart."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: the boot it belongs to, its id, and its start time in kernel ticks (ids are used again)."""

    boot: str
    pid: int
    started: int

    def __str__(self) -> str:
        return f"{self.boot}:{self.pid}:{self.started}"

    @classmethod
    def parse(cls, text: str) -> Owner:
        """Read what `str` wrote."""
        boot, pid, started = text.rsplit(":", 2)
        return cls(boot, int(pid), int(started))

    @property
    def alive(self) -> bool:
        """Whether that very process still runs. Known at once, without waiting for a lease to end."""
        return self.boot == _boot() and _started(self.pid) == self.started


def process(pid: int | None = None) -> Owner:
    """The owner that process `pid` (default: this one) is. ProcessLookupError if it does not run."""
    pid = os.getpid() if pid is None else pid
    started = _started(pid)
    if started is None:
        raise ProcessLookupError(pid)
    return Owner(_boot(), pid, started)


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return "unknown-boot"


def _started(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat (proc(5)); None for a process that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {b"Z", b"X"} else int(fields[19])
