"""The systemd service: how open it is, how soon it is ready and stops, that its watchdog does not kill a daemon that is well.

Exposure is systemd's own figure, offline.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import sqlite3
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
WATCHDOG_S = 60.0  # as in the unit
LOCKED_S = 90.0  # longer than that, and than a scan may be old


def service(share: float, say: Say) -> Iterator[Row]:
    """Exposure, then starts and stops; of each the worst of all rounds counts."""
    yield _exposure("exposure without network and card", 0.5, gpu=False)
    yield _exposure("exposure with the drop-in for a card", 1.7, gpu=True)
    yield _silence(LOCKED_S if share > 0.5 else 45.0, say)
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


@contextlib.contextmanager
def _heard(behave: str) -> Iterator[tuple[Daemon, Ear]]:
    """A daemon, not started yet, and the service manager's ear."""
    with studio_folder("service") as folder:
        studio = Studio(folder / "studio")
        studio.create()
        (studio.root / "vitrine.toml").write_text(SETTINGS)
        (folder / "flags").mkdir()
        (folder / "flags" / "behave").write_text(behave)
        ear = Ear(folder / "notify")
        environment = {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}
        daemon = Daemon(studio.root, folder / "flags", environment)
        try:
            yield daemon, ear
        finally:
            daemon.end()
            ear.close()


def _silence(locked_s: float, say: Say) -> Row:
    """The longest time without a sign of life while another program keeps the ledger, which no new start would mend."""
    what = f"longest silence of the watchdog, ledger locked for {locked_s:g} s"
    with _heard("") as (daemon, ear):
        daemon.start()
        other = sqlite3.connect(daemon.studio.ledger, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        daemon.drop("ring.jpg", jpeg(1))
        begun = last = time.monotonic()
        count, longest = ear.heard.count("WATCHDOG=1"), 0.0
        while time.monotonic() - begun < locked_s:
            time.sleep(0.1)
            now = time.monotonic()
            longest = max(longest, now - last)
            if (heard := ear.heard.count("WATCHDOG=1")) > count:
                count, last = heard, now
        other.execute("ROLLBACK")
        other.close()
        until(lambda: daemon.states() == {"done": 1}, 60, "the photo that waited")
        say(f"service: {what}: {longest:.1f} s")
    return Row(what, f"< {WATCHDOG_S / 2:g} s", f"{longest:.1f} s", longest < WATCHDOG_S / 2)


def _round(number: int, *, busy: bool) -> tuple[float, float]:
    """Seconds until READY=1, and seconds from SIGTERM to the end."""
    with _heard("hang" if busy else "") as (daemon, ear):
        started = time.monotonic()
        daemon.start(wait=False)
        until(lambda: "READY=1" in ear.heard, 30, "READY=1")
        ready = time.monotonic() - started
        if busy:
            daemon.drop("ring.jpg", jpeg(number))
            until((daemon.flags / "hanging").exists, 30, "a busy worker")
        else:
            until(lambda: ear.status() and daemon.workers(), 30, "a worker")
        stopped = time.monotonic()
        code = daemon.stop(signal.SIGTERM, 60)
        stop = time.monotonic() - stopped
        if code:
            raise RuntimeError(daemon.said()[-2000:])
        if busy and daemon.rows("SELECT state, attempts FROM jobs") != [("waiting", 0)]:
            raise RuntimeError("the job was not given back as if it had not been begun")
        return ready, stop


PROOFS = {"service": service}
