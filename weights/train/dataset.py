"""`make dataset`: the seeds that are still missing, given to Blender one process at a time. Owns resuming; refuses pixels.

    make dataset N=4000 OUT=/var/tmp/vitrine-dataset

Runs until N samples are there, over restarts; a sample is one seed, so two machines may share a range with --start.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from weights.train import samples
from weights.train.spec import Spec, draw

ROOT: Final = Path(__file__).resolve().parents[2]
RECYCLE: Final = 60
"""Samples after which a Blender process is replaced."""


def default_folder() -> Path:
    """The user's cache, outside any repository."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "vitrine" / "dataset"


def wanted(start: int, count: int, grounds: set[str], lights: set[str]) -> Iterator[Spec]:
    """The first `count` specs from seed `start` on that fit the filters."""
    seed = start
    while count:
        spec = draw(seed)
        seed += 1
        if (grounds and spec.ground not in grounds) or (lights and spec.light not in lights):
            continue
        count -= 1
        yield spec


def missing(folder: Path, specs: Iterator[Spec]) -> list[Spec]:
    """Those not made yet."""
    return [s for s in specs if not samples.made(folder, s.seed)]


def _batch(batch: list[Spec], args: argparse.Namespace) -> tuple[int, int]:
    """One Blender process over some samples. Returns (made, failed); prints a line for each."""
    command = [
        sys.executable,
        "-m",
        "weights.train.atelier.worker",
        str(args.out),
        "--side",
        str(args.side),
        "--rays",
        str(args.rays),
        "--threads",
        str(args.threads),
    ]
    child = subprocess.Popen(  # noqa: S603  our own module
        command + ["--slim"] * args.slim,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdin  # noqa: S101
    assert child.stdout  # noqa: S101
    child.stdin.write("".join(f"{s.seed} {s.split}\n" for s in batch))
    child.stdin.close()
    made = failed = 0
    for line in child.stdout:
        if line.startswith("@"):
            made += line.startswith("@made")
            failed += line.startswith("@failed")
            print(time.strftime("%H:%M:%S"), line[1:].rstrip(), flush=True)
    child.wait()
    if child.returncode:
        print(f"Blender ended with {child.returncode}; going on with a new one", flush=True)
    return made, failed


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(prog="make dataset", description=(__doc__ or "").splitlines()[0])
    cli.add_argument("--out", type=Path, default=default_folder())
    cli.add_argument("--count", type=int, default=1000)
    cli.add_argument("--start", type=int, default=0, help="first seed")
    cli.add_argument("--side", type=int, default=640, help="long side of the photo, px")
    cli.add_argument("--rays", type=int, default=8, help="paths per pixel of the piece")
    cli.add_argument("--threads", type=int, default=2)
    cli.add_argument("--slim", action="store_true", help="photo, alpha and record only, without the layers")
    cli.add_argument("--grounds", default="", help="only these grounds, by comma")
    cli.add_argument("--lights", default="", help="only these lights, by comma")
    args = cli.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    names = [set(filter(None, text.split(","))) for text in (args.grounds, args.lights)]
    todo = missing(args.out, wanted(args.start, args.count, *names))
    print(
        f"{args.count - len(todo)} of {args.count} samples are in {args.out}; {len(todo)} to make", flush=True
    )
    begun, made, failed = time.monotonic(), 0, 0
    while todo:
        batch, todo = todo[:RECYCLE], todo[RECYCLE:]
        good, bad = _batch(batch, args)
        made, failed = made + good, failed + bad
        each = (time.monotonic() - begun) / max(1, made)
        print(f"{made} made, {failed} failed, {each:.1f} s each, {len(todo)} to go", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
