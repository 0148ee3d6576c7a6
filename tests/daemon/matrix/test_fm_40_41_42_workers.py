"""FM-40 to FM-42: workers that run out of memory, hang or crash cost an attempt, never a photo or the night."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from daemon.crew import Crew
from tests.daemon.studios import HERE, jpeg, until

CGROUPS = Path("/sys/fs/cgroup")


@pytest.fixture
def behave(daemon):
    def order(word):
        (daemon.flags / "behave").write_text(word)

    return order


@pytest.fixture
def cgroup():
    """A control group with 64 MB of memory: beyond that the kernel kills, as on a machine whose memory is full."""
    v1 = (CGROUPS / "memory").is_dir()
    folder = (CGROUPS / "memory" if v1 else CGROUPS) / f"vitrine-test-{os.getpid()}"
    try:
        folder.mkdir()
        limit = str(64 << 20)
        (folder / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(limit)
        with contextlib.suppress(OSError):  # so that nothing is swapped out instead
            (folder / ("memory.memsw.limit_in_bytes" if v1 else "memory.swap.max")).write_text(
                limit if v1 else "0"
            )
    except OSError as error:
        with contextlib.suppress(OSError):
            folder.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    yield folder
    folder.rmdir()


def _good_goes_on(daemon, behave, **before):
    behave("")
    daemon.drop("good.jpg", jpeg(2))
    daemon.settled(done=1, **before)
    assert daemon.process.poll() is None


def test_fm_40_a_worker_that_the_kernel_kills_for_memory_is_replaced_and_the_photo_tried_again(
    daemon, behave, cgroup, wait_until
):
    behave("swallow")
    daemon.start()
    daemon.drop("ring.jpg", jpeg(1))
    pid = int(wait_until(lambda: (flag := daemon.flags / "hanging").exists() and flag.read_text()))
    (cgroup / "cgroup.procs").write_text(str(pid))
    behave("")
    (daemon.flags / "limited").touch()
    daemon.settled(done=1)
    assert "memory ran out" in daemon.said()
    assert daemon.rows("SELECT attempts FROM jobs") == [(2,)]
    assert pid not in daemon.workers()


def test_fm_40_a_worker_at_its_own_memory_limit_says_so_and_the_photo_is_tried_again(
    daemon, behave, wait_until
):
    daemon._environment = {"VITRINE_MEMORY_MB": "600"}
    behave("swallow")
    (daemon.flags / "limited").touch()
    daemon.start()
    daemon.drop("ring.jpg", jpeg(1))
    wait_until(lambda: daemon.rows("SELECT 1 FROM jobs WHERE reason LIKE '%not enough memory%'"))
    behave("")
    daemon.settled(done=1)
    assert daemon.process.poll() is None


@pytest.mark.parametrize("order", ["memory", "cuda", "opencv"])
def test_fm_40_memory_that_runs_out_inside_a_worker_costs_three_tries_and_one_photo(hall, make_jpeg, order):
    hall.behave(order)
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    worker = hall.worker()
    for attempt in (1, 2, 3):
        hall.ready()
        assert worker.work_once(("normal",))
        assert worker.worn, "a fresh process takes over"
        assert hall.ledger.connection.execute("SELECT attempts FROM jobs").fetchone()[0] == attempt
    hall.account(rejected=1)
    assert "not enough memory" in (hall.studio.rejected / "rings/ring.jpg.reason.txt").read_text()


def test_fm_40_a_worn_worker_leaves_and_a_fresh_one_goes_on(daemon, behave, wait_until):
    behave("cuda")
    daemon.start()
    daemon.drop("ring.jpg", jpeg(1))
    wait_until(lambda: daemon.rows("SELECT 1 FROM jobs WHERE reason LIKE '%not enough memory%'"))
    behave("")
    daemon.settled(done=1)
    pids = (daemon.flags / "calls").read_text().split()
    assert len(set(pids)) == len(pids) >= 2


@pytest.mark.parametrize("order", ["abort", "segfault"])
def test_fm_42_a_photo_that_kills_its_worker_is_quarantined_at_the_third_time_and_the_night_goes_on(
    daemon, behave, order
):
    behave(order)
    daemon.start()
    daemon.drop("poison.jpg", jpeg(1))
    daemon.settled(rejected=1)
    reason = (daemon.studio.rejected / "rings/poison.jpg.reason.txt").read_text()
    assert "3 times" in reason
    assert "program library" in reason
    assert len((daemon.flags / "calls").read_text().split()) == 3
    assert (daemon.studio.rejected / "rings/poison.jpg").read_bytes() == jpeg(1)
    _good_goes_on(daemon, behave, rejected=1)


def test_fm_42_workers_that_are_killed_from_outside_cost_no_photo(daemon, behave, wait_until):
    behave("hang")
    daemon.start()
    daemon.drop("ring.jpg", jpeg(1))
    seen = {""}
    flag = daemon.flags / "hanging"
    for _ in range(4):
        wait_until(lambda: flag.exists() and flag.read_text() not in seen, what="the next try")
        seen.add(flag.read_text())
        os.kill(int(flag.read_text()), signal.SIGKILL)
    behave("")
    daemon.settled(done=1)
    assert daemon.rows("SELECT attempts, excused FROM jobs") == [(1, 4)]
    assert "a person or another program killed it" in daemon.said()


def test_fm_42_a_photo_whose_workers_are_killed_without_end_is_quarantined_all_the_same(
    hall, crew, wait_until
):
    crew.spared_most = 2
    hall.behave("hang")
    hall.drop("ring.jpg", jpeg(1))
    hall.pass_time()
    tries = set()

    def kill():
        for member in _turn(crew):
            if member.busy_since is not None:
                tries.add(member.child.pid)
                member.child.kill()
        return hall.store.open_jobs(("normal",)) == 0

    wait_until(kill, 30)
    assert len(tries) == 5
    assert "3 times" in hall.ledger.connection.execute("SELECT reason FROM jobs").fetchone()[0]


def test_fm_41_a_render_that_hangs_is_stopped_at_its_deadline_even_when_it_hears_no_signal(
    daemon, behave, wait_until
):
    toml = daemon.studio.root / "vitrine.toml"
    toml.write_text(toml.read_text() + "job_deadline_s = 1\n")
    behave("hang")
    daemon.start()
    daemon.drop("ring.jpg", jpeg(1))
    pid = int(wait_until(lambda: (flag := daemon.flags / "hanging").exists() and flag.read_text()))
    os.kill(pid, signal.SIGSTOP)  # as deaf as a process in a driver that waits for ever
    behave("")
    daemon.settled(done=1)
    assert "longer than 1 s" in daemon.said()
    assert daemon.rows("SELECT attempts FROM jobs") == [(2,)]


@pytest.fixture
def crew(hall, monkeypatch):
    """Real workers without a supervisor's loop."""
    monkeypatch.setenv("VITRINE_RENDERER", "quick:behave")
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    made = Crew(hall.studio, hall.store, hall.settings, lambda _: None)
    yield made
    for member in made.members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member.child.pid, signal.SIGCONT)
    made.stop(5.0, lambda: False)


