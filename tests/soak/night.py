"""A night with a thousand photos, ten of them bad, through the whole daemon with the real renderer (draft quality).

The photos are one sample, made different by a comment inside the JPEG file; so each is decoded, cut out, lit, judged,
encoded and delivered three times like any other. The window is opened and closed by changing the settings.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import statistics
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from daemon.studio import Studio
from tests.daemon.studios import Daemon, until
from tests.soak.proof import Row, Say, share_of, studio_folder

SAMPLE = Path(__file__).parents[2] / "presets" / "samples" / "ring_solitaire.jpg"
FOLDER = "rings--overnight--draft"
REAL = "daemon.darkroom:develop"
BAD = 10


def photo() -> bytes:
    """The sample, 900 pixels wide."""
    with Image.open(SAMPLE) as image:
        image.thumbnail((900, 900))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=92)
    return stream.getvalue()


def marked(jpeg: bytes, number: int) -> bytes:
    """The same picture in a file of its own: a comment after the first marker."""
    comment = f"photo {number}".encode()
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:]


def bad_files(jpeg: bytes) -> dict[str, bytes]:
    """Ten that no program could use."""
    half = len(jpeg) // 2
    png = io.BytesIO()
    with Image.open(io.BytesIO(jpeg)) as image:
        image.resize((200, 200)).save(png, "PNG")
    return {
        "letter.jpg": b"Dear madam, the ring you asked for\n" * 20,
        "page.jpg": b"<!DOCTYPE html><html><body>Not found</body></html>",
        "invoice.jpg": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n",
        "empty.jpg": b"",
        "cut-off.jpg": marked(jpeg, 1001)[:half],
        "zero-tail.jpg": marked(jpeg, 1002)[:half] + bytes(len(jpeg) - half),
        "noise.jpg": b"\xff\xd8\xff\xe0" + bytes(at * 73 % 251 for at in range(5000)) + b"\xff\xd9",
        "bomb.png": _bomb(),
        "cut-off.png": png.getvalue()[:-400],
        "damaged.png": png.getvalue()[:60] + b"\x00" * 200 + png.getvalue()[260:],
    }


def _bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 900 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def settings(*, is_open: bool, workers: int) -> str:
    """vitrine.toml with a window that is open now, or is far away."""
    now = dt.datetime.now(dt.UTC)
    first, last = (-1, 20) if is_open else (8, 12)
    start, end = (f"{now + dt.timedelta(hours=at):%H:%M}" for at in (first, last))
    return (
        f'settle_s = 0.05\nscan_s = 1.0\nincomplete_after_s = 1.0\ntime_zone = "UTC"\nsize_px = 512\n'
        f'workers = {workers}\nworker_threads = 1\n[overnight]\nstart = "{start}"\nend = "{end}"\n'
    )


class Memory:
    """Resident memory of the workers at work, megabytes, twice a second."""

    def __init__(self, daemon: Daemon) -> None:
        self.by_worker: dict[int, list[float]] = {}
        self._daemon = daemon
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            for pid in self._daemon.workers():
                try:
                    if b"daemon.worker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                        continue
                    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                except (OSError, IndexError):
                    continue
                self.by_worker.setdefault(pid, []).append(pages / 256)

    def end(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()

    def growth(self, least: int) -> list[float]:
        """For each worker with so many figures: how much the last quarter of its life is above the second one.

        The first quarter is its warm-up; one that was started near the end has too few figures to tell.
        """
        found = []
        for figures in self.by_worker.values():
            if len(figures) >= least:
                quarter = len(figures) // 4
                early = statistics.median(figures[quarter : 2 * quarter])
                found.append(statistics.median(figures[-quarter:]) / early - 1)
        return found


@contextmanager
def at_work(root: Path, renderer: str, workers: int) -> Iterator[Daemon]:
    """A daemon in a new studio whose window is closed."""
    studio, flags = root / "studio", root / "flags"
    flags.mkdir()
    Studio(studio).create()
    (studio / "vitrine.toml").write_text(settings(is_open=False, workers=workers))
    daemon = Daemon(studio, flags, {"VITRINE_RENDERER": renderer})
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.end()


def night(share: float, say: Say, renderer: str = REAL, workers: int = 2) -> Iterator[Row]:
    """All photos of a night are accounted for, in the ledger, on the disk and in the morning report."""
    count = share_of(1000, share, 20)
    with studio_folder("night") as root, at_work(root, renderer, workers) as daemon:
        studio = daemon.studio
        sample = photo()
        bad = bad_files(sample)
        started = time.monotonic()
        for number in range(count - BAD):
            daemon.drop(f"ring-{number:04}.jpg", marked(sample, number), FOLDER)
        for name, data in bad.items():
            daemon.drop(name, data, FOLDER)
        until(lambda: _taken(daemon) >= count - 3, 600, "all photos to be taken")
        say(f"night: {count} photos taken in {time.monotonic() - started:.0f} s")
        early = len(list(studio.export.rglob("*.jpg")))
        yield Row("photos rendered before the window", "0", str(early), early == 0)
        began = time.monotonic()
        (studio.root / "vitrine.toml").write_text(settings(is_open=True, workers=workers))
        until(lambda: daemon.states().get("done"), 120, "the first picture")
        memory = Memory(daemon)
        try:
            _wait(daemon, count, say)
        finally:
            memory.end()
        spent = time.monotonic() - began
        (studio.root / "vitrine.toml").write_text(settings(is_open=False, workers=workers))
        until(lambda: list(studio.reports.glob("*-sheet.jpg")), 120, "the contact sheet")
        yield from _figures(daemon, count, list(bad))
        yield from _memory(memory)
        yield Row("time", "-", f"{spent:.0f} s, {3600 * count / spent:.0f} photos an hour", met=True)
        code = daemon.stop()
        yield Row("the daemon stops with", "0", str(code), code == 0)


def _taken(daemon: Daemon) -> int:
    return sum(count for state, count in daemon.states().items() if state not in {"settling", "ignored"})


def _wait(daemon: Daemon, count: int, say: Say) -> None:
    """Until all have ended."""
    told = time.monotonic()
    end = told + 30.0 * count + 120
    while (states := daemon.states()).get("done", 0) + states.get("rejected", 0) < count:
        if daemon.process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"{states} after too long; {daemon.said()[-2000:]}")
        if time.monotonic() - told > 30:
            told = time.monotonic()
            say(f"night: {states}")
        time.sleep(0.2)


def _figures(daemon: Daemon, count: int, bad: list[str]) -> Iterator[Row]:
    studio, good = daemon.studio, count - len(bad)
    states = daemon.states()
    yield Row("done", str(good), str(states.get("done", 0)), states.get("done", 0) == good)
    shown = [
        len(list(folder.rglob("*.jpg"))) for folder in (studio.export, studio.watermark, studio.instagram)
    ]
    yield Row("pictures in each of three folders", str(good), str(shown), shown == [good] * 3)
    reasons = [
        (studio.rejected / FOLDER / f"{name}.reason.txt").exists()
        and (studio.rejected / FOLDER / name).exists()
        for name in bad
    ]
    yield Row("bad ones in rejected/ with a reason", str(len(bad)), str(sum(reasons)), all(reasons))
    tries = daemon.rows("SELECT coalesce(max(attempts), 0) FROM jobs WHERE state = 'rejected'")[0][0]
    yield Row("tries that a bad photo cost, at most", "3", str(tries), tries <= 3)
    batches = daemon.rows("SELECT state, cause FROM batches")
    yield Row("batches", "1, by its window", str(batches), batches == [("ended", "window")])
    (path,) = studio.reports.glob("*.json")
    report = json.loads(path.read_text())
    account = report["account"]
    right = account["seen"] == count == account["done"] + account["rejected"] and account["unexplained"] == 0
    sums = (
        f"{account['seen']} = {account['done']} + {account['rejected']}, {account['unexplained']} unexplained"
    )
    yield Row("sums of the morning report", f"{count} = {good} + {len(bad)}, 0 unexplained", sums, right)
    whole = report["whole_studio"]
    yield Row(
        "sums of the whole studio", "equal", "equal" if whole == account else str(whole), whole == account
    )
    held = {one["name"] for one in report["held"] if one["reason"]}
    yield Row("bad ones named with a reason", str(len(bad)), str(len(held & set(bad))), held == set(bad))
    seconds = report["seconds_per_photo"]
    words = f"{seconds['median']} s in the middle, {seconds['worst']} s at most"
    yield Row("seconds per photo", "known", words, met=seconds["photos"] >= good)


def _memory(memory: Memory) -> Iterator[Row]:
    grown = memory.growth(least=60)
    peak = max((max(figures) for figures in memory.by_worker.values()), default=0.0)
    each = " ".join(f"{one:+.1%}" for one in grown)
    words = f"{each}, {peak:.0f} MB at most" if grown else "too short to tell"
    yield Row(
        "memory of each worker, from its 2nd to its 4th quarter",
        "< +5 %",
        words,
        met=bool(grown) and max(grown) < 0.05,
    )


PROOFS = {"night": night}
