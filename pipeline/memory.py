"""Big arrays come and go; their memory should stay. Owns the allocator's settings for a process that renders."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # <malloc.h>
LARGEST_BLOCK = 32 * 1024 * 1024  # the most that glibc takes
KEPT = 512 * 1024 * 1024


@cache
def keep_big_blocks() -> bool:
    """Let glibc reuse the memory of large arrays instead of giving each back to the kernel and faulting it in anew.

    A third of a render's time was page faults. True if the C library took the settings; another library (musl) is
    left alone.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((M_MMAP_THRESHOLD, LARGEST_BLOCK), (M_TRIM_THRESHOLD, KEPT), (M_TOP_PAD, LARGEST_BLOCK))
    return all(mallopt(what, value) == 1 for what, value in settings)
