"""A hundred thousand files at once, more than the system can tell of: all are found, from the disk itself (FM-05 to FM-10)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from daemon.live import Live
from daemon.studio_lock import holder
from tests.daemon.studios import Daemon, jpeg
from tests.soak._dropping import running, wait_for
from tests.soak.proof import Proof, Row, Say, share_of

FILES, OVERFLOWS, FOUND_S = 100_000, 3, 30.0
# Nothing is taken, so that only the finding is measured: the files are the beginnings of photos.
SETTINGS = "incomplete_after_s = 86400\n"
STUB = b"\xff\xd8\xff\xe0"


def burst(share: float, say: Say) -> Iterator[Row]:
    """Three times the daemon is stopped until its event queue overflows; then a new root stands in the old one's place."""
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    part = share_of(FILES, share) // (OVERFLOWS + 1)
    watched = max(part // 2, queue // 2 + 1000)  # into folders that are watched already: two events each
    with running("burst", SETTINGS) as daemon:
        inbox = daemon.studio.inbox
        dropped = 0
        for folder, way in (("rings", _flat), ("sets", _nested), ("bangles", _moved)):
            os.kill(daemon.process.pid, signal.SIGSTOP)
            dropped += _flat(inbox, watched, folder) + way(inbox, max(part - watched, 1000))
            os.kill(daemon.process.pid, signal.SIGCONT)
            took = wait_for(lambda count=dropped: _found(daemon) >= count, 120)
            say(f"burst: {dropped} dropped, {_found(daemon)} found after {took} s")
        inbox.rename(inbox.with_name("inbox-before"))
        inbox.mkdir()
        dropped += _flat(inbox, max(part, 1000), "anew")
        took = wait_for(lambda: _found(daemon) >= dropped, 300)
        rows, paths = daemon.rows("SELECT count(*), count(DISTINCT path) FROM drops")[0]
        yield Row(
            "event queue overflowed",
            f">= {OVERFLOWS} times",
            str(overflows := _overflows(daemon)),
            met=overflows >= OVERFLOWS,
        )
        wanted = share_of(FILES, share)
        yield Row(
            "files dropped: flat, nested, moved in, new root",
            str(wanted),
            str(dropped),
            met=dropped >= wanted,
        )
        yield Row("files missed", "0", str(dropped - paths), met=dropped == paths)
        yield Row("files counted twice", "0", str(rows - paths), met=rows == paths)
        shown = "not all" if took is None else f"{took:.1f} s"
        yield Row(
            "all in the ledger after the last drop",
            f"<= {FOUND_S:g} s",
            shown,
            met=took is not None and took <= FOUND_S,
        )
        path = inbox / "anew" / "whole.jpg"
        path.write_bytes(jpeg(1))
        took = wait_for(lambda: bool(daemon.rows("SELECT 1 FROM jobs")), 60, 0.01)
        shown = "never" if took is None else f"{took:.1f} s"
        yield Row(
            "a whole photo dropped behind all these: job after",
            "<= 10 s",
            shown,
            met=took is not None and took <= 10,
        )


def _overflows(daemon: Daemon) -> int:
    """As the daemon's live state counts them; its log may tell of two in one line."""
    held = holder(daemon.studio)
    return int(Live(Path(held.run)).read().get("overflows", 0)) if held else 0


def _found(daemon: Daemon) -> int:
    return daemon.rows("SELECT count(*) FROM drops")[0][0]


def _write(path: Path) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    os.write(handle, STUB)
    os.close(handle)


def _flat(inbox: Path, count: int, name: str = "flat") -> int:
    folder = inbox / name
    folder.mkdir(exist_ok=True)
    for number in range(count):
        _write(folder / f"{number}.jpg")
    return count


def _nested(inbox: Path, count: int) -> int:
    """New folders in new folders, five files each, at once."""
    trees = count // 5
    for tree in range(trees):
        folder = inbox / "nested" / str(tree // 100) / str(tree) / "c"
        folder.mkdir(parents=True)
        for number in range(5):
            _write(folder / f"{number}.jpg")
    return 5 * trees


def _moved(inbox: Path, count: int) -> int:
    """Trees made elsewhere and renamed into the inbox."""
    trees = count // 4
    outside = inbox.with_name("outside")
    for tree in range(trees):
        folder = outside / str(tree) / "inner"
        folder.mkdir(parents=True)
        for number in range(4):
            _write(folder / f"{number}.jpg")
    for tree in range(trees):
        (outside / str(tree)).rename(inbox / f"moved{tree}")
    outside.rmdir()
    return 4 * trees


PROOFS: dict[str, Proof] = {"burst": burst}
