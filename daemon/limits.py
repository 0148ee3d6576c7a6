"""What a worker process may use, and that it never outlives its supervisor. Owns the system calls for that."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with(parent: int) -> None:
    """Let the kernel kill this process when `parent` dies, by whatever; ends at once if it is dead already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


def cap_memory(megabytes: int) -> None:
    """Refuse memory beyond this: a decompression bomb ends in MemoryError in its own process.

    RLIMIT_DATA counts private writable memory, unlike RLIMIT_AS, which also counts mapped libraries and the address
    space that malloc reserves for threads and never touches.
    """
    size = megabytes << 20
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def thread_environment(threads: int) -> dict[str, str]:
    """Variables that libraries read when they are loaded."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return dict.fromkeys(names, str(threads)) | {"MALLOC_ARENA_MAX": "2"}
