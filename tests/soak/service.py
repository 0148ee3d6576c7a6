"""The systemd service: how open it is, how soon it is ready, how soon it stops. Exposure is systemd's own figure, offline."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from daemon.studio import Studio
from tests.daemon.seeing import Ear
from tests.daemon.studios import SETTINGS, Daemon, jpeg, until
from tests.soak.proof import Row, Say, share_of, studio_folder

UNITS = Path(__file__).parents[2] / "systemd"
ROUNDS = 10
READY_S, IDLE_S, BUSY_S = 3.0, 2.0, 15.0


def service(share: float, say: Say) -> Iterator[Row]:
    """Exposure, then starts and stops; of each the worst of all rounds counts."""
    yield _exposure("exposure without network and card", 0.5, gpu=False)
    yield _exposure("exposure with the drop-in for a card", 1.7, gpu=True)
    rounds = share_of(ROUNDS, share)
    times: dict[str, list[float]] = {"ready": [], "idle": [], "busy": []}
    for number in range(rounds):
        for busy in (False, True):
            ready, stop = _round(number, busy=busy)
            times["ready"].append(ready)
            times["busy" if busy else "idle"].append(stop)
        say(f"service: round {number + 1} of {rounds}: {[f'{took[-1]:.2f} s' for took in times.values()]}")
    for name, what, limit in (
        ("ready", f"READY=1, worst of {2 * rounds}", READY_S),
        ("idle", f"SIGTERM when idle, worst of {rounds}", IDLE_S),
        ("busy", f"SIGTERM in the middle of a render that goes on, worst of {rounds}", BUSY_S),
    ):
        worst = max(times[name])
        yield Row(what, f"<= {limit:g} s", f"{worst:.2f} s", worst <= limit)


def _exposure(what: str, limit: float, *, gpu: bool) -> Row:
    asked = f"<= {limit}"
    if shutil.which("systemd-analyze") is None:
        return Row(what, asked, "no systemd-analyze here", met=False)
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "vitrine.service"
        shutil.copy(UNITS / "vitrine.service", unit)
        if gpu:
            unit.with_name("vitrine.service.d").mkdir()
            shutil.copy(UNITS / "vitrine-gpu.conf", unit.with_name("vitrine.service.d") / "gpu.conf")
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([\d.]+)", shown.stdout)
    if found is None:
        return Row(what, asked, f"cannot be judged here: {shown.stderr.strip()[:80]}", met=False)
    return Row(what, asked, found[1], float(found[1]) <= limit)


def _round(number: int, *, busy: bool) -> tuple[float, float]:
    """Seconds until READY=1, and seconds from SIGTERM to the end."""
    with studio_folder("service") as folder:
        studio = Studio(folder / "studio")
        studio.create()
        (studio.root / "vitrine.toml").write_text(SETTINGS)
        (folder / "flags").mkdir()
        (folder / "flags" / "behave").write_text("hang" if busy else "")
        ear = Ear(folder / "notify")
        daemon = Daemon(studio.root, folder / "flags", {"NOTIFY_SOCKET": ear.address})
        try:
            started = time.monotonic()
            daemon.start(wait=False)
            until(lambda: "READY=1" in ear.heard, 30, "READY=1")
            ready = time.monotonic() - started
            if busy:
                daemon.drop("ring.jpg", jpeg(number))
                until((folder / "flags" / "hanging").exists, 30, "a busy worker")
            else:
                until(lambda: ear.status() and daemon.workers(), 30, "a worker")
            stopped = time.monotonic()
            code = daemon.stop(signal.SIGTERM, 60)
            stop = time.monotonic() - stopped
        finally:
            daemon.end()
            ear.close()
        if code:
            raise RuntimeError(daemon.said()[-2000:])
        if busy and daemon.rows("SELECT state, attempts FROM jobs") != [("waiting", 0)]:
            raise RuntimeError("the job was not given back as if it had not been begun")
        return ready, stop


PROOFS = {"service": service}
