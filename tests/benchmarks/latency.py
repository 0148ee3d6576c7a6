"""How long from "the file is closed" to "the job is durable", through a real daemon. Run: python -m tests.benchmarks.latency."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "presets" / "samples" / "ring_solitaire.jpg"
_TIMEOUT_S = 30.0


def measure(count: int = 30, photo: bytes | None = None) -> list[float]:
    """Milliseconds for each of `count` photos dropped one after the other into an overnight folder.

    Overnight, outside the window: the jobs wait, so that no render competes for the processor. `photo`: the file's
    bytes (default: a sample); each copy gets a tail of its own, so that it is a new photo.
    """
    data = SAMPLE.read_bytes() if photo is None else photo
    with tempfile.TemporaryDirectory(prefix="vitrine-latency-") as folder:
        studio = Path(folder)
        later = dt.datetime.now().astimezone() + dt.timedelta(hours=6)
        window = f'[overnight]\nstart = "{later:%H:%M}"\nend = "{later + dt.timedelta(minutes=1):%H:%M}"\n'
        (studio / "vitrine.toml").write_text(window)
        daemon = subprocess.Popen(
            [sys.executable, "-c", "from daemon.cli import main; main()", "run", "--studio", folder],
            env=os.environ | {"VITRINE_RENDERER": "builtins:print"},
            stderr=subprocess.PIPE,
        )
        try:
            _wait_for_start(daemon)
            return [_drop(studio, number, data) for number in range(count)]
        finally:
            daemon.terminate()
            daemon.communicate()


def _wait_for_start(daemon: subprocess.Popen[bytes]) -> None:
    for line in daemon.stderr or ():
        if b"watching" in line:
            return
    raise RuntimeError("the daemon did not start")


def _drop(studio: Path, number: int, data: bytes) -> float:
    folder = studio / "inbox" / "rings--overnight"
    folder.mkdir(exist_ok=True)
    path = folder / f"ring-{number}.jpg"
    connection = sqlite3.connect(studio / ".vitrine" / "ledger" / "ledger.sqlite", timeout=10)
    query = "SELECT count(*) FROM jobs JOIN drops ON drops.id = jobs.drop_id WHERE drops.name = ?"
    try:
        with path.open("wb") as stream:
            stream.write(data + number.to_bytes(4, "big"))
        closed = time.perf_counter()
        while connection.execute(query, (path.name,)).fetchone()[0] == 0:
            if time.perf_counter() - closed > _TIMEOUT_S:
                raise TimeoutError(path.name)
            time.sleep(0.0005)
        return (time.perf_counter() - closed) * 1000
    finally:
        connection.close()


def main() -> None:
    """Print the figures."""
    times = sorted(measure())
    worst = times[-1]
    print(f"file closed -> durable job: median {statistics.median(times):.1f} ms, worst {worst:.1f} ms, {len(times)} photos")  # fmt: skip


if __name__ == "__main__":
    main()
