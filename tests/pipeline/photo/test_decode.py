"""Decoding by content: every format and mode that a shop may drop, one real file each, against reference colours."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from pipeline.color import linear_from_srgb, oklab_from_linear
from pipeline.photo.decode import decode
from pipeline.values import Photo

pillow_heif.register_heif_opener()

COLORS = np.array([[200, 60, 50], [70, 160, 90], [50, 80, 190], [230, 190, 90]], dtype=np.uint8)
CENTERS = ((50, 75), (50, 225), (150, 75), (150, 225))  # (y, x) of the four patches


def _chart() -> np.ndarray:
    """(200, 300, 3): red, green / blue, gold."""
    chart = np.zeros((200, 300, 3), dtype=np.uint8)
    chart[:100, :150], chart[:100, 150:], chart[100:, :150], chart[100:, 150:] = COLORS
    return chart


def _patches(photo: Photo) -> np.ndarray:
    full = np.iinfo(photo.srgb.dtype).max
    return np.array([photo.srgb[y - 10 : y + 10, x - 10 : x + 10].mean((0, 1)) / full for y, x in CENTERS])


def _distance(photo: Photo, expected: np.ndarray = COLORS) -> float:
    """Largest OKLab distance of a patch, times 100 (1 is about a just noticeable difference)."""
    found = oklab_from_linear(linear_from_srgb(_patches(photo)))
    wanted = oklab_from_linear(linear_from_srgb(expected / 255))
    return float(100 * np.linalg.norm(found - wanted, axis=-1).max())


def _save(tmp_path: Path, image: Image.Image, kind: str, **options: Any) -> Path:
    path = tmp_path / "photo.jpg"  # always a wrong or right name: only the content counts
    image.save(path, kind, **options)
    return path


@pytest.mark.parametrize(
    ("kind", "options", "name"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}, "jpeg"),
        ("PNG", {}, "png"),
        ("WEBP", {"lossless": True}, "webp"),
        ("WEBP", {"quality": 95}, "webp"),
        ("AVIF", {"quality": 95}, "avif"),
        ("TIFF", {"compression": "tiff_lzw"}, "tiff"),
        ("HEIF", {"quality": 95}, "heic"),
    ],
)
def test_formats(tmp_path: Path, kind: str, options: dict[str, Any], name: str) -> None:
    photo = decode(_save(tmp_path, Image.fromarray(_chart()), kind, **options))
    assert photo.source["format"] == name
    assert photo.srgb.shape == (200, 300, 3)
    assert photo.srgb.dtype == np.uint8
    assert photo.alpha is None
    assert _distance(photo) < 2.0


def test_mpo_gives_its_first_frame(tmp_path: Path) -> None:
    other = Image.new("RGB", (300, 200), (1, 2, 3))
    path = _save(tmp_path, Image.fromarray(_chart()), "MPO", save_all=True, append_images=[other])
    photo = decode(path)
    assert photo.source["format"] == "jpeg"
    assert _distance(photo) < 2.0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_exif_orientation(tmp_path: Path, orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = _stored_as(_chart(), orientation)
    options: dict[str, Any] = {"exif": exif.tobytes()} if kind != "TIFF" else {"exif": exif}
    photo = decode(_save(tmp_path, Image.fromarray(turned), kind, **options))
    assert photo.srgb.shape == (200, 300, 3)
    assert _distance(photo) < 4.0  # chroma subsampling bleeds a little


def _stored_as(upright: np.ndarray, orientation: int) -> np.ndarray:
    """What a camera would have stored: the inverse of the EXIF table, by its words ("row 0 is ..., column 0 is ...")."""
    row0, col0 = {
        1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
        5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom"),
    }[orientation]  # fmt: skip
    stored = upright.transpose(1, 0, 2) if row0 in {"left", "right"} else upright
    stored = stored[::-1] if row0 in {"bottom", "right"} else stored
    return np.ascontiguousarray(stored[:, ::-1] if col0 in {"right", "bottom"} else stored)


def test_orientation_of_16_bit(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = _stored_as(_chart(), 6)
    path = tmp_path / "deep.png"
    done, data = cv2.imencode(".png", stored[..., ::-1].astype(np.uint16) * 257)
    assert done
    path.write_bytes(_with_chunk(data.tobytes(), b"eXIf", exif.tobytes().removeprefix(b"Exif\x00\x00")))
    photo = decode(path)
    assert photo.srgb.dtype == np.uint16
    assert _distance(photo) < 0.1


def _with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    import struct
    import zlib

    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return png[:33] + chunk + png[33:]


# ---- colour -----------------------------------------------------------------------------------------------------


def _matrix_icc(primaries_to_xyz_d50: np.ndarray, gamma: float) -> bytes:
    """A v2 matrix profile made by hand, so that the reference does not come from the code under test."""
    import struct

    def xyz(values: np.ndarray) -> bytes:
        return b"XYZ \x00\x00\x00\x00" + struct.pack(">3i", *(round(float(v) * 65536) for v in values))

    curve = b"curv\x00\x00\x00\x00" + struct.pack(">IH", 1, round(gamma * 256)) + b"\x00\x00"
    text = b"desc\x00\x00\x00\x00" + struct.pack(">I", 5) + b"Test\x00" + bytes(78)
    tags = [
        (b"desc", text), (b"wtpt", xyz(np.array([0.9642, 1.0, 0.8249]))), (b"cprt", b"text\x00\x00\x00\x00none\x00"),
        *((n, xyz(primaries_to_xyz_d50[:, i])) for i, n in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))),
        *((n, curve) for n in (b"rTRC", b"gTRC", b"bTRC")),
    ]  # fmt: skip
    body, table, offset = b"", b"", 132 + 12 * len(tags)
    for name, data in tags:
        padded = data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += padded
    size = offset + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += (
        struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
        + b"acsp"
        + bytes(28)
        + struct.pack(">3i", 63190, 65536, 54061)
    )
    return head.ljust(128, b"\x00") + struct.pack(">I", len(tags)) + table + body


# Linear RGB to XYZ D50: sRGB, Adobe RGB (Lindbloom) and Display P3 (Bradford-adapted, CSS Color 4 chain).
SRGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
ADOBE = np.array(
    [[0.6097559, 0.2052401, 0.1492240], [0.3111242, 0.6256560, 0.0632197], [0.0194811, 0.0608902, 0.7448387]]
)
P3 = np.array(
    [[0.5151187, 0.2919778, 0.1571035], [0.2411892, 0.6922441, 0.0665668], [-0.0010505, 0.0418791, 0.7840713]]
)


def _as_seen_in(matrix: np.ndarray, gamma: float) -> np.ndarray:
    """Codes 0..1 that mean the chart's colours in another RGB space."""
    linear = linear_from_srgb(_chart() / 255).astype(np.float64) @ (np.linalg.inv(matrix) @ SRGB).T
    return np.clip(linear, 0, 1) ** (1 / gamma)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
