"""The registry of what is wrong, and the owner's command that is told of it: real commands, time passed in."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

import pytest

from daemon.alerts import Alerts, AlertSettings
from daemon.health import CODES, Change, Health, State
from tests.daemon.studios import busy


@pytest.fixture
def clock():
    return {"now": 100.0}


@pytest.fixture
def changes():
    return []


@pytest.fixture
def health(clock, changes):
    return Health(changes.append, lambda: clock["now"], lambda: clock["now"])


def test_a_state_begins_once_keeps_its_beginning_and_ends(health, clock, changes):
    health.set("disk", "12 MB are free")
    clock["now"] = 105.0
    health.set("disk", "11 MB are free")
    assert health.states == (State("disk", "11 MB are free", 100.0),)
    health.set("disk", "")
    health.set("disk", "")
    assert health.states == ()
    assert [(change.event, change.at) for change in changes] == [("begins", 100.0), ("ends", 105.0)]


def test_a_code_that_nobody_knows_is_a_defect(health):
    with pytest.raises(KeyError):
        health.set("dsik", "x")


def test_something_that_is_over_is_shown_for_a_while_after_the_last_time(health, clock, changes, caplog):
    health.show("overflow", "events were lost", 60)
    clock["now"] = 150.0
    health.show("overflow", "events were lost", 60)
    assert [record.getMessage() for record in caplog.records] == [
        "events were lost",
        "again: events were lost",
    ]
    clock["now"] = 209.0
    assert health.states
    clock["now"] = 210.0
    assert health.states == ()
    assert [change.event for change in changes] == ["begins", "ends"]


def test_another_reason_is_logged_only_aloud(health, caplog):
    with caplog.at_level(logging.INFO, "vitrine.health"):
        for number in range(3):
            health.set("disk", f"{number} MB are free")
        health.set("settings", "line 1", aloud=True)
        health.set("settings", "line 1", aloud=True)
        health.set("settings", "line 2", aloud=True)
        health.set("settings", "")
    assert [record.getMessage() for record in caplog.records] == [
        "0 MB are free",
        "line 1",
        "line 2",
        "over: line 2",
    ]


def test_every_code_has_words():
    assert all(CODES.values())


class Desk:
    """Alerts with a command that writes what it hears into a file, and a clock in hand."""

    def __init__(self, folder, command, **settings):
        self.folder = folder
        self.alerts = Alerts(folder, AlertSettings(command=command, **settings))
        self.now = 0.0

    def change(self, event, code="disk"):
        self.alerts.hear(Change(event, State(code, "12 MB are free", 5.0), 6.0))

    def tend(self, passes=1):
        """Let the command end, so often; the time given does not pass by it."""
        for _ in range(passes):
            self.alerts.tend(self.now)
            child = self.alerts._child
            if child is not None:
                child.wait(10)

    def told(self):
        path = self.folder / "told"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_the_command_hears_the_beginning_and_the_end_as_json(tmp_path):
    (tmp_path / "alert.sh").write_text("#!/bin/sh\ncat >>told\n")
    (tmp_path / "alert.sh").chmod(0o755)
    desk = Desk(tmp_path, ("./alert.sh",))
    desk.change("begins")
    desk.tend(2)
    desk.change("ends")
    desk.tend(2)
    assert [news["event"] for news in desk.told()] == ["begins", "ends"]
    assert desk.told()[0] == {
        "event": "begins",
        "code": "disk",
        "text": "12 MB are free",
        "since": 5.0,
        "at": 6.0,
        "studio": os.fspath(tmp_path),
    }


def test_what_flaps_is_told_as_it_ends_up_and_not_too_often(tmp_path):
    desk = Desk(tmp_path, ("sh", "-c", "cat >>told"), rest_s=600)
    for _ in range(10):
        desk.change("begins")
        desk.tend(2)
        desk.change("ends")
        desk.tend(2)
    desk.change("begins")
    desk.tend(2)
    desk.change("begins", "polling")  # another matter does not wait
    desk.tend(2)
    assert [(news["event"], news["code"]) for news in desk.told()] == [
        ("begins", "disk"),
        ("ends", "disk"),
        ("begins", "polling"),
    ]
    desk.now = 601.0
    desk.tend(2)
    assert [news["event"] for news in desk.told()] == ["begins", "ends", "begins", "begins"]


def test_a_command_that_hangs_is_stopped_with_its_children_and_holds_nobody_up(tmp_path, caplog, wait_until):
    script = f"sleep 600 & echo $! >child; exec {sys.executable} -c 'import time; time.sleep(600)'"
    desk = Desk(tmp_path, ("sh", "-c", script), timeout_s=5)
    started = time.monotonic()
    desk.change("begins")
    desk.alerts.tend(0.0)
    desk.alerts.tend(4.0)
    child = int(wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text()))
    desk.alerts.tend(5.0)
    assert time.monotonic() - started < 4 * busy()
    assert "did not end within 5 s" in caplog.text
    wait_until(lambda: not _runs(child), 5, "the end of the command's child")


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_failing_command_is_complained_of_once(tmp_path, caplog):
    for command in (("false",), ("./nothing",)):
        caplog.clear()
        desk = Desk(tmp_path, command, rest_s=0)
        for event in ("begins", "ends", "begins", "ends"):
            desk.change(event)
            desk.tend(2)
        assert len([record for record in caplog.records if "alert command" in record.getMessage()]) == 1


def test_without_a_command_nothing_is_kept(tmp_path):
    desk = Desk(tmp_path, ())
    desk.change("begins")
    assert desk.alerts._pending == {}
