"""Room on the disks: seen before a write fails, told once. Owns the looking; the supervisor pauses work and goes on.

Refuses to free space or to delete anything.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from daemon import durable
from daemon.studio import Studio

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
FULL = "{folder}: only {free} MB are free on its drive, less than {wanted} MB (min_free_mb). Free some space."
READ_ONLY = "{folder} cannot be written: its drive is read-only. Make it writable."
NO_FILES = "{folder}: its drive cannot hold more files. Remove some."
REFUSED = "A file could not be written ({why}). Make room for it."
UNTIL_THEN = "Until then nothing is taken or rendered, and no photo is lost."
_TRY_S = 5.0  # after a write that was refused, before the next try
_FILES = 64  # fewer free inodes than this are none
_MORE = 1.1  # room to go on, in room to stop: so that work does not stop and go with each photo


class Space:
    """Every drive that the studio spans. min_free_mb: less than that is too little; it may be replaced.

    trouble: what is the matter and what to do, "" when all is well. Work that needs room waits while it is not empty.
    """

    def __init__(self, studio: Studio, min_free_mb: int) -> None:
        self.min_free_mb = min_free_mb
        self.trouble = ""
        self._studio = studio
        self._refused = ""
        self._try_at = 0.0
        self._where: tuple[Path, str] | None = None

    def refused(self, what: str, now: float) -> None:
        """A write failed for want of room. what: the system's words and the file; now: monotonic seconds."""
        if not self._refused:  # told again it is no news, and the next try is not put off by it
            self._refused, self._try_at = what, now + _TRY_S
        self.look(now)

    def look(self, now: float) -> bool:
        """Look at all drives; True if work may go on again from now, after it was paused."""
        paused, found = bool(self.trouble), self._short()
        if found is None and self._refused:
            found = self._still_refused(now)
        if found is None:
            self._where, self._refused, self.trouble = None, "", ""
            return paused
        place, kind, text = found
        if self._where != (place, kind):  # the figures in the text change all the time
            self._where, self.trouble = (place, kind), f"{text} {UNTIL_THEN}"
        return False

    def _short(self) -> tuple[Path, str, str] | None:
        """Folder, kind of trouble, words. What cannot be asked is another matter (an unplugged drive)."""
        for folder in self._folders():
            try:
                room = os.statvfs(folder)
            except OSError:
                continue
            if room.f_flag & os.ST_RDONLY:
                return folder, "read-only", READ_ONLY.format(folder=folder)
            free = room.f_bavail * room.f_frsize >> 20
            wanted = self.min_free_mb * (_MORE if self.trouble else 1.0)
            if folder != self._studio.inbox and free < wanted:
                return folder, "full", FULL.format(folder=folder, free=free, wanted=self.min_free_mb)
            if room.f_files and room.f_favail < _FILES:
                return folder, "files", NO_FILES.format(folder=folder)
        return None

    def _still_refused(self, now: float) -> tuple[Path, str, str] | None:
        """The drives look well, yet a write was refused (a quota, most often): find out by writing."""
        if now >= self._try_at:
            self._try_at = now + _TRY_S
            try:
                for folder in self._folders():
                    durable.try_writing(folder)
            except OSError as error:
                self._refused = f"{error.strerror}: {error.filename}"
            else:
                return None
        return self._studio.root, "refused", REFUSED.format(why=self._refused)

    def _folders(self) -> Iterator[Path]:
        """Any of them may be a drive of its own."""
        yield from (self._studio.root, self._studio.inbox, *self._studio.folders)
