"""The shop's pictures as a folder that training reads. Owns which are used and for what; refuses to touch the photos.

`<folder>/<digest>.png`, `<digest>.weight.png`, `<digest>.json`: one prepared picture each, kept for the next run; what is there is not
prepared again. Pictures that look like an earlier one are left out; about a tenth is kept apart to see whether it is learned by heart.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.cutout.segmenter import Segmenter
from pipeline.diffusion.finetune.prepared import Prepared, difference, prepared
from pipeline.errors import BadInput, Misconfigured
from pipeline.finish.encode import encode_png
from pipeline.photo.decode import decode
from pipeline.values import F32, U8

LEAST_PHOTOS = 12
ADVISED = "200 to 500"
TWINS = 4.0  # levels by which two looks differ at most when they are of one picture, saved otherwise
APART = 10  # one of so many is kept apart
VERSION = 1  # of what preparing does

Write = Callable[[Path, bytes], None]
"""Puts a file there whole or not at all. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture of the set. digest: of the photo's bytes; size_px: (width, height)."""

    digest: str
    name: str
    caption: str
    size_px: tuple[int, int]
    look: bytes = b""


@dataclass(frozen=True, slots=True)
class Dataset:
    """train, held: what is learned from and what is kept apart. dropped: photos that are not used, and why."""

    folder: Path
    train: tuple[Item, ...]
    held: tuple[Item, ...]
    dropped: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """Of all that training sees, hex."""
        told = [[(one.digest, one.caption, one.size_px) for one in part] for part in (self.train, self.held)]
        return hashlib.sha256(json.dumps([VERSION, told]).encode()).hexdigest()

    def picture(self, item: Item) -> U8:
        """(h, w, 3) sRGB, the piece gone."""
        return _pixels(self.folder / f"{item.digest}.png")

    def weight(self, item: Item) -> F32:
        """(h, w) 1 where the ground is, 0 where the piece was."""
        kept: F32 = (_pixels(self.folder / f"{item.digest}.weight.png")[..., 0] > 127).astype(np.float32)
        return kept


@dataclass(frozen=True, slots=True)
class Preparation:
    """How photos are made ready. folder: for what is prepared; words: the owner's, for all; see `prepared` and `decode`."""

    folder: Path
    segmenter: Segmenter
    words: str
    side_px: int
    write: Write
    max_pixels: int

    def item(self, path: Path) -> Item:
        """The photo, prepared now or before. Raises BadInput for one that cannot be used, OSError (no room)."""
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise BadInput(f"it cannot be read ({error.strerror})") from error
        asked = {"version": VERSION, "words": self.words, "side_px": self.side_px}
        told = _json(self.folder / f"{digest}.json")
        if told.get("asked") != asked:
            photo = decode(path, max_pixels=self.max_pixels)
            told = self._kept(digest, prepared(photo, self.segmenter, self.words, self.side_px), asked)
        width, height = told["size_px"]
        return Item(digest, path.name, told["caption"], (width, height), base64.b64decode(told["look"]))

    def _kept(self, digest: str, made: Prepared, asked: dict[str, Any]) -> dict[str, Any]:
        """The card comes last: where it is, the pictures are."""
        self.write(self.folder / f"{digest}.png", encode_png(made.srgb))
        self.write(self.folder / f"{digest}.weight.png", encode_png(np.repeat(made.weight[..., None], 3, 2)))
        size, look = [made.srgb.shape[1], made.srgb.shape[0]], base64.b64encode(made.look).decode()
        told = {"asked": asked, "caption": made.caption, "size_px": size, "look": look}
        self.write(self.folder / f"{digest}.json", json.dumps(told, indent=1).encode())
        return told


def gather(
    photos: Sequence[Path], preparation: Preparation, told: Callable[[Path], None] = lambda _path: None
) -> Dataset:
    """Prepare what is not prepared yet, and choose. told: hears of each photo when it is done.

    Raises Misconfigured when too few photos are left, OSError (no room).
    """
    found: list[Item] = []
    dropped: list[tuple[str, str]] = []
    for path in photos:
        try:
            found.append(preparation.item(path))
        except BadInput as error:
            dropped.append((path.name, str(error).rstrip(".")))
        told(path)
    items: list[Item] = []
    for item in sorted(
        found, key=lambda one: one.digest
    ):  # the same set in whatever order the photos were named
        twin = next((one for one in items if difference(one.look, item.look) < TWINS), None)
        if twin:
            dropped.append((item.name, f"it looks like {twin.name}"))
        else:
            items.append(item)
    if len(items) < LEAST_PHOTOS:
        raise _too_few(len(photos), len(items), dropped)
    held = tuple(items[APART - 1 :: APART])
    return Dataset(preparation.folder, tuple(one for one in items if one not in held), held, tuple(dropped))


def photos_in(paths: Iterable[Path], suffixes: frozenset[str]) -> list[Path]:
    """The photos named, and those in folders that are named."""
    return list(dict.fromkeys(_unfolded(paths, suffixes)))


def _unfolded(paths: Iterable[Path], suffixes: frozenset[str]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                one for one in path.rglob("*") if one.suffix.lower() in suffixes and one.is_file()
            )
        else:
            yield path


def _too_few(given: int, left: int, dropped: Sequence[tuple[str, str]]) -> Misconfigured:
    why = "; ".join(f"{name}: {reason}" for name, reason in dropped[:3])
    more = f" ({why}{'; ...' if len(dropped) > 3 else ''})" if why else ""
    return Misconfigured(
        f"{left} of {given} photos can be learned from{more}; at least {LEAST_PHOTOS} are needed.",
        f"Name more photos; a style is learned well from {ADVISED}.",
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _pixels(path: Path) -> U8:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