def _turn(crew):
    for member in crew.members:
        crew.listen(member)
    crew.bury(time.monotonic())
    crew.fill(time.monotonic(), ("urgent", "normal"))
    return crew.members


def _stopped_without_the_ledger(pid, hall):
    """Stop it; if that struck while it held the ledger's write lock, let it go on."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    try:
        hall.ledger.connection.execute("PRAGMA busy_timeout = 50")
        hall.ledger.try_writing()
    except sqlite3.OperationalError:
        os.kill(pid, signal.SIGCONT)
        return False
    finally:
        hall.ledger.connection.execute("PRAGMA busy_timeout = 3000")
    return True


def test_fm_41_a_worker_that_does_not_listen_never_blocks_the_supervisor(hall, crew, wait_until):
    wait_until(lambda: _turn(crew)[0].ready)
    pid = crew.members[0].child.pid
    wait_until(lambda: _stopped_without_the_ledger(pid, hall), what="a worker stopped between two claims")
    for _ in range(10_000):  # far more than the line between them holds
        crew.wake(("urgent",))
    hall.drop("ring.jpg", jpeg(1))
    hall.pass_time()
    crew.wake(("urgent", "normal"))
    assert crew.members[0].owed
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: _turn(crew) and hall.drops.account()["done"] == 1)
    assert [member.child.pid for member in crew.members] == [pid]


def test_fm_40_a_worker_is_replaced_after_its_share_of_jobs(hall, crew, wait_until):
    crew.jobs_per_worker = 2
    for number in range(5):
        hall.drop(f"p{number}.jpg", jpeg(number))
    hall.pass_time()
    wait_until(lambda: _turn(crew) and hall.drops.account()["done"] == 5)
    pids = (hall.flags / "calls").read_text().split()
    assert len(set(pids)) > 1
    assert max(pids.count(pid) for pid in pids) < 5


def test_fm_40_a_fresh_worker_knows_at_once_which_queues_are_open(hall, crew, wait_until):
    hall.drop("ring.jpg", jpeg(1), "rings--urgent")
    hall.pass_time()
    crew.fill(time.monotonic(), ("urgent",))
    wait_until(lambda: [crew.listen(member) for member in crew.members] and hall.drops.account()["done"] == 1)


def test_fm_41_a_path_traced_picture_may_take_as_long_as_blender_may(hall, crew, wait_until):
    hall.behave("hang")
    hall.drop("ring.jpg", jpeg(1), "rings--raytraced")
    hall.pass_time()
    wait_until(lambda: _turn(crew)[0].busy_since)
    member, settings = crew.members[0], crew.settings
    crew.enforce_deadline(member.busy_since + settings.job_deadline_s + 1)
    assert not member.killed_for
    crew.enforce_deadline(member.busy_since + settings.job_deadline_s + settings.raytracing.timeout_s + 1)
    assert member.killed_for
    hall.behave("")
    wait_until(lambda: _turn(crew) and hall.drops.account()["done"] == 1)
