"""What to tell the owner about a file that cannot be used. Owns the words; refuses to look at files itself."""

from __future__ import annotations

from pipeline.errors import BadInput
from pipeline.photo.sniff import RAW_FORMATS

_SAVE_AS_JPEG = "Save the picture as JPEG, PNG, TIFF, WebP or HEIC and drop that file into the folder."
_COPY_AGAIN = "Copy the photo from the camera or phone again and drop the new copy into the folder."
_WHAT_IT_IS = {
    "gif": "a GIF, which holds too few colours for a product photo",
    "bmp": "a BMP picture",
    "pdf": "a PDF document",
    "html": "a web page, not a picture; the download probably saved the page instead of the photo",
    "svg": "a vector drawing (SVG)",
    "text": "a text file",
    "psd": "a Photoshop document",
    "jpeg2000": "a JPEG 2000 picture",
    "jxl": "a JPEG XL picture",
    "video": "a video",
    "audio": "a sound file",
    "zip": "a ZIP archive or an office document",
    "rar": "an archive (RAR)",
    "7z": "an archive (7-Zip)",
    "gzip": "a compressed archive (gzip)",
    "program": "a program",
    "postscript": "a PostScript file",
}


def empty(name: str) -> BadInput:
    """The file has no bytes."""
    return BadInput(f"{name} is empty (0 bytes).", _COPY_AGAIN)


def not_a_photo(name: str, kind: str | None) -> BadInput:
    """The content is something else than a supported photo; says what it really is."""
    if kind in RAW_FORMATS:
        advice = (
            "Develop it in your camera's program and export a JPEG or a 16-bit TIFF, then drop that file."
        )
        return BadInput(f"{name} is a camera RAW file ({kind.upper()}), not a finished photo.", advice)
    found = _WHAT_IT_IS.get(kind or "", "not a picture that Vitrine knows")
    return BadInput(f"{name} is {found}.", _SAVE_AS_JPEG)


def animated(name: str, frames: int) -> BadInput:
    """More than one frame over time."""
    return BadInput(
        f"{name} is an animation with {frames} frames, not a photo.", "Drop one still picture instead."
    )


def too_large(name: str, size: tuple[int, int] | int, max_pixels: int) -> BadInput:
    """More pixels than the cap; known from the header, nothing was decoded. size: (width, height), or their product."""
    count, sides = (
        (size, "") if isinstance(size, int) else (size[0] * size[1], f"{size[0]} x {size[1]} pixels, ")
    )
    return BadInput(
        f"{name} is too large: {sides}{count / 1e6:.0f} megapixels; the limit is {max_pixels / 1e6:.0f}.",
        "Save a smaller version; 4000 pixels on the long side are plenty.",
    )


def too_small(name: str, width: int, height: int, least: int) -> BadInput:
    """Too few pixels to show a piece."""
    return BadInput(
        f"{name} is too small: {width} x {height} pixels; the long side needs at least {least}.",
        "Use the photo as it came from the camera, not a preview or thumbnail.",
    )


def cut_off(name: str) -> BadInput:
    """The end of the file is missing or was never filled in."""
    return BadInput(f"{name} is incomplete: the end of the picture is missing or empty.", _COPY_AGAIN)


def damaged(name: str, kind: str, detail: str) -> BadInput:
    """The decoder gave up."""
    return BadInput(f"{name} is damaged and cannot be read as {kind.upper()} ({detail}).", _COPY_AGAIN)


def unsupported(name: str, kind: str, detail: str) -> BadInput:
    """A picture, but in a variant that has no plain meaning as a photo."""
    return BadInput(f"{name} is a {kind.upper()} with {detail}, which Vitrine cannot use.", _SAVE_AS_JPEG)
