"""Speed and memory, measured on this machine. Owns the measuring; refuses to judge it.

Photos of twelve megapixels are made from the project's samples: 4000 x 3000, as a telephone takes them.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SAMPLES = Path(__file__).parents[2] / "presets" / "samples"
SIZE = (4000, 3000)
PROGRAM = (sys.executable, "-c", "from daemon.cli import main; main()")
LONGEST_S = 1800.0
FOLDERS = {  # by the first word of the sample's name
    "ring": "rings--velvet-navy-moody",
    "earrings": "earrings--marble--soft-glow",
    "bangle": "bangles--festive",
    "pendant": "pendants--velvet-black--spotlight",
    "brooch": "brooches--gradient--studio",
}


def twelve_megapixels(sample: Path, target: Path) -> Path:
    """The sample photo as a 4000 x 3000 JPEG: as high as it goes, its paper going on to the sides."""
    with Image.open(sample) as image:
        fitted = ImageOps.contain(image.convert("RGB"), SIZE, Image.Resampling.LANCZOS)
    _spread(fitted).save(target, "JPEG", quality=92)
    return target


def _spread(fitted: Image.Image) -> Image.Image:
    """The picture in the middle, its outermost pixels repeated to the sides: the light's fall-off has no seam."""
    left, top = (SIZE[0] - fitted.width) // 2, (SIZE[1] - fitted.height) // 2
    pads = ((top, SIZE[1] - fitted.height - top), (left, SIZE[0] - fitted.width - left), (0, 0))
    return Image.fromarray(np.pad(np.asarray(fitted), pads, mode="edge"))


def samples() -> list[Path]:
    """The project's sample photos, the ring first."""
    return sorted(SAMPLES.glob("*.jpg"), key=lambda path: (not path.name.startswith("ring"), path.name))


@contextmanager
def photos(count: int) -> Iterator[list[Path]]:
    """`count` different photos of twelve megapixels, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="vitrine-photos-") as folder:
        made: list[Path] = []
        sources = samples()
        for number in range(count):
            if number < len(sources):
                made.append(
                    twelve_megapixels(sources[number], Path(folder) / f"{number}-{sources[number].name}")
                )
                continue
            twin = made[number % len(sources)]
            copy = Path(folder) / f"{number}-{twin.name.partition('-')[2]}"
            copy.write_bytes(twin.read_bytes() + number.to_bytes(4, "big"))  # another photo by its digest
            made.append(copy)
        yield made


def seconds_by_step(photo: Path, rounds: int, threads: int) -> dict[str, list[float]]:
    """Wall seconds of each step, `rounds` times over, after one round that does not count."""
    import cv2

    from daemon.darkroom import print_pictures
    from pipeline.photo.decode import decode
    from pipeline.render import render
    from presets.library import recipe
    from rules.plan import Watermark

    cv2.setNumThreads(threads)
    wanted = recipe("velvet-navy-moody", "ring")
    times: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        start, processor = time.perf_counter(), time.process_time()
        decoded = decode(photo)
        opened = time.perf_counter()
        picture = render(decoded, wanted)
        rendered = time.perf_counter()
        print_pictures(picture, Watermark(), photo.parent)
        end = time.perf_counter()
        if number == 0:
            continue
        steps = {"decode": opened - start, **picture.seconds, "encode": end - rendered, "all": end - start}
        steps["processor"] = time.process_time() - processor
        for name, seconds in steps.items():
            times.setdefault(name, []).append(seconds)
    return times


@dataclass(frozen=True, slots=True)
class Day:
    """A run of the real daemon. peak_mb: the largest VmHWM of any worker."""

    photos: int
    ended: int
    seconds: float
    peak_mb: float
    published: int

    @property
    def per_hour(self) -> float:
        """Finished photos in an hour, each with all its outputs."""
        return self.ended / self.seconds * 3600


def through_the_daemon(files: Iterable[Path], workers: int) -> Day:
    """Drop files into a running daemon's inbox and wait for the last one."""
    files = list(files)
    with tempfile.TemporaryDirectory(prefix="vitrine-day-") as folder:
        studio = Path(folder)
        (studio / "vitrine.toml").write_text(f"workers = {workers}\nworker_threads = 1\n")
        with (studio / "said").open("wb") as said:
            daemon = subprocess.Popen([*PROGRAM, "run", "--studio", folder], stderr=said)
        try:
            _until(lambda: b"watching" in (studio / "said").read_bytes())
            start = time.perf_counter()
            for file in files:
                word = file.name.partition("-")[2].partition("_")[0]
                target = studio / "inbox" / FOLDERS.get(word, "auto")
                target.mkdir(exist_ok=True)
                shutil.copyfile(file, target / file.name)
            peaks: dict[int, float] = {}

            def all_ended() -> bool:
                peaks.update(worker_peaks(daemon.pid))
                return sum(
                    count for state, count in _states(studio).items() if state not in {"open", "settling"}
                ) >= len(files)

            _until(all_ended)
            seconds = time.perf_counter() - start
            states = _states(studio)
            return Day(
                len(files),
                sum(states.values()),
                seconds,
                max(peaks.values(), default=0.0),
                states.get("done", 0),
            )
        finally:
            daemon.terminate()
            daemon.wait()


def worker_peaks(supervisor: int) -> dict[int, float]:
    """Peak resident megabytes (VmHWM) of each process below the supervisor."""
    peaks = {}
    for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        try:
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child}/status").read_text())
        except FileNotFoundError:
            continue
        if found:
            peaks[int(child)] = int(found[1]) / 1024
    return peaks


def _states(studio: Path) -> dict[str, int]:
    connection = sqlite3.connect(studio / ".vitrine" / "ledger" / "ledger.sqlite", timeout=10)
    try:
        return dict(connection.execute("SELECT state, count(*) FROM drops GROUP BY state").fetchall())
    finally:
        connection.close()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.1)


def median(values: list[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def machine() -> str:
    """What it was measured on."""
    cores = len(os.sched_getaffinity(0))
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[0]
    return f"{cores} cores, {model[1] if model else 'unknown processor'}, load {load:.1f} at the start"
