"""Durable file changes. The ONE module of the daemon that writes, renames, unlinks and syncs files.

Promises: a name becomes visible only with its full content, content is on the disk before its name is, and nothing
is overwritten unless the caller says so. Every system call that matters goes through `disk`, so that a test can
put a recorder (or a disk that fails at the n-th call) in its place. Refuses to decide names and places.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from pathlib import Path

from daemon.failpoint import reach

TEMP_PREFIX = ".vitrine-"
_CHUNK = 1 << 20
_TRIAL = 1 << 20
_FICLONE = 0x40049409  # linux/fs.h: share the blocks of another file
_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class Disk:
    """The system calls that change a disk, one method each."""

    def create(self, path: Path) -> int:
        """Open a new file for writing; FileExistsError if the name is taken."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644)

    def write(self, handle: int, data: bytes) -> None:
        """Write all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]

    def clone(self, handle: int, source: int) -> bool:
        """Share the blocks of `source` (copy on write); False where the file system cannot."""
        try:
            fcntl.ioctl(handle, _FICLONE, source)
        except OSError:
            return False
        return True

    def sync(self, handle: int) -> None:
        """Wait until the file's bytes are on the disk."""
        os.fsync(handle)

    def link(self, source: Path, target: Path) -> None:
        """Give the file a second name; FileExistsError if it is taken."""
        os.link(source, target, follow_symlinks=False)

    def rename(self, source: Path, target: Path) -> None:
        """Replace `target` by `source` in one step."""
        os.rename(source, target)  # noqa: PTH104 - the call itself is what this class names

    def unlink(self, path: Path) -> None:
        """Take the name away."""
        os.unlink(path)  # noqa: PTH108

    def make_folder(self, path: Path) -> None:
        """Make one folder."""
        os.mkdir(path)  # noqa: PTH102

    def sync_folder(self, path: Path) -> None:
        """Wait until the folder's names are on the disk."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


disk = Disk()
_on_disk: dict[Path, tuple[int, int]] = {}  # folders whose names this process knows to be on the disk


def make_folders(folder: Path) -> None:
    """Make `folder` and what is missing above it. Afterwards their names are on the disk, whoever made them.

    A folder that is there may have been made a moment ago by a process that was killed, or by another worker, before its
    name was on the disk; a file in it would then not survive a power cut.
    """
    identity = _identity(folder)
    if identity is not None and _on_disk.get(folder) == identity:
        return
    if identity is None:
        make_folders(folder.parent)
        with contextlib.suppress(FileExistsError):
            disk.make_folder(folder)
    disk.sync_folder(folder.parent)
    if (identity := _identity(folder)) is None:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(folder))
    _on_disk[folder] = identity


def secure(handle: int, path: Path, top: Path) -> None:
    """Wait until an open file that somebody else wrote is on the disk, with its names from `path` up to `top`.

    Programs that copy photos do not do that: minutes later a power cut may still take the file, or leave zeros in it.
    """
    _sync_foreign(handle)
    for folder in path.parents:
        disk.sync_folder(folder)
        if folder == top:
            break


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomic(path: Path, data: bytes) -> None:
    """Put `data` at `path`, replacing what is there: readers see the old bytes or the new, never a mixture."""
    temp = _temp_with(path.parent, data)
    try:
        disk.rename(temp, path)
    except OSError:
        _discard(temp)
        raise
    disk.sync_folder(path.parent)


def write_secret(path: Path, data: bytes) -> None:
    """As `write_atomic`; nobody but this user may ever read it."""
    temp = path.parent / f"{TEMP_PREFIX}{secrets.token_hex(8)}"
    handle = disk.create(temp)
    try:
        os.fchmod(handle, 0o600)  # before there is anything in it
        disk.write(handle, data)
        disk.sync(handle)
        disk.rename(temp, path)
    except OSError:
        _discard(temp)
        raise
    finally:
        os.close(handle)
    disk.sync_folder(path.parent)


def write_fleeting(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step without waiting for the disk: for what means nothing after a crash.

    One writer per path.
    """
    temp = path.with_name(f"{TEMP_PREFIX}{path.name}")
    _discard(temp)
    try:
        handle = disk.create(temp)
        try:
            disk.write(handle, data)
        finally:
            os.close(handle)
        disk.rename(temp, path)
    except OSError:
        with contextlib.suppress(OSError):
            _discard(temp)
        raise


