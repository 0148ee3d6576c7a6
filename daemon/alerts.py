"""The owner's own command, run when something begins to be wrong and when it is over. Owns its process; never waits for it.

The command gets one JSON object on stdin. It may be late, slow, broken or missing: the daemon goes on, and says so once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from daemon.health import Change

log = logging.getLogger("vitrine.alerts")


class AlertSettings(BaseModel):
    """`[alerts]` of vitrine.toml. command: program and its words, empty for none; timeout_s: then it is stopped.

    rest_s: the beginning of the same state is told at most once in this time; its end always, once it was told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    timeout_s: Annotated[float, Field(ge=0.1, le=600)] = 20.0
    rest_s: Annotated[float, Field(ge=0, le=86_400)] = 600.0


class Alerts:
    """Runs the command, one at a time, in the order of what happened. settings may be replaced."""

    def __init__(self, studio: Path, settings: AlertSettings) -> None:
        self.settings = settings
        self._studio = studio
        self._pending: dict[str, Change] = {}  # by code, the latest only: what flaps is told as it ends up
        self._told: dict[
            str, tuple[str, float]
        ] = {}  # by code: the last event told, when its last beginning was
        self._child: subprocess.Popen[bytes] | None = None
        self._end_at = 0.0
        self._failing = False

    def hear(self, change: Change) -> None:
        """Something changed; `tend` tells it."""
        if self.settings.command:
            self._pending.pop(change.state.code, None)
            self._pending[change.state.code] = change

    def tend(self, now: float) -> None:
        """Look after the running command, and start the next. now: monotonic seconds. Does not block."""
        if self._child is not None and not self._over(self._child, now):
            return
        self._child = None
        for code, change in list(self._pending.items()):
            told, begun = self._told.get(code, ("ends", -self.settings.rest_s))
            if told == change.event:
                del self._pending[code]
            elif change.event == "ends" or now - begun >= self.settings.rest_s:
                del self._pending[code]
                self._told[code] = (change.event, now if change.event == "begins" else begun)
                self._start(change, now)
                return

    def _start(self, change: Change, now: float) -> None:
        news = {
            "event": change.event,
            "code": change.state.code,
            "text": change.state.text,
            "since": change.state.since,
            "at": change.at,
            "studio": os.fspath(self._studio),
        }
        try:
            child = subprocess.Popen(  # noqa: S603 - the owner's command, from the owner's settings
                self.settings.command,
                cwd=self._studio,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
        except OSError as error:
            self._complain(f"cannot be started: {error.strerror}")
            return
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
            with contextlib.suppress(OSError):  # a command need not read what it is told
                os.write(child.stdin.fileno(), json.dumps(news).encode() + b"\n")
            with contextlib.suppress(OSError):
                child.stdin.close()
        self._child, self._end_at = child, now + self.settings.timeout_s

    def _over(self, child: subprocess.Popen[bytes], now: float) -> bool:
        code = child.poll()
        if code is None and now < self._end_at:
            return False
        if code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            self._complain(f"did not end within {self.settings.timeout_s:g} s and was stopped")
        elif code:
            self._complain(f"ended with code {code}")
        else:
            self._failing = False
        return True

    def _complain(self, what: str) -> None:
        if not self._failing:
            self._failing = True
            program = self.settings.command[0] if self.settings.command else "?"
            log.warning(
                "the alert command %s %s. Try it by hand; see [alerts] in vitrine.toml.", program, what
            )
