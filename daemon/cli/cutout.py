"""`vitrine cutout`: the piece alone, as a transparent PNG at the photo's own size."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.options import AsJson
from daemon.cli.photos import Photos, Result, Shelf, each
from pipeline.cutout.full_size import full_size
from pipeline.cutout.network import NetworkSegmenter
from pipeline.finish.encode import encode_rgba_png
from pipeline.judge.judge import LEAST_CONFIDENCE
from pipeline.photo.decode import decode

OUT = Path("cutouts")
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the cut-outs.")]


def command(files: Photos, out: Out = OUT, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Cut pieces out: transparent PNG at the photo's own size."""
    segmenter = NetworkSegmenter()
    shelf = Shelf(out, files)

    def work(file: Path) -> Result:
        started = time.monotonic()
        cutout = full_size(decode(file), segmenter)
        place = shelf.put(f"{shelf.stem(file)}.png", encode_rgba_png(cutout.srgb, cutout.alpha))
        sure = cutout.confidence >= LEAST_CONFIDENCE
        reason = "" if sure else " ".join(note.text for note in cutout.notes) or "The cut-out is uncertain."
        seconds = round(time.monotonic() - started, 3)
        return Result(str(file), "pass" if sure else "review", reason, outputs=(place,), seconds=seconds)

    each(files, work, as_json=as_json)
