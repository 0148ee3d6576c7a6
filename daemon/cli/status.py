"""`vitrine status`: whether somebody watches, what is wrong, what is waiting, running, done or in need of the owner, and how the posts stand."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import typer

from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.cli.studio_open import shown
from daemon.drops import Drop, Drops
from daemon.instagram.standing import standing, words
from daemon.ledger import Ledger
from daemon.live import STALE_S, Live
from daemon.pauses import Pauses
from daemon.settings import load_settings
from daemon.studio import Studio as Folders
from daemon.studio_lock import Holder, clock_words, holder
from pipeline.errors import BadInput, Misconfigured

_SHOWN = 20
# What is taken over from the daemon's own report.
_LIVE: tuple[str, ...] = (
    "queues",
    "workers",
    "worker_deaths",
    "scan_age_s",
    "scans",
    "overflows",
    "last_photo",
)
_LIVE += ("free_bytes", "memory_bytes", "metrics", "version")


def command(studio: Studio = STUDIO, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what is waiting, running, done or in need of you, and what is wrong."""
    folders = Folders(studio.absolute())
    if not folders.ledger.exists():
        raise BadInput(f"{folders.root}: there is no studio here.", "Start one with `vitrine run`.")
    report = look(folders)
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else _words(report))


def look(folders: Folders) -> dict[str, Any]:
    """All that can be said of a studio, from the lock, the live state and the ledger.

    daemon: process id, None if nobody watches; watching: "yes", "no", "held up" (it runs and says nothing) or "died".
    """
    held = holder(folders)
    live = Live(Path(held.run)).read() if held and held.run else {}
    if held and live.get("pid") != held.pid:
        live = {}  # of another daemon
    working = held is not None and held.working
    report: dict[str, Any] = {
        "studio": str(folders.root),
        "daemon": held.pid if held and working else None,
        "watching": _watching(held, live),
        "since": held.since if held and working else None,
        "ended": held.ended or live.get("updated") if held and not working else None,
        "updated": live.get("updated"),
        "degraded": live.get("degraded", []) if working else [],
    }
    report |= {key: live.get(key) for key in _LIVE} if working else {}
    return report | _from_ledger(folders, live) | {"posts": _posts(folders)}


def _posts(folders: Folders) -> dict[str, Any] | None:
    """How the posts stand; None if the settings cannot be read, which the daemon tells."""
    try:
        settings = load_settings(folders.root)
    except Misconfigured:
        return None
    return standing(folders, settings, dt.datetime.now(dt.UTC))


def _watching(held: Holder | None, live: dict[str, Any]) -> str:
    if held is None or not held.working:
        return "died" if held and held.pid and not held.ended else "no"
    last = float(live.get("updated", held.since))
    return "held up" if time.time() - last > STALE_S else "yes"


def _from_ledger(folders: Folders, live: dict[str, Any]) -> dict[str, Any]:
    """The ledger is the truth; where it cannot be read (a full disk, another user), the daemon's last word is."""
    try:
        ledger = Ledger(folders.ledger)
        try:
            drops = Drops(ledger)
            account = dict(drops.account())
            attention = [_entry(drop) for drop in drops.recent(("review", "rejected"), _SHOWN)]
            paused = [one.folder for one in Pauses(ledger).all()]
        finally:
            ledger.close()
    except sqlite3.Error as error:
        return {"account": live.get("account", {}), "paused": [], "attention": [], "ledger_error": str(error)}
    return {"account": account, "paused": paused, "attention": attention}


def _entry(drop: Drop) -> dict[str, Any]:
    return {
        "id": drop.id,
        "folder": drop.folder,
        "name": drop.name,
        "state": drop.state,
        "reason": drop.reason,
    }


def _words(report: dict[str, Any]) -> str:
    account = report["account"]
    lines = [f"{report['studio']}: {_who(report)}"]
    lines += [f"  ! {state['text']} (since {clock_words(state['since'])})" for state in report["degraded"]]
    if error := report.get("ledger_error"):
        lines.append(f"  ! the ledger cannot be read ({error}); the figures are the daemon's last")
    lines += [f"  paused: {shown(folder)} (`vitrine resume`)" for folder in report["paused"]]
    lines.append(
        f"{account.get('seen', 0)} photos seen: "
        + ", ".join(f"{count} {state}" for state, count in account.items() if state != "seen" and count)
    )
    for entry in report["attention"]:
        place = "/".join(filter(None, (entry["folder"], entry["name"])))
        lines.append(f"  {entry['id']:>4}  {entry['state']:<8}  {place}: {entry['reason']}")
    lines += words(report["posts"]) if report["posts"] else []
    return "\n".join(lines)


def _who(report: dict[str, Any]) -> str:
    pid, ended, updated = report["daemon"], report["ended"], report["updated"]
    if report["watching"] == "yes":
        return f"watched by process {pid}"
    if report["watching"] == "held up":
        last = f"has said nothing since {clock_words(updated)}" if updated else "has not said a word yet"
        return f"process {pid} has the studio but {last}; if that lasts, stop and start it"
    when = f" since {clock_words(ended)}" if ended else ""
    if report["watching"] == "died":
        return f"nobody is watching{when}; the last one did not end in order (start `vitrine run`: nothing is lost)"
    return f"nobody is watching{when} (start `vitrine run`)"
