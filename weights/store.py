"""Where the shipped networks lie. Owns the manifest and its check; refuses to run anything."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parent
NETWORKS: Final = "manifest.json"


class Damaged(Exception):  # noqa: N818 - a state of a file
    """A shipped file is missing, or not the one the manifest names."""


def manifest(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """What ships, by name: file, sha256, bytes. Raises `Damaged`."""
    try:
        known: dict[str, dict[str, Any]] = json.loads((folder / NETWORKS).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Damaged(f"{folder / NETWORKS} cannot be read ({error})") from error
    return known


def network(name: str, folder: Path = FOLDER) -> bytes:
    """The shipped network as it was released. Raises `Damaged` if a byte is amiss."""
    entry = manifest(folder).get(name)
    if entry is None:
        raise Damaged(f"{folder / NETWORKS} knows no network '{name}'")
    path = folder / str(entry["file"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Damaged(f"{path} cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise Damaged(
            f"{path} is not the file that was released: {len(content)} of {entry['bytes']} bytes, or other ones"
        )
    return content


def digest(path: Path) -> str:
    """sha256 of a file, as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
