"""`make solids`: how thick and high pieces are behind their outlines, for the network that reads shape off outlines. Owns resuming.

    make solids N=1500 SOLIDS=/var/tmp/vitrine-solids

No light is computed: rays through the generator's meshes tell all of it, in half a second a look. A file is one piece, from a few
sides (`atelier/solid_worker.py`); seeds, split and families are those of `make dataset`.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
RECYCLE: Final = 40
"""Pieces after which a Blender process is replaced."""


def default_folder() -> Path:
    """The user's cache, outside any repository."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "vitrine" / "solids"


def stored(folder: Path, seed: int) -> Path:
    """The file of a seed."""
    return folder / f"{seed:06d}.npz"


def _batch(seeds: list[int], folder: Path) -> tuple[int, int]:
    """One Blender process over some seeds. Returns (made, failed)."""
    command = [sys.executable, "-m", "weights.train.atelier.solid_worker", str(folder)]
    told = "".join(f"{seed}\n" for seed in seeds)
    done = subprocess.run(  # noqa: S603  our own module
        command, cwd=ROOT, input=told, capture_output=True, text=True, check=False
    )
    made = sum(line.startswith("@made") for line in done.stdout.splitlines())
    for line in done.stdout.splitlines():
        if line.startswith("@failed"):
            print(line[1:], flush=True)
    return made, len(seeds) - made


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(prog="make solids", description=(__doc__ or "").splitlines()[0])
    cli.add_argument("--out", type=Path, default=default_folder())
    cli.add_argument("--count", type=int, default=1500)
    cli.add_argument("--start", type=int, default=0, help="first seed")
    cli.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    args = cli.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    todo = [
        seed for seed in range(args.start, args.start + args.count) if not stored(args.out, seed).exists()
    ]
    print(f"{args.count - len(todo)} of {args.count} pieces are in {args.out}", flush=True)
    begun, made, failed = time.monotonic(), 0, 0
    batches = [todo[at : at + RECYCLE] for at in range(0, len(todo), RECYCLE)]
    with ThreadPoolExecutor(args.processes) as pool:
        for good, bad in pool.map(lambda seeds: _batch(seeds, args.out), batches):
            made, failed = made + good, failed + bad
            each = (time.monotonic() - begun) / max(1, made)
            print(f"{made} made, {failed} failed, {each:.1f} s each", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
