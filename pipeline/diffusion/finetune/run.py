"""A training run from its first step, or from where it was, to the LoRA in the weights folder. Owns its order and its files.

In `<work>`: `run.json` what was asked, `checkpoints/`, `sheets/step-000500.png` what the model paints by then, `curve.png`. In the
end `<home>/<name>/`: the LoRA, its card, the last sheet and curve. The LoRA comes last: where it is, the rest is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from pipeline.diffusion.files import LORA_FILE, Model
from pipeline.diffusion.finetune.checkpoint import Checkpoints
from pipeline.diffusion.finetune.curve import curve
from pipeline.diffusion.finetune.dataset import Dataset, Write
from pipeline.diffusion.finetune.plan import Wish
from pipeline.diffusion.finetune.student import Student, packed, unpacked
from pipeline.diffusion.load import Machine
from pipeline.errors import Misconfigured
from pipeline.finish.encode import encode_png
from pipeline.values import U8

CARD = "card.json"
GAP_PX = 8


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be done. work: folder of the run's own; home: the folder of LoRAs; words: the owner's, for the card and the sheets.

    checkpoint_every, sheet_every: steps, 0 for no sheets. sheet_steps: of the sampler. checkpointing: see `Student`.
    """

    name: str
    work: Path
    home: Path
    model: Model
    model_digest: str
    data: Dataset
    words: str
    wish: Wish
    machine: Machine = field(default_factory=Machine)
    checkpoint_every: int = 250
    sheet_every: int = 500
    sheet_steps: int = 20
    checkpointing: bool = False

    @property
    def asked(self) -> dict[str, Any]:
        """What a checkpoint must have been made with, to be gone on from."""
        return {"wish": self.wish.digest, "data": self.data.digest, "model": self.model_digest}


@dataclass(slots=True)
class Progress:
    """losses: of each step; held: (steps done, loss on what is kept apart)."""

    losses: list[float] = field(default_factory=list)
    held: list[tuple[int, float]] = field(default_factory=list)


def train(run: Run, write: Write, told: Callable[[int, float], None] = lambda _step, _loss: None) -> Progress:
    """Do it. told: hears of each step done, and its loss.

    Raises Misconfigured (another run's checkpoints, a model that cannot learn or grows beyond all numbers), OSError (no room).
    """
    checkpoints = Checkpoints(run.work / "checkpoints", write)
    found = checkpoints.newest()
    _require_same(run, begun=found is not None)
    write(run.work / "run.json", json.dumps(run.asked, indent=1).encode())
    student = Student(run.model, run.machine, run.wish, run.data, checkpointing=run.checkpointing)
    step, progress = _taken_up(student, found)
    if not progress.held:
        _look(run, student, 0, progress, write)
    while step < run.wish.steps:
        loss = student.step(step)
        step += 1
        if not math.isfinite(loss):
            raise Misconfigured(
                f"The loss is no number any more after {step} steps.",
                "Ask for a smaller --rate, or --precision float32; what was learned before is in the last checkpoint.",
            )
        progress.losses.append(loss)
        if step % run.checkpoint_every == 0 or step == run.wish.steps:
            progress.held.append((step, student.held_loss()))
            checkpoints.put(
                step, packed(student.state() | {"losses": progress.losses, "held": progress.held})
            )
            write(run.work / "curve.png", encode_png(curve(progress.losses, progress.held, run.wish.steps)))
        if run.sheet_every and (step % run.sheet_every == 0 or step == run.wish.steps):
            write(_sheet_path(run, step), encode_png(sheet(run, student)))
        told(step, loss)
    _hand_over(run, student, progress, write)
    return progress


def _look(run: Run, student: Student, step: int, progress: Progress, write: Write) -> None:
    """What it was before it learned anything."""
    progress.held.append((step, student.held_loss()))
    if run.sheet_every:
        write(_sheet_path(run, step), encode_png(sheet(run, student)))


def sheet(run: Run, student: Student) -> U8:
    """What it paints now for the words of some pictures, always from the same noise: above one it learned from, below one of its own."""
    shown = run.data.train[:: max(1, len(run.data.train) // 4)][:4]
    side = run.model.side_px
    columns = []
    for seed, item in enumerate(shown):
        own = student.paint(item.caption, seed, (side, side), run.sheet_steps)
        columns.append(np.concatenate([_squared(run.data.picture(item), side), _gap(GAP_PX, side), own]))
        columns.append(_gap(columns[0].shape[0], GAP_PX))
    return np.concatenate(columns[:-1], 1)


def _squared(srgb: U8, side: int) -> U8:
    """The middle of a picture as a square."""
    return np.asarray(ImageOps.fit(Image.fromarray(srgb), (side, side)))


def _gap(height: int, width: int) -> U8:
    return np.full((height, width, 3), 255, np.uint8)


def _sheet_path(run: Run, step: int) -> Path:
    return run.work / "sheets" / f"step-{step:06d}.png"


def _require_same(run: Run, *, begun: bool) -> None:
    before = run.work / "run.json"
    if not begun or not before.is_file():
        return
    try:
        same = json.loads(before.read_bytes()) == run.asked
    except ValueError:
        same = False
    if not same:
        raise Misconfigured(
            f"{run.work}: a run named {run.name} was begun with other photos, words, numbers or another model.",
            "Say the same again to go on with it, --again to begin anew, or give another --name.",
        )


def _taken_up(student: Student, found: tuple[int, bytes] | None) -> tuple[int, Progress]:
    if found is None:
        return 0, Progress()
    step, state = found[0], unpacked(found[1])
    student.take(state)
    return step, Progress(list(state["losses"]), [(int(at), float(loss)) for at, loss in state["held"]])


def _hand_over(run: Run, student: Student, progress: Progress, write: Write) -> None:
    home = run.home / run.name
    write(home / "curve.png", encode_png(curve(progress.losses, progress.held, run.wish.steps)))
    last = _sheet_path(run, run.wish.steps)
    if last.is_file():
        write(home / "sheet.png", last.read_bytes())
    write(home / CARD, json.dumps(card(run, progress), indent=1).encode())
    write(home / LORA_FILE, student.lora_file())


def card(run: Run, progress: Progress) -> dict[str, Any]:
    """What the LoRA is, for its owner and for `vitrine weights`."""
    return {
        "name": run.name,
        "base": {"name": run.model.name, "family": run.model.family, "digest": run.model_digest},
        "words": run.words,
        "captions": sorted({one.caption for one in run.data.train})[:20],
        "wish": asdict(run.wish),
        "photos": {"learned": _digests(run.data.train), "apart": _digests(run.data.held), "dropped": [list(one) for one in run.data.dropped]},
        "losses": {"first": _mean(progress.losses[:20]), "last": _mean(progress.losses[-20:]), "held": [list(one) for one in progress.held]},
        "steps": len(progress.losses),
    }  # fmt: skip


def _digests(items: Sequence[Any]) -> list[str]:
    return [one.digest for one in items]


def _mean(losses: Sequence[float]) -> float:
    return float(np.mean(losses)) if losses else float("nan")
