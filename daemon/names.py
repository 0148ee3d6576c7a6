"""Names for files that we make, out of names that others gave. Owns what a safe name is; refuses to touch a disk."""

from __future__ import annotations

import os
import unicodedata
from pathlib import PurePath

MAX_BYTES = 200  # of 255, so that suffixes and marks still fit


def readable(name: str | bytes) -> str:
    r"""A disk name for people, logs and JSON: bytes that are not UTF-8 show as `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def safe_stem(stem: str, fallback: str = "photo") -> str:
    """A stem that every file system, shell and upload form accepts; at most MAX_BYTES bytes of UTF-8.

    Bytes that are not UTF-8, control characters and separators go; letters of all scripts stay.
    """
    text = unicodedata.normalize("NFC", os.fsencode(stem).decode("utf-8", "ignore"))
    kept = "".join(
        "_" if c in '/\\:*?"<>|' else c for c in text if unicodedata.category(c)[0] != "C" or c == "\u200d"
    )
    kept = kept.strip().lstrip(".-~").rstrip(". ")
    kept = kept.encode()[:MAX_BYTES].decode("utf-8", "ignore").rstrip()
    return kept or fallback


def safe_folder(folder: str) -> PurePath:
    """The drop's folder as a path below an output folder; it cannot climb out, whatever it is called."""
    return PurePath(
        *(safe_stem(part, "folder") for part in PurePath(folder).parts if part not in {"/", ".."})
    )


def safe_suffix(name: str) -> str:
    """The suffix with its dot, lower case, if it looks like one."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 8 else ""
