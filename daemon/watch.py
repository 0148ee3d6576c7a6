"""Events of the inbox, as a hint where to look. Owns watchdog (its one door); refuses to believe what it says.

Events are lost when a queue overflows, when folders are made faster than they are watched, and on network drives.
So an event only names a place to look at; full scans find the rest; and the watch itself is watched.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from daemon.inotify import Observer, limit_words
from daemon.mounts import mount_of

log = logging.getLogger("vitrine.watch")
_WANTED: list[type[FileSystemEvent]] = [
    FileClosedEvent,
    FileMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]


class Watch(FileSystemEventHandler):
    """Collects the paths at which something happened. wake: called from the watcher's thread after each."""

    def __init__(self, root: Path, wake: Callable[[], None]) -> None:
        self._root = root
        self._wake = wake
        self._lock = threading.Lock()
        self._touched: set[str] = set()
        self._overflowed = False
        self._observer: Observer | None = None
        self._identity: tuple[int, int] | None = None
        self._looked: tuple[int, int] | None = None
        self._overflow = _OverflowEar(self._note_overflow)
        self.degraded = ""
        self.missing = ""
        self.overflows = 0

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note the path; called by watchdog in its own thread."""
        with self._lock:
            self._touched.add(os.fsdecode(event.src_path))
            if event.dest_path:
                self._touched.add(os.fsdecode(event.dest_path))
        self._wake()

    def take(self) -> tuple[set[Path], bool]:
        """What to look at since the last call, files and folders, and whether events were lost (look everywhere)."""
        with self._lock:
            touched, self._touched = self._touched, set()
            lost, self._overflowed = self._overflowed, False
        return {Path(path) for path in touched}, lost

    def moved(self) -> bool:
        """Whether the root is another one, or gone, or back, since `supervise` looked. One system call."""
        return _identity(self._root) != self._looked

    def supervise(self) -> bool:
        """Make sure that the present root is watched. True if it had to be watched anew: then look everywhere."""
        self._looked = identity = _identity(self._root)
        if self._healthy() and identity == self._identity and not self._room_again():
            return False
        self.stop()
        self.missing = ""
        if identity is None:
            self.degraded = f"{self._root} is not there"
            self.missing = f"{self.degraded}: is the drive connected? Put the folder back; nothing is lost."
            return False
        self._start(identity)
        return True

    def stop(self) -> None:
        """Stop watching."""
        self._overflow.remove()
        if self._observer is not None:
            _end(self._observer)
        self._observer = None

    def _start(self, identity: tuple[int, int]) -> None:
        self._identity = identity
        self.degraded = ""
        with contextlib.suppress(FileNotFoundError):
            mount = mount_of(self._root)
            if mount.remote:
                self.degraded = (
                    f"the inbox is on a network drive ({mount.kind}), where nobody tells of new files:"
                    " it is looked at regularly instead"
                )
                return
        # It warns of each folder that it comes to watch on two ways, with a list of all watches in the text: megabytes.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        try:
            observer = Observer(self._note_refusal)
        except OSError as error:
            self._note_refusal(error)
            return
        try:
            observer.schedule(self, os.fspath(self._root), recursive=True, event_filter=_WANTED)
            observer.start()
        except OSError as error:
            self._note_refusal(error)
            _end(observer)
            return
        self._overflow.add()
        self._observer = observer

    def _healthy(self) -> bool:
        observer = self._observer
        if observer is None or not observer.is_alive():
            return False
        return bool(observer.emitters) and all(emitter.is_alive() for emitter in observer.emitters)

    def _room_again(self) -> bool:
        """Whether folders could not be watched that could be now."""
        return self._observer is not None and self._observer.room_again()

    def _note_refusal(self, error: OSError) -> None:
        """The system watches no more folders: those below are looked at by full scans, more often."""
        self.degraded = limit_words(error)
        self._wake()

    def _note_overflow(self) -> None:
        with self._lock:
            self._overflowed = True
        self.overflows += 1
        self._wake()


class _OverflowEar(logging.Handler):
    """watchdog tells of a queue overflow in its log only."""

    def __init__(self, heard: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        if "queue overflowed; filesystem events were lost" in record.getMessage():
            self._heard()

    def add(self) -> None:
        logging.getLogger("watchdog").addHandler(self)

    def remove(self) -> None:
        logging.getLogger("watchdog").removeHandler(self)


def _end(observer: Observer) -> None:
    """End its threads and give its descriptor back, also if it never came to run."""
    observer.stop()
    if observer.is_alive():
        observer.join(5)


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
