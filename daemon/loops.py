"""Whether two folders share a place on the disk, by name, by link or by a mount that shows one inside the other.

A result that lands in the inbox would be rendered again, for ever. Owns reading the mounts for that; refuses to walk trees.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath

_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class _Mount:
    """One line of mountinfo (proc(5)). root: which folder of the device's file system is seen at `point`."""

    device: str
    root: PurePath
    point: PurePath


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder as its file system knows it, whatever mounts show it."""

    device: str
    path: PurePath

    def meets(self, other: _Place) -> bool:
        """Whether one lies inside the other, or both are the same."""
        if self.device != other.device:
            return False
        return self.path.is_relative_to(other.path) or other.path.is_relative_to(self.path)


def overlap(one: Path, other: Path) -> bool:
    """Whether something written into one folder may appear in the other. The folders need not exist yet."""
    first, second = one.resolve(), other.resolve()
    if first.is_relative_to(second) or second.is_relative_to(first):
        return True
    mounts = _mounts()
    return any(mine.meets(theirs) for mine in _places(first, mounts) for theirs in _places(second, mounts))


def _places(folder: Path, mounts: list[_Mount]) -> list[_Place]:
    """Where the folder itself lies, and what is mounted somewhere below it."""
    above = [mount for mount in mounts if folder.is_relative_to(mount.point)]
    below = [mount for mount in mounts if mount.point.is_relative_to(folder) and mount.point != folder]
    found = [_Place(mount.device, mount.root) for mount in below]
    if above:
        # The longest mount point holds the folder; of two at the same point the later one covers the earlier.
        holder = max(enumerate(above), key=lambda pair: (len(pair[1].point.parts), pair[0]))[1]
        found.append(_Place(holder.device, holder.root / folder.relative_to(holder.point)))
    return found


def _mounts() -> list[_Mount]:
    found: list[_Mount] = []
    with contextlib.suppress(OSError):
        for line in _MOUNTS.read_bytes().splitlines():
            _, _, device, root, point, *_ = line.split()
            found.append(_Mount(device.decode("ascii"), _path(root), _path(point)))
    return found


def _path(field: bytes) -> PurePath:
    r"""Blanks and the like stand as octal numbers (`\040`)."""
    return PurePath(
        os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8) & 255]), field))
    )
