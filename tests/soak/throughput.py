"""Proofs about the daemon's own share of the time, and that many workers never do the same job."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from daemon.studio import Studio
from tests.benchmarks import latency
from tests.daemon.studios import SETTINGS, Daemon, jpeg
from tests.soak.proof import Row, Say, share_of, studio_folder

FILES, DROPS, JOBS, WORKERS = 600, 200, 10_000, 4
OVERHEAD_MS, A_MINUTE, P50_MS, P99_MS = 60.0, 300, 100.0, 1000.0


def overhead(share: float, say: Say) -> Iterator[Row]:
    """A renderer that does nothing: seconds from the start of a full inbox to its end; then files one by one."""
    files = share_of(FILES, share, 20)
    with studio_folder("overhead") as place:
        daemon = _studio(place, files, latency.SAMPLE.read_bytes(), "")
        daemon.start()
        started = time.monotonic()
        _wait(daemon, files, say)
        took = time.monotonic() - started
        daemon.stop()
    each, minute = took / files * 1000, files / took * 60
    yield Row(
        f"overhead, {files} files, 1 worker",
        f"<= {OVERHEAD_MS:g} ms a file",
        f"{each:.0f} ms",
        met=each <= OVERHEAD_MS,
    )
    yield Row("files a minute", f">= {A_MINUTE}", f"{minute:.0f}", met=minute >= A_MINUTE)
    times = sorted(latency.measure(share_of(DROPS, share, 20)))
    p50, p99 = statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]
    yield Row("file closed -> durable job, median", f"<= {P50_MS:g} ms", f"{p50:.0f} ms", met=p50 <= P50_MS)
    yield Row(
        "file closed -> durable job, 99 of 100", f"<= {P99_MS:g} ms", f"{p99:.0f} ms", met=p99 <= P99_MS
    )


def twice(share: float, say: Say) -> Iterator[Row]:
    """Two daemons are started on one studio, more of them while it works, and four workers share its jobs."""
    jobs = share_of(JOBS, share, 50)
    with studio_folder("twice") as place:
        daemon = _studio(
            place, jobs, jpeg(0), f'workers = {WORKERS}\nworker_threads = 1\noutputs = ["export"]\n'
        )
        others = [Daemon(daemon.studio.root, daemon.flags, daemon._environment) for _ in range(5)]
        daemon.start(wait=False)
        others[0].start(wait=False)
        codes = []
        if others[0].process.poll() is None and daemon.process.poll() is not None:
            daemon, others[0] = others[0], daemon
        for number, other in enumerate(others):
            if number:
                other.start(wait=False)
            codes.append(_loser(daemon, other))
        daemon = daemon if daemon.process.poll() is None else others[0]
        _wait(daemon, jobs, say)
        daemon.stop()
        calls = Counter((daemon.flags / "calls").read_text().split())
        pictures = len(list(daemon.studio.export.rglob("*.jpg")))
    doubles = sum(count - 1 for count in calls.values())
    yield Row(
        "daemons too many, ended with 75",
        f"{len(others)}",
        f"{codes.count(75)}",
        met=codes == [75] * len(others),
    )
    yield Row(f"jobs with {WORKERS} workers", f"{jobs}", f"{pictures}", met=pictures == len(calls) == jobs)
    yield Row("rendered twice", "0", f"{doubles}", met=doubles == 0)


def _loser(daemon: Daemon, other: Daemon) -> int:
    """Exit code of the one of the two that had to give way."""
    while daemon.process.poll() is None and other.process.poll() is None:
        time.sleep(0.05)
    return int(other.process.returncode if other.process.poll() is not None else daemon.process.returncode)


def _studio(place: Path, files: int, photo: bytes, settings: str) -> Daemon:
    """A studio with a full inbox. Each photo gets a tail of its own, so that it is a new one."""
    flags = place / "flags"
    flags.mkdir()
    studio = Studio(place / "studio")
    studio.create()
    (studio.root / "vitrine.toml").write_text(SETTINGS.replace("scan_s = 1.0", "scan_s = 10.0") + settings)
    for number in range(files):
        (studio.inbox / "rings" / f"p{number:05}.jpg").write_bytes(photo + number.to_bytes(4, "big"))
    return Daemon(studio.root, flags, {"VITRINE_RENDERER": "quick:nothing"})


def _wait(daemon: Daemon, files: int, say: Say) -> None:
    """Until all are done."""
    told = time.monotonic()
    while (done := daemon.states().get("done", 0)) < files:
        if daemon.process.poll() is not None:
            raise RuntimeError(daemon.said()[-2000:])
        if time.monotonic() - told > 20:
            told = time.monotonic()
            say(f"{done} of {files} done, load {os.getloadavg()[0]:.1f}")
        time.sleep(0.1)


PROOFS = {"overhead": overhead, "twice": twice}
