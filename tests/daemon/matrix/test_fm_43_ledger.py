"""FM-43: a ledger that is damaged, lost, locked or forgetful. What is finished is not made again, what is not is made."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys

import pytest

from daemon.ledger import Ledger, open_ledger
from daemon.rebuild import open_complete, rebuild
from tests.daemon import verify
from tests.daemon.studios import Hall, jpeg


def _done(daemon, count=3):
    photos = {f"p{number}.jpg": jpeg(number) for number in range(count)}
    for name, data in photos.items():
        daemon.drop(name, data)
    daemon.settled(done=count)
    return photos


def _calls(where):
    return len((where.flags / "calls").read_text().split())


def _again(daemon, photos, calls):
    """Drop everything again: nothing may be rendered into a sink a second time."""
    for name, data in photos.items():
        daemon.drop(name, data)
    daemon.settled(done=len(photos), duplicate=len(photos))
    assert _calls(daemon) == calls
    assert verify.twice(daemon.studio, photos) == verify.missing(daemon.studio, photos) == []
    assert verify.lost(daemon.studio, photos) == []


def test_fm_43_flipped_bytes_are_seen_at_the_start_and_the_finished_photos_are_known_again(
    daemon, wait_until
):
    daemon.start()
    photos = _done(daemon)
    daemon.stop()
    data = bytearray(daemon.studio.ledger.read_bytes())
    for at in range(4096, len(data), 512):
        data[at] ^= 0xFF
    daemon.studio.ledger.write_bytes(data)
    (daemon.flags / "stderr").write_text("")
    daemon.start()
    assert "put aside as ledger.sqlite.damaged-1" in daemon.said()
    assert daemon.states() == {"done": 3}
    _again(daemon, photos, 3)


def test_fm_43_a_ledger_deleted_under_the_running_daemon_is_built_anew_without_a_restart(daemon, wait_until):
    daemon.start()
    photos = _done(daemon)
    for path in daemon.studio.ledger.parent.iterdir():
        path.unlink()
    wait_until(lambda: "removed while Vitrine was using it" in daemon.said())
    _again(daemon, photos, 3)
    assert daemon.stop() == 0


def test_fm_43_a_write_ahead_log_deleted_after_a_crash_costs_no_photo_and_no_second_picture(
    daemon, wait_until
):
    daemon.start()
    photos = _done(daemon)
    daemon.drop("late.jpg", jpeg(99))
    daemon.process.kill()
    daemon.process.wait()
    wal = daemon.studio.ledger.with_name("ledger.sqlite-wal")
    assert wal.stat().st_size > 0
    wal.unlink()
    wal.with_name("ledger.sqlite-shm").unlink(missing_ok=True)
    (daemon.flags / "stderr").write_text("")
    daemon.start()
    wait_until((daemon.studio.export / "rings/late.jpg").exists)
    for name, data in photos.items():
        daemon.drop(name, data)
    wait_until(lambda: not daemon.rows("SELECT 1 FROM drops WHERE state IN ('settling', 'open')"))
    wait_until(lambda: not list((daemon.studio.inbox / "rings").iterdir()))
    photos["late.jpg"] = jpeg(99)
    assert _calls(daemon) == 4
    assert verify.twice(daemon.studio, photos) == verify.missing(daemon.studio, photos) == []
    assert verify.lost(daemon.studio, photos) == []


def test_fm_43_a_ledger_that_another_program_has_locked_is_waited_for_and_a_stop_is_not_held_up(
    daemon, wait_until
):
    daemon.start()
    with _locked(daemon.studio.ledger):
        daemon.drop("ring.jpg", jpeg(1))
        wait_until(lambda: "locked" in daemon.said())
    daemon.settled(done=1)
    assert daemon.rows("SELECT attempts FROM jobs") == [(1,)]
    with _locked(daemon.studio.ledger):
        assert daemon.stop(timeout_s=15) == 0


@contextlib.contextmanager
def _locked(ledger):
    """Another program is in the middle of writing."""
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); print(1, flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    other.stdout.readline()
    try:
        yield
    finally:
        other.communicate(b"\n")


@pytest.mark.parametrize("seed", range(3))
def test_fm_43_whatever_byte_is_flipped_the_ledger_opens_sound_or_is_put_aside(hall, seed, monkeypatch):
    for number in range(3):
        hall.drop(f"p{number}.jpg", jpeg(number))
    hall.pass_time()
    hall.work()
    hall.ledger.close()
    chance, whole, path = random.Random(seed), hall.studio.ledger.read_bytes(), hall.studio.ledger
    for _ in range(25):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        ledger, _ = open_ledger(path)
        rebuild(hall.studio, ledger)
        assert ledger.sound()
        assert ledger.connection.execute("SELECT count(*) FROM jobs").fetchone()[0] >= 3
        ledger.close()
        for left in path.parent.iterdir():
            left.unlink()


def test_fm_43_after_a_lost_ledger_review_and_done_are_what_they_were_and_may_be_retried(hall, make_jpeg):
    hall.drop("done.jpg", make_jpeg(1), "rings--x2")
    hall.pass_time()
    hall.work()
    hall.behave("unsure")
    hall.drop("doubt.jpg", make_jpeg(2))
    hall.pass_time()
    hall.work()
    before = _story(hall)
    hall.ledger.close()
    for path in hall.studio.ledger.parent.iterdir():
        path.unlink()
    hall.behave("")
    again = Hall(hall.studio.root, hall.flags)
    assert rebuild(again.studio, again.ledger) == 2
    assert rebuild(again.studio, again.ledger) == 0
    assert _story(again) == before
    again.account(done=1, review=1)
    _retry(again)
    again.work()
    again.account(done=2)
    again.ledger.close()


def _story(hall):
    drops = hall.ledger.connection.execute(
        "SELECT path, folder, name, state, digest, kind, source, archived, reason FROM drops ORDER BY name"
    ).fetchall()
    jobs = hall.ledger.connection.execute(
        "SELECT key, variant, state, reason, outputs FROM jobs ORDER BY key"
    ).fetchall()
    return [tuple(row) for row in (*drops, *jobs)]


def _retry(hall):
    from daemon.again import choose, reopen

    for drop in choose(hall.drops, None):
        reopen(hall.studio, hall.ledger, hall.settings.rules, drop)


def test_fm_43_the_last_copy_of_a_photo_outlives_the_ledger(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    (hall.studio.inbox / "rings/ring.jpg").unlink()  # its owner took it out before its turn
    hall.ledger.close()
    for path in hall.studio.ledger.parent.iterdir():
        path.unlink()
    again = Hall(hall.studio.root, hall.flags)
    rebuild(again.studio, again.ledger)
    assert verify.lost(again.studio, {"ring.jpg": make_jpeg(1)}) == []
    assert len(again.files("originals")) == 1
    again.ledger.close()


def test_fm_43_a_commit_that_fails_leaves_no_transaction_open(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.connection.execute("CREATE TEMP TABLE t (x REFERENCES drops (id) DEFERRABLE INITIALLY DEFERRED)")
    ledger.connection.execute("CREATE TABLE u (x REFERENCES drops (id) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), ledger.writing() as connection:
        connection.execute("INSERT INTO u VALUES (1)")  # found out at the COMMIT
    with ledger.writing() as connection:
        connection.execute("SELECT 1")
    ledger.close()


def test_fm_43_a_job_whose_end_cannot_be_recorded_is_given_back_uncounted(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.ready()
    run = hall.ledger.connection.execute
    run(
        "CREATE TEMP TRIGGER full BEFORE UPDATE OF outputs ON jobs BEGIN"
        " SELECT RAISE(ABORT, 'disk full') WHERE (SELECT count(*) FROM temp.sick); END"
    )
    run("CREATE TEMP TABLE sick (x)")
    run("INSERT INTO sick VALUES (1)")
    worker = hall.worker()
    with pytest.raises(sqlite3.Error):
        worker.work_once(("normal",))
    run("DELETE FROM sick")
    assert worker.work_once(("normal",))
    assert run("SELECT state, attempts FROM jobs").fetchone()[:] == ("done", 1)
    assert _calls(hall) == 1


def test_fm_43_filling_a_new_ledger_is_made_up_for_if_it_was_cut_short(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    hall.account(done=1)
    hall.ledger.close()
    hall.studio.ledger.unlink()
    Ledger(hall.studio.ledger).close()  # as a start leaves it that met a full disk, or was killed, just after
    for _ in range(2):
        ledger = open_complete(hall.studio)
        assert ledger.connection.execute("SELECT state FROM drops").fetchall()[0][0] == "done"
        assert ledger.connection.execute("SELECT count(*) FROM drops").fetchone()[0] == 1
        ledger.close()
