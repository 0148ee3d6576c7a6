"""FM-13 and FM-14: real processes, killed by the real signal; the long forms are in tests/soak/kills.py."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

import daemon as package
from daemon.failpoint import POINTS, VARIABLE
from daemon.owner import process
from tests.daemon.studios import jpeg
from tests.soak.kills import Run, at_point


@pytest.fixture
def run(tmp_path):
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    made = Run(tmp_path, {VARIABLE: str(tokens), "VITRINE_RENDERER": "quick:behave"})
    made.tokens = tokens
    yield made
    made.daemon.end()


def _all_is_well(run):
    assert [f"{row.what}: {row.measured}" for row in run.rows() if not row.met] == []


def test_fm_13_a_worker_that_outlived_its_daemon_gives_its_job_back_when_it_dies(hall, daemon, wait_until):
    hall.drop("ring.jpg", jpeg(1))
    hall.pass_time()
    hall.ready()
    with subprocess.Popen(["sleep", "20"]) as survivor:
        assert hall.store.claim(("normal",), process(survivor.pid), 600.0)
        daemon.start()
        wait_until(lambda: len(daemon.workers()) == 1)
        assert daemon.states() == {"open": 1}
        survivor.kill()
        survivor.wait()
        daemon.settled(5, done=1)


def test_fm_13_random_kills_of_supervisor_and_workers_lose_nothing(run, wait_until):
    run.daemon._environment["VITRINE_RENDERER"] = "quick:linger"
    chance = random.Random(13)
    run.start()
    for number in range(2):
        run.feed(2 * number + 2)
        wait_until(lambda: run.kill_worker(chance))
        run.kill_supervisor()
    run.finish()
    run.retry()
    _all_is_well(run)


@pytest.mark.parametrize("point", ["before-sync", "in-take", "during-move"])
def test_fm_14_a_kill_at_a_point_of_intake_or_move_leaves_one_result(run, point):
    run.start()
    at_point(run, run.tokens, point, 1)
    _all_is_well(run)


def test_fm_14_a_kill_between_any_sink_and_the_commit_leaves_one_result(run):
    run.start()
    for point in ("after-export", "after-verdict", "in-finish"):
        at_point(run, run.tokens, point, 1)
    _all_is_well(run)


def test_fm_14_what_stood_already_is_only_recorded(run):
    run.start()
    at_point(run, run.tokens, "after-verdict", 1)
    _all_is_well(run)
    assert len((run.daemon.flags / "calls").read_text().split()) == 1


def test_fm_14_every_point_is_in_the_code_and_in_the_table():
    used = set()
    for path in Path(package.__file__).parent.glob("*.py"):
        used |= set(re.findall(r'reach\(f?"([^"]+)"\)', path.read_text()))
    assert used - {"after-{kind}"} == set(POINTS) - {f"after-{kind}" for kind in _KINDS}


_KINDS = ("export", "watermark", "instagram", "review")
