"""Waiting for what passes by itself: a disk that is full or read-only, a ledger that another program has.

Owns the waiting and that it is told meanwhile. Refuses to mend anything: a person makes room, or the other program ends.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from daemon.bell import Bell
from daemon.health import Health
from daemon.notify import Systemd
from daemon.space import NO_ROOM, UNTIL_THEN
from daemon.studio import Unwritable
from pipeline.errors import Busy

_REST_S = 2.0  # between tries
LEDGER = (
    "{where} cannot be written ({error}): photos wait, nothing is lost, and it is tried again every few seconds. Most often"
    " the disk is full: make room."
)
DISK = "{error} Make room or make it writable: it is tried again every few seconds. " + UNTIL_THEN


def passes(error: Exception) -> bool:
    """Whether it may be over by itself in a while. A start anew would not help."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    return isinstance(error, sqlite3.OperationalError | Unwritable)


@dataclass(frozen=True, slots=True)
class Patience:
    """health: where it is noted; bell: cuts each rest short, and its signals end the waiting; report: shows the state."""

    health: Health
    bell: Bell
    systemd: Systemd
    report: Callable[[], None]

    def begin(self, step: Callable[[], object], code: str, words: str, where: object = "") -> None:
        """Do a step of the start, again and again while what is in its way may pass. Raises what may not.

        code, words: the state of health that this is, with {where} and {error}; whoever set it right ends it. Raises Busy
        if a signal said stop meanwhile.
        """
        while True:
            try:
                step()
            except (sqlite3.OperationalError, OSError, Busy) as error:
                if not passes(error):
                    raise
                self.rest(code, words.format(where=where, error=error))
                self.systemd.ready()  # it runs, and says what it waits for
                if self.bell.stops:
                    raise Busy("Stopped before the studio could be written to.") from error
            else:
                return

    def rest(self, code: str, text: str) -> None:
        """Say what is in the way and wait a while, or for a signal. Nothing else can be done."""
        self.health.set(code, text)
        self.report()
        end = time.monotonic() + _REST_S
        while not self.bell.stops and time.monotonic() < end:
            self.bell.wait(end)
