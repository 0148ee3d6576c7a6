"""The contact sheet of a studio as files. Owns which words stand under a picture; loads the imaging libraries.

`python -m daemon.cli.contact STUDIO BATCH PARENT` makes the sheet of a batch's report, for `daemon.sheet`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from daemon import durable
from daemon.batch_rows import BatchRows
from daemon.fates import Fate, Picture, fates
from daemon.ledger import Ledger
from daemon.limits import cap_memory, die_with
from daemon.studio import Studio
from pipeline.errors import VitrineError
from pipeline.finish.contact_sheet import Entry, contact_sheet
from pipeline.finish.encode import encode_jpeg, encode_png
from pipeline.photo.decode import decode
from pipeline.values import U8

_ORIGINAL_PX = 400
_ON_A_SHEET = 60  # of a night; those that need a look come first
_MEMORY_MB = 2048
_ENCODERS = {".jpg": encode_jpeg, ".png": encode_png}


def save_contact_sheet(
    ended: Sequence[Fate], stem: Path, suffixes: Sequence[str] = (".jpg", ".png")
) -> list[Path]:
    """Write `stem`.jpg and `stem`.png (for viewers that know only one of the two); their paths."""
    sheet = contact_sheet([entry for fate in ended for entry in _entries(fate)])
    made = []
    for suffix, encode in ((suffix, _ENCODERS[suffix]) for suffix in suffixes):
        made.append(stem.with_suffix(suffix))
        durable.write_atomic(made[-1], encode(sheet))
    return made


def _entries(fate: Fate) -> list[Entry]:
    title = "/".join(filter(None, (fate.folder, fate.name)))
    original = _original(fate.original)
    if not fate.pictures:
        return [Entry(title, f"{fate.state}: {fate.reason}", original, None)]
    return [Entry(title, _words(one), original, _picture(one)) for one in fate.pictures]


def _words(picture: Picture) -> str:
    template, shape = picture.verdict.get("template", ""), picture.verdict.get("format", "square")
    if picture.state == "done":
        return f"published: {template}" + (f", {shape}" if shape != "square" else "")
    return f"{picture.state}: {picture.reason}"


def _picture(picture: Picture) -> U8 | None:
    if picture.clean is None or not picture.clean.exists():
        return None
    with Image.open(picture.clean) as image:
        return np.asarray(image.convert("RGB"))


def _original(path: Path | None) -> U8 | None:
    """The photo as Vitrine reads it, small; None when it cannot be read."""
    if path is None:
        return None
    try:
        photo = decode(path)
    except (VitrineError, OSError):
        return None
    codes = photo.srgb if photo.srgb.dtype == np.uint8 else (photo.srgb >> 8).astype(np.uint8)
    image = Image.fromarray(codes)
    image.thumbnail((_ORIGINAL_PX, _ORIGINAL_PX))
    return np.asarray(image)


def _urgency(fate: Fate) -> tuple[int, float]:
    """The lower, the more it needs a look."""
    figures = [picture.verdict.get("figures", {}).get("confidence", 1.0) for picture in fate.pictures]
    order = ("rejected", "review", "done")
    return order.index(fate.state) if fate.state in order else len(order), min(figures, default=0.0)


def main(studio: Studio, number: int) -> None:
    """Make the sheet of a batch."""
    ledger = Ledger(studio.ledger)
    batch = BatchRows(ledger).get(number)
    ledger.close()
    shown = sorted(fates(studio, number), key=_urgency)[:_ON_A_SHEET]
    save_contact_sheet(shown, studio.root / f"{batch.report}-sheet", (".jpg",))


if __name__ == "__main__":
    die_with(int(sys.argv[3]))
    cap_memory(_MEMORY_MB)
    os.nice(10)
    main(Studio(Path(sys.argv[1])), int(sys.argv[2]))
