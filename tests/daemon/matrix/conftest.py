"""Fixtures of the failure matrix."""

from __future__ import annotations

import subprocess

import pytest

from tests.daemon.seeing import Ear, Sight


@pytest.fixture
def ear(tmp_path):
    made = Ear(tmp_path / "notify")
    yield made
    made.close()


@pytest.fixture
def sight(daemon, ear, tmp_path):
    """The daemon will speak to a notify socket, and keep its live state in a runtime folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    environment = {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "1000000", "RUNTIME_DIRECTORY": str(folder)}
    daemon._environment |= environment
    return Sight(daemon.studio, ear, environment)


class Limits:
    """The kernel's own limits of inotify, lowered for one daemon in a user namespace of its own."""

    def __init__(self, daemon):
        self._daemon = daemon

    def lower(self, name, to):
        order = f'echo {to} > /proc/sys/user/max_inotify_{name} && exec "$@"'
        self._daemon.within = ("unshare", "--user", "--map-root-user", "sh", "-c", order, "sh")

    def set(self, name, to):
        order = f"echo {to} > /proc/sys/user/max_inotify_{name}"
        command = ["nsenter", "--user", "--preserve-credentials", "--target", str(self._daemon.process.pid)]
        subprocess.run([*command, "sh", "-c", order], check=True)


@pytest.fixture
def limits(daemon):
    order = "echo 1 > /proc/sys/user/max_inotify_instances"
    try:
        command = ["unshare", "--user", "--map-root-user", "sh", "-c", order]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no user namespace with limits of its own can be made here")
    return Limits(daemon)
