"""A real FUSE file system for tests: shows another folder, as a network drive would. `python fuse_mirror.py FOLDER MOUNT`.

What is changed in the folder itself is seen in the mount, and no event tells of it: as on NFS and SMB, where the change
is made on another machine. Speaks the kernel's protocol (linux/fuse.h, version 7.31) without a library.
"""

# ruff: noqa: PTH102, PTH104, PTH108, PTH118, PTH123, PTH208
# (paths are bytes here, as the kernel sends them)
from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

_ENTRY, _ATTR = "<QQQQII", "<QQQQQQIIIIIIIIII"
# Operations that need no answer but "done", or none at all
_DONE = {18, 20, 25, 29, 30}  # RELEASE, FSYNC, FLUSH, RELEASEDIR, FSYNCDIR
_SILENT = {2, 36, 42}  # FORGET, INTERRUPT, BATCH_FORGET


class Mirror:
    """Answers requests. nodes: the kernel's number of a file -> its path."""

    def __init__(self, folder: bytes, device: int) -> None:
        self.device = device
        self.nodes = {1: folder}
        self.numbers = {folder: 1}

    def serve(self) -> None:
        """Until it is unmounted."""
        while True:
            try:
                request = os.read(self.device, 1 << 18)
            except OSError as error:
                if error.errno in {errno.EINTR, errno.ENOENT, errno.EAGAIN}:
                    continue
                return
            operation, unique, node = struct.unpack_from("<IQQ", request, 4)
            if operation in _SILENT:
                continue
            try:
                answer, code = self.answer(operation, self.nodes.get(node, b""), request[40:]), 0
            except OSError as error:
                answer, code = b"", -(error.errno or errno.EIO)
            os.write(self.device, struct.pack("<IiQ", 16 + len(answer), code, unique) + answer)

    def answer(self, operation: int, path: bytes, body: bytes) -> bytes:
        """One request; raises OSError for an error number."""
        if operation == 26:  # INIT
            return struct.pack("<IIIIHHIIHHI7I", 7, 31, 65536, 0, 12, 9, 65536, 1, 16, 0, 0, *[0] * 7)
        if operation in _DONE:
            return b""
        handlers = {
            1: self.lookup, 3: self.getattr, 4: self.setattr, 9: self.mkdir, 10: self.unlink, 13: self.link,
            14: self.open, 15: self.read, 16: self.write, 17: self.statfs, 27: self.open, 28: self.readdir,
            35: self.create, 12: self.rename, 45: self.rename2,
        }  # fmt: skip
        if operation not in handlers:
            raise OSError(errno.ENOSYS, "not needed here")
        return handlers[operation](path, body)

    def entry(self, path: bytes) -> bytes:
        """Number and attributes; nothing is kept by the kernel, since others change the files."""
        attributes = self.attributes(path)
        number = self.numbers.setdefault(path, len(self.nodes) + 1)
        self.nodes[number] = path
        return struct.pack(_ENTRY, number, 0, 0, 0, 0, 0) + attributes

    def attributes(self, path: bytes) -> bytes:
        """struct fuse_attr."""
        at = os.lstat(path)
        seconds = [int(t // 10**9) for t in (at.st_atime_ns, at.st_mtime_ns, at.st_ctime_ns)]
        rest = [int(t % 10**9) for t in (at.st_atime_ns, at.st_mtime_ns, at.st_ctime_ns)]
        numbers = (at.st_mode, at.st_nlink, at.st_uid, at.st_gid, 0, 4096, 0)
        return struct.pack(_ATTR, at.st_ino, at.st_size, at.st_blocks, *seconds, *rest, *numbers)

    def lookup(self, path: bytes, body: bytes) -> bytes:
        return self.entry(os.path.join(path, body.rstrip(b"\0")))

    def getattr(self, path: bytes, _: bytes) -> bytes:
        return struct.pack("<QII", 0, 0, 0) + self.attributes(path)

    def setattr(self, path: bytes, body: bytes) -> bytes:
        valid, _, _, size = struct.unpack_from("<IIQQ", body)
        if valid & 8:
            os.truncate(path, size)
        return self.getattr(path, body)

    def mkdir(self, path: bytes, body: bytes) -> bytes:
        name = os.path.join(path, body[8:].rstrip(b"\0"))
        os.mkdir(name)
        return self.entry(name)

    def unlink(self, path: bytes, body: bytes) -> bytes:
        os.unlink(os.path.join(path, body.rstrip(b"\0")))
        return b""

    def link(self, path: bytes, body: bytes) -> bytes:
        raise OSError(errno.EPERM, "no links, like many network drives")

    def open(self, path: bytes, _: bytes) -> bytes:
        return struct.pack("<QII", 0, 1, 0)  # FOPEN_DIRECT_IO

    def read(self, path: bytes, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        with open(path, "rb") as stream:
            stream.seek(offset)
            return stream.read(size)

    def write(self, path: bytes, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        with open(path, "r+b") as stream:
            stream.seek(offset)
            stream.write(body[40 : 40 + size])
        return struct.pack("<II", size, 0)

    def statfs(self, path: bytes, _: bytes) -> bytes:
        return struct.pack(
            "<QQQQQIIII6I", 1 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19, 4096, 255, 4096, 0, *[0] * 6
        )

    def readdir(self, path: bytes, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        answer = b""
        for at, name in enumerate(sorted(os.listdir(path))[offset:], offset + 1):
            record = struct.pack("<QQII", at, at, len(name), 0) + name
            record += bytes(-len(record) % 8)
            if len(answer) + len(record) > size:
                break
            answer += record
        return answer

    def create(self, path: bytes, body: bytes) -> bytes:
        name = os.path.join(path, body[16:].rstrip(b"\0"))
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o644))
        return self.entry(name) + self.open(name, b"")

    def rename(self, path: bytes, body: bytes) -> bytes:
        return self.move(path, struct.unpack_from("<Q", body)[0], body[8:])

    def rename2(self, path: bytes, body: bytes) -> bytes:
        return self.move(path, struct.unpack_from("<Q", body)[0], body[16:])

    def move(self, path: bytes, target: int, names: bytes) -> bytes:
        old, new = names.rstrip(b"\0").split(b"\0")
        os.rename(os.path.join(path, old), os.path.join(self.nodes[target], new))
        return b""


def main() -> None:
    """Mount, say so, serve."""
    folder, mount = map(os.fsencode, sys.argv[1:])
    device = os.open("/dev/fuse", os.O_RDWR)
    options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"mirror", mount, b"fuse.mirror", 0, options):
        sys.exit(os.strerror(ctypes.get_errno()))
    print("mounted", flush=True)
    Mirror(folder, device).serve()


if __name__ == "__main__":
    main()
