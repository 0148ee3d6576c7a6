"""Real-ESRGAN's networks as Vitrine reads them: `python -m tests.benchmarks.upscale [--px 128]`. Never fails on a figure.

Each official layout, at its real size with random weights, is written to a file as the official ones are, read, and run: tensors
missing or unexpected, the largest difference between a picture in one piece and in tiles, seconds for a megapixel of the
result. The official files themselves are not looked for; random weights let a pixel reach farther than trained ones do.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from pipeline.upscale.network_upscaler import find_upscaler
from tests.benchmarks import figures
from tests.pipeline.upscale.official import OFFICIAL, weights

MEGA = 1e6


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.upscale", description=__doc__)
    cli.add_argument("--px", type=int, default=128, help="side of the picture that is enlarged")
    px = cli.parse_args().px
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    table = Table(
        "network",
        "device",
        "missing",
        "unexpected",
        "tiles, of 255",
        "s/megapixel",
        "GPU MB",
        title=figures.machine(),
    )
    for name, shapes in OFFICIAL.items():
        for device in devices:
            table.add_row(name, device, *measured(name, shapes, device, px))
    Console(width=110).print(table)
    if "cuda" not in devices:
        print("There is no graphics card here, so there are no figures of one.")


def measured(name: str, shapes: dict[str, tuple[int, ...]], device: str, px: int) -> list[str]:
    """The row of one network on one device."""
    picture = np.random.default_rng(1).random((px, px, 3), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        torch.save({"params_ema": weights(shapes)}, Path(folder) / f"{name}.pth")
        upscaler = find_upscaler(Path(folder), name, device=device)
        upscaler.enlarged(picture[:16, :16])
    read = set(upscaler._engine.network.state_dict())  # type: ignore[union-attr]
    missing, unexpected = set(shapes) - read, read - set(shapes)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    whole = upscaler.enlarged(picture, px)
    seconds = time.perf_counter() - started
    seam = np.abs(whole - upscaler.enlarged(picture, px // 2)).max() * 255
    memory = f"{torch.cuda.max_memory_allocated() / 2**20:.0f}" if device == "cuda" else ""
    speed = seconds / (whole.shape[0] * whole.shape[1] / MEGA)
    return [str(len(missing)), str(len(unexpected)), f"{seam:.4f}", f"{speed:.1f}", memory]


if __name__ == "__main__":
    main()
