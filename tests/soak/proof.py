"""What a long proof is. Owns the row that it prints; the proofs live beside this module, one matter each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. met: whether what was measured is what was asked."""

    what: str
    asked: str
    measured: str
    met: bool


Say = Callable[[str], None]
# A proof gets the share of its full size that is wanted (1.0: as asked; make soak SHARE=0.01 for a look) and a way to
# tell how far it is. It yields its rows as they come, and never raises for a figure that is not met.
Proof = Callable[[float, Say], Iterator[Row]]


@contextmanager
def studio_folder(name: str) -> Iterator[Path]:
    """A folder for a studio on the disk that the temporary files are on; removed afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"vitrine-{name}-") as folder:
        yield Path(folder)


def share_of(count: int, share: float, least: int = 1) -> int:
    """So many of `count`."""
    return max(least, round(count * share))
