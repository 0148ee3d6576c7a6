"""Names for files that we make, out of names that others gave. Owns what a safe name is; refuses to touch a disk."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import PurePath

MAX_BYTES = 160  # of 255, so that suffixes, marks (a job's whole key) and temporary names still fit
MAX_FOLDER_BYTES = 1000  # of the 4096 of a path
_JOINER = "\u200d"  # holds emoji together
_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + _JOINER
_NOT_FIRST, _NOT_LAST = ".-~" + _BLANKS, "." + _BLANKS
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # on shares of Windows


def readable(name: str | bytes) -> str:
    r"""A disk name for people, logs and JSON: bytes that are not UTF-8 show as `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def entry(path: str) -> tuple[bytes, str, str]:
    """A path below the inbox as the ledger has it: the disk's bytes, then folder and name for people."""
    folder, _, name = path.rpartition("/")
    return os.fsencode(path), readable(folder), readable(name)


def safe_stem(stem: str, fallback: str = "photo") -> str:
    """A stem that every file system, shell and upload form accepts; at most MAX_BYTES bytes of UTF-8.

    Bytes that are not UTF-8, control characters and separators go; letters of all scripts stay.
    """
    kept = "".join(
        "_" if letter in '/\\:*?"<>|' else letter
        for letter in unicodedata.normalize("NFC", os.fsencode(stem).decode("utf-8", "ignore"))
        if unicodedata.category(letter)[0] != "C" or letter == _JOINER
    )
    kept = unicodedata.normalize("NFC", kept).lstrip(_NOT_FIRST).rstrip(_NOT_LAST)
    kept = kept.encode()[:MAX_BYTES].decode("utf-8", "ignore").rstrip(_NOT_LAST)
    return f"{kept}_" if _RESERVED.fullmatch(kept) else kept or fallback


def safe_folder(folder: str) -> PurePath:
    """The drop's folder as a path below an output folder; it cannot climb out, whatever it is called.

    At most MAX_FOLDER_BYTES bytes: what is deeper is named by its digest.
    """
    parts = [safe_stem(part, "folder") for part in PurePath(folder).parts if part not in {"/", ".."}]
    if len("/".join(parts).encode()) > MAX_FOLDER_BYTES:
        rest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:16]
        parts = [*parts[:1], rest]
    return PurePath(*parts)


def safe_suffix(name: str) -> str:
    """The suffix with its dot, lower case, if it looks like one."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 8 else ""
