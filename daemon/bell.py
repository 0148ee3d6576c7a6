"""What wakes the main loop: events of the inbox, words of workers, signals. Owns the pipe and the signal handlers.

Refuses to act on any of it: it keeps what came, and the loop asks.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType

_Handler = Callable[[int, FrameType | None], None] | signal.Handlers


class Bell:
    """A pipe that events and signals write to, so that the loop sleeps and still answers at once.

    stops: signals that asked to stop, in order; reload: SIGHUP came since the loop last took it.
    """

    def __init__(self) -> None:
        self.stops: list[int] = []
        self.reload = False
        self._ear = self._clapper = -1

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """Signals ring the bell while the block runs."""
        self._ear, self._clapper = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = signal.set_wakeup_fd(self._clapper, warn_on_full_buffer=False)
        handlers: dict[int, _Handler] = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGHUP: self._hang_up,
            signal.SIGCHLD: lambda *_: None,  # so that a worker's end wakes the loop
            signal.SIGIO: signal.SIG_IGN,  # the kernel asks for a lease back; we give it back anyway
        }
        old = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            os.close(self._ear)
            os.close(self._clapper)

    def ring(self) -> None:
        """Wake the loop; from any thread."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._clapper, b"!")

    def wait(self, until: float, others: Iterable[int] = ()) -> None:
        """Sleep until that moment (monotonic), a ring, a signal, or until one of the `others` can be read."""
        poll = select.poll()
        for handle in (self._ear, *others):
            poll.register(handle, select.POLLIN)
        poll.poll(max(0.0, until - time.monotonic()) * 1000)
        with contextlib.suppress(BlockingIOError):
            while os.read(self._ear, 4096):
                pass

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.stops.append(number)

    def _hang_up(self, number: int, _: FrameType | None) -> None:
        """For a service SIGHUP means "read the settings again"; in a terminal, that its window was closed."""
        if sys.stderr.isatty():
            self.stops.append(number)
        else:
            self.reload = True
