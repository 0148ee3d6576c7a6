"""SHA-256 of weights, remembered: a model has gigabytes, and its digest is asked for with every picture. Owns the memory.

A file counts as the same while its size and its time of change are. The memory may be lost at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from daemon import durable

COUNTED: Final = {
    ".safetensors",
    ".json",
    ".txt",
    ".model",
    ".pth",
}  # of a model's folder: what decides its pictures


@dataclass(frozen=True, slots=True)
class Digests:
    """The memory in one file."""

    file: Path

    def of(self, *paths: Path) -> str:
        """Of files, and of all that counts in folders, with the names below them; hex. Raises OSError."""
        known = self._known()
        fresh = dict(known)
        digests = [f"{name} {self._file(path, fresh)}" for name, path in _files(paths)]
        if fresh != known:
            durable.make_folders(self.file.parent)
            durable.write_atomic(self.file, json.dumps(fresh, indent=1).encode())
        return digests[0].rpartition(" ")[2] if len(digests) == 1 else _sha("\n".join(digests))

    def _known(self) -> dict[str, str]:
        with contextlib.suppress(OSError, ValueError):
            known: dict[str, str] = json.loads(self.file.read_text("utf-8"))
            return known
        return {}

    @staticmethod
    def _file(path: Path, known: dict[str, str]) -> str:
        status = path.stat()
        key = f"{os.fspath(path.absolute())}|{status.st_size}|{status.st_mtime_ns}"
        if key not in known:
            for old in [one for one in known if one.partition("|")[0] == key.partition("|")[0]]:
                del known[old]
            known[key] = durable.digest_of(path)
        return known[key]


def _files(paths: Iterable[Path]) -> Iterable[tuple[str, Path]]:
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.suffix in COUNTED and file.is_file() and not file.name.startswith("."):
                    yield file.relative_to(path).as_posix(), file
        else:
            yield path.name, path


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
