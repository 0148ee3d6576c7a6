"""The publisher's loop body: what is due goes out, once. Owns the order of write-ahead, sending and putting away.

Refuses to wait: it says until when. Before anything is sent a second time, it looks whether the first time worked; where nobody
can tell, a person is asked.
"""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
from collections.abc import Callable

from daemon.failpoint import reach
from daemon.instagram import preflight
from daemon.instagram.agenda import Agenda, Pace
from daemon.instagram.first_comment import PENDING, FirstComment
from daemon.instagram.gate import GateKeeper, about, clock
from daemon.instagram.post import Entry
from daemon.instagram.post_ledger import PostLedger, Row
from daemon.instagram.publisher import (
    NeedsPerson,
    NotSent,
    Outgoing,
    Publisher,
    Receipt,
    Refused,
    Unknown,
)
from daemon.instagram.queue import Queue
from daemon.instagram.settings import InstagramSettings
from daemon.studio import Studio
from rules.cadence import Turn

log = logging.getLogger("vitrine.publish")
LOOK_S = 10.0  # the queue is a folder that people change
_FIND_AFTER_S = (0.0, 5.0, 20.0)  # a post may show in the account's list a moment after it was made
_STORY_S = 20 * 3600.0  # stories vanish after a day: one that is not seen after this may have been out
_GONE = "stories are shown for a day only, and its first try was longer ago"
_ASK = (
    "Nobody can tell whether this went out: {why}. Look at the account, then say `vitrine queue sent {name}` if it is there,"
    " or `vitrine queue retry {name}` if it is not"
)