def write_new(path: Path, data: bytes) -> None:
    """Put `data` at `path`; FileExistsError if the name is taken, by whatever."""
    make_folders(path.parent)
    temp = _temp_with(path.parent, data)
    try:
        _name(temp, path)
    finally:
        _discard(temp)
    disk.sync_folder(path.parent)


def move_new(source: Path, target: Path) -> None:
    """Move a file to a name that must be free (else FileExistsError); across devices by a verified copy.

    At every moment at least one of the two names holds the full file. Run again after a crash it finishes the move.
    """
    make_folders(target.parent)
    _sync_source(source)
    try:
        _name(source, target)
    except FileExistsError:
        if not _same_file(source, target):
            raise
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_across(source, target)
    disk.sync_folder(target.parent)
    reach("during-move")
    remove(source)


def name_folder(temp: Path, target: Path) -> None:
    """Give a folder whose files are on the disk its name, which must be free (else FileExistsError)."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target))
    disk.rename(temp, target)
    disk.sync_folder(target.parent)


def remove(path: Path) -> None:
    """Take a name away; no error if it is gone."""
    with contextlib.suppress(FileNotFoundError):
        disk.unlink(path)
        disk.sync_folder(path.parent)


def try_writing(folder: Path) -> None:
    """Write a small file into `folder` and take it away again. Raises OSError if that cannot be done."""
    temp = _temp_with(folder, bytes(_TRIAL))
    disk.unlink(temp)


def copy_private(source: int, target: Path) -> str:
    """Copy an open file to the new file `target` and return the SHA-256 of the bytes that arrived there, hex."""
    handle = disk.create(target)
    try:
        digest = "" if disk.clone(handle, source) else _write_all(handle, source)
        reach("before-sync")
        disk.sync(handle)
        disk.sync_folder(target.parent)
        return digest or digest_of(target)
    except BaseException:
        _discard(target)
        raise
    finally:
        os.close(handle)


def _write_all(handle: int, source: int) -> str:
    """Copy byte for byte; SHA-256 of the bytes."""
    sha = hashlib.sha256()
    os.lseek(source, 0, os.SEEK_SET)
    while chunk := os.read(source, _CHUNK):
        sha.update(chunk)
        disk.write(handle, chunk)
    return sha.hexdigest()


def _temp_with(folder: Path, data: bytes) -> Path:
    temp = folder / f"{TEMP_PREFIX}{secrets.token_hex(8)}"
    handle = disk.create(temp)
    try:
        disk.write(handle, data)
        disk.sync(handle)
    except OSError:
        _discard(temp)
        raise
    finally:
        os.close(handle)
    return temp


def _name(source: Path, target: Path) -> None:
    """Give `source` the free name `target` too, or (where a file system has no links) instead."""
    reach("before-rename")
    try:
        disk.link(source, target)
    except OSError as error:
        if error.errno == errno.EXDEV or error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target)) from error
        disk.rename(source, target)


def _sync_source(source: Path) -> None:
    """The bytes must be on the disk before the name goes that a person knows them by."""
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _sync_foreign(handle)
    finally:
        os.close(handle)


def _sync_foreign(handle: int) -> None:
    try:
        disk.sync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:  # a drive that cannot be asked
            raise


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _same_file(source: Path, target: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(source.lstat(), target.lstat())
    return False


def _copy_across(source: Path, target: Path) -> None:
    temp = target.parent / f"{TEMP_PREFIX}{secrets.token_hex(8)}"
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        copied = copy_private(handle, temp)
    finally:
        os.close(handle)
    try:
        if digest_of(temp) != copied or digest_of(source) != copied:
            raise OSError(errno.EIO, "the copy differs from the file", os.fspath(source))
        _name(temp, target)
    finally:
        _discard(temp)


def _discard(temp: Path) -> None:
    with contextlib.suppress(OSError):  # gone; or the disk refuses all, which its caller is about to say
        disk.unlink(temp)
