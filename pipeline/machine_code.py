"""Whether this process may make machine code at run time, and torch's settings where it may not. Owns nothing else.

A service under `MemoryDenyWriteExecute=` (systemd.exec(5)) may not. There oneDNN, which writes the kernels of torch's convolutions and
matrix products for this processor when they are first needed, fails with "could not create a primitive"; without it torch takes
the kernels that it was built with, which are slower.
"""

from __future__ import annotations

import mmap
from functools import cache
from typing import Any


@cache
def may_make_code() -> bool:
    """Whether memory can be written and run."""
    try:
        mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    except OSError:
        return False
    return True


def settle_torch(torch: Any) -> None:
    """Before its first use in this process; more often does no harm."""
    if not may_make_code():
        torch.backends.mkldnn.enabled = False
