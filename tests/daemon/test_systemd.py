"""The unit is one that systemd accepts, and it is locked up well."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "systemd" / "vitrine.service"


@pytest.fixture
def unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    copy = tmp_path / "vitrine.service"
    copy.write_text(UNIT.read_text().replace("/opt/vitrine/bin/vitrine", "/bin/true"))
    return copy


def test_systemd_accepts_the_unit(unit):
    verdict = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert verdict.returncode == 0, verdict.stderr
    assert verdict.stderr.strip() == ""


def test_the_service_is_locked_up(unit):
    command = ["systemd-analyze", "security", "--offline=true", str(unit)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", shown)
    if exposure is None:
        pytest.skip("this systemd cannot judge a unit offline")
    assert float(exposure[1]) <= 0.7


def test_the_stop_is_longer_than_the_daemons_own():
    from daemon.supervisor import GRACE_S

    stop = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert float(stop[1]) >= GRACE_S + 3
