"""A publisher process for proofs that kill it: the real loop, ledger and client; only the clock is its own.

`python sender.py STUDIO`: works until nothing is approved, or until it is halted (a person would look; exit 3).
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from daemon.cli.publish import publisher_for
from daemon.instagram.post_ledger import PostLedger
from daemon.instagram.publishing import Publishing
from daemon.instagram.secrets import read_secrets
from daemon.settings import load_settings
from daemon.studio import Studio

DAYS = 500  # back from now, so that the clock of the stand-in is never behind, however long it rests


def main():
    studio = Studio(Path(sys.argv[1]))
    settings = load_settings(studio.root)
    ledger = PostLedger(studio.publisher / "posts.sqlite")
    publisher = publisher_for(studio, settings, read_secrets())
    publishing = Publishing(studio, settings.instagram, dt.UTC, ledger, publisher, sleep=lambda _: None)
    now = dt.datetime.now(dt.UTC) - dt.timedelta(days=DAYS)
    now = max([now, *(one.at for one in ledger.sent())])
    publishing.recover(now)
    while True:
        gate = ledger.gate
        if gate.halted:
            sys.exit(3)
        turn = publishing.turn(now)
        if turn is None and not ledger.half_done():
            return
        until = dt.datetime.fromtimestamp(gate.until, dt.UTC)
        now = max(now, turn.at if turn else now, until) + dt.timedelta(seconds=1)
        publishing.step(now)


if __name__ == "__main__":
    main()
