"""The daemon as a process: real inotify, real workers, real signals."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.daemon.studios import busy


def _vitrine(*words):
    command = [sys.executable, "-c", "from daemon.cli import main; main()", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_photos_in_several_folders_end_in_all_three_sinks_and_the_daemon_stops_cleanly(daemon, make_jpeg):
    daemon.start()
    for number in range(6):
        daemon.drop(
            f"p{number}.jpg", make_jpeg(number), ("rings", "earrings--velvet", "deep/er/folder")[number % 3]
        )
    daemon.drop("letter.jpg", b"dear madam")
    daemon.settled(done=6, rejected=1)
    for sink in ("export", "watermark"):
        assert len(list((daemon.studio.root / sink).rglob("*.jpg"))) == 6
    assert len(list(daemon.studio.instagram.glob("*.json"))) == 6
    assert daemon.stop() == 0
    assert "0 unexplained" in daemon.said()
    status = json.loads(_vitrine("status", "--json", "--studio", daemon.studio.root).stdout)
    assert status["account"]["done"] == 6
    assert status["daemon"] is None
    assert [entry["name"] for entry in status["attention"]] == ["letter.jpg"]


def test_a_tree_moved_in_and_files_in_new_nested_folders_are_all_found(daemon, make_jpeg, tmp_path):
    daemon.start()
    tree = tmp_path / "tree"
    for folder in range(5):
        (tree / f"f{folder}" / "inner").mkdir(parents=True)
        for number in range(3):
            (tree / f"f{folder}" / "inner" / f"{number}.jpg").write_bytes(make_jpeg(folder * 10 + number))
    tree.rename(daemon.studio.inbox / "tree")
    for number in range(5):
        daemon.drop("n.jpg", make_jpeg(100 + number), f"a/b{number}/c")
    daemon.settled(done=20)


def test_a_second_daemon_ends_with_75_and_names_the_first(daemon):
    daemon.start()
    started = time.monotonic()
    second = _vitrine("run", "--studio", daemon.studio.root)
    assert second.returncode == 75
    assert str(daemon.process.pid) in second.stderr
    assert time.monotonic() - started < 10 * busy()


def test_wrong_settings_end_with_78_and_later_mistakes_keep_the_last_good_rules(
    daemon, make_jpeg, wait_until
):
    toml = daemon.studio.root / "vitrine.toml"
    good = toml.read_text()
    toml.write_text("workers = 'many'\n")
    assert _vitrine("run", "--studio", daemon.studio.root).returncode == 78
    toml.write_text(good)
    daemon.start()
    toml.write_text(good + "wokers = 2\n")
    wait_until(lambda: "stay in force" in daemon.said())
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.settled(done=1)
    toml.write_text(good + "workers = 2\n")
    wait_until(lambda: len(daemon.workers()) == 2)


def test_a_preset_that_is_missing_stops_the_daemon_with_78(daemon, make_jpeg):
    (daemon.flags / "behave").write_text("misconfigured")
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    assert daemon.process.wait(20) == 78
    assert "The preset is missing." in daemon.said()


def _hanging(daemon, wait_until):
    return int(
        wait_until(lambda: (p := daemon.flags / "hanging").exists() and p.read_text(), what="a busy worker")
    )


def test_a_worker_killed_in_the_middle_is_replaced_and_the_job_done_once(daemon, make_jpeg, wait_until):
    (daemon.flags / "behave").write_text("hang")
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    worker = _hanging(daemon, wait_until)
    (daemon.flags / "behave").write_text("")
    (daemon.flags / "hanging").unlink()
    os.kill(worker, signal.SIGKILL)
    daemon.settled(done=1)
    assert len(list(daemon.studio.export.rglob("*.jpg"))) == 1


def test_a_killed_supervisor_takes_its_workers_along_and_the_next_one_goes_on(daemon, make_jpeg, wait_until):
    (daemon.flags / "behave").write_text("hang")
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.drop("two.jpg", make_jpeg(2))
    worker = _hanging(daemon, wait_until)
    daemon.process.kill()
    daemon.process.wait()
    wait_until(lambda: _gone(worker))
    (daemon.flags / "behave").write_text("")
    (daemon.flags / "stderr").write_text("")
    daemon.start("--until-idle")
    assert daemon.process.wait(20) == 0
    assert daemon.states() == {"done": 2}
    assert daemon.rows("SELECT sum(attempts) FROM jobs") == [(3,)]


def _gone(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_a_photo_that_kills_its_worker_each_time_is_given_up_after_three(daemon, make_jpeg):
    (daemon.flags / "behave").write_text("abort")
    daemon.start()
    daemon.drop("poison.jpg", make_jpeg(1))
    daemon.settled(rejected=1)
    reason = (daemon.studio.rejected / "rings/poison.jpg.reason.txt").read_text()
    assert "3 times" in reason
    assert (daemon.studio.rejected / "rings/poison.jpg").read_bytes() == make_jpeg(1)
    (daemon.flags / "behave").write_text("")
    daemon.drop("good.jpg", make_jpeg(2))
    daemon.settled(rejected=1, done=1)


def test_a_render_that_hangs_is_stopped_at_its_deadline(daemon, make_jpeg):
    toml = daemon.studio.root / "vitrine.toml"
    toml.write_text(toml.read_text() + "job_deadline_s = 1\n")
    (daemon.flags / "behave").write_text("hang")
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.settled(rejected=1)
    assert "longer than 1 s" in (daemon.studio.rejected / "rings/ring.jpg.reason.txt").read_text()


def test_sigterm_lets_a_worker_finish(daemon, make_jpeg, wait_until):
    (daemon.flags / "behave").write_text("hang")
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.drop("two.jpg", make_jpeg(2))
    _hanging(daemon, wait_until)
    daemon.process.send_signal(signal.SIGTERM)
    (daemon.flags / "behave").write_text("")
    assert daemon.process.wait(15) == 0
    assert daemon.states() == {"done": 1, "open": 1}


def test_a_second_sigterm_does_not_wait_and_does_not_count_against_the_photo(daemon, make_jpeg, wait_until):
    (daemon.flags / "behave").write_text("hang")
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    _hanging(daemon, wait_until)
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "stopping" in daemon.said())
    assert daemon.stop(timeout_s=5) == 0
    assert daemon.rows("SELECT state, attempts FROM jobs") == [("waiting", 0)]


def test_the_inbox_may_be_removed_and_made_again(daemon, make_jpeg):
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.settled(done=1)
    shutil.rmtree(daemon.studio.inbox)
    daemon.drop("again.jpg", make_jpeg(2))
    daemon.settled(done=2)


def test_a_photo_in_review_gets_another_try(daemon, make_jpeg, wait_until):
    (daemon.flags / "behave").write_text("unsure")
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.drop("letter.jpg", b"dear madam")
    daemon.settled(review=1, rejected=1)
    (daemon.flags / "behave").write_text("")
    tried = _vitrine("retry", "--all", "--studio", daemon.studio.root)
    assert tried.returncode == 0, tried.stderr
    daemon.settled(done=1, rejected=1)
    assert list(daemon.studio.review.rglob("*.jpg")) == []
    assert _vitrine("retry", "99", "--studio", daemon.studio.root).returncode == 1


def test_systemd_hears_that_it_is_ready_alive_and_stopping(daemon, tmp_path, make_jpeg):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address)
        ear.settimeout(10)
        daemon._environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"}
        daemon.start()
        heard = []
        while "WATCHDOG=1" not in heard or not any(word.startswith("STATUS=") for word in heard):
            heard.append(ear.recv(4096).decode())
        assert heard[0] == "READY=1"
        daemon.process.send_signal(signal.SIGTERM)
        while heard[-1] != "STOPPING=1":
            heard.append(ear.recv(4096).decode())
    assert daemon.process.wait(15) == 0


def test_the_supervisor_loads_no_imaging_library(daemon):
    script = (
        "import sys, daemon.supervisor, daemon.cli.run, daemon.cli.status, daemon.cli.retry, daemon.cli.batch, daemon.cli.resume;"
        "print([n for n in ('numpy', 'cv2', 'PIL', 'torch', 'scipy') if n in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_no_network_socket_is_opened_in_a_whole_run(daemon, make_jpeg, tmp_path):
    spy = tmp_path / "spy"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(
        "import os, socket, sys\n"
        "def hear(event, arguments):\n"
        "    if event == 'socket.__new__' and arguments[1] != socket.AF_UNIX or event == 'socket.getaddrinfo':\n"
        "        open(os.environ['VITRINE_TEST_FLAGS'] + '/sockets', 'a').write(f'{event} {arguments}\\n')\n"
        "sys.addaudithook(hear)\n"
        "open(os.environ['VITRINE_TEST_FLAGS'] + '/spies', 'a').write('x')\n"
    )
    daemon._environment = {"PYTHONPATH": f"{spy}:{Path(__file__).parent}"}
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.settled(done=1)
    assert daemon.stop() == 0
    assert len((daemon.flags / "spies").read_text()) >= 2  # the supervisor and its worker
    assert not (daemon.flags / "sockets").exists()


def test_a_run_until_idle_ends_by_itself_and_says_whether_a_photo_failed(daemon, make_jpeg):
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.start("--until-idle", wait=False)
    assert daemon.process.wait(30) == 0
    daemon.drop("letter.jpg", b"dear madam")
    daemon.start("--until-idle", wait=False)
    assert daemon.process.wait(30) == 1
    assert daemon.states() == {"done": 1, "rejected": 1}
