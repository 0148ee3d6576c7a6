"""The completeness gate as a pure tracker: what it says for each sequence of looks, at which time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.scan import Stamp
from daemon.settle import Probe, Settle, Step, Writer, probe, quiet_file

RING = Path("/inbox/ring.jpg")


def _settle():
    return Settle(settle_s=2.0, incomplete_after_s=60.0, blind_s=10.0)


def _stamp(size=100, mtime_ns=0):
    return Stamp(1, 2, size, mtime_ns)


def _look(writer=Writer.NONE, end="complete", trouble=""):
    return lambda _: Probe(writer, end, trouble)


def test_no_writer_and_a_whole_content_go_through_at_once():
    settle = _settle()
    settle.see(RING, _stamp(), 100.0)
    assert settle.check(RING, 100.0, _look()) is Step.TAKE


@pytest.mark.parametrize(
    ("look", "quiet_s"),
    [
        (_look(end="unknown"), 2.0),  # the format has no end mark: the quiet time decides
        (_look(Writer.UNKNOWN), 10.0),  # a network drive: writers are not seen
        (_look(Writer.UNKNOWN, "unknown"), 10.0),
    ],
)
def test_what_cannot_be_known_is_waited_for(look, quiet_s):
    settle = _settle()
    settle.see(RING, _stamp(), 100.0)
    assert settle.check(RING, 100.0 + quiet_s - 0.1, look) is Step.WAIT
    assert settle.next_due() == pytest.approx(100.0 + quiet_s)
    assert settle.check(RING, 100.0 + quiet_s, look) is Step.TAKE


def test_each_change_starts_the_quiet_time_anew():
    settle = _settle()
    for number in range(10):
        settle.see(RING, _stamp(mtime_ns=number), 100.0 + number)
        assert settle.check(RING, 100.0 + number, _look(end="unknown")) is Step.WAIT
    settle.see(RING, _stamp(mtime_ns=9), 111.0)
    assert settle.check(RING, 111.0, _look(end="unknown")) is Step.TAKE


def test_an_open_file_is_waited_for_without_end():
    settle = _settle()
    settle.see(RING, _stamp(), 0.0)
    assert settle.check(RING, 1e6, _look(Writer.OPEN)) is Step.WAIT
    settle.see(RING, _stamp(size=0), 0.0)
    assert settle.check(RING, 2e6, _look(Writer.OPEN, "incomplete")) is Step.WAIT


@pytest.mark.parametrize(("size", "step"), [(0, Step.REFUSE_EMPTY), (100, Step.REFUSE_CUT_OFF)])
def test_an_unfinished_file_is_refused_only_after_a_minute_without_change(size, step):
    settle = _settle()
    settle.see(RING, _stamp(size), 0.0)
    look = _look(end="incomplete")
    assert settle.check(RING, 59.9, look) is Step.WAIT
    settle.see(RING, _stamp(size, mtime_ns=1), 59.9)
    assert settle.check(RING, 119.0, look) is Step.WAIT
    assert settle.check(RING, 119.9, look) is step


def test_trouble_is_told_once_and_waited_for():
    settle = _settle()
    settle.see(RING, _stamp(), 0.0)
    look = _look(trouble="Permission denied")
    assert settle.check(RING, 1.0, look) is Step.WAIT
    assert settle.check(RING, 61.0, look) is Step.COMPLAIN
    assert settle.check(RING, 200.0, look) is Step.WAIT
    assert settle.check(RING, 201.0, _look()) is Step.TAKE


def test_a_clock_far_in_the_future_of_the_file_does_not_matter():
    settle = _settle()
    settle.see(RING, _stamp(mtime_ns=2**62), 0.0)
    assert settle.check(RING, 2.0, _look(end="unknown")) is Step.TAKE


def test_the_kernel_knows_whether_somebody_writes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x")
    handle = os.open(path, os.O_RDONLY)
    try:
        with quiet_file(handle) as writer:
            if writer is Writer.UNKNOWN:
                pytest.skip("no leases on this file system")
            assert writer is Writer.NONE
        with path.open("ab"), quiet_file(handle) as writer:
            assert writer is Writer.OPEN
        with quiet_file(handle) as writer:
            assert writer is Writer.NONE
    finally:
        os.close(handle)


def test_a_look_at_a_photo_and_at_half_of_it(tmp_path, make_jpeg):
    path = tmp_path / "ring.jpg"
    path.write_bytes(make_jpeg(1))
    assert probe(path).end == "complete"
    path.write_bytes(make_jpeg(1)[:200])
    assert probe(path).end == "incomplete"
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "none.jpg")
