"""Photos given on the command line, one after the other. Owns the telling and the names of results; refuses pixels.

One photo that cannot be used never costs the others their turn.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from daemon import durable
from daemon.cli.app import Exit
from pipeline.errors import BadInput, Misconfigured, VitrineError

Photos = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Photos; any number.")]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file. outcome: pass, review or fail (a picture was made, see `reason`), or refused."""

    file: str
    outcome: str
    reason: str = ""
    advice: str = ""
    outputs: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether this is a reason to end with exit code 1."""
        return self.outcome in {"fail", "refused"}


def each(files: Sequence[Path], work: Callable[[Path], Result], *, as_json: bool = False) -> None:
    """Do `work` for every file, tell how it went, and end with exit code 1 if one failed.

    A bar on a terminal, plain lines elsewhere; as_json: one JSON list on stdout, nothing else there. Misconfigured is no
    photo's fault and stops the run.
    """
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    results = []
    with progress:
        bar = progress.add_task("", total=len(files))
        for file in files:
            progress.update(bar, description=file.name)
            results.append(_attempt(file, work))
            if not as_json:
                _tell(results[-1], console)
            progress.advance(bar)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in results], indent=2, ensure_ascii=False))
    if any(one.failed for one in results):
        sys.exit(Exit.SOME_FAILED)


def _attempt(file: Path, work: Callable[[Path], Result]) -> Result:
    try:
        if file.is_dir():
            raise BadInput(f"{file} is a folder.", "Name the photos in it, for example with a *.")
        return work(file)
    except Misconfigured:
        raise
    except VitrineError as error:
        return Result(str(file), "refused", str(error), error.advice)
    except OSError as error:
        what = "" if error.filename in {None, str(file)} else f" ({error.filename})"
        return Result(str(file), "refused", f"{error.strerror}{what}.")


def _tell(result: Result, console: Console) -> None:
    place = f" -> {result.outputs[0]}" if result.outputs else ""
    words = {
        "pass": f"{result.file}{place}",
        "review": f"{result.file}{place} (please look: {result.reason})",
        "fail": f"{result.file}{place} (not good enough: {result.reason})",
        "refused": " ".join(filter(None, (f"{result.file}: {result.reason}", result.advice))),
    }[result.outcome]
    if console.is_terminal:
        console.print(words, markup=False, highlight=False)
    else:
        typer.echo(words, err=result.failed)


class Shelf:
    """The folder for results. No result ever replaces a photo that was given, or another result of this run."""

    def __init__(self, folder: Path, photos: Sequence[Path]) -> None:
        self._folder = folder
        self._photos = {photo.resolve() for photo in photos}
        self._taken: set[str] = set()

    def stem(self, photo: Path) -> str:
        """A name for the photo's results: its own stem; with a number when another photo had it first."""
        stem, number = photo.stem, 1
        while stem in self._taken:
            number += 1
            stem = f"{photo.stem}-{number}"
        self._taken.add(stem)
        return stem

    def put(self, name: str, data: bytes) -> str:
        """Write a file whole or not at all; its path. Raises BadInput rather than overwrite one of the photos."""
        path = self._folder / name
        if path.resolve() in self._photos:
            raise BadInput(f"{path} is one of your photos and would be overwritten.", "Give another --out.")
        durable.make_folders(self._folder)
        durable.write_atomic(path, data)
        return str(path)
