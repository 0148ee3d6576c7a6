"""How the posts stand, for whoever asks: what waits, what goes out next, what needs a person. Changes nothing, sends nothing."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

from daemon.instagram.agenda import Agenda, Pace, zone_of
from daemon.instagram.gate import GateKeeper
from daemon.instagram.post import Entry
from daemon.instagram.post_ledger import PostLedger
from daemon.instagram.queue import Queue
from daemon.settings import Settings
from daemon.studio import Studio


def standing(studio: Studio, settings: Settings, now: dt.datetime) -> dict[str, Any]:
    """The figures.

    waiting: for approval; approved; next: instant of the next post, next_post: its name, None if nothing is approved; person:
    names of those of which nobody can tell whether they went out; refused: names of those that have a mistake; posted_today:
    on the studio's date, None if the publisher's ledger cannot be read; publishing: false in a dry run; stopped: why nothing is
    sent, "" if it is.
    """
    entries = Queue(studio).entries() if studio.instagram.is_dir() else []
    states = Counter(entry.post.state for entry in entries)
    pace = Pace(cadence=settings.instagram.cadence, zone=zone_of(settings.time_zone), seed=settings.seed)
    agenda, posted_today, stopped = _from_ledger(studio, entries, pace, now)
    turn = agenda.turn(now)
    return {
        "waiting": states["held"],
        "approved": len(agenda.due),
        "next": turn.at.astimezone(pace["zone"]).isoformat(timespec="seconds") if turn else None,
        "next_post": next(entry.path.stem for entry in agenda.due if entry.id == turn.id) if turn else None,
        "person": _names(entries, "person"),
        "refused": _names(entries, "refused"),
        "posted_today": posted_today,
        "publishing": settings.instagram.publish,
        "stopped": stopped,
    }


def _from_ledger(
    studio: Studio, entries: list[Entry], pace: Pace, now: dt.datetime
) -> tuple[Agenda, int | None, str]:
    """What is to come; how many went out today; why nothing is sent."""
    path, zone = studio.publisher / "posts.sqlite", pace["zone"]
    today = dt.datetime.combine(now.astimezone(zone).date(), dt.time(), zone).timestamp()
    try:
        if not path.exists():  # nothing was ever sent
            return Agenda(entries, None, pace), 0, ""
        with closing(PostLedger(path)) as ledger:
            stopped = GateKeeper(ledger, zone).closed(now)
            return Agenda(entries, ledger, pace), ledger.posted_since(today), stopped
    except (OSError, sqlite3.Error) as error:  # another user's, or busy
        return Agenda(entries, None, pace), None, f"the publisher's ledger cannot be read ({error})"


def _names(entries: list[Entry], state: str) -> list[str]:
    return [entry.path.stem for entry in entries if entry.post.state == state]


def words(posts: dict[str, Any]) -> list[str]:
    """The figures in lines for a person; [] if there is nothing to say."""
    parts = [f"{posts['waiting']} wait for you (`vitrine queue`)"] if posts["waiting"] else []
    if posts["approved"]:
        at = dt.datetime.fromisoformat(posts["next"])
        parts.append(f"{posts['approved']} approved, next {at:%a %Y-%m-%d %H:%M} ({posts['next_post']})")
    parts += [f"{posts['posted_today']} posted today"] if posts["posted_today"] else []
    lines = [f"Instagram: {', '.join(parts)}"] if parts else []
    if posts["approved"] and not posts["publishing"]:
        lines.append("  nothing is sent: [instagram] publish = false in vitrine.toml")
    if posts["stopped"]:
        lines.append(f"  ! the publisher: {posts['stopped']}")
    lines += [
        f"  ! nobody can tell whether {name} went out (`vitrine queue show {name}`)"
        for name in posts["person"]
    ]
    lines += [f"  ! {name} has a mistake (`vitrine queue show {name}`)" for name in posts["refused"]]
    return lines
