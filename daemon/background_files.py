"""The studio's painted backgrounds on the disk: a PNG to look at and a JSON that says how it came to be. Owns the files.

  backgrounds/<surface>-<light>-<order>-<seed>.png   the picture, as the model painted it
  backgrounds/<surface>-<light>-<order>-<seed>.json  words, model, seed, ...; whether it is pinned or banned

A JSON is written after its PNG, so what it names is whole; a PNG without one means nothing. Refuses to paint.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from daemon import durable
from pipeline.rig import Frozen

SHORT = 10  # letters of the order's digest in a name


class Entry(Frozen):
    """One background. order: digest of all that decided it but the seed; sha256: of the PNG; told: the order, for people."""

    name: str
    order: str
    seed: int
    sha256: str
    made: dt.datetime
    told: dict[str, Any]
    pinned: bool = False
    banned: bool = False


@dataclass(frozen=True, slots=True)
class BackgroundFiles:
    """The folder. keep_mb: beyond it, those unused for longest go, but for pinned ones."""

    folder: Path
    keep_mb: int = 4096

    def all(self) -> list[Entry]:
        """All of them, by name; what cannot be read is left out."""
        return list(self._read("*.json"))

    def of(self, order: str) -> list[Entry]:
        """Those of one order, by name."""
        return [one for one in self._read(f"*-{order[:SHORT]}-*.json") if one.order == order]

    def picture(self, entry: Entry) -> bytes | None:
        """The PNG; None when it is not there or not what was painted. Counts as used now."""
        path = self._png(entry.name)
        with contextlib.suppress(OSError):
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == entry.sha256:
                os.utime(path)
                return content
        return None

    def put(self, entry: Entry, png: bytes) -> None:
        """Keep a picture, durably. Raises OSError."""
        durable.make_folders(self.folder)
        durable.write_atomic(self._png(entry.name), png)
        self.mark(entry)
        self._make_room(entry)

    def mark(self, entry: Entry) -> None:
        """Write down what is said of a background; a banned one's picture goes. Raises OSError."""
        durable.write_atomic(self.folder / f"{entry.name}.json", entry.model_dump_json(indent=2).encode())
        if entry.banned:
            durable.remove(self._png(entry.name))

    def _png(self, name: str) -> Path:
        return self.folder / f"{name}.png"

    def _read(self, pattern: str) -> Iterator[Entry]:
        for path in sorted(self.folder.glob(pattern)):
            with contextlib.suppress(OSError, ValidationError):
                entry = Entry.model_validate_json(path.read_bytes())
                if entry.name == path.stem:
                    yield entry

    def _make_room(self, newest: Entry) -> None:
        """Take away what has been unused for longest until the rest fits."""
        files = {}
        for entry in self.all():
            with contextlib.suppress(OSError):
                files[entry.name] = (entry, self._png(entry.name).stat())
        size = sum(status.st_size for _, status in files.values())
        for entry, status in sorted(files.values(), key=lambda one: one[1].st_mtime_ns):
            if size <= self.keep_mb << 20:
                return
            if not entry.pinned and entry.name != newest.name:
                durable.remove(self.folder / f"{entry.name}.json")
                durable.remove(self._png(entry.name))
                size -= status.st_size
