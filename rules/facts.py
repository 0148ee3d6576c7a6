"""What is known of a dropped photo before anything is decided. Owns the value; refuses to look at the file itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from pipeline.rig import Frozen


def readable(name: object) -> object:
    r"""A file name as text that can be stored and printed: bytes that are not UTF-8 become `\xff`.

    Names from the disk may hold lone surrogates (`os.fsdecode`), which neither JSON nor a terminal accepts.
    """
    if not isinstance(name, str):
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


DiskName = Annotated[str, BeforeValidator(readable)]


class Facts(Frozen):
    """A photo as the daemon found it.

    folder: its folder below the inbox with "/" between the parts, "" for the inbox itself; name: file name with
    suffix; size: bytes; digest: SHA-256 of the bytes, hex, or "" when not yet read; kind: what the first bytes say
    ("jpeg", "png", ...), or ""; width_px, height_px: what the header says, if it says anything.
    """

    folder: DiskName = ""
    name: DiskName
    size: Annotated[int, Field(ge=0)] = 0
    digest: str = ""
    kind: str = ""
    width_px: int | None = None
    height_px: int | None = None
