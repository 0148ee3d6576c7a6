"""`make train-solid`: the shape network on the solids, with checkpoints. Owns the batches and what counts as wrong.

    make train-solid SOLIDS=/var/tmp/vitrine-solids SOLID_RUN=/var/tmp/vitrine-solid-run MINUTES=40

All looks are held in memory (0.1 MB each).
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from weights.train.fit import Named, Run, held_out, train
from weights.train.solid.dataset import default_folder
from weights.train.solid.looks import Look, looks, sample, samples
from weights.train.solid.network import SolidNet

BATCH: Final = 24
RATE: Final = 3e-3
RIM: Final = 2.0
"""Extra weight of heights next to the outline: they cast the shadow's edge."""
LEAST_TALL: Final = 0.05


def batch_of(chosen: list[Look], rng: np.random.Generator | None) -> Named:
    """Samples stacked."""
    rows = [sample(look, rng) for look in chosen]
    return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}


def losses(said: Named, true: Named) -> Named:
    """Heights relative to the piece's tallest, normals by their cosine; compared at half size, inside the piece."""
    alpha = true["alpha"]
    share = F.avg_pool2d(alpha, 2)
    on = (share > 0.3).float()
    inner = -F.max_pool2d(-on, 5, 1, 2)
    weight = on * (1 + RIM * (on - inner))

    def halved(plane: Tensor) -> Tensor:
        return F.avg_pool2d(plane * alpha, 2) / share.clamp(min=0.1)

    top, low, normal = halved(true["top"]), halved(true["low"]), F.normalize(halved(true["normal"]), dim=1)
    tallest = (top * on).amax((1, 2, 3), keepdim=True).clamp(min=LEAST_TALL)
    count = weight.sum((1, 2, 3)).clamp(min=1)
    height = (weight * (said["top"] - top).abs() / tallest).sum((1, 2, 3)) / count
    under = (weight * (said["low"] - low).abs() / tallest).sum((1, 2, 3)) / count
    facing = (on * (1 - (said["normal"] * normal).sum(1, keepdim=True))).sum((1, 2, 3)) / on.sum(
        (1, 2, 3)
    ).clamp(min=1)
    return {"top": height.mean(), "low": under.mean(), "normal": facing.mean()}


def total(parts: Named) -> Tensor:
    """Weighed against each other."""
    return 2 * parts["top"] + parts["low"] + 0.7 * parts["normal"]


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(prog="make train-solid", description=(__doc__ or "").splitlines()[0])
    cli.add_argument("--data", type=Path, default=default_folder())
    cli.add_argument("--run", type=Path, required=True)
    cli.add_argument("--minutes", type=float, default=40.0)
    args = cli.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(os.cpu_count() or 1)
    known = samples(args.data, "train")
    learned = [one for path in known if not held_out(int(path.stem)) for one in looks(path)]
    kept = [one for path in known if held_out(int(path.stem)) for one in looks(path)]
    if not learned or not kept:
        print(f"{args.data} holds too few pieces: make solids", file=sys.stderr)
        return 1
    args.run.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    run = Run(args.run, device, SolidNet(), losses, total)
    count = sum(p.numel() for p in run.net.parameters())
    print(
        f"{len(learned)} looks, {len(kept)} kept; {count:,} weights; {device}; at step {run.step}", flush=True
    )
    rng = np.random.default_rng([7, run.step])

    def batch(_: float) -> Named:
        return batch_of([learned[k] for k in rng.integers(len(learned), size=BATCH)], rng)

    train(run, batch, 60 * args.minutes, RATE)
    run.mean.eval()
    with torch.no_grad():
        sums = [losses(run.mean(one["features"].to(device)), one) for one in _chunks(kept)]
    for name in ("top", "low", "normal"):
        print(f"kept apart: {name} {np.mean([float(one[name]) for one in sums]):.4f}")
    return 0


def _chunks(kept: list[Look]) -> list[Named]:
    return [batch_of(kept[at : at + BATCH], None) for at in range(0, len(kept), BATCH)]


if __name__ == "__main__":
    sys.exit(main())
