"""The log tells everything once and cannot fill the disk."""

from __future__ import annotations

import logging

import pytest

from daemon import logbook


@pytest.fixture
def book(tmp_path, capsys):
    logbook.set_up(tmp_path)
    yield tmp_path / "vitrine.log"
    root = logging.getLogger("vitrine")
    for handler in list(root.handlers):
        handler.close()
        root.removeHandler(handler)


def test_a_storm_is_cut_short_and_another_matter_still_heard(book, capsys):
    log = logging.getLogger("vitrine.test")
    for number in range(10_000):
        log.warning("photo %d is damaged", number)
        log.warning("the disk is full")
    log.error("something else")
    text = book.read_text()
    assert text.count("damaged") == 299
    assert text.count("disk is full") == 5
    assert "left out" in text
    assert "something else" in text
    assert len(text) < 100_000


def test_names_that_are_not_utf_8_can_be_logged(book, capsys):
    logging.getLogger("vitrine.test").warning("%s", "ring_\udcff.jpg")
    assert "ring_" in book.read_text()
