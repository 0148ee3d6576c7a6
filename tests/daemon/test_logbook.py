"""The log tells everything once, as lines and as JSON, and cannot fill the disk."""

from __future__ import annotations

import json
import logging
import os

import pytest

from daemon import logbook
from daemon.line import Line
from daemon.logbook import NoStorm, Plain, Relay

log = logging.getLogger("vitrine.test")


@pytest.fixture
def begin(tmp_path):
    """Begin to log, and say into which file; called by the test itself, so that stderr is the one it captures."""

    def set_up():
        logbook.set_up(tmp_path)
        return tmp_path / logbook.NAME

    yield set_up
    root = logging.getLogger("vitrine")
    for handler in list(root.handlers):
        handler.close()
        root.removeHandler(handler)


def _lines(book):
    return [json.loads(line) for line in book.read_text().splitlines()]


def test_a_line_is_one_json_object_with_what_is_known_of_the_job(begin, capsys):
    book = begin()
    about = {"job": "0123456789abcdef", "drop": 7, "photo": "rings/ring.jpg", "worker": 4711}
    log.warning("%s: rejected\n(two lines)", "ring.jpg", extra=about)
    (line,) = _lines(book)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "event": "test",
        "message": "ring.jpg: rejected\n(two lines)",
        "job": "0123456789abcdef",
        "drop": 7,
        "photo": "rings/ring.jpg",
        "worker": 4711,
    }
    assert capsys.readouterr().err == "WARNING ring.jpg: rejected\n(two lines) [job 01234567]\n"


def test_under_systemd_each_line_carries_its_priority():
    record = logging.LogRecord("vitrine", logging.ERROR, "", 0, "a\nb", (), None)
    assert Plain(prefix=True).format(record) == "<3>a\n<3>b"


def test_a_storm_is_cut_short_and_another_matter_still_heard(begin, capsys):
    book = begin()
    for number in range(10_000):
        log.warning("photo %d is damaged", number)
        log.warning("the disk is full")
    log.error("something else")
    text = book.read_text()
    assert text.count("damaged") == 300
    assert text.count("disk is full") == 5
    assert text.count("left out") == 1
    assert "something else" in text
    assert len(text) < 100_000


def test_long_messages_spend_the_minute_sooner_and_the_next_minute_says_how_many_were_left_out():
    heard = []

    class Sink(logging.Handler):
        def emit(self, record):
            heard.append(record.getMessage())

    now = [0.0]
    guard = NoStorm([Sink()], lambda: now[0])
    record = logging.makeLogRecord
    for number in range(250):
        guard.emit(record({"name": "vitrine", "msg": "%s", "args": (f"{number} " + "x" * 8_000,)}))
    assert sum(map(len, heard)) < 360_000
    guard.emit(record({"name": "vitrine", "msg": "something else"}))
    assert heard[-1] == "something else"
    now[0] = 61.0
    guard.emit(record({"name": "vitrine", "msg": "a new minute"}))
    assert heard[-2:] == ["208 messages were left out in the last minute", "a new minute"]


def test_names_that_are_not_utf_8_can_be_logged(begin, capsys):
    book = begin()
    log.warning("%s", "ring_\udcff.jpg", extra={"photo": "ring_\udcff.jpg"})
    (line,) = _lines(book)
    assert line["message"] == line["photo"] == r"ring_\xff.jpg"


def test_a_log_that_cannot_be_written_is_a_trouble_and_not_a_crash_and_heals(begin, capsys):
    book = begin()
    book.mkdir()  # as good as a full disk: opening fails
    log.warning("one")
    assert "cannot be written" in logbook.trouble()
    assert "Traceback" not in capsys.readouterr().err
    book.rmdir()
    log.warning("two")
    assert logbook.trouble() == ""
    assert [line["message"] for line in _lines(book)] == ["two"]


def test_a_workers_words_reach_its_supervisor_with_the_job():
    ear, mouth = os.pipe()
    relay = Relay(mouth, lambda: {"job": "abc", "worker": 1})
    try:
        relay.emit(logging.makeLogRecord({"levelno": logging.ERROR, "msg": "bad_\udcff"}))
        (message,) = Line(ear).read(1.0)
    finally:
        os.close(ear)
        os.close(mouth)
    assert message == {"event": "log", "level": 40, "text": r"bad_\xff", "job": "abc", "worker": 1}


def test_the_words_of_a_storm_are_not_kept_in_memory():
    storm = NoStorm([])
    for number in range(10_000):
        storm.handle(logging.LogRecord("vitrine", logging.INFO, "", 0, "photo %d", (number,), None))
    assert len(storm._seen) < 500
