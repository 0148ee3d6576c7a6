"""The morning report: what became of every photo of a batch. Owns the figures; the words are `daemon.report_words`.

Text for the owner and JSON for other programs, under one name in reports/. Refuses to change the ledger, so that a report
may be written again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import statistics
from pathlib import Path
from typing import Any

from daemon import durable
from daemon.batch_rows import Batch, BatchRows
from daemon.deliver import as_json
from daemon.drops import Drops
from daemon.ledger import Ledger
from daemon.nights import Calendar
from daemon.pauses import PAUSED, Pauses
from daemon.report_words import words
from daemon.studio import Studio
from rules.timing import NIGHT

_LEAST_SURE = 5
_HELD = (
    "SELECT d.id, d.folder, d.name, d.state, j.reason, j.key FROM drops d LEFT JOIN jobs j ON j.drop_id = d.id"
    " AND j.state = d.state WHERE d.batch = ? AND d.state IN ('rejected', 'review') ORDER BY d.id, j.variant"
)


def write_report(studio: Studio, ledger: Ledger, batch: Batch, calendar: Calendar, now: float) -> str:
    """Write the batch's report as of Unix time `now`; its path below the studio, without suffix. Raises OSError."""
    with ledger.reading():
        facts = report(studio, ledger, batch, calendar, now)
    durable.make_folders(studio.reports)
    path = studio.reports / stem(batch, facts["nights"])
    durable.write_atomic(path.with_suffix(".json"), as_json(facts))
    durable.write_atomic(path.with_suffix(".txt"), words(facts).encode())
    return os.fspath(path.relative_to(studio.root))


def stem(batch: Batch, nights: list[str]) -> str:
    """`2026-10-25`; with the times of a window of a rule's own, or the number of a batch by hand."""
    if batch.cause == "by hand":
        return f"{batch.date}-by-hand-{batch.id}"
    return nights[-1] + ("" if batch.window == NIGHT else f"-{batch.window.replace(':', '')}")


def report(studio: Studio, ledger: Ledger, batch: Batch, calendar: Calendar, now: float) -> dict[str, Any]:
    """All figures. Both accounts add up: seen is the sum of the others."""
    drops = Drops(ledger)
    nights = BatchRows(ledger).nights(batch)
    account = dict(drops.account(batch.id))
    return {
        "studio": str(studio.root),
        "batch": batch.id,
        "nights": nights,
        "cause": batch.cause,
        "window": batch.window,
        "folder": batch.folder,
        "began": _shown(calendar, batch.opened_at),
        "ended": _shown(calendar, now),
        "finished": account["waiting"] + account["leased"] == 0,
        "account": account,
        "whole_studio": dict(drops.account()),
        "seconds_per_photo": _seconds(ledger, batch),
        "paused": _paused(ledger, batch),
        "held": _held(studio, ledger, batch),
        "least_sure": _least_sure(studio, ledger, batch),
        "contact_sheet": f"reports/{stem(batch, nights)}-sheet.jpg",
    }


def _shown(calendar: Calendar, moment: float) -> str:
    return calendar.local(dt.datetime.fromtimestamp(moment, dt.UTC)).isoformat(" ", "minutes")


def _seconds(ledger: Ledger, batch: Batch) -> dict[str, Any] | None:
    """Of the photos that a worker had in hand, all pictures of a photo together; None if there are none."""
    rows = ledger.connection.execute(
        "SELECT sum(j.seconds), d.folder, d.name FROM jobs j JOIN drops d ON d.id = j.drop_id"
        " WHERE d.batch = ? AND j.seconds IS NOT NULL GROUP BY d.id",
        (batch.id,),
    ).fetchall()
    if not rows:
        return None
    worst = max(rows, key=lambda row: row[0])
    return {
        "photos": len(rows),
        "median": round(statistics.median(row[0] for row in rows), 3),
        "worst": round(worst[0], 3),
        "worst_photo": "/".join(filter(None, worst[1:])),
    }


def _paused(ledger: Ledger, batch: Batch) -> dict[str, Any]:
    row = ledger.connection.execute(
        f"SELECT count(*) FROM drops d WHERE d.batch = ? AND d.state = 'open' AND {PAUSED}",  # noqa: S608
        (batch.id,),
    ).fetchone()
    return {"photos": row[0], "folders": [one.folder for one in Pauses(ledger).all()]}


def _held(studio: Studio, ledger: Ledger, batch: Batch) -> list[dict[str, Any]]:
    """What was not published, the worst first: rejected, then in review from the least sure cut-out on."""
    held = []
    for row in ledger.connection.execute(_HELD, (batch.id,)).fetchall():
        entry = {"id": row["id"], "folder": row["folder"], "name": row["name"], "state": row["state"]}
        reason = row["reason"] or _drop_reason(ledger, row["id"])
        held.append(entry | {"reason": reason, "confidence": _confidence(studio, row["key"])})
    return sorted(held, key=lambda one: (one["state"] == "review", one["confidence"] or 0.0, one["id"]))


def _drop_reason(ledger: Ledger, drop_id: int) -> str:
    return str(ledger.connection.execute("SELECT reason FROM drops WHERE id = ?", (drop_id,)).fetchone()[0])


def _least_sure(studio: Studio, ledger: Ledger, batch: Batch) -> list[dict[str, Any]]:
    """Of those that were published, the few whose cut-out is the least sure."""
    rows = ledger.connection.execute(
        "SELECT d.id, d.folder, d.name, j.key FROM drops d JOIN jobs j ON j.drop_id = d.id"
        " WHERE d.batch = ? AND j.state = 'done'",
        (batch.id,),
    ).fetchall()
    known = [
        {"id": row["id"], "folder": row["folder"], "name": row["name"], "confidence": sure}
        for row in rows
        if (sure := _confidence(studio, row["key"])) is not None
    ]
    return sorted(known, key=lambda one: (one["confidence"], one["id"]))[:_LEAST_SURE]


def _confidence(studio: Studio, key: str | None) -> float | None:
    """The judge's figure, 0..1; None where there is no verdict."""
    verdict: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        verdict = json.loads(Path(studio.verdicts / f"{key}.json").read_bytes())
    figure = verdict.get("figures", {}).get("confidence")
    return round(float(figure), 4) if figure is not None else None
