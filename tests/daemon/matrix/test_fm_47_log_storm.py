"""FM-47: ten thousand failing files do not fill the disk with words. The long form is the soak proof `storm`."""

from __future__ import annotations

import logging

import pytest

from daemon import logbook
from daemon.cli.run import Tally


@pytest.fixture
def book(tmp_path):
    """The daemon's own log, with a file in stderr's place. Gives the bytes of all sinks together."""
    screen = logging.FileHandler(tmp_path / "stderr")
    screen.setFormatter(logbook.Plain(prefix=True))
    logbook.set_up(tmp_path, screen=screen)
    yield lambda: sum(path.stat().st_size for path in tmp_path.iterdir())
    root = logging.getLogger("vitrine")
    for handler in list(root.handlers):
        handler.close()
        root.removeHandler(handler)


def test_fm_47_ten_thousand_failing_files_say_less_than_a_megabyte_a_minute(book, tmp_path):
    """What a daemon says of each: found cut off, tried, failed with a traceback, its worker died, rejected."""
    tally = Tally(None)
    arrivals, crew = logging.getLogger("vitrine.arrivals"), logging.getLogger("vitrine.crew")
    for number in range(10_000):
        name = f"rings/{number}-{'long' * 40}.jpg"
        about = {"key": f"{number:064}", "drop": number, "name": name, "worker": number}
        tally.hear(
            {"event": "finished", "outcome": "rejected", "seconds": 1.0, "reason": "why " * 20, **about}
        )
        arrivals.warning("%s: %s%s", name, "rejected", " (cut off)", extra={"drop": number, "photo": name})
        crew.warning("worker %d ended: %s", number, "it was stopped from outside.", extra={"worker": number})
        traceback = f"{number}\n" + "  a line of a traceback\n" * 100
        logging.getLogger("vitrine.worker").error("%s", traceback, extra={"photo": name, "job": "0" * 64})
    logging.getLogger("vitrine.health").warning("%s", "the disk is full", extra={"code": "disk"})
    assert 50_000 < book() < 1_000_000
    for sink in (tmp_path / "stderr", tmp_path / logbook.NAME):
        text = sink.read_text()
        assert "the disk is full" in text
        assert text.count("left out") == 1
