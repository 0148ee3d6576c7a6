"""`vitrine status`: what is waiting, running, done or in need of the owner."""

from __future__ import annotations

import json
from typing import Any

import typer

from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.cli.studio_open import shown
from daemon.drops import Drop, Drops
from daemon.ledger import Ledger
from daemon.pauses import Pauses
from daemon.studio import Studio as Folders
from daemon.studio import holder
from pipeline.errors import BadInput

_SHOWN = 20


def command(studio: Studio = STUDIO, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what is waiting, running, done or in need of you."""
    folders = Folders(studio.absolute())
    if not folders.ledger.exists():
        raise BadInput(f"{folders.root}: there is no studio here.", "Start one with `vitrine run`.")
    ledger = Ledger(folders.ledger)
    drops = Drops(ledger)
    report = {
        "studio": str(folders.root),
        "daemon": holder(folders),
        "account": dict(drops.account()),
        "paused": [one.folder for one in Pauses(ledger).all()],
        "attention": [_entry(drop) for drop in drops.recent(("review", "rejected"), _SHOWN)],
    }
    ledger.close()
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else _words(report))


def _entry(drop: Drop) -> dict[str, Any]:
    return {
        "id": drop.id,
        "folder": drop.folder,
        "name": drop.name,
        "state": drop.state,
        "reason": drop.reason,
    }


def _words(report: dict[str, Any]) -> str:
    pid = report["daemon"]
    account = report["account"]
    lines = [
        f"{report['studio']}: {f'watched by process {pid}' if pid else 'nobody is watching (start `vitrine run`)'}",
        f"{account['seen']} photos seen: "
        + ", ".join(f"{count} {state}" for state, count in account.items() if state != "seen" and count),
    ]
    lines += [f"  paused: {shown(folder)} (`vitrine resume`)" for folder in report["paused"]]
    for entry in report["attention"]:
        place = "/".join(filter(None, (entry["folder"], entry["name"])))
        lines.append(f"  {entry['id']:>4}  {entry['state']:<8}  {place}: {entry['reason']}")
    return "\n".join(lines)
