"""The supervisor over ten thousand photos: small, flat, without an imaging library; what is wrong shows within 10 s.

The renderer does next to nothing (`quick.render`), so that the supervisor is what is measured. Every state is caused for
real: signals, a burst of events, the kernel's limits of inotify in a user namespace, a lock on the ledger, a broken file.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from daemon.bulletin import resident_bytes
from daemon.studio import Studio
from tests.daemon.seeing import Ear, Sight
from tests.daemon.studios import Daemon, jpeg, until
from tests.soak.proof import Row, Say, share_of, studio_folder

FILES = 10_000
LIMIT_MB, GROWTH_MB, FLAT_MB, SEEN_S = 150.0, 5.0, 2.0, 10.0
_IMAGING = re.compile(
    r"numpy|cv2|opencv|PIL/|pillow|torch|onnx|scipy|OpenColorIO|PyOpenColorIO", re.IGNORECASE
)
_AT_ONCE = 400  # photos in the inbox at a time, as a shop that drops all day
_BURST = 12_000  # files made while the daemon sleeps: more events than the kernel's queue takes
SETTINGS = 'settle_s = 0.05\nscan_s = 60.0\noutputs = ["export"]\n'


@contextlib.contextmanager
def _watched(
    name: str, settings: str = SETTINGS, renderer: str = "quick:render"
) -> Iterator[tuple[Daemon, Sight]]:
    """A daemon that is not started yet, and the four places to look at."""
    with studio_folder(name) as folder, tempfile.TemporaryDirectory(prefix="vitrine-run-") as run:
        studio = Studio(folder / "studio")
        studio.create()
        (studio.root / "vitrine.toml").write_text(settings)
        (folder / "flags").mkdir()
        ear = Ear(folder / "notify")
        environment = {"NOTIFY_SOCKET": ear.address, "RUNTIME_DIRECTORY": run}
        daemon = Daemon(studio.root, folder / "flags", environment | {"VITRINE_RENDERER": renderer})
        try:
            yield daemon, Sight(studio, ear, environment)
        finally:
            daemon.end()
            ear.close()


def supervisor(share: float, say: Say) -> Iterator[Row]:
    """Memory over many photos, then every state that can be caused for real."""
    count = share_of(FILES, share, 100)
    with _watched("supervisor") as (daemon, sight):
        daemon.start()
        yield from _memory(daemon, count, say)
        for code, cause, undo in _causes(daemon):
            yield _seen(sight, code, cause)
            undo()
            _over(sight, code)
    with _watched("limits") as (daemon, sight):
        yield _polling(daemon, sight)


def _memory(daemon: Daemon, count: int, say: Say) -> Iterator[Row]:
    started, sizes, done = time.monotonic(), [], 0
    for first in range(0, count, _AT_ONCE):
        last = min(first + _AT_ONCE, count)
        for number in range(first, last):
            daemon.drop(f"{number}.jpg", jpeg(number, (32, 24)), f"rings/{number // 1000}")
        while (done := daemon.states().get("done", 0)) < last:
            sizes.append((done, resident_bytes(daemon.process.pid)))
            if daemon.process.poll() is not None:
                raise RuntimeError(daemon.said()[-2000:])
            time.sleep(0.25)
        say(f"supervisor: {done} of {count}, {sizes[-1][1] / 1e6:.1f} MB")
    took = time.monotonic() - started
    settled = max(size for at, size in sizes if at <= max(count // 10, _AT_ONCE))
    peak = max(size for _, size in sizes)
    yield Row(f"photos done of {count}", f"{count}", f"{done} in {took:.0f} s", done == count)
    yield Row("resident memory", f"<= {LIMIT_MB:g} MB", f"{peak / 1e6:.1f} MB", peak <= LIMIT_MB * 1e6)
    grown = (peak - settled) / 1e6
    yield Row("growth after the first tenth", f"<= {GROWTH_MB:g} MB", f"{grown:.1f} MB", grown <= GROWTH_MB)
    # The first minute fills what has a size of its own (SQLite's pages, a minute of the log, what lies between two scans).
    warm = max(size for at, size in sizes if at <= max(3 * count // 10, _AT_ONCE))
    grown = (peak - warm) / 1e6
    yield Row(
        "growth from 30 % of them to the last", f"<= {FLAT_MB:g} MB", f"{grown:.1f} MB", grown <= FLAT_MB
    )
    maps = Path(f"/proc/{daemon.process.pid}/maps").read_text(errors="replace")
    found = sorted({line.rpartition("/")[2] for line in maps.splitlines() if _IMAGING.search(line)})
    yield Row("imaging libraries in its maps", "none", ", ".join(found) or "none", not found)


def _seen(sight: Sight, code: str, cause: Callable[[], Callable[[], object] | None]) -> Row:
    """Cause it; seconds until it shows in all four places. What `cause` returns is done again while waiting."""
    more = cause() or (lambda: None)
    started = time.monotonic()
    while not (shown := sight.everywhere(code)) and time.monotonic() - started < 6 * SEEN_S:
        more()
        time.sleep(0.05)
    took = time.monotonic() - started
    where = (
        "" if shown else f", missing in {[place for place, seen in sight.shows(code).items() if not seen]}"
    )
    what = f"{code}: shown in status, STATUS, metrics, log"
    return Row(what, f"<= {SEEN_S:g} s", f"{took:.1f} s{where}", shown and took <= SEEN_S)


def _over(sight: Sight, code: str) -> None:
    """States that are shown on for a while (overflow, workers) are not waited for."""
    if code not in {"overflow", "workers"}:
        until(lambda: sight.nowhere(code), 30, f"the end of {code}")


def _causes(
    daemon: Daemon,
) -> Iterator[tuple[str, Callable[[], Callable[[], object] | None], Callable[[], object]]]:
    """Code, how to cause it, how to undo it. The clock starts when `cause` returns."""
    toml = daemon.studio.root / "vitrine.toml"
    yield "settings", lambda: _write(toml, SETTINGS + "wokers = 2\n"), lambda: _write(toml, SETTINGS)
    away = daemon.studio.root / "elsewhere"
    yield "missing", lambda: _move(daemon.studio.inbox, away), lambda: _move(away, daemon.studio.inbox)
    other = sqlite3.connect(daemon.studio.ledger, isolation_level=None)
    yield "ledger", lambda: _lock(daemon, other), lambda: other.execute("ROLLBACK")
    other.close()
    yield "overflow", lambda: _burst(daemon), lambda: None
    yield "workers", lambda: lambda: _shoot(daemon), lambda: None


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _move(source: Path, target: Path) -> None:
    source.rename(target)


def _lock(daemon: Daemon, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    daemon.drop("late.jpg", jpeg(FILES + 1, (32, 24)))


def _burst(daemon: Daemon) -> None:
    daemon.process.send_signal(signal.SIGSTOP)
    folder = daemon.studio.inbox / "rings"
    for number in range(_BURST):
        (folder / f"{number}.part").touch()
    daemon.process.send_signal(signal.SIGCONT)


def _shoot(daemon: Daemon) -> None:
    for worker in daemon.workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def _polling(daemon: Daemon, sight: Sight) -> Row:
    order = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"'
    prefix = ("unshare", "--user", "--map-root-user", "sh", "-c", order, "sh")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        return Row("polling: shown", f"<= {SEEN_S:g} s", "no user namespace can be made here", met=False)
    daemon.within = prefix
    return _seen(sight, "polling", lambda: daemon.start(wait=False) and None)


def storm(share: float, say: Say) -> Iterator[Row]:
    """Files that all fail, dropped at once: bytes of log and stderr together in the worst minute."""
    count = share_of(FILES, share, 500)
    with _watched("storm") as (daemon, _):
        for number in range(count):
            daemon.drop(f"letter-{number}.jpg", b"dear madam, %d" % number, f"rings/{number // 1000}")
        daemon.start()
        written: list[tuple[float, int]] = []
        while (done := daemon.states().get("rejected", 0)) < count:
            written.append((time.monotonic(), _bytes(daemon)))
            if daemon.process.poll() is not None:
                raise RuntimeError(daemon.said()[-2000:])
            if len(written) % 40 == 0:
                say(f"storm: {done} of {count}, {written[-1][1] / 1e6:.2f} MB")
            time.sleep(0.5)
        written.append((time.monotonic(), _bytes(daemon)))
    worst = max(size - _before(written, at - 60.0) for at, size in written)
    took = written[-1][0] - written[0][0]
    yield Row(
        f"files rejected with a reason, of {count}", f"{count}", f"{done} in {took:.0f} s", done == count
    )
    yield Row("log and stderr in the worst minute", "< 1 MB", f"{worst / 1e6:.2f} MB", worst < 1_000_000)


def _bytes(daemon: Daemon) -> int:
    """Written so far. The log turns its pages at 2 MB and keeps four, more than a proof of this length writes."""
    pages = sum(path.stat().st_size for path in daemon.studio.logs.iterdir())
    return pages + (daemon.flags / "stderr").stat().st_size


def _before(written: list[tuple[float, int]], when: float) -> int:
    return max((size for at, size in written if at <= when), default=0)


PROOFS = {"supervisor": supervisor, "storm": storm}
