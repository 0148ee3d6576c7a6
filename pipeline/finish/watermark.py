"""The shop's mark on a picture. Owns its typesetting and legibility; refuses to cover the piece (placed at the edge)."""

from __future__ import annotations

import io
import unicodedata
from typing import Annotated, Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field, model_validator

from pipeline.color import LUMA
from pipeline.rig import Frozen
from pipeline.values import F32, U8

Position = Literal[
    "bottom", "bottom-left", "bottom-right", "top", "top-left", "top-right", "left", "right", "center"
]
_TRACKING_EM = 0.24  # wide letterspacing lets thin capitals read as a mark and not as a caption
_LIGHT_INK, _DARK_INK = (247, 244, 238), (36, 32, 30)
_LIGHT_GROUND = 0.58  # mean encoded luma above which dark ink reads better
_SHADE = 0.65  # strength of the soft shade behind the mark, times opacity


class Watermark(Frozen):
    """Text or a logo (PNG bytes, transparency respected), exactly one of the two.

    opacity: 0..1. size: height of the letters, or width of the logo, as a share of the picture's short side. margin:
    distance to the edge as a share of the short side. font: path of a TrueType file, or the built-in face.
    """

    text: Annotated[str, Field(max_length=80)] = ""
    logo: bytes | None = None
    position: Position = "bottom"
    opacity: Annotated[float, Field(ge=0, le=1)] = 0.72
    size: Annotated[float, Field(gt=0, le=0.5)] | None = None
    margin: Annotated[float, Field(ge=0, le=0.4)] = 0.045
    font: str | None = None

    @model_validator(mode="after")
    def _text_or_logo(self) -> Watermark:
        if bool(self.text.strip()) == (self.logo is not None):
            raise ValueError("a watermark needs either a text or a logo")
        return self


def stamp(srgb_u8: U8, mark: Watermark) -> U8:
    """A copy of (H, W, 3) uint8 with the mark blended in.

    Ink is light on dark grounds and dark on light ones, chosen from the pixels under the mark; a soft shade of the opposite
    tone lies behind it, so the mark also reads across an edge. A logo keeps its own colours. Raises ValueError when the
    logo is not a picture, OSError when the font file is missing.
    """
    height, width = srgb_u8.shape[:2]
    ink, cover = _logo(mark, min(height, width)) if mark.logo is not None else _text(mark, min(height, width))
    ink, cover = _fitted(ink, cover, width, height, mark.margin)
    x, y = _corner(mark, cover.shape[1], cover.shape[0], width, height)
    pad = max(2, round(0.012 * min(height, width)))
    x0, y0, x1, y1 = (
        max(0, x - pad),
        max(0, y - pad),
        min(width, x + cover.shape[1] + pad),
        min(height, y + cover.shape[0] + pad),
    )
    ground = srgb_u8[y0:y1, x0:x1].astype(np.float32)
    full_cover, full_ink = np.zeros(ground.shape[:2], np.float32), np.zeros_like(ground)
    inner = np.s_[y - y0 : y - y0 + cover.shape[0], x - x0 : x - x0 + cover.shape[1]]
    full_cover[inner] = cover
    light_ground = float((ground @ LUMA).mean()) / 255 > _LIGHT_GROUND
    if ink is None:
        full_ink[:] = _DARK_INK if light_ground else _LIGHT_INK
    else:
        full_ink[inner] = ink
    out = srgb_u8.copy()
    out[y0:y1, x0:x1] = _blended(ground, full_ink, full_cover, mark.opacity, pad, light_shade=light_ground)
    return out


def missing_letters(mark: Watermark) -> str:
    """Letters of the text that the mark's face does not have; they are stamped without accents, or left out."""
    face = _face(mark, 32.0)
    nothing = bytes(face.getmask("\uffff"))
    return "".join(sorted({c for c in mark.text if not c.isspace() and bytes(face.getmask(c)) == nothing}))


