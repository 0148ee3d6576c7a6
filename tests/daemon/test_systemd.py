"""The service: systemd accepts its files, it is locked up well, it is put in place and taken away, and it speaks in time."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.daemon.seeing import Ear
from tests.daemon.studios import busy

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "vitrine.service"
_PR_SET_MDWE = 65  # linux/prctl.h: no memory that is writable and executable, as MemoryDenyWriteExecute=


def _make(target, destination, **settings):
    """`make` into a folder, without the Python environment, which needs the package index."""
    words = {"DESTDIR": destination, "PROGRAM": "no"} | settings
    command = ["make", "--silent", target, *(f"{name}={value}" for name, value in words.items())]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def installed(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("no make here")
    done = _make("install-service", tmp_path / "root", GPU="yes")
    assert done.returncode == 0, done.stderr
    return tmp_path / "root"


def _analyze(*words):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, check=False)


def _unit(folder, installed, *, gpu):
    """The installed unit where systemd-analyze takes its drop-in along, with a program that is there."""
    unit = folder / "vitrine.service"
    text = (installed / "etc/systemd/system/vitrine.service").read_text()
    unit.write_text(text.replace("/opt/vitrine/bin/vitrine", "/bin/true"))
    if gpu:
        shutil.copytree(installed / "etc/systemd/system/vitrine.service.d", folder / "vitrine.service.d")
    return unit


@pytest.mark.parametrize("gpu", [False, True], ids=["plain", "gpu"])
def test_systemd_accepts_the_unit(installed, tmp_path, gpu):
    verdict = _analyze("verify", _unit(tmp_path, installed, gpu=gpu))
    assert verdict.returncode == 0, verdict.stderr
    assert verdict.stderr.strip() == ""


@pytest.mark.parametrize(("gpu", "limit"), [(False, 0.5), (True, 1.7)], ids=["plain", "gpu"])
def test_the_service_is_locked_up(installed, tmp_path, gpu, limit):
    shown = _analyze("security", "--offline=true", "--no-pager", _unit(tmp_path, installed, gpu=gpu)).stdout
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", shown)
    if exposure is None:
        pytest.skip("this systemd cannot judge a unit offline")
    assert float(exposure[1]) <= limit
    assert ("char-nvidia" in shown) == gpu


def test_the_publishers_service_is_accepted_and_locked_up(installed, tmp_path):
    unit = tmp_path / "vitrine-publish.service"
    text = (installed / "etc/systemd/system/vitrine-publish.service").read_text()
    unit.write_text(text.replace("/opt/vitrine/bin/vitrine", "/bin/true"))
    verdict = _analyze("verify", unit)
    assert (verdict.returncode, verdict.stderr.strip()) == (0, "")
    shown = _analyze("security", "--offline=true", "--no-pager", unit).stdout
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", shown)
    if exposure is None:
        pytest.skip("this systemd cannot judge a unit offline")
    assert float(exposure[1]) <= 1.5


def test_user_and_folders_are_made_as_the_unit_needs_them(installed):
    """By systemd's own programs, in the folder that was installed into."""
    if shutil.which("systemd-sysusers") is None or os.geteuid() != 0:
        pytest.skip("needs systemd-sysusers, and root")
    for program, *words in (
        ("systemd-sysusers", "vitrine.conf"),
        ("systemd-tmpfiles", "--create", "vitrine.conf"),
    ):
        done = subprocess.run(
            [program, f"--root={installed}", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    user = re.search(r"^vitrine:x:(\d+):(\d+):", (installed / "etc/passwd").read_text(), re.MULTILINE)
    status = (installed / "srv/vitrine/inbox").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (int(user[1]), int(user[2]), 0o2775)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, ["requirements.lock"]),
        ({"GPU": "yes"}, ["requirements-diffusion.lock", "requirements.lock"]),
        ({"GPU": "yes", "TORCH": "no"}, ["requirements.lock"]),
        (
            {"TORCH": "yes", "INSTAGRAM": "yes"},
            ["requirements-diffusion.lock", "requirements-instagram.lock"],
        ),
    ],
)
def test_a_card_brings_torch(tmp_path, more, wanted):
    """By the Python that is given, which only writes down what it is asked for."""
    asked = tmp_path / "asked"
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\n"
        f'echo "$*" >>{asked}\n'
        'case "$1$2" in\n'
        '-mvenv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && : >"$3/pyvenv.cfg" ;;\n'
        "-c*) echo /usr/bin/python3 ;;\n"
        "esac\n"
    )
    python.chmod(0o755)
    done = _make("install-service", tmp_path / "root", PROGRAM="yes", PYTHON=python, **more)
    assert done.returncode == 0, done.stderr
    assert re.findall(r" -r (\S+)", asked.read_text()) == wanted