class Publishing:
    """publisher: None is a dry run. sleep: between looks for a post that may be there."""

    def __init__(
        self,
        studio: Studio,
        settings: InstagramSettings,
        zone: dt.tzinfo,
        ledger: PostLedger,
        publisher: Publisher | None,
        *,
        seed: int = 0,
        sleep: Callable[[float], None],
    ) -> None:
        self._studio = studio
        self._settings = settings
        self._zone = zone
        self._pace: Pace = {"cadence": settings.cadence, "zone": zone, "seed": seed}
        self._ledger = ledger
        self._publisher = publisher
        self._sleep = sleep
        self.queue = Queue(studio)
        self._gate = GateKeeper(ledger, zone)
        self._first_comment = FirstComment(ledger, self._gate, sleep)
        self._told: set[str] = set()

    @property
    def due(self) -> list[Entry]:
        """Posts that may go out."""
        return self._agenda().due

    @property
    def trouble(self) -> str:
        """What a person must look after, "" if there is nothing."""
        if halted := self._ledger.gate.halted:
            return f"Instagram: {halted}"
        names = [entry.path.stem for entry in self.queue.entries() if entry.post.state == "person"]
        if not names:
            return ""
        return f"Instagram: nobody can tell whether {', '.join(names)} went out: see `vitrine queue show {names[0]}`"

    def turn(self, now: dt.datetime) -> Turn | None:
        """What goes out next, and when."""
        return self._agenda().turn(now)

    def calendar(self, now: dt.datetime) -> tuple[Turn, ...]:
        """All that is approved, with times."""
        return self._agenda().calendar(now)

    def _agenda(self) -> Agenda:
        return Agenda(self.queue.entries(), self._ledger, self._pace)

    def recover(self, now: dt.datetime) -> None:
        """What a publisher that was killed was about to send."""
        entries = {entry.id: entry for entry in self.queue.entries()}
        for row in self._ledger.open_rows():
            if not row.tried:
                self._ledger.failed(row.id, "the publisher ended before anything could be public")
            elif (entry := entries.get(row.id)) is not None and self._publisher is not None:
                self._settle(entry, "the publisher ended in the middle of it", now)
            elif entry is None:
                self._ledger.undecided(row.id, "its file is not in the queue any more")
        self._finish(now)

    def _finish(self, now: dt.datetime) -> None:
        """Posts that are out: their first comment, then out of the queue."""
        rows = self._ledger.half_done()
        entries = {entry.id: entry for entry in self.queue.entries()} if rows else {}
        for row in rows:
            if (entry := entries.get(row.id)) is None:
                self._ledger.put_away(row.id)  # somebody took its file away
            elif row.comment not in PENDING:
                self._away(entry, Receipt(row.media, row.address), now)
            elif self._publisher is not None and not self._gate.closed(now):
                self._comment_and_put_away(entry, self._publisher, now)

    def _comment_and_put_away(self, entry: Entry, publisher: Publisher, now: dt.datetime) -> None:
        row = self._ledger.row(entry.id)
        done = self._first_comment.settle(entry, row, publisher, now)
        if done is not None:
            self._away(done, Receipt(row.media, row.address), now)

    def step(self, now: dt.datetime) -> dt.datetime:
        """Do what is due; until when there is nothing to do. Raises OSError and sqlite3.Error."""
        later = now + dt.timedelta(seconds=LOOK_S)
        self._tell_mistakes()
        if self._settings.carousel:
            self.queue.join_variants(now)
        if self._publisher is not None and (why := self._gate.closed(now)):
            self._once(why)
            return later
        self._finish(now)
        turn = self.turn(now)
        if turn is None:
            return later
        if turn.at > now:
            return min(later, turn.at)
        entry = next(one for one in self.due if one.id == turn.id)
        self.send(entry, now)
        return now if self._publisher is not None else later

    def send(self, entry: Entry, now: dt.datetime) -> None:
        """Send one post, if it is fit."""
        known = self._ledger.get(entry.id)
        if known is not None and known.step in {"posted", "undecided", "publishing"}:
            self._known(entry, known, now)
            return
        wrong = preflight.problems(entry, self._settings.max_hashtags)
        if self.queue.claimed(entry):
            wrong.append("its picture is in another post, too")
        if wrong:
            entry.told(f"refused: {'; '.join(wrong)}", now, state="refused")
            log.warning("%s is not sent: %s", entry.path.name, "; ".join(wrong), extra=about(entry))
            return
        if self._publisher is None:
            self._once(f"dry run: {entry.path.name} would go out now; [instagram] publish = true sends it")
            return
        self._send(entry, self._publisher, known, now)

    def _send(self, entry: Entry, publisher: Publisher, known: Row | None, now: dt.datetime) -> None:
        post = entry.post
        if (
            known is not None
            and known.tried
            and self._look(entry, publisher, self._outgoing(entry, known), now)
        ):
            return
        row = self._ledger.begin(entry.id, post.template, post.type, post.text, now.timestamp())
        reach("after-begin")
        outgoing = self._outgoing(entry, row)
        try:
            receipt = publisher.publish(outgoing, lambda handle: self._mark(row.id, handle))
        except Unknown as error:
            self._settle(entry, str(error), now)
        except Refused as error:
            self._ledger.failed(row.id, str(error))
            entry.told(f"refused by Instagram: {error}", now, state="refused")
            log.warning("%s: %s", entry.path.name, error, extra=about(entry))
        except NeedsPerson as error:
            self._ledger.failed(row.id, str(error))
            self._gate.halt(str(error))
        except NotSent as error:
            self._ledger.failed(row.id, str(error))
            self._gate.put_off(entry, error, publisher, now)
        except sqlite3.Error:  # the request that publishes is sent only after it is written down
            raise
        except Exception as error:
            log.exception("a defect in Vitrine, met with %s", entry.path.name, extra=about(entry))
            self._defect(entry, error, now)
        else:
            self._posted(entry, receipt, outgoing, publisher, now)

    def _defect(self, entry: Entry, error: Exception, now: dt.datetime) -> None:
        """It must not be met again and again, nor hide a post that may be out."""
        if self._ledger.row(entry.id).step == "publishing":
            self._settle(entry, f"a defect in Vitrine ({type(error).__name__})", now)
            return
        self._ledger.failed(entry.id, type(error).__name__)
        entry.told(f"refused: a defect in Vitrine ({type(error).__name__}: {error})", now, state="refused")

    def _mark(self, post_id: str, handle: str) -> None:
        self._ledger.publishing(post_id, handle)
        reach("after-mark")

    def _look(self, entry: Entry, publisher: Publisher, outgoing: Outgoing, now: dt.datetime) -> bool:
        """Before a second try: whether the first one is there after all. True: nothing is to be sent now."""
        try:
            found = publisher.find(outgoing)
            if found is None and outgoing.kind == "story" and now.timestamp() - outgoing.since > _STORY_S:
                raise Unknown(_GONE)  # noqa: TRY301
        except NeedsPerson as error:
            self._ledger.failed(entry.id, str(error))
            self._gate.halt(str(error))
        except NotSent as error:  # not seeing is no reason to send
            self._ledger.failed(entry.id, str(error))
            self._gate.put_off(entry, error, publisher, now)
        except Unknown as error:
            self._ledger.undecided(entry.id, str(error))
            self._ask(entry, str(error), now)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no leave to send
            self._ledger.undecided(entry.id, type(error).__name__)
            self._ask(entry, f"the account's posts could not be read ({type(error).__name__})", now)
        else:
            if found is None:
                return False
            self._posted(entry, found, outgoing, publisher, now)
        return True

    def _settle(self, entry: Entry, why: str, now: dt.datetime) -> None:
        """It may be out there: look for it; what is not seen is not sent again, but shown to a person."""
        row = self._ledger.row(entry.id)
        outgoing = self._outgoing(entry, row)
        publisher = self._publisher
        assert publisher is not None  # noqa: S101 - nothing was sent without one
        for pause_s in _FIND_AFTER_S:
            self._sleep(pause_s)
            try:
                found = publisher.find(outgoing)
            except Exception as error:  # noqa: BLE001 - not seeing decides nothing
                log.warning(
                    "%s: the account's posts cannot be read: %s", entry.path.name, error, extra=about(entry)
                )
                if isinstance(error, NeedsPerson):
                    self._gate.halt(str(error))
                    break
                continue
            if found is not None:
                self._posted(entry, found, outgoing, publisher, now)
                return
            if publisher.name == "export":  # its own folder cannot lie
                self._ledger.failed(entry.id, why)
                return
        self._ledger.undecided(entry.id, why)
        self._ask(entry, why, now)

    def _posted(
        self, entry: Entry, receipt: Receipt, outgoing: Outgoing, publisher: Publisher, now: dt.datetime
    ) -> None:
        self._ledger.posted(
            entry.id, receipt.media, receipt.address, now.timestamp(), comment=bool(outgoing.first_comment)
        )
        reach("after-posted")
        log.info("%s is posted: %s", entry.path.name, receipt.address or receipt.media, extra=about(entry))
        self._comment_and_put_away(entry, publisher, now)

    def _away(self, entry: Entry, receipt: Receipt, now: dt.datetime) -> None:
        told = entry.told(
            f"posted: {receipt.address or receipt.media}", now, state="posted", media=receipt.media
        )
        self.queue.put_away(told, self._studio.posted)
        self._ledger.put_away(entry.id)

    def _outgoing(self, entry: Entry, row: Row) -> Outgoing:
        return Outgoing(
            id=entry.id,
            upload_id=row.upload_id,
            pictures=tuple(entry.pictures),
            text=row.text,
            alt_text=entry.post.alt_text,
            first_comment=" ".join(entry.post.first_comment),
            since=row.begun_at,
            kind=entry.post.kind,
            handle=row.handle,
            known=self._ledger.media(),
        )

    def _known(self, entry: Entry, row: Row, now: dt.datetime) -> None:
        """Approved again though it was sent before."""
        if row.step == "posted":
            when = clock(row.posted_at or 0.0, self._zone)
            entry.told(
                f"held: it was posted on {when} already ({row.address or row.media})", now, state="held"
            )
            log.warning("%s was posted on %s already", entry.path.name, when, extra=about(entry))
        else:
            self._ask(entry, row.reason or "a try that was cut short", now)

    def _ask(self, entry: Entry, why: str, now: dt.datetime) -> None:
        text = _ASK.format(why=why, name=entry.path.stem)
        entry.told(text, now, state="person")
        log.error("%s: %s", entry.path.name, text, extra=about(entry))

    def _tell_mistakes(self) -> None:
        self.queue.entries()
        for mistake in self.queue.mistakes:
            self._once(f"{mistake} {mistake.advice}")

    def _once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            log.warning("%s", text)
