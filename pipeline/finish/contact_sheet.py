"""A sheet of photos beside what became of them. Owns its typesetting; refuses files and verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.values import U8

RENDER_PX, ORIGINAL_PX, GAP_PX, LABEL_PX = 440, 190, 14, 58
TITLE_PX, SMALL_PX = 19, 15
PAPER, BLANK, INK, FAINT_INK = (247, 245, 241), (226, 222, 215), (38, 36, 34), (118, 112, 104)
PORTRAIT = 1.1  # height of a sheet over its width is kept near the inverse of this


@dataclass(frozen=True, slots=True)
class Entry:
    """One photo. original, picture: (h, w, 3) uint8 of any size, or None; title and words stand below.

    words is also set into the picture's place when there is no picture.
    """

    title: str
    words: str
    original: U8 | None
    picture: U8 | None


def contact_sheet(entries: Sequence[Entry]) -> U8:
    """The sheet, (H, W, 3) uint8: each original small beside its picture, with a title and a line of words.

    Raises ValueError when there are no entries.
    """
    if not entries:
        raise ValueError("a contact sheet needs at least one entry")
    across, down = ORIGINAL_PX + RENDER_PX + 3 * GAP_PX, RENDER_PX + LABEL_PX + GAP_PX
    columns = max(1, min(len(entries), round(math.sqrt(len(entries) * PORTRAIT * down / across))))
    rows = -(-len(entries) // columns)
    sheet = Image.new("RGB", (columns * across + GAP_PX, rows * down + GAP_PX), PAPER)
    for at, entry in enumerate(entries):
        _set(sheet, entry, GAP_PX + at % columns * across, GAP_PX + at // columns * down)
    return np.asarray(sheet)


def _set(sheet: Image.Image, entry: Entry, x: int, y: int) -> None:
    draw = ImageDraw.Draw(sheet)
    right = x + ORIGINAL_PX + GAP_PX
    if entry.original is not None:
        small = _fitted(entry.original, ORIGINAL_PX)
        sheet.paste(small, (x, y))
        draw.rectangle((x, y, x + small.width - 1, y + small.height - 1), outline=BLANK)
    if entry.picture is not None:
        sheet.paste(_fitted(entry.picture, RENDER_PX), (right, y))
    else:
        draw.rectangle((right, y, right + RENDER_PX - 1, y + RENDER_PX - 1), fill=BLANK)
        _paragraph(draw, entry.words, right + 20, y + 20, RENDER_PX - 40)
    draw.text((x, y + RENDER_PX + 7), _shortened(draw, entry.title, TITLE_PX), INK, _font(TITLE_PX))
    draw.text((x, y + RENDER_PX + 33), _shortened(draw, entry.words, SMALL_PX), FAINT_INK, _font(SMALL_PX))


def _fitted(pixels: U8, side: int) -> Image.Image:
    """The picture, its long side `side`."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _shortened(draw: ImageDraw.ImageDraw, text: str, size_px: int) -> str:
    """The text, cut to the width of an entry."""
    font, width = _font(size_px), ORIGINAL_PX + GAP_PX + RENDER_PX
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "...", font) > width:
        text = text[:-1]
    return text.rstrip() + "..."


def _paragraph(draw: ImageDraw.ImageDraw, text: str, x: int, y: int, width: int) -> None:
    font, line = _font(SMALL_PX + 2), ""
    for word in [*text.split(), ""]:
        longer = f"{line} {word}".strip()
        if word and draw.textlength(longer, font) <= width:
            line = longer
            continue
        draw.text((x, y), line, fill=INK, font=font)
        y, line = y + SMALL_PX + 9, word