def test_installing_again_changes_nothing_and_keeps_what_the_owner_wrote(installed):
    (installed / "etc/vitrine/environment").write_text("VITRINE_WORKERS=3\n")
    before = {path: path.read_bytes() for path in installed.rglob("*") if path.is_file()}
    done = _make("install-service", installed, GPU="yes")
    assert "systemctl enable --now vitrine" in done.stdout
    assert {path: path.read_bytes() for path in installed.rglob("*") if path.is_file()} == before


def test_other_places_are_written_into_all_files(tmp_path):
    _make("install-service", tmp_path, PREFIX="/usr/local/vitrine", STUDIO="/data/shop")
    unit = (tmp_path / "etc/systemd/system/vitrine.service").read_text()
    assert "ExecStart=/usr/local/vitrine/bin/vitrine run" in unit
    assert "ReadWritePaths=/data/shop\n" in unit
    text = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "/srv/vitrine" not in text
    assert "/opt/vitrine" not in text
    assert _make("install-service", tmp_path, STUDIO="shop").returncode != 0


def test_uninstalling_leaves_only_what_the_owner_may_have_written(installed):
    done = _make("uninstall-service", installed)
    assert done.returncode == 0, done.stderr
    left = [path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()]
    assert left == ["etc/vitrine/environment"]


def test_the_stop_is_longer_than_the_daemons_own():
    from daemon.supervisor import GRACE_S

    stop = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert float(stop[1]) >= GRACE_S + 3


@pytest.fixture
def ear(tmp_path):
    made = Ear(tmp_path / "notify")
    yield made
    made.close()


def test_ready_within_3_s_alive_and_gone_within_2_s_when_idle(daemon, ear, wait_until):
    daemon._environment |= {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "1000000"}
    started = time.monotonic()
    daemon.start(wait=False)
    wait_until(lambda: "READY=1" in ear.heard, 10, "the word that it watches")
    ready_s = time.monotonic() - started
    wait_until(lambda: "WATCHDOG=1" in ear.heard and ear.status(), 10, "signs of life")
    wait_until(lambda: len(daemon.workers()) == 1, 5)
    stopped = time.monotonic()
    assert daemon.stop(signal.SIGTERM) == 0
    assert time.monotonic() - stopped <= 2 * busy()
    assert ready_s <= 3 * busy()
    assert ear.heard[0] == "READY=1"
    wait_until(lambda: "STOPPING=1" in ear.heard, 2)


def test_sighup_reads_the_settings_again(daemon, wait_until):
    daemon.start()
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "new settings are in force" in daemon.said(), 5)


def test_it_works_without_network_and_without_memory_that_is_written_and_run(daemon, make_jpeg):
    """What the unit takes away, taken away for real: PrivateNetwork=, MemoryDenyWriteExecute=, NoNewPrivileges=."""
    libc = ctypes.CDLL(None)
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode or (
        libc.prctl(66, 0, 0, 0, 0) < 0
    ):
        pytest.skip("needs root, and a kernel with PR_SET_MDWE (6.3)")
    lock = f"import ctypes, os, sys; assert ctypes.CDLL(None).prctl({_PR_SET_MDWE}, 1, 0, 0, 0) == 0; os.execv(sys.argv[1], sys.argv[1:])"
    daemon.within = ("unshare", "--net", "setpriv", "--no-new-privs", sys.executable, "-c", lock)
    daemon._environment |= {"VITRINE_RENDERER": "daemon.darkroom:develop"}
    daemon.start()
    daemon.drop("ring.jpg", make_jpeg(1, (320, 240)), "rings--draft")
    daemon.settled(review=1)  # noise is no ring; what matters is that all of the pipeline ran
    assert "Traceback" not in daemon.said()
