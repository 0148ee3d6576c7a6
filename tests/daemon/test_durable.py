"""The order of writes, syncs and names; crashes and full disks at every single step."""

from __future__ import annotations

import errno
import os
import signal
import traceback
from pathlib import Path

import pytest

from daemon import durable
from daemon.tidy import remove_leftovers

STEPS = ("create", "write", "sync", "link", "rename", "unlink", "sync_folder")


class Recorder(durable.Disk):
    """Writes down each call, in order."""

    def __init__(self):
        self.calls = []

    def __getattribute__(self, name):
        method = super().__getattribute__(name)
        if name not in STEPS:
            return method

        def recorded(*arguments):
            self.calls.append(name)
            return method(*arguments)

        return recorded


class Failing(durable.Disk):
    """A disk that is full at the n-th call that takes space, and from then on until it is mended."""

    def __init__(self, at):
        self.left = at

    def _spend(self):
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "the disk")

    def create(self, path):
        self._spend()
        return super().create(path)

    def write(self, handle, data):
        self._spend()
        super().write(handle, data)

    def link(self, source, target):
        self._spend()
        super().link(source, target)

    def make_folder(self, path):
        self._spend()
        super().make_folder(path)


@pytest.fixture
def recorder(monkeypatch):
    made = Recorder()
    monkeypatch.setattr(durable, "disk", made)
    return made


def test_content_is_on_the_disk_before_its_name_and_the_name_before_the_return(recorder, tmp_path):
    durable.write_new(tmp_path / "a", b"data")
    assert recorder.calls == ["sync_folder", "create", "write", "sync", "link", "unlink", "sync_folder"]
    recorder.calls.clear()
    durable.write_atomic(tmp_path / "a", b"more")
    assert recorder.calls == ["create", "write", "sync", "rename", "sync_folder"]
    assert (tmp_path / "a").read_bytes() == b"more"


def test_a_move_has_the_new_name_on_the_disk_before_the_old_one_goes(recorder, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"data")
    durable.move_new(tmp_path / "in" / "a", tmp_path / "out" / "b")
    assert recorder.calls == ["sync_folder", "sync", "link", "sync_folder", "unlink", "sync_folder"]
    assert (tmp_path / "out" / "b").read_bytes() == b"data"


def test_nothing_is_overwritten_unless_asked(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").write_bytes(b"new")
    with pytest.raises(FileExistsError):
        durable.write_new(tmp_path / "a", b"new")
    with pytest.raises(FileExistsError):
        durable.move_new(tmp_path / "b", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_move_that_a_crash_cut_in_half_is_finished_by_running_it_again(tmp_path):
    (tmp_path / "a").write_bytes(b"data")
    os.link(tmp_path / "a", tmp_path / "b")  # the state between the two names
    durable.move_new(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_move_to_another_device_copies_verifies_and_then_removes(tmp_path):
    other = Path("/dev/shm")  # noqa: S108
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system here")
    source = other / f"vitrine-test-{os.getpid()}"
    source.write_bytes(b"data" * 100_000)
    try:
        durable.move_new(source, tmp_path / "b")
        assert not source.exists()
    finally:
        source.unlink(missing_ok=True)
    assert (tmp_path / "b").read_bytes() == b"data" * 100_000
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_private_copy_has_the_digest_of_what_arrived(tmp_path):
    (tmp_path / "a").write_bytes(os.urandom(3_000_000))
    handle = os.open(tmp_path / "a", os.O_RDONLY)
    try:
        digest = durable.copy_private(handle, tmp_path / "b")
    finally:
        os.close(handle)
    assert digest == durable.digest_of(tmp_path / "a") == durable.digest_of(tmp_path / "b")


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_a_disk_that_fills_up_at_any_step_loses_nothing_and_work_resumes(hall, make_jpeg, monkeypatch, at):
    data = make_jpeg(1)
    hall.drop("ring.jpg", data)
    monkeypatch.setattr(durable, "disk", Failing(at))
    hall.pass_time()
    hall.pass_time()
    for _ in range(4):
        hall.ready()
        hall.worker().work_once(("normal",))
        hall.arrivals.put_away_the_rest()
    assert _copies(hall, data)
    assert all(path.read_bytes()[-2:] == b"\xff\xd9" for path in _visible(hall))
    monkeypatch.setattr(durable, "disk", durable.Disk())
    hall.pass_time(10.0)
    hall.work()
    hall.arrivals.put_away_the_rest()
    hall.account(done=1)
    assert hall.files("export") == hall.files("watermark") == ["rings/ring.jpg"]
    assert hall.files("instagram-queue") == ["ring.jpg", "ring.json"]
    assert hall.files("inbox/rings") == []


class Killing(durable.Disk):
    """Ends the process, as kill -9 does, in front of the n-th call."""

    left = 0


def _step(name):
    def step(self, *arguments):
        Killing.left -= 1
        if Killing.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return getattr(durable.Disk, name)(self, *arguments)

    return step


for _name in STEPS:
    setattr(Killing, _name, _step(_name))


def _killed_at(hall, at):
    """Take and render in a child that dies at step `at`; how it ended."""
    hall.ledger.close()  # an SQLite connection must not be carried into a child
    child = os.fork()
    if child == 0:
        try:
            Killing.left = at
            again = type(hall)(hall.studio.root, hall.flags)
            durable.disk = Killing()
            again.pass_time()
            again.work()
        except BaseException:  # noqa: BLE001 - the child must not come back as a second pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings(
    "ignore:This process:DeprecationWarning"
)  # fork beside the threads of imaging libraries
@pytest.mark.parametrize("at", range(0, 44, 2))
def test_a_kill_at_any_step_leaves_a_job_that_runs_again_or_is_done(hall, make_jpeg, at):
    data = make_jpeg(1)
    hall.drop("ring.jpg", data)
    assert _killed_at(hall, at) in {0, -signal.SIGKILL}
    assert _copies(hall, data)
    assert all(path.read_bytes()[-2:] == b"\xff\xd9" for path in _visible(hall))
    hall = type(hall)(hall.studio.root, hall.flags)
    hall.store.recover()
    remove_leftovers(hall.studio, hall.drops)
    hall.pass_time()
    hall.work()
    hall.arrivals.put_away_the_rest()
    hall.account(done=1)
    assert hall.files("export") == hall.files("watermark") == ["rings/ring.jpg"]
    assert hall.files("instagram-queue") == ["ring.jpg", "ring.json"]
    assert hall.files("inbox/rings") == hall.files(".vitrine/staging") == []
    assert len(hall.files("originals")) == 1
    hall.ledger.close()


def _copies(hall, data):
    """Places that hold the original's bytes."""
    return [path for path in hall.studio.root.rglob("*") if path.is_file() and path.read_bytes() == data]


def _visible(hall):
    for folder in ("export", "watermark", "instagram-queue"):
        for path in (hall.studio.root / folder).rglob("*.jpg"):
            if not path.name.startswith("."):
                yield path
