"""`vitrine train style`: a diffusion model of the studio's learns the shop's own grounds and light from its pictures.

Owns the options, the folders and the telling; what is learned and how is `pipeline.diffusion.finetune`'s. It runs in the
foreground, in this process: it may take hours, and may be stopped at any time and started again.
"""

from __future__ import annotations

import errno
import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from daemon import durable
from daemon.cli.options import STUDIO, Studio
from daemon.digests import Digests
from daemon.settings import Settings, load_settings
from daemon.space import NO_ROOM
from daemon.studio import Studio as Folders
from daemon.studio import unwritable
from pipeline.diffusion.files import LORA_FILE, WEIGHTS
from pipeline.diffusion.finetune.checkpoint import Checkpoints
from pipeline.diffusion.finetune.dataset import ADVISED, Dataset, Preparation, gather, photos_in
from pipeline.diffusion.finetune.plan import Precision, Wish
from pipeline.diffusion.finetune.run import Run, train
from pipeline.diffusion.load import Machine, require_libraries
from pipeline.diffusion.shelf import LORAS, Shelf
from pipeline.errors import Busy, Misconfigured
from presets.library import library

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".tif", ".tiff", ".heic", ".mpo"})
WHAT = ("style",)
FEW = 100  # photos below which a style is learned badly
DEFAULT = Wish()

