"""Order of work: urgent first, nothing starves, the night last; and pauses."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from daemon.jobstore import JobSpec
from daemon.ledger import Ledger
from daemon.owner import process
from daemon.pauses import EVERYTHING, Pauses
from daemon.sqlite_store import SqliteStore

ME = process()
QUEUES = ("urgent", "normal", "overnight")
DAY_S = 86_400.0


class Line:
    """Jobs in a real ledger, the clock in the hand; the night's batch runs."""

    def __init__(self, path):
        self.now = 1_800_000_000.0
        self.ledger = Ledger(path)
        self.store = SqliteStore(self.ledger, self.clock, self.clock)
        self.ledger.connection.execute(
            "INSERT INTO batches (date, window, cause, state, opened_at) VALUES ('2026-05-11', 'night', 'window', 'running', 0)"
        )

    def clock(self):
        return self.now

    def offer(self, queue, count=1, folder="rings"):
        with self.ledger.writing() as connection:
            for _ in range(count):
                cursor = connection.execute(
                    "INSERT INTO drops (path, folder, name, state, seen_at, batch) VALUES (?, ?, '', 'open', 0, 1)",
                    (f"{queue}{self._count()}".encode(), folder),
                )
                self.store.offer(JobSpec(f"{queue}-{cursor.lastrowid}", cursor.lastrowid, 0, queue))

    def _count(self):
        return self.ledger.connection.execute("SELECT count(*) FROM drops").fetchone()[0]

    def turn(self):
        """The queue of the job whose turn it is; it is done at once."""
        claim = self.store.claim(QUEUES, ME, 10.0)
        if claim is not None:
            self.store.finish(claim, [], "done")
        return claim and claim.queue


@pytest.fixture
def line(tmp_path):
    made = Line(tmp_path / "ledger.sqlite")
    yield made
    made.ledger.close()


def test_fm_46_an_urgent_photo_waits_for_one_job_at_most_however_many_wait_before_it(line):
    line.offer("normal", 1000)
    line.offer("overnight", 200)
    for _ in range(50):
        line.turn()
        line.offer("urgent")
        assert line.turn() == "urgent"
    line.now += 3 * DAY_S  # all the others have waited far too long now
    for _ in range(50):
        line.offer("urgent")
        assert "urgent" in {line.turn(), line.turn()}


def test_fm_46_nothing_starves_while_urgent_and_normal_photos_never_end(line):
    line.offer("normal", 5)
    line.offer("overnight", 5)
    line.now += 2.5 * DAY_S
    turns = []
    for _ in range(30):
        line.offer("urgent")
        line.offer("normal")
        turns.append(line.turn())
    assert turns[:2].count("urgent") == 1
    assert turns.count("overnight") == 5
    assert turns.count("normal") >= 5
    assert turns.count("urgent") >= 15


def test_fm_46_photos_of_a_kind_keep_their_order_whatever_the_clock_says(line):
    for span in (0.0, -DAY_S, 30 * DAY_S, -40 * DAY_S, -1_700_000_000.0):
        line.now += span
        line.offer("normal")
    keys = []
    while claim := line.store.claim(QUEUES, ME, 10.0):
        keys.append(int(claim.key.rpartition("-")[2]))
    assert keys == sorted(keys)
    assert len(keys) == 5


def test_fm_46_overnight_comes_last_and_only_while_its_batch_runs(line):
    line.offer("overnight")
    line.offer("normal")
    assert [line.turn(), line.turn()] == ["normal", "overnight"]
    line.offer("overnight")
    line.ledger.connection.execute("UPDATE batches SET state = 'resting'")
    assert line.turn() is None


def test_fm_46_with_a_real_daemon_an_urgent_photo_overtakes_hundreds(daemon, make_jpeg, wait_until):
    (daemon.flags / "behave").write_text("hang")
    for number in range(200):
        daemon.drop(f"{number}.jpg", make_jpeg(number))
    daemon.start()
    wait_until((daemon.flags / "hanging").exists, what="the first photo in work")
    daemon.drop("now.jpg", make_jpeg(1000), "rings--urgent")
    urgent = "SELECT state FROM jobs WHERE queue = 'urgent'"
    wait_until(lambda: daemon.rows(urgent) == [("waiting",)], what="the urgent photo taken")
    (daemon.flags / "behave").write_text("")
    wait_until(lambda: daemon.rows(urgent) == [("done",)], what="the urgent photo done")
    ended = daemon.rows("SELECT queue FROM jobs WHERE state = 'done' ORDER BY ended_at LIMIT 2")
    assert ("urgent",) in ended


def test_fm_46_an_urgent_photo_is_taken_first_too(hall, make_jpeg):
    for number in range(40):
        hall.drop(f"{number}.jpg", make_jpeg(number))
    hall.drop("now.jpg", make_jpeg(100), "watches--urgent")
    hall.arrivals.look_everywhere(hall.now)
    taken = hall.arrivals.advance(hall.now)
    assert len(taken) < 40
    assert taken[0].plan.urgency == "urgent"


def test_a_pause_holds_a_folder_with_all_in_it_and_no_other(line):
    pauses = Pauses(line.ledger)
    line.offer("urgent", folder="rings")
    line.offer("normal", folder="rings/monday")
    line.offer("normal", folder="rings--urgent")
    assert pauses.begin("rings")
    assert not pauses.begin("rings")
    assert line.turn() == "normal"
    assert line.turn() is None
    assert line.store.open_jobs(QUEUES) == 0
    assert [one.folder for one in pauses.end("rings")] == ["rings"]
    assert [line.turn(), line.turn(), line.turn()] == ["urgent", "normal", None]


def test_a_pause_of_everything_is_ended_with_all_others(line):
    pauses = Pauses(line.ledger)
    pauses.begin("rings/monday")
    pauses.begin(EVERYTHING)
    line.offer("urgent", folder="watches")
    assert line.turn() is None
    assert len(pauses.end(EVERYTHING)) == 2
    assert line.turn() == "urgent"


def _vitrine(*words):
    command = [sys.executable, "-c", "from daemon.cli import main; main()", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_pause_outlives_the_daemon_and_photos_are_still_taken(daemon, make_jpeg):
    studio = daemon.studio.root
    daemon.start()
    assert "rings: paused" in _vitrine("pause", "rings", "--studio", studio).stdout
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.drop("watch.jpg", make_jpeg(2), "watches")
    daemon.settled(open=1, done=1)
    assert daemon.stop() == 0
    daemon.start("--until-idle", wait=False)
    assert daemon.process.wait(20) == 0
    status = json.loads(_vitrine("status", "--json", "--studio", studio).stdout)
    assert status["paused"] == ["rings"]
    assert status["account"]["waiting"] == 1
    assert "paused: rings" in _vitrine("status", "--studio", studio).stdout
    (daemon.flags / "stderr").write_text("")
    daemon.start()
    assert "goes on" in _vitrine("resume", "--studio", studio).stdout
    daemon.settled(done=2)