def _face(mark: Watermark, size_px: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(mark.font, size_px) if mark.font else ImageFont.load_default(size_px)


def _plain(letter: str) -> str:
    """The letter without its accents, or nothing when no Latin letter is left."""
    return "".join(part for part in unicodedata.normalize("NFKD", letter) if part.isascii())


def _blended(ground: F32, ink: F32, cover: F32, opacity: float, pad: int, *, light_shade: bool) -> U8:
    blurred = cv2.GaussianBlur(cover, (0, 0), pad / 2.5)
    shade = np.clip(blurred * 1.3, 0, 1)[..., None] * np.float32(_SHADE * opacity)
    toned = ground + shade * ((255.0 if light_shade else 0.0) - ground)
    weight = cover[..., None] * np.float32(opacity)
    stamped = np.clip(toned + weight * (ink - toned) + np.float32(0.5), 0, 255)
    return np.asarray(stamped, dtype=np.uint8)


def _text(mark: Watermark, short_side: int) -> tuple[None, F32]:
    """Coverage (h, w) 0..1 of the letterspaced text."""
    size_px = max(9.0, (mark.size or 0.022) * short_side)
    face = _face(mark, size_px)
    absent = missing_letters(mark)
    text = "".join(_plain(letter) if letter in absent else letter for letter in " ".join(mark.text.split()))
    tracking = _TRACKING_EM * size_px
    starts = [face.getlength(text[:i]) + tracking * i for i in range(len(text))]
    canvas = Image.new(
        "L", (int(face.getlength(text) + tracking * len(text) + 2 * size_px), int(3 * size_px)), 0
    )
    draw = ImageDraw.Draw(canvas)
    for start, letter in zip(starts, text, strict=True):
        draw.text((size_px + start, size_px), letter, fill=255, font=face)
    cover = np.asarray(canvas.crop(canvas.getbbox() or (0, 0, 1, 1)), dtype=np.float32) / np.float32(255)
    return None, cover


def _logo(mark: Watermark, short_side: int) -> tuple[F32, F32]:
    """Colours (h, w, 3) 0..255 and coverage (h, w) 0..1 of the logo at its final size."""
    try:
        with Image.open(io.BytesIO(mark.logo or b""), formats=("PNG", "JPEG", "WEBP")) as picture:
            rgba = picture.convert("RGBA")
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError("the watermark's logo cannot be read as a picture; use a PNG") from error
    width = max(8, round((mark.size or 0.16) * short_side))
    height = max(1, round(rgba.height * width / rgba.width))
    pixels = np.asarray(rgba.resize((width, height), Image.Resampling.LANCZOS), dtype=np.float32)
    return pixels[..., :3], pixels[..., 3] / np.float32(255)


def _fitted(ink: F32 | None, cover: F32, width: int, height: int, margin: float) -> tuple[F32 | None, F32]:
    """Shrink a mark that is wider or higher than the picture between its margins."""
    room = 1 - 2 * margin
    scale = min(1.0, room * width / cover.shape[1], room * height / cover.shape[0])
    if scale >= 1:
        return ink, cover
    size = (max(1, int(cover.shape[1] * scale)), max(1, int(cover.shape[0] * scale)))
    cover = np.asarray(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    if ink is not None:
        ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    return ink, cover


def _corner(mark: Watermark, mark_width: int, mark_height: int, width: int, height: int) -> tuple[int, int]:
    """Upper left pixel of the mark."""
    gap = round(mark.margin * min(width, height))
    x, y = (width - mark_width) // 2, (height - mark_height) // 2
    if "left" in mark.position:
        x = gap
    if "right" in mark.position:
        x = width - gap - mark_width
    if "top" in mark.position:
        y = gap
    if "bottom" in mark.position:
        y = height - gap - mark_height
    return max(0, min(x, width - mark_width)), max(0, min(y, height - mark_height))
