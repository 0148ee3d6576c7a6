"""Learning a shop's style, measured: `python -m tests.benchmarks.finetune [--steps 60]`. Never fails on a figure.

A small Stable Diffusion and a small SDXL of diffusers' own classes learn from a shop's pictures, on the processor and on a
graphics card where there is one: the loss at first and at last (on pictures kept apart, always at the same noise), seconds for a
step, whether a run that was broken off comes out like one that was not, how much the LoRA changes a picture. With a card also an
SDXL of the real size with random weights, for memory and seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from daemon.cli.train import _write
from pipeline.cutout.network import NetworkSegmenter
from pipeline.diffusion.files import LORA_FILE, Model, lora_at, model_at
from pipeline.diffusion.finetune.dataset import Dataset, Preparation, gather
from pipeline.diffusion.finetune.plan import Wish
from pipeline.diffusion.finetune.run import Run, train
from pipeline.diffusion.load import Machine, open_model, wear
from tests.benchmarks import figures
from tests.pipeline.diffusion import tiny_diffusion
from tests.pipeline.diffusion.finetune.shop_pictures import pictures

SORTS = {"sd": tiny_diffusion.sd, "sdxl": tiny_diffusion.sdxl}


class BrokenOff(Exception):  # noqa: N818 - what is done on purpose here
    """The run was broken off."""


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.finetune", description=__doc__)
    cli.add_argument("--steps", type=int, default=60)
    cli.add_argument("--photos", type=int, default=24)
    asked = cli.parse_args()
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    columns = (
        "model",
        "device",
        "loss before",
        "loss after",
        "s/step",
        "resumed = whole",
        "picture change",
        "GPU MB",
    )
    table = Table(*columns, title=figures.machine())
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = Path(folder)
        shop = pictures(place / "shop", asked.photos)
        data = gather(
            shop, Preparation(place / "prepared", NetworkSegmenter(), "plaster wall", 64, _write, 10**8)
        )
        for sort, make in SORTS.items():
            model = model_at(make(place / f"tiny-{sort}"))
            for device in devices:
                table.add_row(
                    f"small {sort}", device, *measured(model, device, data, place / device, asked.steps)
                )
        if "cuda" in devices:
            table.add_row("SDXL's own size, 1024 px", "cuda", *full_size(shop, place))
    Console(width=120).print(table)
    if "cuda" not in devices:
        print("There is no graphics card here, so there are no figures of one.")


def measured(model: Model, device: str, data: Dataset, place: Path, steps: int) -> list[str]:
    """The row of one model on one device."""
    wish = Wish(steps=steps, rank=8, rate=1e-2, batch=2, accumulate=1)
    machine = Machine(device)  # type: ignore[arg-type]
    home = place / model.name
    whole = Run(
        model.name, home / "whole", home / "whole", model, "", data, "", wish, machine, max(1, steps // 3), 0
    )
    started: list[float] = []
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    progress = train(whole, _write, lambda _step, _loss: started.append(time.perf_counter()))
    seconds = (started[-1] - started[0]) / max(1, len(started) - 1)
    memory = f"{torch.cuda.max_memory_allocated() / 2**20:.0f}" if device == "cuda" else ""
    same = (
        "yes"
        if _broken_off_and_taken_up(replace(whole, work=home / "parts", home=home / "parts"), whole)
        else "NO"
    )
    lora = lora_at(whole.home / whole.name)
    change = np.abs(_painted(model, machine, [(lora, 1.0)]) - _painted(model, machine, [])).mean() * 255
    first, last = progress.held[0][1], progress.held[-1][1]
    return [f"{first:.4f}", f"{last:.4f}", f"{seconds:.3f}", same, f"{change:.1f} of 255", memory]


def full_size(shop: list[Path], place: Path) -> list[str]:
    """The row of an SDXL of the real size: memory and seconds only, as its weights are random."""
    from tests.pipeline.diffusion import full_size as real

    data = gather(shop, Preparation(place / "large", NetworkSegmenter(), "plaster wall", 1024, _write, 10**8))
    model = model_at(real.sdxl(place / "real"))
    wish = Wish(steps=6, rank=16, accumulate=1)
    ends: list[float] = []
    torch.cuda.reset_peak_memory_stats()
    run = Run(
        "real",
        place / "run",
        place / "run",
        model,
        "",
        data,
        "",
        wish,
        Machine("cuda"),
        100,
        0,
        checkpointing=True,
    )
    train(run, _write, lambda _step, _loss: ends.append(time.perf_counter()))
    memory = f"{torch.cuda.max_memory_allocated() / 2**20:.0f}"
    return ["", "", f"{(ends[-1] - ends[1]) / (len(ends) - 2):.3f}", "", "", memory]


def _broken_off_and_taken_up(run: Run, whole: Run) -> bool:
    def break_off(step: int, _loss: float) -> None:
        if step == run.wish.steps // 2:
            raise BrokenOff

    try:
        train(run, _write, break_off)
    except BrokenOff:
        train(run, _write)
    made, wanted = ((one.home / one.name / LORA_FILE).read_bytes() for one in (run, whole))
    return made == wanted


def _painted(model: Model, machine: Machine, loras: list) -> np.ndarray:
    pipe = open_model(model, machine)
    wear(pipe, loras, model)
    noise = [torch.Generator().manual_seed(3)]
    return pipe(
        prompt="plaster wall", num_inference_steps=8, width=64, height=64, generator=noise, output_type="np"
    ).images[0]


if __name__ == "__main__":
    main()
