"""A thousand copies as cameras, scanners and copy programs make them: none is taken half, none that is good refused (FM-01 to FM-04)."""

from __future__ import annotations

import concurrent.futures
import hashlib
import io
import os
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tests.daemon.studios import Daemon
from tests.soak._dropping import running, wait_for
from tests.soak.proof import Proof, Row, Say, share_of

COPIES, AT_ONCE = 1000, 120
FORMATS = ("JPEG", "WEBP", "TIFF", "PNG")
STALLS_S = (3.0,) * 14 + (20.0,) * 5 + (90.0,)  # at most one long one per copy
SETTINGS = "settle_s = 1\nworkers = 2\n"
Way = Callable[
    [Path, bytes, float, Path], None
]  # target, content, stall in seconds, a source file with the content


def copies(share: float, say: Say) -> Iterator[Row]:
    """Many at once, each with its own way and its own stall, into the running daemon."""
    wanted = share_of(COPIES, share, len(WAYS) * len(FORMATS))
    ways = {name: way for name, way in WAYS.items() if shutil.which(name.split()[0]) or name in OWN}
    for missing in WAYS.keys() - ways.keys():
        say(f"copies: left out, its program is not installed: {missing}")
    with running("copies", SETTINGS) as daemon:
        sources = daemon.flags / "sources"
        sources.mkdir()
        rng = random.Random(1)
        whole: dict[str, str] = {}  # digest -> what it was
        orders = []
        for number in range(wanted):
            kind, way = FORMATS[number % 4], list(ways)[(number // 4) % len(ways)]
            data = photo(kind, number)
            source = sources / f"{number}.{kind.lower()}"
            source.write_bytes(data)
            whole[hashlib.sha256(data).hexdigest()] = f"{way}, {kind}"
            folder = daemon.studio.inbox / ("rings", "earrings", "sets")[number % 3]
            orders.append((ways[way], folder / source.name, data, rng.choice(STALLS_S), source))
        rng.shuffle(orders)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for future in [pool.submit(way, *rest) for way, *rest in orders]:
                future.result()
        say(f"copies: all {wanted} are written; {daemon.states()}")
        wait_for(lambda: daemon.states() == {"done": wanted}, 120 + wanted / 5)
        yield from _judged(daemon, whole, wanted, len(ways))


def _judged(daemon: Daemon, whole: dict[str, str], wanted: int, ways: int) -> Iterator[Row]:
    taken = daemon.rows("SELECT digest, state, path FROM drops WHERE digest IS NOT NULL")
    partial = [path for digest, _, path in taken if digest not in whole]
    done = {digest for digest, state, _ in taken if state == "done"}
    refused = Counter(what for digest, what in whole.items() if digest not in done)
    yield Row(
        "copies, in so many ways and four formats",
        f"{COPIES}, {len(WAYS)}",
        f"{wanted}, {ways}",
        met=ways >= len(OWN),
    )
    yield Row("partial content accepted", "0", str(len(partial)), met=not partial)
    shown = f"{refused.total()} {dict(refused) or ''}".strip()
    yield Row("good files refused or missed", "0", shown, met=not refused)
    rejected = daemon.rows("SELECT count(*) FROM drops WHERE state = 'rejected'")[0][0]
    yield Row("rejected", "0", str(rejected), met=rejected == 0)


def photo(kind: str, seed: int) -> bytes:
    """A whole file of the format, of noise, so that no stretch of it is zeros by itself."""
    pixels = np.random.Generator(np.random.PCG64(seed)).integers(30, 250, (160, 160, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(
        stream, kind, **({"progressive": True} if kind == "JPEG" and seed % 8 else {})
    )
    return stream.getvalue()


def _pieces(data: bytes) -> list[tuple[int, bytes]]:
    step = len(data) // 4 + 1
    return [(at, data[at : at + step]) for at in range(0, len(data), step)]


def _pause(number: int, stall_s: float) -> None:
    """The long stall in the middle, short ones elsewhere. This is the copy's own slowness, nothing waits for it."""
    time.sleep(stall_s if number == 2 else 0.3)


def _stalls(target: Path, data: bytes, stall_s: float, _: Path) -> None:
    with target.open("wb", buffering=0) as writer:
        for number, (_at, piece) in enumerate(_pieces(data)):
            _pause(number, stall_s)
            writer.write(piece)
        _pause(0, stall_s)  # whole, and still open


def _reopens(target: Path, data: bytes, stall_s: float, _: Path) -> None:
    for number, (_at, piece) in enumerate(_pieces(data)):
        with target.open("ab") as writer:
            writer.write(piece)
        _pause(number, stall_s)


def _preallocates(target: Path, data: bytes, stall_s: float, _: Path) -> None:
    handle = os.open(target, os.O_CREAT | os.O_WRONLY, 0o644)
    os.posix_fallocate(handle, 0, len(data))
    os.close(handle)
    for number, (at, piece) in enumerate(_pieces(data)):
        _pause(number, stall_s)
        with target.open("r+b") as writer:
            writer.seek(at)
            writer.write(piece)


def _zero_tail(target: Path, data: bytes, stall_s: float, _: Path) -> None:
    half = len(data) // 2
    target.write_bytes(data[:half] + bytes(len(data) - half))
    _pause(2, stall_s)
    with target.open("r+b") as writer:
        writer.seek(half)
        writer.write(data[half:])


def _renames(target: Path, data: bytes, stall_s: float, _: Path) -> None:
    draft = target.with_name(f"{target.name}.part")
    draft.write_bytes(data[: len(data) // 2])
    _pause(2, stall_s)
    draft.write_bytes(data)
    draft.rename(target)


def _cp(target: Path, data: bytes, stall_s: float, source: Path) -> None:
    """From a pipe that stalls, as from a slow card."""
    with subprocess.Popen(["cp", "/dev/stdin", target], stdin=subprocess.PIPE) as copying:
        for number, (_at, piece) in enumerate(_pieces(data)):
            copying.stdin.write(piece)
            copying.stdin.flush()
            _pause(number, stall_s)
        copying.stdin.close()


def _dd(target: Path, data: bytes, stall_s: float, source: Path) -> None:
    """Into a file of the final size that is full of zeros, a quarter by each call."""
    target.write_bytes(bytes(len(data)))
    step = len(data) // 4 + 1
    for number in range(4):
        words = f"bs={step} count=1 skip={number} seek={number} conv=notrunc status=none".split()
        subprocess.run(["dd", f"if={source}", f"of={target}", *words], check=True)
        _pause(number, stall_s)


def _rsync(*options: str) -> Way:
    def copy(target: Path, data: bytes, stall_s: float, source: Path) -> None:
        if "--inplace" in options:  # over half a file, as a copy that is taken up again
            target.write_bytes(data[: len(data) // 2])
            _pause(2, stall_s)
        subprocess.run(["rsync", *options, "--bwlimit=40", source, target], check=True)

    return copy


OWN: dict[str, Way] = {
    "stalls while open": _stalls,
    "opens and closes per chunk": _reopens,
    "preallocates": _preallocates,
    "zero tail": _zero_tail,
    "renames in": _renames,
}
WAYS: dict[str, Way] = OWN | {
    "cp from a pipe": _cp,
    "dd conv=notrunc": _dd,
    "rsync": _rsync(),
    "rsync --inplace": _rsync("--inplace"),
}
PROOFS: dict[str, Proof] = {"copies": copies}
