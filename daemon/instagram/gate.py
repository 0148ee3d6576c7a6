"""What a failure means for everything that waits: a rest, a new session, or a halt until a person has looked.

Owns the lengths of rests; refuses to touch posts. An account that is pressed is an account that is closed.
"""

from __future__ import annotations

import datetime as dt
import logging

from daemon.instagram.post import Entry
from daemon.instagram.post_ledger import PostLedger
from daemon.instagram.publisher import Frozen, LoggedOut, NeedsPerson, NotSent, Publisher, Throttled

log = logging.getLogger("vitrine.publish")
DAY_S = 86_400.0
_NO_SESSION_S = 3600.0  # after a login that failed
_MOST_DOUBLINGS = 3  # of the five minutes after a passing trouble


class GateKeeper:
    """Opens and closes the gate that the ledger remembers. zone: of the times it tells."""

    def __init__(self, ledger: PostLedger, zone: dt.tzinfo) -> None:
        self._ledger = ledger
        self._zone = zone

    def closed(self, now: dt.datetime) -> str:
        """Why nothing may be sent now, "" if it may."""
        gate = self._ledger.gate
        if gate.halted:
            return f"halted: {gate.halted}"
        if gate.until > now.timestamp():
            return f"resting until {clock(gate.until, self._zone)}: {gate.why}"
        return ""

    def halt(self, why: str) -> None:
        """Nothing is sent until `vitrine publish --resume`."""
        self._ledger.halt(why)
        log.error("nothing is sent any more: %s", why)

    def put_off(self, entry: Entry, error: NotSent, publisher: Publisher, now: dt.datetime) -> None:
        """It is certain that it is not out; everything rests, not only this post."""
        at = now.timestamp()
        if isinstance(error, LoggedOut):
            self._new_session(error, publisher, at)
            return
        wait_s = self._wait_s(entry, error)
        self._ledger.rest(at + wait_s, str(error), throttled=isinstance(error, Throttled))
        level = logging.ERROR if isinstance(error, Frozen) else logging.WARNING
        text = "%s is not sent yet: %s. Next try not before %s"
        log.log(level, text, entry.path.name, error, clock(at + wait_s, self._zone), extra=about(entry))

    def _wait_s(self, entry: Entry, error: NotSent) -> float:
        if isinstance(error, Throttled):
            return min(error.wait_s * 2.0**self._ledger.gate.throttled, DAY_S)
        if isinstance(error, Frozen):
            return error.wait_s
        row = self._ledger.get(entry.id)
        return error.wait_s * 2.0 ** min(_MOST_DOUBLINGS, max(0, row.attempts - 1) if row else 0)

    def _new_session(self, error: LoggedOut, publisher: Publisher, at: float) -> None:
        """Once a day, on the same device."""
        if at - self._ledger.gate.logged_in < DAY_S:
            self.halt(f"{error}, and a new one ended within a day. Look at the account")
            return
        self._ledger.logged_in(at)
        try:
            publisher.log_in_again()
        except NeedsPerson as refused:
            self.halt(str(refused))
        except Exception as failed:  # noqa: BLE001 - whatever it is: never in a loop
            self._ledger.rest(at + _NO_SESSION_S, str(failed))
            log.warning("%s, and a new one could not be begun: %s", error, failed)
        else:
            log.warning("%s; a new one was begun", error)


def clock(at: float, zone: dt.tzinfo) -> str:
    """Unix time as the shop's clock shows it."""
    return dt.datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")


def about(entry: Entry) -> dict[str, str]:
    """Of a post, for the log."""
    return {"job": entry.post.job, "photo": entry.post.picture}
