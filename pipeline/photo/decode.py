"""Opens a photo file. Owns the order of checks (cheap before dear) and the refusals; refuses to trust names.

Order: content → structure's end → header (animation, size) → pixels → colour → upright. A file that asks for a lot of
memory is refused by its header.
"""

from __future__ import annotations

import functools
import re
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from pipeline.errors import Busy
from pipeline.photo import pixels, refusal
from pipeline.photo.checksum import png_is_sound
from pipeline.photo.endmark import end_state
from pipeline.photo.sniff import DECODABLE, HEAD_BYTES, sniff
from pipeline.values import Note, Photo

MAX_PIXELS = 120_000_000
MIN_LONG_SIDE_PX = 200
_DRAFT_ABOVE_PX = (
    60_000_000  # a JPEG above this is decoded at half size: still far more than any render needs
)
_FORMATS = {
    "jpeg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "webp": ("WEBP",),
    "avif": ("AVIF",),
    "tiff": ("TIFF",),
    "heic": ("HEIF",),
}
_DECODER_ERRORS = (
    OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, EOFError, RuntimeError, OverflowError,
    struct.error, zlib.error, cv2.error,
)  # fmt: skip  # what Pillow's plugins raise on malformed files
_ORIENTATION, _EXIF_IFD, _INTEROP_IFD, _COLOR_SPACE, _INTEROP_INDEX = 0x0112, 0x8769, 0xA005, 0xA001, 0x0001


def decode(path: Path, *, max_pixels: int = MAX_PIXELS, name: str | None = None) -> Photo:
    """Read a photo (JPEG, MPO, PNG, WebP, AVIF, TIFF, HEIC) as upright sRGB.

    max_pixels: cap on width x height, checked in the header. name: what to call the file in messages (default: its
    own name). Raises BadInput for everything that can never become a render, Busy when memory does not suffice now,
    OSError when the file cannot be read at all.
    """
    called = name or path.name
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head:
        raise refusal.empty(called)
    kind = sniff(head)
    if kind is None or kind not in DECODABLE:
        raise refusal.not_a_photo(called, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's warnings about size and metadata; both are judged here
        try:
            return _decode(path, kind, max_pixels, called)
        except Image.DecompressionBombError as error:
            count = int((re.findall(r"\d+", str(error)) or ["0"])[0])
            raise refusal.too_large(called, count, max_pixels) from error
        except NotImplementedError as error:
            raise refusal.unsupported(called, kind, str(error)) from error
        except MemoryError as error:
            raise Busy(f"Not enough memory to open {called}.", "It will be tried again.") from error
        except UnidentifiedImageError as error:
            raise _broken(path, kind, called, "its header makes no sense") from error
        except _DECODER_ERRORS as error:
            raise _broken(path, kind, called, str(error) or type(error).__name__) from error


def _broken(path: Path, kind: str, called: str, detail: str) -> Exception:
    return (
        refusal.cut_off(called) if end_state(path) == "incomplete" else refusal.damaged(called, kind, detail)
    )


def _decode(path: Path, kind: str, max_pixels: int, called: str) -> Photo:
    if kind == "heic":
        _register_heic()
    with Image.open(path, formats=_FORMATS[kind]) as image:
        _check_header(image, kind, max_pixels, called)
        if end_state(path) == "incomplete":
            raise refusal.cut_off(called)
        if kind == "png" and not png_is_sound(path):
            raise refusal.damaged(called, kind, "its checksum is wrong")
        source = {
            "format": kind,
            "mode": image.mode,
            "size": image.size,
            "frames": getattr(image, "n_frames", 1),
        }
        icc = image.info.get("icc_profile") or None
        deep = _deep_pixels(path, kind, image, icc)
        if deep is not None:
            found, orientation, bits = deep, _orientation(image), 16
        else:
            found, orientation, bits = _plain_pixels(image, kind, icc), _orientation(image), 8
    srgb, alpha, profile, notes = found
    srgb = pixels.upright(srgb, orientation)
    alpha = None if alpha is None else pixels.upright(alpha, orientation)
    source |= {"bits": bits, "profile": profile, "orientation": orientation}
    return Photo(srgb, alpha, source, notes + _remarks(source))


def _check_header(image: Image.Image, kind: str, max_pixels: int, called: str) -> None:
    """Refuse by what the header says, before any pixel is decoded."""
    width, height = image.size
    if width * height > max_pixels:
        raise refusal.too_large(called, (width, height), max_pixels)
    if max(width, height) < MIN_LONG_SIDE_PX:
        raise refusal.too_small(called, width, height, MIN_LONG_SIDE_PX)
    frames = getattr(image, "n_frames", 1)
    if kind in {"png", "webp", "avif"} and frames > 1:
        raise refusal.animated(called, frames)


def _plain_pixels(image: Image.Image, kind: str, icc: bytes | None) -> pixels.Pixels:
    if kind == "jpeg" and image.width * image.height > _DRAFT_ABOVE_PX:
        image.draft(image.mode, (image.width // 2, image.height // 2))
    adobe = icc is None and image.mode == "RGB" and _says_adobe_rgb(image)
    image.load()
    return pixels.from_image(image, icc, adobe_rgb=adobe)


def _deep_pixels(path: Path, kind: str, image: Image.Image, icc: bytes | None) -> pixels.Pixels | None:
    """16-bit PNG and TIFF, which Pillow would cut to 8 bits; None for everything else."""
    if kind not in {"png", "tiff"} or _bits(path, kind, image) != 16:
        return None
    codes = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if codes is None or codes.dtype != np.uint16 or codes.shape[:2] != (image.height, image.width):
        return None
    white_is_zero = kind == "tiff" and _photometric(image) == 0
    return pixels.from_deep(65535 - codes if white_is_zero else codes, icc)


def _bits(path: Path, kind: str, image: Image.Image) -> int:
    """Bits per channel of a PNG or of an RGB or grey TIFF; 8 for what the deep reader must not touch."""
    if kind == "png":
        with path.open("rb") as stream:
            return stream.read(25)[24]
    tags: Any = getattr(image, "tag_v2", {})
    grey_or_rgb = _photometric(image) in {0, 1, 2}
    return int(max(tags.get(258, (8,)))) if grey_or_rgb else 8


def _photometric(image: Image.Image) -> int:
    """TIFF tag 262: 0 grey with white at zero, 1 grey, 2 RGB, 3 palette, 5 CMYK, ..."""
    tags: Any = getattr(image, "tag_v2", {})
    return int(tags.get(262, -1))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DECODER_ERRORS:
        return 1


def _says_adobe_rgb(image: Image.Image) -> bool:
    """DCF optional colour space: EXIF says "uncalibrated" and interoperability "R03" (CIPA DC-009)."""
    try:
        exif = image.getexif()
        index = exif.get_ifd(_INTEROP_IFD).get(_INTEROP_INDEX, "")
        return exif.get_ifd(_EXIF_IFD).get(_COLOR_SPACE) == 0xFFFF and str(index).startswith("R03")
    except _DECODER_ERRORS:
        return False


def _remarks(source: dict[str, Any]) -> tuple[Note, ...]:
    if source["format"] == "tiff" and source["frames"] > 1:
        return (Note("first-page", f"The file has {source['frames']} pages; only the first was used."),)
    return ()


@functools.cache
def _register_heic() -> None:
    import pillow_heif  # noqa: PLC0415 - its codecs cost start-up time and few photos need them

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
