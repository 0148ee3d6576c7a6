"""The shapes of picture that are made, and what of each must stay free. Owns sizes and safe areas; refuses pixels.

A format is a picture of its own, not a cut from another: the piece is placed, and set, light and grade are computed, for
its frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

FormatName = Literal["square", "portrait", "story"]
FORMAT_NAMES: tuple[FormatName, ...] = get_args(FormatName)


@dataclass(frozen=True, slots=True)
class Format:
    """One shape. size_px: width, height. top, bottom: shares of the height that Instagram's own signs lie over."""

    size_px: tuple[int, int]
    top: float = 0.0
    bottom: float = 0.0


FORMATS: Mapping[FormatName, Format] = {
    "square": Format((1080, 1080)),
    "portrait": Format((1080, 1350)),  # 4:5, the tallest that the feed shows whole
    # Name and bar above, the field for an answer below: Instagram asks for 250 and 340 pixels of 1920 to be left free.
    "story": Format((1080, 1920), top=250 / 1920, bottom=340 / 1920),
}
