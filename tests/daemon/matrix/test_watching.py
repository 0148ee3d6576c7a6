"""FM-05 to FM-12: what events do not tell. A long scan period shows that what is found was not found by luck of a scan."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.matrix.namespace import namespace_or_skip
from tests.daemon.studios import jpeg, until

NEVER = "settle_s = 0.05\nscan_s = 3600\nincomplete_after_s = 600\n"
SOON = "settle_s = 0.05\nscan_s = 1.0\nincomplete_after_s = 600\n"
STUB = b"\xff\xd8"  # the beginning of a photo: seen, in the ledger, and waited for


def _start(daemon, settings):
    (daemon.studio.root / "vitrine.toml").write_text(settings)
    return daemon.start()


def _seen(daemon, count, timeout_s=10.0):
    def enough():
        return daemon.rows("SELECT count(*) FROM drops") == [(count,)]

    until(enough, timeout_s, f"{count} rows in the ledger")


def test_fm_05_folder_trees_moved_in_are_found_whole(daemon, tmp_path):
    _start(daemon, NEVER)
    for tree in range(50):
        (tmp_path / f"tree{tree}" / "inner").mkdir(parents=True)
        for number in range(4):
            (tmp_path / f"tree{tree}" / ("inner" if number % 2 else "") / f"{number}.jpg").write_bytes(STUB)
    for tree in range(50):
        (tmp_path / f"tree{tree}").rename(daemon.studio.inbox / f"tree{tree}")
    _seen(daemon, 200)


def test_fm_06_files_dropped_at_once_into_new_nested_folders_are_found(daemon):
    _start(daemon, NEVER)
    for tree in range(200):
        folder = daemon.studio.inbox / f"n{tree}" / "b" / "c"
        folder.mkdir(parents=True)
        for number in range(5):
            (folder / f"{number}.jpg").write_bytes(STUB)
    _seen(daemon, 1000)
    daemon.drop("whole.jpg", jpeg(1))  # behind a thousand that wait, it is not kept waiting
    until(lambda: daemon.rows("SELECT 1 FROM jobs"), 2.0, "the whole photo's job")
    assert len(daemon.said()) < 10_000  # the watching library does not flood the log


def test_fm_07_inotify_overflow_loses_nothing(daemon):
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if queue > 20_000:
        pytest.skip(f"the event queue here holds {queue}: too many files for a quick test")
    _start(daemon, NEVER)
    count = queue // 2 + 500  # two events each, and then some
    os.kill(daemon.process.pid, signal.SIGSTOP)
    for number in range(count):
        handle = os.open(daemon.studio.inbox / f"rings/{number}.jpg", os.O_CREAT | os.O_WRONLY)
        os.write(handle, STUB)
        os.close(handle)
    os.kill(daemon.process.pid, signal.SIGCONT)
    _seen(daemon, count)
    until(lambda: "more was dropped at once" in daemon.said(), what="word of the overflow")


@pytest.fixture
def namespace():
    made = namespace_or_skip()
    yield made
    made.end()


def test_fm_09_a_network_drive_is_polled_since_it_tells_of_nothing(daemon, namespace, tmp_path):
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("no FUSE here")
    other_side = tmp_path / "other-machine"
    other_side.mkdir()
    namespace.mount_mirror(other_side, daemon.studio.inbox)
    daemon.within = namespace.within
    _start(daemon, NEVER + "settle_network_s = 1.5\n")
    until(lambda: "network drive (fuse.mirror)" in daemon.said())
    (other_side / "rings").mkdir(exist_ok=True)
    photo = other_side / "rings" / "far.jpg"
    data = jpeg(1)
    with photo.open("wb") as writer:  # a lease on this side says nothing of a writer on the other
        writer.write(data)
        writer.flush()
        _seen(daemon, 1)
        assert daemon.rows("SELECT digest FROM drops") == [(None,)]
        writer.write(b"x")  # changed: the quiet time begins anew
    until(lambda: daemon.states() == {"done": 1}, 10, "the photo, after the quiet time for such drives")
    assert not photo.exists()
    assert [path.read_bytes() for path in daemon.studio.originals.rglob("*.jpg")] == [data + b"x"]


@pytest.mark.parametrize("way", ["renamed", "deleted"])
def test_fm_10_an_inbox_that_is_made_anew_is_watched_anew_within_a_scan(daemon, way):
    _start(daemon, SOON)
    inbox = daemon.studio.inbox
    if way == "renamed":
        inbox.rename(inbox.with_name("old"))
    else:
        shutil.rmtree(inbox)
    daemon.drop("one.jpg", jpeg(1))
    until(lambda: daemon.states() == {"done": 1}, 6, "the first photo in the new inbox")
    (daemon.studio.root / "vitrine.toml").write_text(NEVER)
    until(lambda: "new settings" in daemon.said())
    daemon.drop("two.jpg", jpeg(2), "earrings")
    until(lambda: daemon.states() == {"done": 2}, 6, "the second, by events of the new inbox")
    assert (inbox / ".vitrine-here").exists()


def test_fm_12_a_folder_renamed_while_its_photos_are_queued_is_rendered_once(daemon):
    (daemon.flags / "behave").write_text("hang")
    _start(daemon, SOON)
    for number in range(3):
        daemon.drop(f"{number}.jpg", jpeg(number))
    until(lambda: daemon.rows("SELECT count(*) FROM jobs") == [(3,)])
    until((daemon.flags / "hanging").exists)
    (daemon.studio.inbox / "rings").rename(daemon.studio.inbox / "rings renamed")
    (daemon.flags / "behave").write_text("")
    until(lambda: len(list(daemon.studio.export.rglob("*.jpg"))) == 3)
    until(lambda: not any(path.is_file() for path in (daemon.studio.inbox / "rings renamed").iterdir()))
    until(lambda: daemon.states().keys() <= {"done", "duplicate", "vanished"})
    assert len(list(daemon.studio.originals.rglob("*.jpg"))) == 3
    assert daemon.rows("SELECT count(*) FROM jobs WHERE state = 'done'") == [(3,)]


def test_fm_12_between_the_claim_and_the_first_look_at_the_inbox(hall):
    """The narrowest moment: the new place is found as the old one's job is in a worker's hands and not begun."""
    photo = hall.drop("ring.jpg", jpeg(1))
    hall.pass_time()
    hall.ready()
    worker = hall.worker()
    claims = []
    real = hall.store.claim

    def claim(*arguments):
        claims.append(real(*arguments))
        if len(claims) == 1:
            photo.parent.rename(hall.studio.inbox / "moved")
            hall.pass_time()
        return claims[-1]

    hall.store.claim = claim
    while worker.work_once(("urgent", "normal")):
        hall.ready()
    hall.arrivals.put_away_the_rest()
    assert len(hall.files("export")) == 1
    assert len(hall.files("originals")) == 1
    assert hall.drops.account()["waiting"] == hall.drops.account()["unexplained"] == 0


def test_fm_07_a_ledger_that_cannot_be_written_makes_no_file_seen(hall):
    """Seen means durably seen: a scan whose rows were rolled back finds the files anew."""
    hall.drop("ring.jpg", jpeg(1))
    other = sqlite3.connect(hall.studio.ledger)
    other.execute("BEGIN IMMEDIATE")
    hall.ledger.connection.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(sqlite3.OperationalError):
        hall.arrivals.look_everywhere(hall.now)
    assert hall.arrivals.waiting == 0
    other.execute("ROLLBACK")
    other.close()
    hall.pass_time()
    hall.work()
    hall.account(done=1)
