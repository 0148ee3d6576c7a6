"""`make train`: the network on the dataset, with checkpoints. Owns the schedule; refuses what a sample is.

    make train OUT=/var/tmp/vitrine-dataset RUN=/var/tmp/vitrine-run MINUTES=90

Goes on from the last checkpoint in RUN. The length is given in minutes, so the same command suits two cores and a GPU:
small windows at first, large ones for the second half, the learning rate falling to nothing at the end.
"""

import argparse
import copy
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from weights.features import features
from weights.outline import TYPES
from weights.train.dataset import default_folder
from weights.train.losses import losses, total
from weights.train.network import PieceNet
from weights.train.recombine import Recombiner
from weights.train.resume import calibrate, rebuild
from weights.train.samples import read_layers, stem
from weights.train.spec import split_of

STAGES: Final = ((0.0, 256, 16), (0.5, 384, 8))
"""(share of the time from which on, window side px, batch)."""
RATE: Final = 2e-3
WARM_STEPS: Final = 150
AVERAGE: Final = 0.998
"""Of the running mean of the weights, which is what is kept."""
WINDOWS: Final = 2
"""Drawn from a sample each time it is read; twice as many from large white things, which are the hardest on white."""
HELD_OUT: Final = (3, 32)
"""Seeds with this remainder are kept from training for choosing thresholds; the test split is another matter."""
SAVE_S: Final = 120.0
CALIBRATION: Final = 8
"""Batches from which a shipped network takes its statistics."""


Named = dict[str, Tensor]
Losses = Callable[[Named, Named], Named]


