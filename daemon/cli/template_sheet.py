"""A picture of all templates, each on one of the sample pieces. Owns the sheet's typesetting; loads the imaging libraries."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.progress import track

from pipeline.errors import BadInput, Misconfigured, VitrineError
from pipeline.finish.encode import encode_jpeg, encode_png
from pipeline.photo.decode import decode
from pipeline.recipe import JewelryType
from pipeline.render import cut, render_cutout
from pipeline.values import U8, Cutout
from presets.library import HOME, library, recipe
from presets.models import Template
from rules.wording import type_in_name

CELL_PX, LABEL_PX, GAP_PX, COLUMNS = 360, 34, 12, 6
RENDER_PX = 720
PAPER, INK = (246, 244, 240), (40, 38, 36)

Samples = Mapping[JewelryType, Sequence[Path]]


def save_sheet(
    target: Path, names: Sequence[str] = (), photo: Path | None = None, kind: JewelryType = "auto"
) -> None:
    """Render the templates (all, or `names`) and save the sheet; with `photo`, of a piece of that kind, all on that piece.

    Raises BadInput when the file's kind is not known or it cannot be written, and for the photo as `decode` does.
    """
    encoders = {".jpg": encode_jpeg, ".jpeg": encode_jpeg, ".png": encode_png}
    encode = encoders.get(target.suffix.lower())
    if encode is None:
        raise BadInput(f"{target}: a sheet is a .jpg or a .png file.", "Give the sheet such a name.")
    samples = sample_photos(HOME / "samples") if photo is None else {type_of(photo, kind): [photo]}
    wanted = list(names or library().templates)
    cells: list[tuple[str, Image.Image]] = []
    pieces: dict[Path, Cutout] = {}
    console = Console(stderr=True)
    for at, name in enumerate(track(wanted, "Templates", console=console, disable=not sys.stderr.isatty())):
        shown, path = chosen(library().templates[name], samples, at)
        if path not in pieces:
            pieces[path] = cut(decode(path), recipe(name, shown, draft=True))
        cells.append((name, cell(pieces[path], name, shown)))
    try:
        target.write_bytes(encode(composed(cells)))
    except OSError as error:
        raise BadInput(f"{target}: cannot be written: {error.strerror}.", "Choose another place.") from error


def type_of(photo: Path, kind: JewelryType) -> JewelryType:
    """The kind of jewelry that was said, else the one in the file's name, else "auto"."""
    return kind if kind != "auto" else type_in_name(photo.name) or "auto"


def sample_photos(home: Path) -> Samples:
    """The sample photos by kind of jewelry. Raises Misconfigured when there are none."""
    found: dict[JewelryType, list[Path]] = {}
    for path in sorted(home.glob("*.jpg")):
        kind = type_in_name(path.name)
        if kind is not None:
            found.setdefault(kind, []).append(path)
    if not found:
        raise Misconfigured(f"there are no sample photos in {home}", "Install Vitrine again.")
    return found


def chosen(template: Template, samples: Samples, turn: int) -> tuple[JewelryType, Path]:
    """The sample for a template: kinds that suit it take turns."""
    kinds = [kind for kind in samples if kind in template.suits] or list(samples)
    kind = kinds[turn % len(kinds)]
    photos = samples[kind]
    return kind, photos[turn // len(kinds) % len(photos)]


def cell(piece: Cutout, name: str, kind: JewelryType) -> Image.Image:
    """One template's picture; a grey one with the reason when it could not be rendered."""
    size = (RENDER_PX, RENDER_PX)
    try:
        srgb = render_cutout(piece, recipe(name, kind, size_px=size, draft=True)).srgb
    except VitrineError as error:
        blank = Image.new("RGB", (CELL_PX, CELL_PX), (190, 190, 190))
        ImageDraw.Draw(blank).text((10, 10), str(error), fill=INK, font=_font(13))
        return blank
    return Image.fromarray(srgb).resize((CELL_PX, CELL_PX), Image.Resampling.LANCZOS)


def composed(cells: Sequence[tuple[str, Image.Image]]) -> U8:
    """The cells in rows with their names below, (H, W, 3) uint8."""
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    across, down = CELL_PX + GAP_PX, CELL_PX + LABEL_PX + GAP_PX
    sheet = Image.new("RGB", (columns * across + GAP_PX, rows * down + GAP_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    for at, (name, picture) in enumerate(cells):
        x, y = GAP_PX + at % columns * across, GAP_PX + at // columns * down
        sheet.paste(picture, (x, y))
        draw.text((x + 2, y + CELL_PX + 6), name, fill=INK, font=_font(19))
    return np.asarray(sheet)


def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)
