"""Tells from a file's structure whether its end is there. Owns the end marks; refuses decoding.

"The size has stopped changing" is not "complete": a preallocated file has its final size from the start and zeros where
pixels will be, and decoders accept that (a WebP, a TIFF and a baseline JPEG come out grey or black). Standard library
only: the supervising process imports this. Every check reads the head, the tail and what lies on the way of the
structure, not the whole file, except JPEG, whose end mark may stand anywhere before appended bytes: it is searched
for once. No memory map: a file that is cut while it is mapped ends the process, and some network drives have none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from pipeline.photo.sniff import HEAD_BYTES, sniff

EndState = Literal["complete", "incomplete", "unknown"]
_Order = Literal["little", "big"]
_Extents = list[tuple[int, int]]
# How long a tail of zeros must be to count as preallocation. Arithmetic coders do write runs of zeros on blank paper
# (221 bytes seen in a lossy WebP of 4 megapixels), in proportion to the picture; a preallocated rest is far longer.
_ZERO_RUN, _ZERO_SHARE = 1024, 256
_TIFF_MAX_IFDS, _TIFF_MAX_ENTRIES = 64, 4096
_CHUNK = 1 << 20
_MAX_BOXES = 10_000
_BIG_TIFF = (b"II+\x00", b"MM\x00+")  # 64-bit directories; too rare to walk, the full decode decides


def end_state(path: Path) -> EndState:
    """Whether `path` is all there.

    `complete`: the format's end mark stands and the tail is not preallocation. `incomplete`: known format, end missing
    (or an empty file). `unknown`: no rule for this format. Raises OSError when the file cannot be read.
    """
    size = path.stat().st_size
    if size == 0:
        return "incomplete"
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        rule = _RULES.get(sniff(head) or "")
        if rule is None or head[:4] in _BIG_TIFF:
            return "unknown"
        return "complete" if rule(stream, size) else "incomplete"


def _zero_tail(stream: BinaryIO, end: int) -> bool:
    """True when the bytes before `end` are zeros for longer than coded pixels can be."""
    start = max(0, end - _ZERO_RUN - end // _ZERO_SHARE)
    stream.seek(start)
    return not any(stream.read(end - start))


def _jpeg(stream: BinaryIO, size: int) -> bool:
    """An EOI after the first scan began.

    Cameras and phones append bytes after EOI (second pictures, motion clips, padding): all fine once EOI stands. A rest
    of zeros swallows EOI. Zeros before EOI prove nothing: with optimised Huffman tables blank paper is coded as
    thousands of zero bytes (17 kB before EOI seen in a 4-megapixel picture).
    """
    scan = _jpeg_scan(stream, size)
    if scan is None:
        return False
    stream.seek(scan)
    before = b""
    while chunk := stream.read(_CHUNK):
        if b"\xff\xd9" in before + chunk:
            return True
        before = chunk[-1:]
    return False


def _jpeg_scan(stream: BinaryIO, size: int) -> int | None:
    """Offset of the first entropy-coded byte, walking the segments so that thumbnails' own marks are passed over."""
    at = 2
    while at + 4 <= size:
        stream.seek(at)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        marker = head[1]
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(head[2:], "big")
        if length < 2:
            return None
        at += 2 + length
        if marker == 0xDA:
            return at if at < size else None
    return None


def _png(stream: BinaryIO, size: int) -> bool:
    """Chunks follow one another up to IEND; lengths are walked, pixels are not read."""
    at = 8
    while at + 12 <= size:
        stream.seek(at)
        head = stream.read(8)
        at += 12 + int.from_bytes(head[:4], "big")
        if head[4:] == b"IEND":
            return at <= size
        if not head[4:].isalpha():
            return False
    return False


def _webp(stream: BinaryIO, size: int) -> bool:
    """The length in the RIFF header is reached and the tail is not zeros."""
    stream.seek(4)
    end = 8 + int.from_bytes(stream.read(4), "little")
    return end <= size and not _zero_tail(stream, end)


def _gif(stream: BinaryIO, size: int) -> bool:
    """The trailer byte stands at the end, apart from padding."""
    start = max(0, size - 1024)
    stream.seek(start)
    return stream.read(size - start).rstrip(b"\x00").endswith(b"\x3b")


def _iso_media(stream: BinaryIO, size: int) -> bool:
    """Top-level boxes tile the file to its end, with picture data inside and not zero at its end (ISO/IEC 14496-12)."""
    at, names, data_end = 0, set(), 0
    for _ in range(_MAX_BOXES):
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            break
        length, name, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - at
        if length < header or at + length > size:
            return False
        names.add(name)
        at += length
        if name == b"mdat":
            data_end = at
    return at == size and b"meta" in names and data_end > 0 and not _zero_tail(stream, data_end)


def _tiff(stream: BinaryIO, size: int) -> bool:
    """Every strip or tile of every page lies in the file, and the first page does not end in zeros.

    Uncompressed black pixels are zeros too: a page that begins in black may well end in black.
    """
    pages = _tiff_pages(stream, size)
    if not pages or any(at + length > size for page in pages for at, length in page):
        return False
    stream.seek(min(at for at, _ in pages[0]))
    black_ground = not any(stream.read(256))
    return black_ground or not _zero_tail(stream, max(at + length for at, length in pages[0]))


def _tiff_pages(stream: BinaryIO, size: int) -> list[_Extents]:
    """Extents of each page's pixels (TIFF 6.0); empty when a directory is missing or makes no sense."""
    stream.seek(0)
    head = stream.read(8)
    order: _Order = "little" if head[:2] == b"II" else "big"
    at, pages, seen = int.from_bytes(head[4:8], order), list[_Extents](), set[int]()
    while at and at not in seen and len(seen) < _TIFF_MAX_IFDS:
        seen.add(at)
        stream.seek(at)
        count = int.from_bytes(stream.read(2), order)
        table = stream.read(12 * count + 4)
        extents = _tiff_extents(stream, table, order, size) if 0 < count <= _TIFF_MAX_ENTRIES else []
        if not extents or len(table) < 12 * count + 4:
            return []
        pages.append(extents)
        at = int.from_bytes(table[12 * count :], order)
    return pages


def _tiff_extents(stream: BinaryIO, table: bytes, order: _Order, size: int) -> _Extents:
    """(offset, length) of the strips or tiles that one directory names."""
    entries = {
        int.from_bytes(table[i : i + 2], order): table[i : i + 12] for i in range(0, len(table) - 11, 12)
    }
    for offsets, lengths in ((273, 279), (324, 325)):
        if offsets in entries and lengths in entries:
            starts = _tiff_numbers(stream, entries[offsets], order, size)
            return list(zip(starts, _tiff_numbers(stream, entries[lengths], order, size), strict=False))
    return []


def _tiff_numbers(stream: BinaryIO, entry: bytes, order: _Order, size: int) -> list[int]:
    """Values of a SHORT or LONG field; empty when they lie outside the file."""
    width = {3: 2, 4: 4}.get(int.from_bytes(entry[2:4], order))
    count = int.from_bytes(entry[4:8], order)
    if width is None or count * width > size:
        return []
    raw = entry[8:12]
    if count * width > 4:
        stream.seek(int.from_bytes(raw, order))
        raw = stream.read(count * width)
    raw = raw[: count * width]
    return (
        [int.from_bytes(raw[i : i + width], order) for i in range(0, len(raw), width)]
        if len(raw) == count * width
        else []
    )


_RULES: dict[str, Callable[[BinaryIO, int], bool]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "tiff": _tiff,
    "heic": _iso_media,
    "avif": _iso_media,
}