@pytest.mark.parametrize(("matrix", "gamma"), [(ADOBE, 2.19921875), (P3, 2.2)], ids=["adobe", "p3"])
def test_wide_profiles(tmp_path: Path, kind: str, matrix: np.ndarray, gamma: float) -> None:
    codes = np.rint(_as_seen_in(matrix, gamma) * 255).astype(np.uint8)
    options: dict[str, Any] = {"quality": 95} if kind not in {"PNG", "TIFF"} else {}
    path = _save(tmp_path, Image.fromarray(codes), kind, icc_profile=_matrix_icc(matrix, gamma), **options)
    photo = decode(path)
    assert photo.notes == ()
    assert _distance(photo) < 2.0


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_keeps_its_levels(tmp_path: Path, suffix: str) -> None:
    ramp = np.linspace(20000, 24000, 300 * 200).reshape(200, 300).astype(np.uint16)
    path = tmp_path / f"deep{suffix}"
    assert cv2.imwrite(str(path), np.dstack([ramp, ramp // 2, ramp // 3]))
    photo = decode(path)
    assert photo.srgb.dtype == np.uint16
    assert photo.source["bits"] == 16
    assert len(np.unique(photo.srgb[..., 2])) > 3000
    assert np.array_equal(photo.srgb[..., 2], ramp)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_grey(tmp_path: Path, suffix: str) -> None:
    ramp = np.linspace(0, 65535, 300 * 200).reshape(200, 300).astype(np.uint16)
    path = tmp_path / f"grey{suffix}"
    assert cv2.imwrite(str(path), ramp)
    photo = decode(path)
    assert len(np.unique(photo.srgb)) > 50000
    assert np.array_equal(photo.srgb[..., 0], ramp)


def test_16_bit_tiff_with_white_at_zero(tmp_path: Path) -> None:
    import struct

    ramp = np.linspace(0, 65535, 300 * 200).reshape(200, 300).astype(np.uint16)
    path = tmp_path / "scan.tif"
    assert cv2.imwrite(str(path), ramp)
    data = path.read_bytes()
    black_is_zero = struct.pack("<HHIHH", 262, 3, 1, 1, 0)
    assert black_is_zero in data
    path.write_bytes(data.replace(black_is_zero, struct.pack("<HHIHH", 262, 3, 1, 0, 0)))
    assert np.array_equal(decode(path).srgb[..., 0], 65535 - ramp)


def test_16_bit_with_a_wide_profile(tmp_path: Path) -> None:
    import zlib

    codes = np.rint(_as_seen_in(ADOBE, 2.19921875) * 65535).astype(np.uint16)
    done, data = cv2.imencode(".png", codes[..., ::-1])
    assert done
    body = b"x\x00\x00" + zlib.compress(_matrix_icc(ADOBE, 2.19921875))
    path = tmp_path / "deep.png"
    path.write_bytes(_with_chunk(data.tobytes(), b"iCCP", body))
    photo = decode(path)
    assert photo.srgb.dtype == np.uint16
    assert _distance(photo) < 0.1


def test_adobe_rgb_by_exif_only(tmp_path: Path) -> None:
    codes = np.rint(_as_seen_in(ADOBE, 2.19921875) * 255).astype(np.uint8)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    photo = decode(
        _save(tmp_path, Image.fromarray(codes), "JPEG", quality=95, subsampling=0, exif=exif.tobytes())
    )
    assert photo.source["profile"] == "Adobe RGB (EXIF)"
    assert _distance(photo) < 2.0


def test_broken_profile_is_noted_and_ignored(tmp_path: Path) -> None:
    photo = decode(_save(tmp_path, Image.fromarray(_chart()), "PNG", icc_profile=b"rubbish" * 60))
    assert [note.code for note in photo.notes] == ["profile-ignored"]
    assert _distance(photo) < 0.1


def test_profile_of_another_space_is_ignored(tmp_path: Path) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    photo = decode(_save(tmp_path, Image.fromarray(_chart()), "TIFF", icc_profile=icc))
    assert [note.code for note in photo.notes] == ["profile-ignored"]
    assert _distance(photo) < 0.1


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_without_profile(tmp_path: Path, kind: str) -> None:
    cmyk = Image.fromarray(_chart()).convert("CMYK")
    photo = decode(_save(tmp_path, cmyk, kind, **({"quality": 98} if kind == "JPEG" else {})))
    assert [note.code for note in photo.notes] == ["cmyk-without-profile"]
    assert _distance(photo) < 2.0


def test_grey(tmp_path: Path) -> None:
    photo = decode(_save(tmp_path, Image.fromarray(_chart()).convert("L"), "JPEG"))
    assert photo.srgb.shape == (200, 300, 3)
    assert np.array_equal(photo.srgb[..., 0], photo.srgb[..., 2])


def test_grey_with_a_linear_profile(tmp_path: Path) -> None:
    icc = bytearray(_matrix_icc(SRGB, 1.0))
    icc[16:20] = b"GRAY"
    position = icc.index(b"rTRC")
    icc[position : position + 4] = b"kTRC"
    grey = Image.new("L", (300, 200), 55)
    photo = decode(_save(tmp_path, grey, "PNG", icc_profile=bytes(icc)))
    assert photo.notes == ()
    assert abs(int(photo.srgb[0, 0, 0]) - 128) <= 2  # 55/255 as light is code 128


def test_bilevel(tmp_path: Path) -> None:
    photo = decode(_save(tmp_path, Image.fromarray(_chart()).convert("1"), "PNG"))
    assert set(np.unique(photo.srgb)) <= {0, 255}


def test_palette(tmp_path: Path) -> None:
    photo = decode(_save(tmp_path, Image.fromarray(_chart()).quantize(8), "PNG"))
    assert photo.alpha is None
    assert _distance(photo) < 1.0


def test_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(_chart()).quantize(8)
    transparent = image.getpixel((225, 150))
    photo = decode(_save(tmp_path, image, "PNG", transparency=transparent))
    assert photo.alpha is not None
    assert photo.alpha[150, 225] == 0
    assert photo.alpha[50, 75] == 255


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_alpha_is_kept(tmp_path: Path, kind: str) -> None:
    alpha = np.full((200, 300), 255, dtype=np.uint8)
    alpha[:, :40] = 0
    rgba = np.dstack([_chart(), alpha])
    photo = decode(
        _save(tmp_path, Image.fromarray(rgba), kind, **({"lossless": True} if kind == "WEBP" else {}))
    )
    assert photo.alpha is not None
    assert np.abs(photo.alpha.astype(int) - alpha).max() <= 3
    assert _distance(photo) < 2.0


def test_opaque_alpha_says_nothing(tmp_path: Path) -> None:
    rgba = Image.fromarray(_chart()).convert("RGBA")
    assert decode(_save(tmp_path, rgba, "PNG")).alpha is None


def test_grey_with_alpha(tmp_path: Path) -> None:
    grey = np.asarray(Image.fromarray(_chart()).convert("L"))
    mask = np.where(np.arange(300)[None, :] < 150, 0, 255).astype(np.uint8) * np.ones((200, 1), np.uint8)
    photo = decode(_save(tmp_path, Image.merge("LA", [Image.fromarray(grey), Image.fromarray(mask)]), "PNG"))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, mask)


def test_first_page_of_a_tiff(tmp_path: Path) -> None:
    second = Image.new("RGB", (300, 200))
    photo = decode(_save(tmp_path, Image.fromarray(_chart()), "TIFF", save_all=True, append_images=[second]))
    assert [note.code for note in photo.notes] == ["first-page"]
    assert _distance(photo) < 0.1


def test_same_bytes_same_pixels(tmp_path: Path) -> None:
    path = _save(tmp_path, Image.fromarray(_chart()), "JPEG")
    assert np.array_equal(decode(path).srgb, decode(path).srgb)
    with Image.open(io.BytesIO(path.read_bytes())) as plain:
        assert np.array_equal(decode(path).srgb, np.asarray(plain))
