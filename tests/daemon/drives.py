"""Drives for tests: small ones, full ones, read-only ones. Real mounts, for which one has to be root."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from pathlib import Path

from daemon import durable

CALLS = ("create", "write", "sync", "link", "rename", "unlink", "make_folder", "sync_folder")


class Drives:
    """Mounts that are taken away again."""

    def __init__(self):
        self._mounted = []

    def small(self, folder, megabytes):
        """A drive of its own, in memory."""
        folder.mkdir(parents=True, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder)
        return folder

    def read_only(self, folder):
        """Nothing can be written there."""
        self._mount("--bind", folder, folder)
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)

    def writable(self, folder):
        """The opposite."""
        subprocess.run(["mount", "-o", "remount,rw,bind", folder], check=True)

    def remount(self, folder, how):
        """A drive of its own: "ro" or "rw"."""
        subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)

    def release(self):
        for folder in reversed(self._mounted):
            subprocess.run(["umount", "-l", folder], check=False)
        self._mounted = []

    def _mount(self, *words):
        if os.geteuid() != 0:
            raise PermissionError("mounting needs root")
        done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise PermissionError(done.stderr.strip())
        self._mounted.append(words[-1])


def fill(folder, leave_kb=0):
    """A file that takes all the room of the drive but so many kilobytes; remove it to have the room back."""
    ballast = Path(folder, ".ballast")
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with ballast.open("wb") as stream, contextlib.suppress(OSError):
        os.posix_fallocate(stream.fileno(), 0, max(1, free - (leave_kb << 10)))
    return ballast


class Refusing(durable.Disk):
    """A disk that refuses the n-th call that changes it, and all that follow, until it is mended.

    Full disks take nothing new but let go; read-only ones refuse everything.
    """

    def __init__(self, at, number=errno.ENOSPC):
        self.left = at
        self.number = number
        self.refused = 0

    def mend(self):
        self.left = 1 << 30


def _call(name):
    takes_room = name in {"create", "write", "link", "make_folder"}

    def call(self, *arguments):
        if takes_room or self.number not in {errno.ENOSPC, errno.EDQUOT}:
            self.left -= 1
            if self.left < 0:
                self.refused += 1
                raise OSError(self.number, os.strerror(self.number), str(arguments[-1])[:80])
        return getattr(durable.Disk, name)(self, *arguments)

    return call


for _name in CALLS:
    setattr(Refusing, _name, _call(_name))
