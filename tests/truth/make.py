"""Path-traces the truth set: `python -m tests.truth.make FOLDER`. Owns orders and resuming; refuses to measure.

Takes about two minutes a piece on two cores; what is there already is not made again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pipeline.stance import stance_for
from pipeline.values import Ground
from presets.bake.tracer import ROOT, START, beside_the_program, has_blender, set_order
from tests.truth.pieces import CONTACT_ROW, MIDDLE_ROW, SIDE_PX, TABLE_DEG, TRUTHS, UNIT_PX, Truth
from weights.train.spec import draw

RAYS, SET_RAYS = 20, 12


def stance_of(truth: Truth) -> tuple[str, str]:
    """View and pose in which Vitrine shows it."""
    wanted = truth.recipe
    return stance_for(wanted.jewelry_type, wanted.view, wanted.pose)


def ground_of(truth: Truth) -> Ground:
    """The ground under it, as `pipeline.layout` would lay it."""
    view, pose = stance_of(truth)
    row = CONTACT_ROW if view == "table" and pose == "upright" else MIDDLE_ROW
    return Ground(TABLE_DEG if view == "table" else 90.0, UNIT_PX, (SIDE_PX / 2, row * SIDE_PX))


def order(truth: Truth, folder: Path, threads: int) -> dict[str, Any]:
    """What the Blender process is asked to do."""
    view, pose = stance_of(truth)
    spec = draw(truth.seed, "train")
    spec = dataclasses.replace(
        spec, family=truth.family, type=truth.kind, lie=truth.lie, metal=truth.metal, trim=truth.metal, stone=truth.stone,
        accent="diamond", ground="white_paper", light="tent",
    )  # fmt: skip
    ground, wanted = ground_of(truth), truth.recipe
    # Nothing here drapes itself over folds as a chain does, so what lies is shown on an even ground of the set's colour.
    surface = wanted.surface if pose == "upright" else wanted.surface.model_copy(update={"plate": ""})
    asked = set_order(wanted.model_copy(update={"surface": surface}), view, ground, folder, threads)
    key = next(lamp for lamp in asked["lights"] if lamp["name"] == f"{wanted.rig.name}-{wanted.rig.key.name}")
    return asked | {
        "spec": spec.as_json(),
        "pose": pose,
        "key": key | {"tint": [1.0, 1.0, 1.0]},
        "exposure_ev": wanted.rig.exposure_ev,
        "rays": RAYS,
        "set_rays": SET_RAYS,
    }


def made(folder: Path, truth: Truth) -> bool:
    """Whether all of it is there."""
    return (folder / truth.name / "facts.json").is_file()


def make(truth: Truth, folder: Path, python: Path, threads: int) -> str:
    """Path-trace one piece. Returns "" or why it could not be."""
    work = folder / f"{truth.name}.part"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    command = [
        str(python),
        "-EP",
        "-c",
        START.replace("presets.bake.atelier.shot", "tests.truth.shoot"),
        str(ROOT),
    ]
    done = subprocess.run(
        command, input=json.dumps(order(truth, work, threads)), capture_output=True, text=True, check=False
    )
    if done.returncode or not (work / "facts.json").is_file():
        return (done.stderr or done.stdout)[-1500:]
    shutil.rmtree(folder / truth.name, ignore_errors=True)
    work.rename(folder / truth.name)
    return ""


def default_folder() -> Path:
    """The user's cache, outside any repository."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "vitrine" / "light-truth"


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(
        prog="python -m tests.truth.make", description=(__doc__ or "").splitlines()[0]
    )
    cli.add_argument("folder", type=Path, nargs="?", default=default_folder())
    cli.add_argument("--only", nargs="*", default=[])
    cli.add_argument("--blender", type=Path, default=beside_the_program())
    args = cli.parse_args()
    if not has_blender(args.blender):
        cli.error(f"there is no Blender in {args.blender}; `make blender` installs it")
    todo = [t for t in TRUTHS if not made(args.folder, t) and (not args.only or t.name in args.only)]
    failed = 0
    for truth in todo:
        start = time.monotonic()
        why = make(truth, args.folder, args.blender, len(os.sched_getaffinity(0)))
        failed += bool(why)
        print(f"{truth.name}: {why or f'{time.monotonic() - start:.0f} s'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
