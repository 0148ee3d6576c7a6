"""watchdog's inotify with ears for what it keeps to itself: folders that the system refuses to watch.

watchdog passes over a folder below the root that cannot be watched, without a word; photos in it would only be found by
the next full scan. Owns that; refuses to decide what follows (`daemon.watch` does).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from watchdog.observers.api import DEFAULT_OBSERVER_TIMEOUT, BaseObserver
from watchdog.observers.inotify import InotifyEmitter, InotifyObserver
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
    inotify_add_watch,
    inotify_rm_watch,
)

_PROC = Path("/proc/sys/fs/inotify")
_LIMITS = {
    errno.ENOSPC: ("max_user_watches", "watched folders", 524_288),
    errno.EMFILE: ("max_user_instances", "watchers", 512),
}


def limit_words(error: OSError) -> str:
    """What the owner should know and do when inotify(7) is refused: the limit, its present value, the exact command."""
    if error.errno not in _LIMITS:
        return f"the inbox cannot be watched ({error}): it is looked at regularly instead of at once"
    name, what, wanted = _LIMITS[error.errno]
    try:
        present = int((_PROC / name).read_text("ascii"))
    except (OSError, ValueError):
        present = 0
    wanted = max(wanted, 2 * present)
    return (
        f"the system's limit of {what} is reached (fs.inotify.{name} is {present or 'unknown'}), so the inbox is looked"
        f" at every few seconds instead of at once. Raise it: sudo sysctl -w fs.inotify.{name}={wanted}"
        f" (for good: put fs.inotify.{name} = {wanted} into /etc/sysctl.d/60-vitrine.conf)"
    )


class Observer(InotifyObserver):
    """watchdog's observer. refused: called, from any thread, with each error of a folder that could not be watched."""

    def __init__(self, refused: Callable[[OSError], None]) -> None:
        self._inotify_fd: _Descriptor = _Descriptor(refused)  # raises OSError at the limit of instances
        self._inotify_fd.start()
        # Not InotifyObserver's own beginning: that makes a descriptor without ears.
        BaseObserver.__init__(
            self, InotifyEmitter, timeout=DEFAULT_OBSERVER_TIMEOUT, inotify_fd=self._inotify_fd
        )

    def room_again(self) -> bool:
        """Whether a folder that was refused would be watched now."""
        return self._inotify_fd.room_again()


class _Descriptor(InotifyFD):
    def __init__(self, refused: Callable[[OSError], None]) -> None:
        super().__init__()
        self._refused = refused
        self._missed: tuple[bytes, Mask] | None = None

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        try:
            return super().add_callback(path, mask, callback, id_)
        except OSError as error:
            if error.errno in _LIMITS:
                self._missed = path, mask
                self._refused(error)
            raise

    def room_again(self) -> bool:
        if self._missed is None:
            return False
        path, mask = self._missed
        with self._lock:
            handle = inotify_add_watch(self._inotify_fd, path, mask)
            if handle == -1:
                return not Path(path.decode("utf-8", "surrogateescape")).exists()
            inotify_rm_watch(self._inotify_fd, handle)
        return True
