"""Checkpoints of a run in a folder: the newest sound one, and the one before it. Owns their names; refuses what is in them."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.diffusion.finetune.dataset import Write

KEPT = 2
_DIGEST = 32  # bytes, before the state


class Checkpoints:
    """write: puts a file there whole or not at all."""

    def __init__(self, folder: Path, write: Write) -> None:
        self._folder = folder
        self._write = write

    def put(self, step: int, data: bytes) -> None:
        """Keep the state after that many steps; older ones than the last two go. Raises OSError."""
        self._write(self._path(step), hashlib.sha256(data).digest() + data)
        for old in sorted(self._steps())[:-KEPT]:
            with contextlib.suppress(OSError):
                self._path(old).unlink()

    def newest(self) -> tuple[int, bytes] | None:
        """Steps and state; a damaged file is passed over."""
        for step in sorted(self._steps(), reverse=True):
            data = self._path(step).read_bytes()
            if hashlib.sha256(data[_DIGEST:]).digest() == data[:_DIGEST]:
                return step, data[_DIGEST:]
        return None

    def clear(self) -> None:
        """Forget all of them. Raises OSError."""
        for step in self._steps():
            self._path(step).unlink()

    def _steps(self) -> Iterator[int]:
        for path in self._folder.glob("step-*.pt") if self._folder.is_dir() else ():
            if found := re.fullmatch(r"step-(\d+)", path.stem):
                yield int(found[1])

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step:06d}.pt"
