"""The end mark of each format, on real files that are whole, cut and preallocated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from pipeline.photo.endmark import end_state

pillow_heif.register_heif_opener()

FORMATS = {
    "jpeg": {"quality": 90},
    "jpeg-progressive": {"quality": 90, "progressive": True},
    "png": {},
    "webp": {"quality": 90},
    "webp-lossless": {"lossless": True},
    "tiff": {},
    "tiff-lzw": {"compression": "tiff_lzw"},
    "gif": {},
    "avif": {"quality": 80},
    "heic": {"quality": 80},
}


def _picture(side: int = 400) -> Image.Image:
    rng = np.random.default_rng(5)
    smooth = np.linspace(90, 250, side)[:, None, None] + rng.normal(0, 6, (side, side, 3))
    return Image.fromarray(np.clip(smooth, 0, 255).astype(np.uint8))


@pytest.fixture(params=FORMATS)
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    kind = request.param.split("-")[0]
    path = tmp_path / "photo.bin"
    _picture().save(path, {"heic": "HEIF"}.get(kind, kind.upper()), **FORMATS[request.param])
    return path


def test_whole_file_is_complete(whole: Path) -> None:
    assert end_state(whole) == "complete"


@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_cut_file_is_incomplete(whole: Path, share: float) -> None:
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * share)])
    assert end_state(whole) == "incomplete"


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_preallocated_rest_is_incomplete(whole: Path, share: float) -> None:
    data = whole.read_bytes()
    kept = int(len(data) * share)
    whole.write_bytes(data[:kept] + bytes(len(data) - kept))
    assert end_state(whole) == "incomplete"


def test_jpeg_with_trailing_bytes_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    _picture().save(path, "JPEG")
    for tail in (b"MotionPhoto_Data" + b"\x01" * 5000, bytes(5000), b"\xff"):
        whole = path.read_bytes()
        path.write_bytes(whole + tail)
        assert end_state(path) == "complete"
        path.write_bytes(whole)


def test_the_thumbnails_end_mark_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "camera.jpg"
    exif = b"Exif\x00\x00" + b"\xff\xd8\xff\xd9" * 20
    _picture().save(path, "JPEG", exif=exif)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert end_state(path) == "incomplete"


def test_blank_paper_coded_as_zeros_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "paper.jpg"
    pixels = np.full((2000, 2000, 3), 255, dtype=np.uint8)
    pixels[300:500, 300:500] = np.asarray(_picture(200))
    Image.fromarray(pixels).save(path, "JPEG", optimize=True)
    assert bytes(2000) in path.read_bytes()
    assert end_state(path) == "complete"


def test_black_ground_in_an_uncompressed_tiff_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "black.tif"
    pixels = np.zeros((400, 400, 3), dtype=np.uint8)
    pixels[100:300, 100:300] = np.asarray(_picture(200))
    Image.fromarray(pixels).save(path, "TIFF")
    assert end_state(path) == "complete"


def test_empty_and_unknown(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"")
    assert end_state(path) == "incomplete"
    path.write_bytes(b"Dear jeweller, here is my photo.")
    assert end_state(path) == "unknown"


def test_no_imaging_library_is_imported() -> None:
    code = (
        "import sys, pipeline.photo.sniff, pipeline.photo.endmark;"
        "sys.exit(bool({'numpy', 'cv2', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
