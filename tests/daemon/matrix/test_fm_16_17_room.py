"""FM-16 and FM-17: disks that are full, read-only or over quota, wherever that strikes; the long form is `disk` in the soak."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from pathlib import Path

import pytest

from daemon import durable
from daemon.logbook import set_up
from daemon.space import Space
from tests.daemon import verify
from tests.daemon.drives import Drives, Refusing, fill
from tests.daemon.seeing import Ear
from tests.daemon.studios import SETTINGS, Hall, jpeg


@pytest.fixture
def drives():
    made = Drives()
    yield made
    made.release()


@pytest.fixture
def small(drives):
    """Make a small drive of a folder, or skip."""

    def make(folder, megabytes):
        try:
            return drives.small(folder, megabytes)
        except PermissionError as error:
            pytest.skip(f"no drive can be mounted here: {error}")

    return make


def _settings(daemon, text):
    toml = daemon.studio.root / "vitrine.toml"
    toml.write_text(toml.read_text() + text)


def _one_result(daemon):
    assert [path.name for path in daemon.studio.export.rglob("*.jpg")] == ["ring.jpg"]
    assert verify.partial(daemon.studio) == []
    assert daemon.rows("SELECT attempts FROM jobs WHERE state = 'done'") == [(1,)]


def test_fm_16_too_little_room_pauses_within_a_second_and_work_resumes_by_itself(
    daemon, small, make_jpeg, wait_until
):
    small(daemon.studio.export, 16)
    _settings(daemon, "min_free_mb = 8\n")
    daemon.start()
    ballast = fill(daemon.studio.export, leave_kb=4096)
    wait_until(lambda: "less than 8 MB" in daemon.said(), 2.0)
    daemon.drop("ring.jpg", make_jpeg(1))
    wait_until(lambda: daemon.rows("SELECT 1 FROM drops"))
    assert daemon.rows("SELECT 1 FROM jobs") == []
    ballast.unlink()
    daemon.settled(10, done=1)
    _one_result(daemon)
    assert daemon.said().count("WARNING") == 1
    assert daemon.said().count("INFO over: ") == 1


def test_fm_16_a_full_sink_pauses_work_at_the_first_refused_write(daemon, small, make_jpeg, wait_until):
    small(daemon.studio.watermark, 2)
    _settings(daemon, "min_free_mb = 0\n")
    (daemon.studio.watermark / "rings").mkdir()
    ballast = fill(daemon.studio.watermark)
    daemon.start()
    photo = daemon.drop("ring.jpg", make_jpeg(1))
    wait_until(lambda: "A file could not be written (No space left" in daemon.said())
    assert photo.exists()
    ballast.unlink()
    daemon.settled(15, done=1)
    _one_result(daemon)


def test_fm_16_a_full_drive_met_while_taking_a_photo_in_pauses_only_as_long_as_it_is_full(
    daemon, small, make_jpeg, wait_until
):
    staging = daemon.studio.staging
    small(staging, 2)
    _settings(daemon, "min_free_mb = 0\n")
    daemon.start()
    ballast = fill(staging)
    daemon.drop("ring.jpg", make_jpeg(1))
    wait_until(lambda: "could not be written" in daemon.said())
    ballast.unlink()
    daemon.settled(done=1)
    _one_result(daemon)


def test_fm_16_a_full_disk_of_the_ledger_stops_nothing_for_good(daemon, small, make_jpeg, wait_until):
    small(daemon.studio.ledger.parent, 2)
    _settings(daemon, "min_free_mb = 0\n")
    daemon.start()
    ballast = fill(daemon.studio.ledger.parent)
    photo = daemon.drop("ring.jpg", make_jpeg(1))
    wait_until(lambda: "ledger.sqlite cannot be written" in daemon.said(), 10.0)
    assert photo.exists()
    assert daemon.process.poll() is None
    ballast.unlink()
    daemon.settled(15, done=1)
    _one_result(daemon)
    assert len(daemon.said().splitlines()) < 20


def test_fm_16_a_daemon_that_starts_on_a_full_disk_waits_for_room(daemon, small, make_jpeg, wait_until):
    small(daemon.studio.root, 16)
    daemon.studio.create()
    (daemon.studio.root / "vitrine.toml").write_text(SETTINGS + "min_free_mb = 4\n")
    photo = daemon.drop("ring.jpg", make_jpeg(1))
    ballast = fill(daemon.studio.root)
    daemon.start(wait=False)
    wait_until(lambda: "MB are free" in daemon.said() or "cannot be written" in daemon.said(), 10.0)
    assert daemon.process.poll() is None
    assert photo.exists()
    ballast.unlink()
    daemon.settled(15, done=1)
    _one_result(daemon)


def test_fm_17_a_daemon_that_starts_on_a_read_only_disk_says_so_once_and_waits_until_it_is_writable(
    daemon, small, drives, tmp_path, wait_until
):
    small(daemon.studio.root, 16)
    daemon.studio.create()
    (daemon.studio.root / "vitrine.toml").write_text(SETTINGS + "min_free_mb = 0\n")
    photo = daemon.drop("ring.jpg", jpeg(1))
    drives.remount(daemon.studio.root, "ro")
    ear = Ear(tmp_path / "notify")
    daemon._environment = {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "60000000"}
    try:
        daemon.start(wait=False)
        wait_until(lambda: "READY=1" in ear.heard, what="the word to systemd, which would else give up")
        assert "Read-only file system" in ear.status()
        wait_until(lambda: ear.heard.count("WATCHDOG=1") > 1, what="a second try")
        assert daemon.process.poll() is None
        assert photo.exists()
        drives.remount(daemon.studio.root, "rw")
        daemon.settled(20, done=1)
    finally:
        ear.close()
    _one_result(daemon)
    assert daemon.said().count("Read-only file system") == 2, "that it is so, and that it is over"
    assert daemon.said().count("WARNING") == 1
    assert daemon.stop() == 0


def test_fm_17_a_daemon_that_waits_for_a_read_only_disk_can_be_stopped(daemon, small, drives, wait_until):
    small(daemon.studio.root, 16)
    daemon.studio.create()
    drives.remount(daemon.studio.root, "ro")
    daemon.start(wait=False)
    wait_until(lambda: "Read-only file system" in daemon.said())
    assert daemon.stop() == 75
    assert "Traceback" not in daemon.said()


def test_fm_16_a_full_log_disk_costs_only_the_log(tmp_path, small, capsys):
    logs = small(tmp_path / "logs", 1)
    root = logging.getLogger("vitrine")
    before = root.handlers[:]
    set_up(logs, screen=logging.NullHandler())
    try:
        fill(logs)
        for number in range(50):
            root.warning("photo %d", number)
    finally:
        for handler in [handler for handler in root.handlers if handler not in before]:
            root.removeHandler(handler)
            handler.close()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES, errno.EIO])
def test_fm_16_17_a_disk_that_refuses_the_nth_call_for_every_n_loses_nothing(
    number, tmp_path, flags, monkeypatch
):
    memory = Path("/dev/shm")  # noqa: S108
    top = (memory if memory.is_dir() else tmp_path) / f"vitrine-refusing-{os.getpid()}"
    photo, at, finished = jpeg(1), 0, False
    try:
        while not finished:
            hall = Hall(top, flags)
            disk = Refusing(at, number)
            monkeypatch.setattr(durable, "disk", disk)
            durable._on_disk.clear()
            hall.drop("ring.jpg", photo)
            _work(hall)
            finished = disk.refused == 0
            assert not verify.lost(hall.studio, {"ring.jpg": photo}), at
            assert not verify.partial(hall.studio), at
            disk.mend()
            hall.now += 60
            _work(hall)
            assert hall.drops.account()["done"] == 1, (at, hall.drops.account())
            assert (
                verify.missing(hall.studio, ["ring.jpg"]) == verify.twice(hall.studio, ["ring.jpg"]) == []
            ), at
            assert hall.files("inbox/rings") == []
            hall.ledger.close()
            shutil.rmtree(top)
            at += 1
    finally:
        shutil.rmtree(top, ignore_errors=True)
    assert at > 20


def _work(hall):
    hall.pass_time()
    for _ in range(2):
        hall.work()
        hall.arrivals.put_away_the_rest()


def test_fm_17_a_read_only_sink_pauses_work_until_it_is_writable(daemon, drives, make_jpeg, wait_until):
    try:
        drives.read_only(daemon.studio.export)
    except PermissionError as error:
        pytest.skip(f"no drive can be mounted here: {error}")
    daemon.start()
    wait_until(lambda: "read-only" in daemon.said(), 3.0)
    photo = daemon.drop("ring.jpg", make_jpeg(1))
    wait_until(lambda: daemon.rows("SELECT 1 FROM drops"))
    assert photo.exists()
    drives.writable(daemon.studio.export)
    daemon.settled(10, done=1)
    _one_result(daemon)


def test_fm_17_a_refused_write_on_a_disk_that_looks_well_is_tried_until_it_works(hall, monkeypatch):
    space = Space(hall.studio, 0)
    assert not space.look(0.0)
    monkeypatch.setattr(durable, "disk", Refusing(0, errno.EDQUOT))
    space.refused("Disk quota exceeded: ring.jpg", 1.0)
    assert "Disk quota exceeded" in space.trouble
    assert not space.look(7.0)
    assert space.trouble
    durable.disk.mend()
    assert not space.look(8.0), "not before the next try"
    assert space.look(13.0)
    assert space.trouble == ""
    assert hall.files("export") == []


def test_fm_16_the_guard_does_not_stop_and_go_at_its_limit(hall, tmp_path, small):
    hall.studio.export.rmdir()
    small(hall.studio.export, 20)
    space = Space(hall.studio, 10)
    ballast = fill(hall.studio.export, leave_kb=9 << 10)
    started = time.monotonic()
    space.look(started)
    assert "only 9 MB" in space.trouble
    ballast.unlink()
    ballast = fill(hall.studio.export, leave_kb=(10 << 10) + 512)
    assert not space.look(started + 1)
    assert space.trouble
    ballast.unlink()
    assert space.look(started + 2)
