"""FM-38 and FM-39: one daemon per studio, and signals at any moment."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.daemon import verify
from tests.daemon.studios import Daemon, busy, jpeg


@pytest.fixture
def behave(daemon):
    def order(word):
        (daemon.flags / "behave").write_text(word)

    return order


def test_fm_38_a_second_daemon_ends_with_75_within_a_second_and_says_who_works_since_when(daemon):
    daemon.start()
    started = time.monotonic()
    code = f"from daemon.cli import main; main(['run', '--studio', {os.fspath(daemon.studio.root)!r}])"
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    took = time.monotonic() - started
    assert second.returncode == 75
    assert f"process {daemon.process.pid}" in second.stderr
    assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", second.stderr)
    assert took < 1.0 * busy()


def test_fm_38_two_daemons_started_at_once_render_each_photo_once(daemon, tmp_path):
    for number in range(12):
        daemon.drop(f"p{number}.jpg", jpeg(number))
    other = Daemon(daemon.studio.root, daemon.flags)
    daemon.start("--until-idle", wait=False)
    other.start("--until-idle", wait=False)
    codes = sorted(one.process.wait(30) for one in (daemon, other))
    assert codes == [0, 75]
    assert daemon.states() == {"done": 12}
    assert len((daemon.flags / "calls").read_text().split()) == 12
    assert verify.twice(daemon.studio, {f"p{number}.jpg": b"" for number in range(12)}) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_fm_39_an_idle_daemon_stops_within_two_seconds(daemon, number):
    daemon.start()
    started = time.monotonic()
    assert daemon.stop(number) == 0
    assert time.monotonic() - started < 2.0 * busy()


def test_fm_39_a_busy_daemon_stops_within_fifteen_seconds_and_gives_the_job_back(
    daemon, behave, wait_until, monkeypatch
):
    behave("hang")
    daemon.start()
    daemon.drop("ring.jpg", jpeg(1))
    wait_until((daemon.flags / "hanging").exists)
    started = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "stopping" in daemon.said())
    assert daemon.process.poll() is None, "the photo gets its time"
    daemon.process.send_signal(signal.SIGTERM)  # a second one does not wait; the whole 12 s are in the soak
    assert daemon.process.wait(10) == 0
    assert time.monotonic() - started < 15.0 * busy()
    assert daemon.rows("SELECT state, attempts FROM jobs") == [("waiting", 0)]
    assert (daemon.studio.inbox / "rings/ring.jpg").exists()


def test_fm_39_a_hang_up_reloads_and_stops_nothing(daemon, wait_until):
    daemon.start()
    for number in range(3):
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda count=number + 1: daemon.said().count("new settings are in force") >= count)
        daemon.drop(f"p{number}.jpg", jpeg(number))
        daemon.settled(done=number + 1)
    assert daemon.stop() == 0


def test_fm_39_signals_at_random_moments_leave_every_photo_where_it_belongs(daemon, wait_until):
    chance = random.Random(39)
    photos = {f"p{number}.jpg": jpeg(number) for number in range(9)}
    for round_, number in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGTERM)):
        daemon.start()
        for name in list(photos)[3 * round_ : 3 * round_ + 3]:
            daemon.drop(name, photos[name])
        time.sleep(chance.random() * 0.4)  # the random moment itself
        daemon.process.send_signal(signal.SIGHUP)
        assert daemon.stop(number) == 0
        assert (
            verify.lost(
                daemon.studio, photos if round_ == 2 else dict(list(photos.items())[: 3 * round_ + 3])
            )
            == []
        )
        (daemon.flags / "stderr").write_text("")
    daemon.start("--until-idle", wait=False)
    assert daemon.process.wait(30) == 0
    assert daemon.states() == {"done": 9}
    assert daemon.rows("SELECT max(attempts) FROM jobs") == [(1,)], "a stop is no photo's fault"
    assert verify.missing(daemon.studio, photos) == verify.twice(daemon.studio, photos) == []
