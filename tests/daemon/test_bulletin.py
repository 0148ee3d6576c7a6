"""Whatever is wrong shows in `vitrine status`, STATUS=, metrics and log, and a daemon that is gone is not called alive."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from daemon.bulletin import Bulletin
from daemon.cli.status import look
from daemon.crew import Crew
from daemon.health import Health
from daemon.ledger import Ledger
from daemon.live import Live, run_folder
from daemon.notify import Systemd
from daemon.studio import Studio
from daemon.studio_lock import holder
from daemon.watch import Watch
from tests.daemon.seeing import Ear, Sight


@pytest.fixture
def sight(daemon, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    ear = Ear(tmp_path / "notify")
    environment = {"NOTIFY_SOCKET": ear.address, "RUNTIME_DIRECTORY": str(folder)}
    daemon._environment |= environment
    yield Sight(daemon.studio, ear, environment)
    ear.close()


def _status(daemon, *words):
    command = [sys.executable, "-c", "from daemon.cli import main; main()", "status", *words]
    command += ["--studio", str(daemon.studio.root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def test_the_runtime_folder_is_systemds_or_the_users_or_the_studios(tmp_path):
    studio = Studio(tmp_path / "shop")
    given, user = tmp_path / "given", tmp_path / "user"
    assert run_folder(studio, {"RUNTIME_DIRECTORY": f"{given}:/other", "XDG_RUNTIME_DIR": str(user)}) == given
    of_user = run_folder(studio, {"XDG_RUNTIME_DIR": str(user)})
    assert of_user.parent == user / "vitrine"
    assert of_user != run_folder(Studio(tmp_path / "other" / "shop"), {"XDG_RUNTIME_DIR": str(user)})
    (tmp_path / "file").write_text("")
    assert run_folder(studio, {"RUNTIME_DIRECTORY": str(tmp_path / "file")}) == studio.private / "run"


@pytest.fixture
def bulletin(hall, tmp_path):
    """All but the loop; time is passed in."""
    crew = Crew(hall.studio, hall.store, hall.settings, lambda _: None)
    watch = Watch(hall.studio.inbox, lambda: None)
    (tmp_path / "run").mkdir()
    return Bulletin(
        studio=hall.studio,
        live=Live(tmp_path / "run"),
        health=Health(),
        systemd=Systemd({}),
        drops=hall.drops,
        store=hall.store,
        crew=crew,
        watch=watch,
        scan_limit_s=lambda: 60.0,
    )


def test_a_scan_that_is_too_old_is_a_state_and_no_sign_of_life(bulletin):
    bulletin.scanned(100.0)
    bulletin.publish(159.0)
    assert bulletin.scan_is_fresh(159.0)
    assert not bulletin.health.states
    bulletin.publish(160.0)
    assert not bulletin.scan_is_fresh(160.0)
    assert [state.code for state in bulletin.health.states] == ["scan"]
    assert bulletin.live.read()["degraded"][0]["code"] == "scan"
    bulletin.scanned(161.0)
    bulletin.publish(161.5)
    assert not bulletin.health.states


def test_it_tells_once_a_second_and_outlives_a_runtime_folder_that_is_taken_away(bulletin, caplog):
    bulletin.publish(100.0)
    first = bulletin.live.read()["scan_age_s"]
    bulletin.publish(100.9)
    assert bulletin.live.read()["scan_age_s"] == first
    bulletin.close()
    bulletin.live.folder.rmdir()
    bulletin.publish(101.0)
    bulletin.publish(102.0)
    assert caplog.text.count("the live state cannot be written") == 1


def test_figures_say_what_was_done(daemon, sight, make_jpeg, wait_until):
    daemon.start()
    for number in range(3):
        daemon.drop(f"{number}.jpg", make_jpeg(number))
    daemon.drop("letter.jpg", b"dear madam")
    daemon.settled(done=3, rejected=1)
    wait_until(lambda: sight.figures().get(("vitrine_files", "done")) == 3)
    wait_until(lambda: sight.figures().get(("vitrine_photo_seconds_count",)) == 4)
    figures = sight.figures()
    assert figures["vitrine_files", "rejected"] == 1
    assert figures["vitrine_files", "unexplained"] == 0
    assert figures["vitrine_jobs", "normal", "waiting"] == 0
    assert figures["vitrine_photo_seconds_count",] == 4
    assert figures["vitrine_scans_total",] >= 1
    assert 0 <= figures["vitrine_scan_age_seconds",] < 60
    assert 0 <= figures["vitrine_last_photo_age_seconds",] < 60
    assert figures["vitrine_workers",] == 1
    assert figures["vitrine_worker_restarts_total",] == 0
    assert figures["vitrine_inbox_overflows_total",] == 0
    assert figures["vitrine_free_bytes",] > 0
    assert 10e6 < figures["vitrine_supervisor_memory_bytes",] < 150e6
    assert any(name[0] == "vitrine_build_info" for name in figures)
    assert sum(value for name, value in figures.items() if name[0] == "vitrine_degraded") == 0
    report = json.loads(_status(daemon, "--json"))
    assert (report["watching"], report["daemon"]) == ("yes", daemon.process.pid)
    assert report["account"]["done"] == 3
    assert report["queues"]["normal"] == {"leased": 0, "waiting": 0}
    assert report["metrics"] == str(sight.live.folder / "vitrine.prom")
    about = [line for line in sight.logged() if line["message"].startswith("rings/0.jpg: done")]
    (key,) = daemon.rows("SELECT key FROM jobs JOIN drops ON drops.id = drop_id WHERE name = '0.jpg'")[0]
    assert about[0]["job"] == key
    assert about[0]["photo"] == "rings/0.jpg"
    assert about[0]["worker"] in daemon.workers()
    daemon.stop()
    assert sight.figures() == {}


def test_a_defect_in_a_worker_is_told_with_its_job(daemon, sight, make_jpeg, wait_until):
    (daemon.flags / "behave").write_text("defect")
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    found = wait_until(
        lambda: [line for line in sight.logged() if "ZeroDivisionError" in line["message"]], 10
    )
    assert found[0]["event"] == "worker"
    assert "Traceback" in found[0]["message"]
    assert [(found[0]["job"],)] == daemon.rows("SELECT key FROM jobs")


def test_workers_that_are_killed_again_and_again_show_everywhere(daemon, sight, wait_until):
    daemon.start()

    def shoot():
        for worker in daemon.workers():
            os.kill(worker, signal.SIGKILL)
        return sight.everywhere("workers")

    wait_until(shoot, 20, "the word of dying workers in all places")
    assert "a person or another program killed it" in sight.ear.status()
    wait_until(lambda: sight.figures()["vitrine_worker_restarts_total",] >= 3)


def test_the_ledger_that_cannot_be_written_shows_everywhere_and_is_over_by_itself(
    daemon, sight, make_jpeg, wait_until
):
    """Another program holds the ledger's write lock for longer than SQLite waits."""
    daemon._environment |= {"WATCHDOG_USEC": "1000000"}
    daemon.start()
    other = sqlite3.connect(daemon.studio.ledger, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        daemon.drop("ring.jpg", make_jpeg(1))
        wait_until(lambda: sight.everywhere("ledger"), 10, "the word of the ledger in all places")
        heard = sight.ear.heard.count("WATCHDOG=1")
        wait_until(lambda: sight.ear.heard.count("WATCHDOG=1") > heard, 15, "a sign of life all the same")
        other.execute("ROLLBACK")
    finally:
        other.close()
    wait_until(lambda: sight.nowhere("ledger"), 15, "the end of the state")
    daemon.settled(done=1)


def test_lost_events_show_everywhere(daemon, sight, wait_until):
    """The kernel's queue overflows for real; the names are ones that Vitrine does not take for photos."""
    daemon.start()
    wait_until(sight.ear.status)
    daemon.process.send_signal(signal.SIGSTOP)
    for number in range(17_000):  # by turns, since the kernel joins events that are equal to the one before
        with (daemon.studio.inbox / "rings" / f"{number % 2}.part").open("wb"):
            pass
    daemon.process.send_signal(signal.SIGCONT)
    wait_until(lambda: sight.everywhere("overflow"), 10, "the word of lost events in all places")
    assert sight.figures()["vitrine_inbox_overflows_total",] >= 1
    assert "max_queued_events" in sight.ear.status()


def test_the_owners_command_is_run_by_the_daemon(daemon, sight, wait_until):
    toml = daemon.studio.root / "vitrine.toml"
    good = toml.read_text() + '[alerts]\ncommand = ["sh", "-c", "cat >>told"]\n'
    toml.write_text(good)
    daemon.start()
    told = daemon.studio.root / "told"
    for text, count in ((good + "comand = 1\n", 1), (good, 2)):
        toml.write_text(text)
        wait_until(lambda count=count: told.exists() and len(told.read_text().splitlines()) == count, 10)
    news = [json.loads(line) for line in told.read_text().splitlines()]
    assert [(one["event"], one["code"]) for one in news] == [("begins", "settings"), ("ends", "settings")]
    assert "alerts.comand" in news[0]["text"]


def test_a_missing_inbox_shows_everywhere(daemon, sight, wait_until):
    toml = daemon.studio.root / "vitrine.toml"
    toml.write_text(toml.read_text().replace("scan_s = 1.0", "scan_s = 3600"))
    daemon.start()
    daemon.studio.inbox.rename(daemon.studio.root / "elsewhere")
    wait_until(lambda: sight.everywhere("missing"), 10, "the word of the missing inbox in all places")
    (daemon.studio.root / "elsewhere").rename(daemon.studio.inbox)
    wait_until(lambda: sight.nowhere("missing"), 10, "the end of the state")


def test_nobody_watches_is_told_apart_from_one_that_died_or_is_held_up(daemon, sight, wait_until):
    daemon.start()
    wait_until(lambda: look(daemon.studio)["watching"] == "yes")
    assert f"watched by process {daemon.process.pid}" in _status(daemon)
    daemon.process.kill()
    daemon.process.wait()
    report = look(daemon.studio)
    assert (report["watching"], report["daemon"]) == ("died", None)
    assert report["ended"] == pytest.approx(report["updated"])
    assert "did not end in order" in _status(daemon)
    (daemon.flags / "stderr").write_text("")
    daemon.start()
    assert daemon.stop() == 0
    report = look(daemon.studio)
    assert (report["watching"], report["degraded"]) == ("no", [])
    assert holder(daemon.studio).ended
    assert "nobody is watching since" in _status(daemon)


def test_a_daemon_that_says_nothing_any_more_is_held_up(daemon, sight, wait_until):
    daemon.start()
    wait_until(lambda: look(daemon.studio)["updated"])
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        report = sight.live.read()
        sight.live.write(report | {"updated": report["updated"] - 20}, b"")  # twenty seconds later
        assert look(daemon.studio)["watching"] == "held up"
        assert "has said nothing since" in _status(daemon)
    finally:
        daemon.process.send_signal(signal.SIGCONT)


def test_the_state_of_a_former_daemon_is_not_taken_for_the_present_ones(tmp_path):
    studio = Studio(tmp_path)
    studio.create()
    run = tmp_path / "run"
    run.mkdir()
    record = {"pid": 1, "since": 5.0, "run": str(run), "ended": 0.0}
    (studio.private / "lock").write_text(json.dumps(record))
    Live(run).write({"pid": 2, "updated": 7.0, "degraded": [{"code": "disk"}]}, b"")
    Ledger(studio.ledger).close()
    report = look(studio)
    assert (report["watching"], report["updated"], report["degraded"]) == ("died", None, [])


def _fill(path):
    with path.open("wb", buffering=0) as filler:
        while filler.write(b"x" * 4096):
            pass


def test_a_full_disk_of_the_studio_does_not_hide_the_state(daemon, sight, wait_until):
    """The studio on a tiny real disk, filled to the last byte; the live state stands elsewhere."""
    root = daemon.studio.root
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "vitrine-test", root], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting needs root")
    try:
        Studio(root).create()
        (root / "vitrine.toml").write_text("settle_s = 0.05\nscan_s = 1.0\n")
        daemon.start()
        wait_until(lambda: look(daemon.studio)["watching"] == "yes")
        before = wait_until(lambda: look(daemon.studio)["updated"])
        with pytest.raises(OSError, match="No space left"):
            _fill(root / "filler")
        wait_until(lambda: look(daemon.studio)["updated"] > before + 1, 10, "fresh live state")
        report = json.loads(_status(daemon, "--json"))
        assert report["watching"] == "yes"
        assert report["free_bytes"] < 8192
        assert daemon.process.poll() is None
    finally:
        daemon.end()
        subprocess.run(["umount", "--lazy", root], check=True)
