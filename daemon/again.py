"""Another try for a photo that was held back or refused. Owns reopening; the daemon's workers do the rest."""

from __future__ import annotations

import os
from pathlib import Path

from daemon import durable
from daemon.drops import Drop, Drops
from daemon.intake import Intake
from daemon.ledger import Ledger
from daemon.studio import Studio
from pipeline.errors import BadInput
from rules.ruleset import Rules

AGAIN = ("review", "rejected", "vanished")


def reopen(studio: Studio, ledger: Ledger, rules: Rules, drop: Drop) -> int:
    """Decide anew with the present rules and let the drop's jobs wait again; how many.

    Raises BadInput if its bytes are not where they were put, or the drop is not one that can be tried again.
    """
    if drop.state not in AGAIN:
        raise BadInput(f"{drop.id} ({drop.name}) is {drop.state}: there is nothing to try again.")
    source = studio.absolute(drop.source) if drop.source else Path()
    if not drop.source or not source.is_file():
        raise BadInput(
            f"{drop.id} ({drop.name}): its file is not at {os.fspath(source)} any more.",
            "Drop the photo into the inbox again.",
        )
    held = Drops(ledger).outputs(drop.id, "review")
    for job in Drops(ledger).jobs(drop.id):
        if job.state == "review":  # else its verdict would say that it is done already
            durable.remove(studio.verdicts / f"{job.key}.json")
    for item in held:  # before a worker can write the new one; a picture that was changed by hand stays
        path = studio.root / item.path
        if path.is_file() and durable.digest_of(path) == item.sha256:
            durable.remove(path)
    return Intake(studio, ledger, rules).again(drop)


def choose(drops: Drops, number: int | None) -> list[Drop]:
    """The drop with that number, or with None all that wait for a decision (review and rejected)."""
    if number is None:
        return drops.recent(("review", "rejected"), limit=1_000_000)[::-1]
    try:
        return [drops.get(number)]
    except KeyError:
        raise BadInput(f"{number}: there is no such photo.", "`vitrine status` shows the numbers.") from None
