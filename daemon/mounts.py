"""On which mount a path or an open file lies. Owns reading /proc for that; refuses to decide what follows from it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

# Other machines write here without this kernel's knowledge: no events, and no word of who has a file open.
_REMOTE = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "vboxsf", "virtiofs", "fuse"]
)


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount. id: the kernel's number for it, -1 if unknown; kind: type of its file system, "" if unknown."""

    id: int
    kind: str

    @property
    def remote(self) -> bool:
        """Whether files may change without this kernel seeing it. All of FUSE, but not `fuseblk` (a local disk)."""
        return self.kind in _REMOTE or self.kind.startswith("fuse.")


def mount_of(path: Path) -> Mount:
    """The mount that `path`, with links followed, lies on. Raises OSError if it is not there."""
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        return mount_at(handle)
    finally:
        os.close(handle)


def mount_at(handle: int) -> Mount:
    """The mount of an open file (proc(5): fdinfo names the mount, mountinfo says what it is)."""
    number = _mount_id(handle)
    return Mount(number, _kind(number))


def _mount_id(handle: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/self/fdinfo/{handle}").read_bytes().splitlines():
            if line.startswith(b"mnt_id:"):
                return int(line[7:])
    return -1


def _kind(number: int) -> str:
    wanted = b"%d " % number
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
            if line.startswith(wanted):
                return os.fsdecode(line.partition(b" - ")[2].split()[0])
    return ""
