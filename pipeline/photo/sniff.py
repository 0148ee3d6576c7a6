"""Names what a file really is from its first bytes. Owns the signatures; refuses decoding and trust in suffixes.

Standard library only: the supervising process imports this.
"""

from __future__ import annotations

from typing import Literal

HEAD_BYTES = 4096
DECODABLE = frozenset({"jpeg", "png", "webp", "avif", "tiff", "heic"})
RAW_FORMATS = frozenset({"cr2", "cr3", "nef", "arw", "dng", "orf", "rw2", "raf", "pef", "x3f", "mrw"})

_FIXED: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"FUJIFILMCCD-RAW", "raf"),
    (b"IIRO", "orf"),
    (b"IIRS", "orf"),
    (b"MMOR", "orf"),
    (b"IIU\x00", "rw2"),
    (b"FOVb", "x3f"),
    (b"\x00MRM", "mrw"),
    (b"%PDF-", "pdf"),
    (b"8BPS", "psd"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (b"\xff\x0a", "jxl"),
    (b"PK\x03\x04", "zip"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"\x7fELF", "program"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"%!PS", "postscript"),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_TIFF_BYTE_ORDERS = {b"II*\x00": "little", b"MM\x00*": "big", b"II+\x00": "little", b"MM\x00+": "big"}
# TIFF-based RAW files say who made them in the first kilobytes; a developed TIFF of the same camera has no such tag.
_TAG_DNG_VERSION, _TAG_SUB_IFDS, _TAG_MAKE, _TAG_PHOTOMETRIC = 50706, 330, 271, 262


def sniff(head: bytes) -> str | None:
    """Format by content, or None when nothing is recognised.

    head: the first bytes of the file (`HEAD_BYTES` are plenty; fewer work as far as they reach). Answers are those
    of `DECODABLE`, `RAW_FORMATS`, and names for a refusal: gif, bmp, pdf, html, svg, text, video, zip, ...
    MPO is a JPEG with more pictures behind it and is named jpeg.
    """
    for signature, name in _FIXED:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"AVI ": "video", b"WAVE": "audio"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[:4] in _TIFF_BYTE_ORDERS:
        return _tiff_family(head)
    if (
        head[:2] == b"BM"
        and len(head) >= 18
        and head[14:18] in {b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0", b"\x0c\0\0\0"}
    ):
        return "bmp"
    return _written_words(head)


def _iso_media(head: bytes) -> str:
    """ISO base media (HEIC, AVIF, CR3, videos): the major brand, else the compatible ones."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    major, others = head[8:12], {head[at : at + 4] for at in range(16, max(size - 3, 16), 4)}
    if major == b"crx ":
        return "cr3"
    if major in _AVIF_BRANDS or (major in {b"mif1", b"msf1"} and others & _AVIF_BRANDS):
        return "avif"
    if major in _HEIC_BRANDS:
        return "heic"
    return "video"


def _tiff_family(head: bytes) -> str:
    """A plain TIFF or one of the RAW formats that are built on it."""
    if head[8:10] == b"CR":
        return "cr2"
    tags = _first_directory(head)
    if _TAG_DNG_VERSION in tags:
        return "dng"
    make = head[:HEAD_BYTES].upper()
    if _TAG_SUB_IFDS in tags and _TAG_MAKE in tags:  # previews beside the sensor's data
        for word, name in ((b"NIKON", "nef"), (b"SONY", "arw"), (b"PENTAX", "pef"), (b"RICOH", "pef")):
            if word in make:
                return name
    return "tiff"


def _first_directory(head: bytes) -> frozenset[int]:
    """Tag numbers of the first image directory as far as `head` reaches (classic TIFF)."""
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    start = int.from_bytes(head[4:8], order)
    count = int.from_bytes(head[start : start + 2], order)
    entries = range(start + 2, min(start + 2 + 12 * count, len(head) - 1), 12)
    return frozenset(int.from_bytes(head[at : at + 2], order) for at in entries)


def _written_words(head: bytes) -> str | None:
    """html, svg or text when the bytes read as words."""
    if not head:
        return None
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    if start.startswith((b"<svg", b"<?xml")):
        return "svg" if b"<svg" in head.lower() else "text"
    if b"\x00" in head:
        return None
    printable = sum(byte in b"\t\n\r\f" or byte >= 0x20 for byte in head)
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":  # a letter that `head` cuts in two is fine
            return None
    return "text" if printable >= 0.98 * len(head) else None
