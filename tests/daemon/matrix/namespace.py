"""A mount namespace of a test's own: what is mounted in it is seen by nobody else, and gone when it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon.studios import until


class Namespace:
    """Held by a sleeping process. Raises unless the system allows it: see `namespace_or_skip`."""

    def __init__(self):
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sleep", "1000"], stderr=subprocess.PIPE
        )
        self._servers = []
        until(self._ready, what="the namespace")
        self.within = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--wd=/", "--"]

    def _ready(self):
        if self._holder.poll() is not None:
            raise OSError(self._holder.stderr.read().decode())
        return Path(f"/proc/{self._holder.pid}/ns/mnt").readlink() != Path("/proc/self/ns/mnt").readlink()

    def run(self, *words):
        return subprocess.run([*self.within, *map(str, words)], check=True, capture_output=True)

    def inside(self, path):
        """The path as the namespace sees it, for this process."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def mount_tmpfs(self, path):
        self.run("mount", "-t", "tmpfs", "-o", "size=16m", "none", path)

    def mount_mirror(self, folder, path):
        server = Path(__file__).with_name("fuse_mirror.py")
        process = subprocess.Popen(
            [*self.within, sys.executable, server, folder, path], stdout=subprocess.PIPE
        )
        self._servers.append(process)
        assert process.stdout.readline() == b"mounted\n"

    def unmount(self, path):
        self.run("umount", path)

    def end(self):
        self._holder.kill()
        self._holder.wait()
        self._holder.stderr.close()
        for server in self._servers:
            server.kill()
            server.wait()
            server.stdout.close()


def namespace_or_skip():
    """A namespace; skips where mounting needs rights that this user has not."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("nsenter")):
        pytest.skip("mounts need root, unshare and nsenter")
    try:
        return Namespace()
    except OSError as error:
        pytest.skip(f"no mount namespaces here: {error}")
