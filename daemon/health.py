"""What is wrong at this moment: one registry of degraded states. Owns codes, words and times; refuses to find them out.

A state has a code that stays the same for ever (for alerts and dashboards), words for the owner (what, why, what to do)
and the time it began. Whatever shows the daemon's health (`daemon.bulletin`) asks here and nowhere else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

log = logging.getLogger("vitrine.health")
CODES = {
    "overflow": "events of the inbox were lost",
    "polling": "the inbox is looked at regularly instead of at once",
    "missing": "a folder or drive is not there",
    "disk": "too little free space",
    "workers": "workers are missing or end again and again",
    "ledger": "the ledger cannot be written",
    "settings": "a mistake in the settings file",
    "scan": "the inbox was not looked through for too long",
    "batch": "a night's work was not finished",
    "log": "the log file cannot be written",
    "instagram": "the publisher, or a post, needs a person",
}


@dataclass(frozen=True, slots=True)
class State:
    """One thing that is wrong. code: of CODES; text: for the owner; since: Unix time of its beginning."""

    code: str
    text: str
    since: float

    def as_json(self) -> dict[str, Any]:
        """For files and other programs."""
        return {"code": self.code, "text": self.text, "since": self.since}


@dataclass(frozen=True, slots=True)
class Change:
    """A state began or ended. at: Unix time."""

    event: Literal["begins", "ends"]
    state: State
    at: float


class Health:
    """The registry. heard: called with each change; clock: Unix time; ticks: monotonic seconds."""

    def __init__(
        self,
        heard: Callable[[Change], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._heard = heard
        self._clock = clock
        self._ticks = ticks
        self._states: dict[str, State] = {}
        self._until: dict[str, float] = {}

    @property
    def states(self) -> tuple[State, ...]:
        """All that is wrong, the oldest first."""
        self._expire()
        return tuple(sorted(self._states.values(), key=lambda state: (state.since, state.code)))

    def set(self, code: str, text: str, *, aloud: bool = False) -> None:
        """The state holds for this reason; "" ends it. KeyError: no such code.

        A beginning and an end are told, another reason in between only if `aloud`.
        """
        CODES[code]
        self._until.pop(code, None)
        before = self._states.get(code)
        if text:
            self._begin(code, text)
            if aloud and before is not None and before.text != text:
                log.warning("%s", text, extra={"code": code})
        else:
            self._end(code)

    def holds(self, code: str) -> bool:
        """Whether this is wrong now."""
        return code in self._states

    def show(self, code: str, text: str, for_s: float) -> None:
        """Something happened that is over already: the state is shown for so long after the last time; each is told."""
        CODES[code]
        again = self.holds(code)
        self._until[code] = self._ticks() + for_s
        self._begin(code, text)
        if again:
            log.warning("again: %s", text, extra={"code": code})

    def _begin(self, code: str, text: str) -> None:
        before = self._states.get(code)
        now = self._clock()
        self._states[code] = State(code, text, before.since if before else now)
        if before is None:
            log.warning("%s", text, extra={"code": code})
            self._heard(Change("begins", self._states[code], now))

    def _end(self, code: str) -> None:
        state = self._states.pop(code, None)
        if state is not None:
            log.info("over: %s", state.text, extra={"code": code})
            self._heard(Change("ends", state, self._clock()))

    def _expire(self) -> None:
        for code in [code for code, until in self._until.items() if until <= self._ticks()]:
            del self._until[code]
            self._end(code)
