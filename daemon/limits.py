"""What a worker process may use, and that it never outlives its supervisor. Owns what the system is asked for that."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with(parent: int) -> None:
    """Let the kernel kill this process when `parent` dies, by whatever; ends at once if it is dead already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


def cap_memory(megabytes: int) -> None:
    """Refuse memory beyond this: a decompression bomb ends in MemoryError in its own process.

    RLIMIT_DATA counts private writable memory, unlike RLIMIT_AS, which also counts mapped libraries and the address
    space that malloc reserves for threads and never touches. Blender, a child, may lift it for itself: it opens no photo.
    """
    size, most = megabytes << 20, resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(
        resource.RLIMIT_DATA, (size if most == resource.RLIM_INFINITY else min(size, most), most)
    )
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def oom_kills() -> int | None:
    """How many processes the kernel has killed for want of memory since boot, in any control group; None: not known.

    Counted before the process gets its signal (proc(5), /proc/vmstat), so it is never too low for one that is dead.
    """
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text("ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return None


def thread_environment(threads: int) -> dict[str, str]:
    """Variables that libraries read when they are loaded."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return dict.fromkeys(names, str(threads)) | {"MALLOC_ARENA_MAX": "2"}
