"""Formats by content."""

from __future__ import annotations

import struct

import pytest

from pipeline.photo.sniff import sniff


def _tiff(tags: list[int], tail: bytes = b"") -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, 0) for tag in tags)
    return b"II*\x00" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + tail


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xd8\xff\xe1\x00\x10Exif", "jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "webp"),
        (b"RIFF\x10\x00\x00\x00AVI LIST", "video"),
        (b"GIF89a\x01\x00", "gif"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miaf", "avif"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00avifmiaf", "avif"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "cr3"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42", "video"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "cr2"),
        (_tiff([256, 257, 262]), "tiff"),
        (_tiff([256, 50706]), "dng"),
        (_tiff([256, 271, 330], b"NIKON CORPORATION\x00"), "nef"),
        (_tiff([256, 271, 330], b"SONY\x00"), "arw"),
        (_tiff([256, 271], b"NIKON CORPORATION\x00"), "tiff"),
        (b"%PDF-1.7\n", "pdf"),
        (b"\n<!DOCTYPE html><html>", "html"),
        (b"<?xml version='1.0'?><svg>", "svg"),
        (b"Dear jeweller,\nhere is my photo.", "text"),
        ("Schöne Grüße, ein Ring für Sie".encode(), "text"),
        (b"BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "bmp"),
        (b"BMW is a car and no bitmap", "text"),
        (b"", None),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07", None),
    ],
)
def test_sniff(head: bytes, expected: str | None) -> None:
    assert sniff(head) == expected


@pytest.mark.parametrize("length", range(0, 40, 3))
def test_short_heads_never_raise(length: int) -> None:
    for start in (b"II*\x00\xff\xff\xff\xff", b"\x00\x00\x00\x1cftypmif1", b"RIFF", b"\xff\xd8\xff"):
        sniff((start * 5)[:length])
