"""What can never become a render is refused, soon, in words for a shop owner."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import BadInput
from pipeline.photo.decode import decode


def _noise(width: int = 400, height: int = 300) -> Image.Image:
    rng = np.random.default_rng(1)
    return Image.fromarray(rng.integers(30, 250, (height, width, 3), dtype=np.uint8))


def _refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        decode(path)
    assert path.name in str(caught.value)
    assert caught.value.advice
    return caught.value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xff", "not a picture"),
        (b"Dear jeweller, here is my photo.\n" * 9, "text file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"%PDF-1.7\n%rest", "PDF"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(range(256)) * 8, "RAW file (CR2)"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom" + b"x" * 500, "RAW file (CR3)"),
        (b"PK\x03\x04" + b"x" * 100, "ZIP"),
    ],
)
def test_not_a_photo(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "ring.jpg"
    path.write_bytes(content)
    assert words in str(_refused(path))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("damage", ["cut", "zeros"])
def test_half_a_file(tmp_path: Path, kind: str, damage: str) -> None:
    path = tmp_path / "ring.jpg"
    _noise().save(path, kind)
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] + (bytes(len(data) - half) if damage == "zeros" else b""))
    assert "incomplete" in str(_refused(path))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_animations(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "ring.jpg"
    frames = [Image.new("RGB", (300, 300), (80 * i, 0, 0)) for i in range(1, 4)]
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], duration=100)
    _refused(path)


def test_corrupt_middle_of_a_png(tmp_path: Path) -> None:
    path = tmp_path / "ring.png"
    _noise().save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "damaged" in str(_refused(path))


def test_too_small(tmp_path: Path) -> None:
    path = tmp_path / "thumb.jpg"
    _noise(160, 120).save(path)
    assert "too small" in str(_refused(path))


def _bomb(path: Path, width: int, height: int) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress(bytes(1000), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (12_000, 10_100)])
def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "huge.png"
    _bomb(path, width, height)
    error = _refused(path)
    assert "too large" in str(error)


def test_a_bomb_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    _bomb(path, 30_000, 30_000)
    code = f"""
import resource, sys
from pathlib import Path
from pipeline.photo.decode import decode
from pipeline.errors import BadInput
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode(Path({str(path)!r}))
except BadInput:
    sys.exit(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 30_000)
sys.exit(2)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_profile_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ring.png"
    _noise().save(path)
    data = path.read_bytes()
    body = b"iCCPx\x00\x00" + zlib.compress(bytes(200_000_000), 9)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data[:33] + chunk + data[33:])
    _refused(path)


def test_random_damage_never_escapes(tmp_path: Path) -> None:
    """Whatever a flipped byte does, the outcome is a photo or a refusal."""
    rng = np.random.default_rng(9)
    path = tmp_path / "ring.bin"
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        _noise(240, 200).save(path, kind)
        whole = path.read_bytes()
        for _ in range(25):
            data = bytearray(whole)
            for at in rng.integers(0, min(len(data), 2000), 3):
                data[at] = rng.integers(0, 256)
            path.write_bytes(data)
            try:
                decode(path)
            except BadInput:
                continue
