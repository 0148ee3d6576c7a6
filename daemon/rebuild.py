"""A lost or damaged ledger is filled again from what stands on the disk. Owns that reading; moves no photo but a last copy.

Unfinished photos need no entry: they still lie in the inbox. Finished ones are known by their original (named by its digest)
and their verdict (named by the job's key), so that a photo dropped again is not rendered a second time.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from daemon import durable, names
from daemon import receipt as receipts
from daemon.ledger import Ledger, open_ledger
from daemon.receipt import Receipt
from daemon.scan import scan
from daemon.studio import Studio
from pipeline.photo.endmark import end_state
from pipeline.photo.sniff import HEAD_BYTES, sniff

log = logging.getLogger("vitrine.rebuild")
_Jobs = list[tuple[str, Receipt]]


def open_complete(studio: Studio) -> Ledger:
    """The studio's ledger with all that is finished in it, whatever became of the file. Raises OSError, sqlite3.Error.

    Not that the file is new, but that nothing is in it decides: filling it may have been cut short at the last try.
    """
    ledger, trouble = open_ledger(studio.ledger)
    try:
        if trouble:
            log.error("%s", trouble)
        if ledger.connection.execute("SELECT 1 FROM drops LIMIT 1").fetchone() is None and (
            count := rebuild(studio, ledger)
        ):
            log.warning("%d finished photos were entered into the new ledger again", count)
    except BaseException:
        ledger.close()
        raise
    return ledger


def rebuild(studio: Studio, ledger: Ledger) -> int:
    """Enter all photos that are finished and that the ledger does not know; how many. Raises OSError."""
    originals = {path.stem: path for path in studio.originals.glob("??/*") if path.suffix != ".toml"}
    found: dict[tuple[str, str, str], _Jobs] = defaultdict(list)
    for path in sorted(studio.verdicts.glob("*.json")):
        if (known := receipts.read(path)) is not None:
            verdict, receipt = known
            found[_photo(verdict)].append((path.stem, receipt))
    _keep_last_copies(studio, originals)
    entered = 0
    with ledger.writing():
        for (digest, folder, name), jobs in found.items():
            original = originals.get(digest)
            if original is not None and _unknown(ledger, jobs):
                _enter(studio, ledger, original, (folder, name), jobs)
                entered += 1
    return entered


def _photo(verdict: dict[str, Any]) -> tuple[str, str, str]:
    return str(verdict.get("photo", "")), str(verdict.get("folder", "")), str(verdict.get("name", ""))


def _unknown(ledger: Ledger, jobs: _Jobs) -> bool:
    marks = ", ".join("?" * len(jobs))
    keys = [key for key, _ in jobs]
    row = ledger.connection.execute(f"SELECT count(*) FROM jobs WHERE key IN ({marks})", keys).fetchone()  # noqa: S608
    return bool(row[0] == 0)


def _enter(studio: Studio, ledger: Ledger, original: Path, place: tuple[str, str], jobs: _Jobs) -> None:
    """One photo with its jobs, as `daemon.putaway` left it. Call inside `Ledger.writing`."""
    folder, name = place
    held = [receipt.reason for _, receipt in jobs if receipt.outcome == "review"]
    status = original.stat()
    with original.open("rb") as stream:
        kind = sniff(stream.read(HEAD_BYTES)) or ""
    row = ledger.connection.execute(
        "INSERT INTO drops (path, folder, name, size, mtime_ns, state, digest, kind, source, archived, reason,"
        " seen_at, taken_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?) RETURNING id",
        (
            os.fsencode(f"{folder}/{name}" if folder else name), folder, name, status.st_size, status.st_mtime_ns,
            "review" if held else "done", original.stem, kind, studio.relative(original), "; ".join(held),
            *[status.st_mtime] * 2, time.time(),
        ),
    ).fetchone()  # fmt: skip
    for key, receipt in jobs:
        ledger.connection.execute(
            "INSERT INTO jobs (key, drop_id, variant, queue, state, rank, reason, outputs, offered_at, ended_at)"
            " VALUES (?, ?, ?, 'normal', ?, 0, ?, ?, ?, ?)",
            (
                key, row[0], receipt.variant, receipt.outcome, receipt.reason,
                json.dumps(receipt.as_dict()["outputs"], sort_keys=True), status.st_mtime, time.time(),
            ),
        )  # fmt: skip


def _keep_last_copies(studio: Studio, originals: dict[str, Path]) -> None:
    """A private copy may be the only one: its owner may have taken the photo out of the inbox, or written over it."""
    copies = {path: durable.digest_of(path) for path in studio.staging.iterdir() if _whole(path)}
    if not copies:
        return
    there = {durable.digest_of(path) for path in scan(studio.inbox).photos}
    for path, digest in copies.items():
        if digest not in there and digest not in originals:
            target = studio.originals / digest[:2] / f"{digest}{names.safe_suffix(path.name)}"
            log.warning("the last copy of a photo is kept as %s", target)
            durable.move_new(path, target)
            originals[digest] = target


def _whole(path: Path) -> bool:
    """Not one whose copying was cut short: such a photo was never taken, and lies where it came from."""
    return path.is_file() and end_state(path) != "incomplete"
