"""The contact sheet of a studio as files. Owns which words stand under a picture; loads the imaging libraries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from daemon import durable
from daemon.fates import Fate, Picture
from pipeline.errors import VitrineError
from pipeline.finish.contact_sheet import Entry, contact_sheet
from pipeline.finish.encode import encode_jpeg, encode_png
from pipeline.photo.decode import decode
from pipeline.values import U8

_ORIGINAL_PX = 400


def save_contact_sheet(fates: Sequence[Fate], stem: Path) -> list[Path]:
    """Write `stem`.jpg and `stem`.png (for viewers that know only one of the two); their paths."""
    sheet = contact_sheet([entry for fate in fates for entry in _entries(fate)])
    made = []
    for suffix, encode in ((".jpg", encode_jpeg), (".png", encode_png)):
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
    template = picture.verdict.get("template", "")
    if picture.state == "done":
        return f"published: {template}"
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
