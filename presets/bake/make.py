"""`make plates`: the plates that are still missing, baked one Blender process at a time. Owns resuming; refuses pixels.

    make plates ONLY="velvet marble.table"

A plate is one surface in one view under the lamps of all rigs; a rig that is new costs its own lamps alone. Exposures are kept in the user's cache until the plate is
packed, so a bake that was cut off goes on where it was. `--preview` bakes small and rough, into the cache alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pipeline.backdrop.plate_file import FOLDER
from presets.bake.order import order
from presets.bake.pack import missing, pack
from presets.bake.queue import QUEUE, Bake, View
from presets.library import library

ROOT: Final = Path(__file__).resolve().parents[2]
PREVIEW: Final = 0.5  # of the full bake's resolution


def default_work() -> Path:
    """The user's cache, outside any repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vitrine" / "plates"


def wanted(only: list[str]) -> Iterator[tuple[Bake, View]]:
    """The queue less its drafts, or those named: a surface, or single plates (`velvet.flat`)."""
    for bake in QUEUE:
        for view in bake.views:
            if bake.name in only or bake.plate(view) in only or not (only or bake.draft):
                yield bake, view


def rough(bake: Bake) -> Bake:
    """The same, small and fast, to look at."""
    return replace(
        bake,
        unit_px=round(bake.unit_px * PREVIEW),
        mask_px=round(bake.mask_px * PREVIEW),
        samples=max(6, bake.samples // 2),
    )


def run_blender(asked: dict[str, Any], blender: Path) -> dict[str, Any]:
    """The exposures of one order. Returns how they were made. Raises `CalledProcessError` when Blender gave up."""
    command = [str(blender), "-m", "presets.bake.atelier.worker"]
    made: dict[str, Any] = {}
    said: deque[str] = deque(maxlen=20)
    with subprocess.Popen(  # noqa: S603 - our own module
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        assert child.stdin  # noqa: S101
        assert child.stdout  # noqa: S101
        child.stdin.write(json.dumps(asked))
        child.stdin.close()
        for line in child.stdout:
            if line.startswith("@blender"):
                made["blender"] = line.split()[1]
            elif line.startswith("@"):
                print(time.strftime("%H:%M:%S"), line[1:].rstrip(), flush=True)
            else:
                said.append(line)
    if child.returncode or not made:
        raise subprocess.CalledProcessError(child.returncode, command, "".join(said))
    return made


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(prog="make plates", description=(__doc__ or "").splitlines()[0])
    cli.add_argument("only", nargs="*", help="surfaces, or plates (velvet.flat)")
    cli.add_argument("--blender", type=Path, default=ROOT / ".venv-blender" / "bin" / "python")
    cli.add_argument("--work", type=Path, default=default_work(), help="where exposures are kept")
    cli.add_argument("--shelf", type=Path, default=FOLDER, help="where finished plates go")
    cli.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    cli.add_argument("--rigs", nargs="*", default=sorted(library().rigs), help="the lamps of these alone")
    cli.add_argument("--preview", action="store_true", help="small and rough, into the cache alone")
    args = cli.parse_args()
    shelf = args.work / "preview" if args.preview else args.shelf
    rigs = {name: library().rigs[name] for name in args.rigs}
    failed = 0
    for bake, view in wanted(args.only):
        chosen = rough(bake) if args.preview else bake
        asked = missing(order(chosen, view, rigs, args.work, args.threads), shelf)
        if not asked["lights"]:
            print(f"{bake.plate(view)} is there", flush=True)
            continue
        begun = time.monotonic()
        try:
            made = run_blender(asked, args.blender)
        except subprocess.CalledProcessError as error:
            print(f"{bake.plate(view)}: Blender ended with {error.returncode}\n{error.output}", flush=True)
            failed += 1
            continue
        folder = pack(chosen, asked, made, shelf)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        print(f"{folder.name}: {time.monotonic() - begun:.0f} s, {size:.2f} MB", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
