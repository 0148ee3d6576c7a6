"""Studios for tests and long proofs: real files, real processes. `quick.py` beside this file is the renderer they use."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from daemon.arrivals import Arrivals
from daemon.drops import Drops
from daemon.intake import Intake
from daemon.ledger import Ledger
from daemon.settings import load_settings
from daemon.settle import Settle
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio
from daemon.task import Bench
from daemon.worker import Worker

HERE = Path(__file__).parent
_NOBODY = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)  # listens to the workers in this process
SETTINGS = "settle_s = 0.05\nscan_s = 1.0\nincomplete_after_s = 1.0\n"


def jpeg(seed=0, size=(96, 64)):
    pixels = np.random.Generator(np.random.PCG64(seed)).integers(
        0, 255, (size[1], size[0], 3), dtype=np.uint8
    )
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def busy():
    """How many times as long things may take now, since this machine has other work too; about 1 when it has none.

    The mean of the last minute knows nothing of a load that has just begun, the moment nothing of one that pauses.
    """
    mean, _, _, moment, _ = Path("/proc/loadavg").read_text().split()
    running = int(moment.split("/")[0]) - 1  # without who asks
    return 1.0 + max(float(mean), running) / (os.cpu_count() or 1)


class Deadline:
    """Seconds on a machine of one's own; more are given while it is busy, so that only what is promised can fail."""

    def __init__(self, timeout_s):
        self.timeout_s = timeout_s
        self._started = time.monotonic()
        self._busiest = 1.0

    def passed(self):
        waited = time.monotonic() - self._started
        if waited > self.timeout_s * self._busiest:
            self._busiest = max(self._busiest, busy())
        return waited > self.timeout_s * self._busiest


def until(condition, timeout_s=15.0, what="the condition"):
    """Poll with a deadline; what it returned."""
    deadline = Deadline(timeout_s)
    while not deadline.passed():
        if result := condition():
            return result
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come true within {timeout_s} s")


class Hall:
    """A studio with everything of the daemon in this process but the loop; time is passed in."""

    def __init__(self, root, flags):
        self.studio = Studio(root)
        self.studio.create()
        (root / "vitrine.toml").write_text(SETTINGS)
        self.flags = flags
        self.ledger = Ledger(self.studio.ledger)
        self.drops = Drops(self.ledger)
        self.store = SqliteStore(self.ledger)
        self.settings = load_settings(root)
        self.intake = Intake(self.studio, self.ledger, self.settings.rules)
        self.settle = Settle(0.05, 60.0)
        self.arrivals = Arrivals(self.studio, self.ledger, self.intake, self.settle)
        self.now = 1000.0
        self.renderer = "behave"  # of quick.py

    def drop(self, name, data, folder="rings"):
        path = self.studio.inbox / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def pass_time(self, seconds=0.1):
        """Two looks around, `seconds` apart."""
        self.arrivals.look_everywhere(self.now)
        taken = self.arrivals.advance(self.now)
        self.now += seconds
        self.arrivals.look_everywhere(self.now)
        return taken + self.arrivals.advance(self.now)

    def worker(self):
        import quick

        renderer = getattr(quick, self.renderer)
        bench = Bench(self.studio, self.settings, renderer, self.store, 60.0)
        return Worker(bench, self.drops, _NOBODY)

    def work(self, queues=("urgent", "normal")):
        """Do all that waits, also what waits for its second try."""
        self.ready()
        count = 0
        worker = self.worker()
        while worker.work_once(queues):
            count += 1
        return count

    def ready(self):
        """Let the time of all waiting jobs have come."""
        self.ledger.connection.execute("UPDATE jobs SET not_before = 0")

    def behave(self, order):
        (self.flags / "behave").write_text(order)

    def files(self, folder):
        top = self.studio.root / folder
        return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())

    def account(self, **expected):
        account = self.drops.account()
        assert account["unexplained"] == 0
        assert {name: count for name, count in account.items() if count and name != "seen"} == expected
        assert account["seen"] == sum(expected.values())


class Daemon:
    """`vitrine run` as the owner starts it, with the quick renderer."""

    def __init__(self, root, flags, environment=None):
        self.studio = Studio(root)
        self.flags = flags
        self._environment = environment or {}
        self.within = []  # a command to start it with, which becomes the daemon (nsenter, setpriv)
        self.process = None

    def start(self, *arguments, wait=True):
        with (self.flags / "stderr").open("a") as log:
            self.process = subprocess.Popen(
                [
                    *self.within,
                    sys.executable,
                    "-c",
                    "from daemon.cli import main; main()",
                    "run",
                    "--studio",
                    self.studio.root,
                    *arguments,
                ],
                env=os.environ
                | {
                    "VITRINE_RENDERER": "quick:behave",
                    "VITRINE_TEST_FLAGS": str(self.flags),
                    "PYTHONPATH": str(HERE),
                }
                | self._environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        if wait:
            until(lambda: "watching" in self.said() or self.process.poll() is not None, what="the start")
        return self

    def said(self):
        return (self.flags / "stderr").read_text(errors="replace")

    def rows(self, sql, *values):
        """Ask the ledger from outside."""
        if not self.studio.ledger.exists():
            return []
        connection = sqlite3.connect(self.studio.ledger, timeout=10)
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            connection.close()

    def states(self):
        return dict(self.rows("SELECT state, count(*) FROM drops GROUP BY state"))

    def settled(self, timeout_s=20.0, **states):
        deadline = Deadline(timeout_s)
        while self.states() != states:
            assert not deadline.passed(), f"wanted {states}, is {self.states()}; {self.said()[-3000:]}"
            assert self.process.poll() is None, self.said()[-3000:]
            time.sleep(0.03)

    def drop(self, name, data, folder="rings"):
        path = self.studio.inbox / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def workers(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]

    def stop(self, number=signal.SIGTERM, timeout_s=20):
        self.process.send_signal(number)
        return self.process.wait(timeout_s * busy())

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
