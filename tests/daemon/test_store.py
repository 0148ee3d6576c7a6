"""What every `JobStore` must do; run here against SQLite, with clocks in the hand and real processes as owners."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from daemon.jobstore import Failure, JobSpec, LeaseLost, Offer
from daemon.ledger import Ledger, open_ledger
from daemon.owner import Owner, process
from daemon.sqlite_store import SqliteStore

ME = process()
ALL = ("urgent", "normal", "overnight")


class Clock:
    def __init__(self):
        self.unix = 1_000_000.0
        self.ticks = 50.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "ledger.sqlite")
    made.connection.execute(
        "INSERT INTO drops (path, folder, name, state, seen_at) VALUES (x'00', '', '', 'open', 0)"
    )
    yield made
    made.close()


@pytest.fixture
def store(ledger, clock):
    return SqliteStore(ledger, lambda: clock.unix, lambda: clock.ticks)


def _job(key, queue="normal", not_before=0.0):
    return JobSpec(key, 1, 0, queue, not_before)


def test_a_key_is_offered_once(store):
    assert [store.offer(_job("a")), store.offer(_job("a"))] == [Offer.NEW, Offer.DUPLICATE]
    claim = store.claim(ALL, ME, 10)
    assert store.offer(_job("a")) is Offer.DUPLICATE
    store.finish(claim, [], "done")
    assert store.offer(_job("a")) is Offer.DUPLICATE
    assert store.claim(ALL, ME, 10) is None


def test_what_ended_without_pictures_may_be_offered_again(store):
    store.offer(_job("a"))
    store.fail(store.claim(ALL, ME, 10), Failure("damaged", lasting=True))
    assert store.claim(ALL, ME, 10) is None
    assert store.offer(_job("a")) is Offer.RETRY
    assert store.claim(ALL, ME, 10).attempt == 1


def test_urgent_goes_first_overnight_only_when_open_and_nothing_starves(store, clock):
    store.offer(_job("night", "overnight"))
    store.offer(_job("first"))
    store.offer(_job("second"))
    store.offer(_job("now", "urgent"))
    order = [store.claim(("urgent", "normal"), ME, 10).key for _ in range(3)]
    assert order[0] == "now"
    assert sorted(order[1:]) == ["first", "second"]
    assert store.claim(("urgent", "normal"), ME, 10) is None
    assert store.claim(ALL, ME, 10) is None  # its batch does not run
    run = store._ledger.connection.execute
    run(
        "INSERT INTO batches (date, window, cause, state, opened_at) VALUES ('', 'night', 'window', 'running', 0)"
    )
    run("UPDATE drops SET batch = 1")
    clock.unix += 2 * 86_400
    store.offer(_job("fresh"))
    assert store.claim(ALL, ME, 10).key == "night"


def test_a_job_waits_for_its_time_but_not_for_a_clock_that_was_set_back(store, clock):
    store.offer(_job("a", not_before=clock.unix + 5))
    assert store.claim(ALL, ME, 10) is None
    clock.unix += 5
    claim = store.claim(ALL, ME, 10)
    store.fail(claim, Failure("disk full", excused=True))
    clock.unix -= 86_400
    assert store.claim(ALL, ME, 10) is not None


def test_three_tries_then_it_is_given_up(store, clock):
    store.offer(_job("a"))
    for number in (1, 2, 3):
        clock.unix += 60
        claim = store.claim(ALL, ME, 10)
        assert claim.attempt == number
        following = store.fail(claim, Failure("a defect"))
        assert (following.retry_at is None) == (number == 3)


def test_excused_tries_do_not_count_and_come_slower_and_slower(store, clock):
    store.offer(_job("a"))
    waits = []
    for _ in range(6):
        claim = store.claim(ALL, ME, 10)
        assert claim.attempt == 1
        retry_at = store.fail(claim, Failure("disk full", excused=True)).retry_at
        waits.append(retry_at - clock.unix)
        clock.unix = retry_at
    assert waits == sorted(waits)
    assert waits[0] < waits[-1] == 20.0


def test_an_old_claim_is_refused_everywhere(store, clock):
    store.offer(_job("a"))
    old = store.claim(ALL, ME, 10)
    clock.ticks += 11
    assert store.recover() == []
    new = store.claim(ALL, ME, 10)
    assert new.token > old.token
    assert not store.beat(old, 10)
    for act in (
        lambda: store.finish(old, [], "done"),
        lambda: store.fail(old, Failure("x")),
        lambda: store.cancel(old, "x"),
    ):
        with pytest.raises(LeaseLost):
            act()
    store.release(old)
    assert store.beat(new, 10)
    store.finish(new, [], "done")


def test_a_dead_owner_is_known_at_once_and_a_living_one_is_left_alone(store):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = process(child.pid)
    store.offer(_job("a"))
    store.claim(ALL, owner, 1000)
    store.recover()
    assert store.claim(ALL, ME, 10) is None
    child.communicate()
    assert not owner.alive
    store.recover()
    assert store.claim(ALL, ME, 10).attempt == 2


def test_a_process_of_another_boot_or_with_a_used_up_number_is_dead():
    assert ME.alive
    assert Owner.parse(str(ME)) == ME
    assert not Owner("another-boot", ME.pid, ME.started).alive
    assert not Owner(ME.boot, ME.pid, ME.started + 1).alive


def test_a_job_that_kills_its_owner_is_given_up_after_three(store):
    store.offer(_job("a"))
    dead = Owner(ME.boot, ME.pid, ME.started + 1)
    for number in (1, 2, 3):
        assert store.claim(ALL, dead, 1000).attempt == number
        store.blame(dead, "it crashed.")
        assert store.recover() == ([1] if number == 3 else [])
    assert store.claim(ALL, ME, 10) is None


def test_the_dead_that_somebody_has_yet_to_account_for_are_left_until_then(store):
    store.offer(_job("a"))
    dead = Owner(ME.boot, ME.pid, ME.started + 1)
    for _ in range(3):
        store.recover()
        store.claim(ALL, dead, 1000)
    assert store.recover([dead]) == []
    store.blame(dead, "it took longer than 1 s.")
    assert store.recover() == [1]
    reason = store._ledger.connection.execute("SELECT reason FROM jobs").fetchone()[0]
    assert "longer than 1 s" in reason


def test_released_and_excused_jobs_keep_their_tries(store):
    store.offer(_job("a"))
    store.release(store.claim(ALL, ME, 10))
    store.claim(ALL, ME, 10)
    store.excuse(ME)
    assert store.claim(ALL, ME, 10).attempt == 1


def test_many_workers_never_get_the_same_job(tmp_path, ledger, store):
    for number in range(100):
        store.offer(_job(f"{number:03}"))
    got = []

    def work():
        own = Ledger(tmp_path / "ledger.sqlite")
        mine = SqliteStore(own)
        while claim := mine.claim(ALL, ME, 1000):
            got.append(claim.key)
        own.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 100


def test_a_damaged_ledger_is_put_aside_and_work_goes_on(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    ledger, trouble = open_ledger(path)
    assert "put aside" in trouble
    assert (tmp_path / "ledger.sqlite.damaged-1").exists()
    assert ledger.sound()
    ledger.close()
    again, trouble = open_ledger(path)
    assert trouble == ""
    again.close()
