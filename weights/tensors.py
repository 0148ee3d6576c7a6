"""The head of a safetensors file: is the file whole, and which tensors are in it. Reads no weights; refuses pickles.

Format: 8 bytes little-endian length, that many bytes of JSON, then the tensors one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from weights.store import Damaged

LONGEST_HEAD = 100 << 20  # as the format's own library allows


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself. shapes: by tensor; metadata: whatever its maker wrote."""

    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]


def read_head(path: Path) -> Head:
    """The head of `path`. Raises `Damaged`, and FileNotFoundError when there is no such file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            told = json.loads(stream.read(length)) if length < min(size, LONGEST_HEAD) else {}
        metadata = told.pop("__metadata__", {})
        shapes = {name: tuple(tensor["shape"]) for name, tensor in told.items()}
        ends = [tensor["data_offsets"][1] for tensor in told.values()]
        whole = bool(ends) and size == 8 + length + max(ends)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise Damaged(f"{path} is damaged, or was not copied to its end")
    return Head(shapes, metadata)