What = Annotated[str, typer.Argument(metavar="style", help="What is to be learned; there is only style.")]
Photos = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO...", help=f"The shop's pictures, or folders of them: {ADVISED}."),
]
Name = Annotated[str, typer.Option("--name", "-n", help="Name of the LoRA, for templates and rules.")]
ModelName = Annotated[
    str, typer.Option("--model", "-m", help="Of the studio's diffusion models; the first if not given.")
]
Words = Annotated[str, typer.Option("--words", help="What is to be seen in all pictures, as in a prompt.")]
Like = Annotated[str, typer.Option("--like", help="A template whose words say it.")]
Steps = Annotated[
    int, typer.Option("--steps", min=1, max=100_000, help="1500 to 3000 for some hundred pictures.")
]
Rank = Annotated[
    int, typer.Option("--rank", min=1, max=256, help="How much can be learned; 16 to 32 for a style.")
]
Rate = Annotated[float, typer.Option("--rate", min=1e-7, max=1.0)]
Side = Annotated[
    int, typer.Option("--side", min=0, max=2048, help="Of square pictures; 0: as the model was trained on.")
]
Batch = Annotated[int, typer.Option("--batch", min=1, max=64, help="Pictures at a time.")]
Accumulate = Annotated[int, typer.Option("--accumulate", min=1, max=256, help="Batches for each step.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1)]
Save = Annotated[int, typer.Option("--save-every", min=1, help="Steps between checkpoints.")]
Sheet = Annotated[int, typer.Option("--sheet-every", min=0, help="Steps between sample sheets; 0 for none.")]
Saving = Annotated[
    bool, typer.Option("--low-memory", help="Gradient checkpointing: less memory, a third more time.")
]
EightBit = Annotated[bool, typer.Option("--eight-bit", help="8-bit optimiser, if bitsandbytes is installed.")]
How = Annotated[str, typer.Option("--precision", help=f"{', '.join(get_args(Precision))}.")]
Again = Annotated[bool, typer.Option("--again", help="Forget a run of that name and what it learned.")]


def command(  # noqa: PLR0917 - typer reads the options off the signature
    what: What,
    photos: Photos,
    name: Name = "our-style",
    model: ModelName = "",
    words: Words = "",
    like: Like = "",
    steps: Steps = DEFAULT.steps,
    rank: Rank = DEFAULT.rank,
    rate: Rate = DEFAULT.rate,
    side: Side = 0,
    batch: Batch = DEFAULT.batch,
    accumulate: Accumulate = DEFAULT.accumulate,
    seed: Seed = DEFAULT.seed,
    save_every: Save = 250,
    sheet_every: Sheet = 500,
    low_memory: Saving = False,  # noqa: FBT002
    eight_bit: EightBit = False,  # noqa: FBT002
    precision: How = "auto",
    again: Again = False,  # noqa: FBT002
    studio: Studio = STUDIO,
) -> None:
    """Teach a diffusion model of the studio's the shop's grounds and light."""
    if what not in WHAT:
        raise typer.BadParameter(f'"{what}" (accepted: {", ".join(WHAT)})')
    if precision not in get_args(Precision):
        raise typer.BadParameter(
            f'"{precision}" (accepted: {", ".join(get_args(Precision))})', param_hint="--precision"
        )
    require_libraries()
    settings, folders = load_settings(studio), Folders(studio.absolute())
    shelf = Shelf(folders.weights(settings.diffusion.weights))
    found = shelf.model(model)
    work, home = folders.private / "finetune" / _checked(name), shelf.folder / LORAS
    _require_free(home / name, work, again=again)
    said = words or _words_of(like)
    wish = Wish(steps, rank, rate, batch, accumulate, seed, precision=precision, eight_bit=eight_bit)  # type: ignore[arg-type]
    try:
        with _alone(work):
            if again:
                Checkpoints(work / "checkpoints", _write).clear()
            data = _prepared(photos, work, settings, said, side or found.side_px)
            digest = Digests(folders.private / "digests.json").of(found.path)
            machine = Machine(settings.diffusion.device)
            run = Run(name, work, home, found, digest, data, said, wish, machine, save_every, sheet_every)
            _trained(replace(run, checkpointing=low_memory))
    except OSError as error:
        if error.errno in {*NO_ROOM, errno.EACCES, errno.EPERM}:
            raise unwritable(work, error) from error
        raise


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """One process for each name; the kernel frees the lock, whatever ends it. Raises Busy."""
    durable.make_folders(work)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"{work}: a run of that name is at work already.", "Wait for it, or give another --name."
            ) from None
        yield


def _checked(name: str) -> str:
    if not re.fullmatch(r"[\w][\w-]*", name):
        raise typer.BadParameter(f'"{name}" (accepted: letters, digits and hyphens)', param_hint="--name")
    return name


def _require_free(place: Path, work: Path, *, again: bool) -> None:
    """A LoRA that was not learned here is never written over."""
    own = work.is_dir()
    if place.with_name(f"{place.name}{WEIGHTS}").exists() or ((place / LORA_FILE).exists() and not own):
        raise Misconfigured(
            f"{place}: there is a LoRA of that name, and it was not learned here.",
            "Give another --name.",
        )
    if again and (place / LORA_FILE).exists():
        shutil.rmtree(place)


def _words_of(template: str) -> str:
    if not template:
        return ""
    known = library().templates
    if template not in known:
        raise Misconfigured(f'there is no template "{template}".', "`vitrine templates` lists what there is.")
    return known[template].prompt


def _prepared(photos: list[Path], work: Path, settings: Settings, words: str, side_px: int) -> Dataset:
    from pipeline.cutout.network import NetworkSegmenter  # noqa: PLC0415 - brings the imaging libraries

    found = photos_in(photos, SUFFIXES)
    preparation = Preparation(
        work / "pictures", NetworkSegmenter(), words, side_px, _write, settings.max_pixels
    )
    with _bar() as bar:
        task = bar.add_task("looking at the photos", total=len(found))
        data = gather(found, preparation, lambda _path: bar.advance(task))
    for name, why in data.dropped:
        typer.echo(f"{name}: not used, {why}.", err=True)
    typer.echo(f"{len(data.train)} pictures to learn from, {len(data.held)} kept apart.")
    if len(data.train) < FEW:
        typer.echo(f"That is few: a style is learned well from {ADVISED}.", err=True)
    return data


def _trained(run: Run) -> None:
    with _bar() as bar:
        task = bar.add_task("learning", total=run.wish.steps)

        def told(step: int, loss: float) -> None:
            bar.update(task, completed=step, description=f"learning, loss {loss:.3f}")
            if bar.disable and (step % run.checkpoint_every == 0):
                typer.echo(f"step {step} of {run.wish.steps}, loss {loss:.4f}")

        progress = train(run, _write, told)
    held = [loss for _, loss in progress.held]
    typer.echo(f"Learned. Loss on pictures kept apart: {held[0]:.4f} before, {held[-1]:.4f} after.")
    typer.echo(
        f'{run.home / run.name}: put lora = ["{run.name}"] into a template, a rule or [diffusion] in vitrine.toml.'
    )


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _write(path: Path, data: bytes) -> None:
    durable.make_folders(path.parent)
    durable.write_atomic(path, data)
