"""One Blender process that renders many samples: seeds in on standard input, one a line; a line out for each one made.

Owns the order of a sample's steps. It is ended and replaced after some dozens of samples by `dataset.py`, because
Blender's memory grows.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from weights.train import samples
from weights.train.atelier.shoot import shoot
from weights.train.develop import develop
from weights.train.spec import draw


def frame(aspect, side):
    """Width and height of a frame with the given long side, multiples of 4 px."""
    w, h = (side, side / aspect) if aspect >= 1 else (side * aspect, side)
    return round(w / 4) * 4, round(h / 4) * 4


def make(seed, split, folder, *, side, rays, threads, slim):
    """Render, develop and store one sample. Returns its spec."""
    spec = draw(seed, split)
    size = frame(spec.aspect, side)
    layers, facts = shoot(spec, size, rays=rays, threads=threads)
    a = layers["alpha"][..., None]
    photo = develop(
        layers["piece"] + (1 - a) * layers["shadowed"], layers["ground"], layers["alpha"], spec.shot, seed
    )
    record = {**spec.as_json(), **facts, "width": size[0], "height": size[1], "numpy": np.__version__}
    samples.write(folder, seed, photo, layers, record, slim=slim)
    return spec


def main():
    """Command line."""
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("folder", type=Path)
    cli.add_argument("--side", type=int, default=640)
    cli.add_argument("--rays", type=int, default=8)
    cli.add_argument("--threads", type=int, default=2)
    cli.add_argument("--slim", action="store_true")
    args = cli.parse_args()
    for line in sys.stdin:
        seed, split = line.split()
        start = time.monotonic()
        try:
            spec = make(
                int(seed),
                split,
                args.folder,
                side=args.side,
                rays=args.rays,
                threads=args.threads,
                slim=args.slim,
            )
        except Exception as error:  # noqa: BLE001  one odd draw must not end a night's work
            print(f"@failed {seed} {type(error).__name__}: {error}", flush=True)
        else:
            print(
                f"@made {seed} {time.monotonic() - start:.1f} {spec.family} {spec.metal} {spec.ground} {spec.light}",
                flush=True,
            )


if __name__ == "__main__":
    main()
