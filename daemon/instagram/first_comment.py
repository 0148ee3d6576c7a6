"""The first comment below a post: made once, also by a publisher that was killed or refused in between. Owns its tries.

The post is out by then, so nothing here can lose or double it. What may have been said is looked for before it is said again;
a comment that cannot be made is told to the owner and holds nothing up for ever.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

from daemon.failpoint import reach
from daemon.instagram.gate import GateKeeper, about
from daemon.instagram.post import Entry
from daemon.instagram.post_ledger import PostLedger, Row
from daemon.instagram.publisher import NeedsPerson, NotSent, Outcome, Publisher, Receipt, Unknown

log = logging.getLogger("vitrine.publish")
_LOOK_AFTER_S = (0.0, 5.0, 20.0)  # a comment may show a moment after it was made
_MOST_TRIES = 4
PENDING = frozenset({"wanted", "tried"})


class FirstComment:
    """Says it. sleep: between looks for a comment that may be there."""

    def __init__(self, ledger: PostLedger, gate: GateKeeper, sleep: Callable[[float], None]) -> None:
        self._ledger = ledger
        self._gate = gate
        self._sleep = sleep

    def settle(self, entry: Entry, row: Row, publisher: Publisher, now: dt.datetime) -> Entry | None:
        """Say what is still to be said below a post. The entry if that has come to an end, None: go on another time."""
        text = " ".join(entry.post.first_comment)
        if row.comment not in PENDING or not text:
            return entry
        if row.comment_tries >= _MOST_TRIES:
            return self._give_up(entry, f"{row.comment_tries} tries failed", now)
        self._ledger.try_comment(row.id)
        try:
            self._say(row, text, publisher)
        except (NeedsPerson, NotSent, Unknown) as error:
            self._put_off(entry, error, publisher, now)
            return None
        except Exception as error:  # noqa: BLE001 - Refused, or a defect: the post is out, and the queue must go on
            return self._give_up(entry, str(error) or type(error).__name__, now)
        self._ledger.comment(row.id, "made")
        return entry

    def _say(self, row: Row, text: str, publisher: Publisher) -> None:
        receipt = Receipt(row.media, row.address)
        if row.comment == "tried" and self._is_there(receipt, text, publisher):
            return
        self._ledger.comment(row.id, "tried")
        reach("after-comment-mark")
        publisher.comment(receipt, text)
        reach("after-comment")

    def _put_off(self, entry: Entry, error: Outcome, publisher: Publisher, now: dt.datetime) -> None:
        log.warning("%s: no first comment yet: %s", entry.path.name, error, extra=about(entry))
        if isinstance(error, NeedsPerson):
            self._gate.halt(str(error))
        elif isinstance(error, NotSent):
            self._gate.put_off(entry, error, publisher, now)

    def _is_there(self, receipt: Receipt, text: str, publisher: Publisher) -> bool:
        for pause_s in _LOOK_AFTER_S:
            self._sleep(pause_s)
            if publisher.commented(receipt, text):
                return True
        return False

    def _give_up(self, entry: Entry, why: str, now: dt.datetime) -> Entry:
        self._ledger.comment(entry.id, "given up")
        log.warning("%s: no first comment: %s", entry.path.name, why, extra=about(entry))
        return entry.told(
            f"the first comment may be missing ({why}); look, and make it by hand if it is", now
        )