def bfloat16_pays(device: str) -> bool:
    """Whether `device` multiplies in bfloat16 itself. A CPU that only imitates it takes ten times as long for a step."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    can = torch.cpu.get_capabilities()
    return any(can.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def held_out(seed: int) -> bool:
    """Whether a seed of the training split is kept for validation."""
    return seed % HELD_OUT[1] == HELD_OUT[0]


def seeds(folder: Path) -> list[int]:
    """Seeds of the whole samples in `folder` that may be trained on."""
    there = sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit())
    return [seed for seed in there if split_of(seed) == "train" and not held_out(seed)]


class Windows(IterableDataset[dict[str, Any]]):
    """Endless windows of one size, in another order for each worker and start."""

    def __init__(self, folder: Path, size: int, seed: int) -> None:
        self.folder, self.size, self.seed = folder, size, seed

    def __iter__(self) -> Iterator[dict[str, Any]]:
        info = get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        recombiner = Recombiner(self.size, rng)
        while True:
            known = seeds(self.folder)  # the dataset may grow meanwhile
            rng.shuffle(known)
            for seed in known:
                where = stem(self.folder, seed)
                layers = read_layers(Path(f"{where}.layers.exr"))
                record = json.loads(where.with_suffix(".json").read_text())
                white = record["type"] == "watch" or "pearl" in record["family"]
                for _ in range(WINDOWS * (1 + white)):
                    yield _tensors(recombiner.window(layers, record), record)


def _tensors(window: Any, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "features": features(window.srgb),
        "alpha": window.alpha[None],
        "height": window.height[None],
        "normal": np.ascontiguousarray(window.normal.transpose(2, 0, 1)),
        "part": window.part,
        "shade": window.shade[None].astype(np.float32),
        "type": TYPES.index(record["type"]),
    }


class Run:
    """A training run: network, its running mean, optimizer, and how much of the time is used.

    losses: of what the network says beside a batch, by name; total: their weighted sum.
    """

    def __init__(
        self, folder: Path, device: str, net: nn.Module, losses: Losses, total: Callable[[Named], Tensor]
    ) -> None:
        self.folder, self.device, self.bfloat16 = folder, device, bfloat16_pays(device)
        self.losses, self.total = losses, total
        self.net = net.to(device, memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.net).eval()
        decay = [p for p in self.net.parameters() if p.ndim > 1]
        rest = [p for p in self.net.parameters() if p.ndim <= 1]
        groups = [{"params": decay, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=RATE)
        self.step, self.used_s = 0, 0.0
        self.path = folder / "last.pt"
        if self.path.exists():
            self._load()

    def start_from(self, shipped: Path, batches: Iterator[dict[str, Tensor]]) -> None:
        """Begin with the weights of an exported network instead of random ones; `batches` tell its statistics."""
        net = rebuild(shipped)
        calibrate(net, (next(batches)["features"] for _ in range(CALIBRATION)))
        for ours in (self.net, self.mean):
            ours.load_state_dict(net.state_dict())

    def learn(self, batch: dict[str, Tensor], rate: float) -> dict[str, float]:
        """One step; each loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * min(1.0, (self.step + 1) / WARM_STEPS)
        x = batch["features"].to(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bfloat16):
            said = self.net(x)
        parts = self.losses({name: value.float() for name, value in said.items()}, batch)
        self.optimizer.zero_grad(set_to_none=True)
        self.total(parts).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        return {name: float(value.detach()) for name, value in parts.items()}

    def _average(self) -> None:
        keep = min(AVERAGE, (1 + self.step) / (10 + self.step))
        for ours, theirs in zip(self.mean.state_dict().values(), self.net.state_dict().values(), strict=True):
            if ours.dtype.is_floating_point:
                ours.lerp_(theirs, 1 - keep)
            else:
                ours.copy_(theirs)

    def save(self) -> None:
        """Write the checkpoint in place of the last one."""
        part = self.path.with_suffix(".part")
        state = {
            "net": self.net.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "used_s": self.used_s,
        }
        torch.save(state, part)
        part.replace(self.path)

    def _load(self) -> None:
        state = torch.load(self.path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.mean.load_state_dict(state["mean"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.used_s = state["step"], state["used_s"]


def train(run: Run, batch: Callable[[float], Named], limit_s: float, rate: float) -> None:
    """Learn until `limit_s` seconds are used, over all starts; `batch` is asked with the share of it that is over."""
    noted: dict[str, float] = {}
    saved = last = time.monotonic()
    while run.used_s < limit_s:
        share = run.used_s / limit_s
        now = {name: value.to(run.device) for name, value in batch(share).items()}
        parts = run.learn(now, rate * 0.5 * (1 + math.cos(math.pi * share)))
        for name, value in parts.items():
            noted[name] = 0.98 * noted.get(name, value) + 0.02 * value
        moment = time.monotonic()
        run.used_s, last = run.used_s + moment - last, moment
        if run.step % 50 == 0:
            figures = " ".join(f"{name} {value:.3f}" for name, value in noted.items())
            print(f"{time.strftime('%H:%M:%S')} {share:5.1%} step {run.step} {figures}", flush=True)
        if moment - saved > SAVE_S:
            run.save()
            saved = moment
    run.save()


def _loader(folder: Path, size: int, batch: int, seed: int, workers: int) -> Iterator[dict[str, Tensor]]:
    return iter(
        DataLoader(Windows(folder, size, seed), batch_size=batch, num_workers=workers, worker_init_fn=_calm)
    )


def _calm(_: int) -> None:
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(prog="make train", description=(__doc__ or "").splitlines()[0])
    cli.add_argument("--data", type=Path, default=default_folder())
    cli.add_argument("--run", type=Path, required=True)
    cli.add_argument("--minutes", type=float, default=90.0)
    cli.add_argument(
        "--from", dest="shipped", type=Path, help="an exported network that a new run begins with"
    )
    cli.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    args = cli.parse_args()
    count = len(seeds(args.data))
    if not count:
        print(f"{args.data} holds no training samples: make dataset", file=sys.stderr)
        return 1
    args.run.mkdir(parents=True, exist_ok=True)
    run = Run(args.run, "cuda" if torch.cuda.is_available() else "cpu", PieceNet(), losses, total)
    print(
        f"{count} samples; {sum(p.numel() for p in run.net.parameters()):,} weights; {run.device}; at step {run.step}"
    )
    if args.shipped and not run.step:
        _, size, batch_size = STAGES[0]
        run.start_from(args.shipped, _loader(args.data, size, batch_size, run.step, args.workers))
    stage: tuple[float, int, int] | None = None
    loader: Iterator[Named] = iter(())

    def batch(share: float) -> Named:
        nonlocal stage, loader
        now = max(s for s in STAGES if s[0] <= share)
        if now != stage:
            stage = now
            loader = _loader(args.data, stage[1], stage[2], run.step, args.workers)
        return next(loader)

    train(run, batch, 60 * args.minutes, RATE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
