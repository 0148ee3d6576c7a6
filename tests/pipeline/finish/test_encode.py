"""Bytes: the same pixels give the same file on any day, in sRGB, without lost colour detail."""

from __future__ import annotations

import hashlib
import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.finish import encode_jpeg, encode_png, encode_rgba_png, encode_webp
from pipeline.finish.encode import srgb_icc
from pipeline.photo.profile import is_srgb


def _pixels() -> np.ndarray:
    y, x = np.mgrid[:120, :160]
    return np.stack([x, y * 2, 255 - x], axis=-1).astype(np.uint8)


def _open(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png, encode_webp])
def test_profile_is_embedded_and_bytes_repeat(encode: object) -> None:
    assert callable(encode)
    data = encode(_pixels())
    assert data == encode(_pixels())
    assert _open(data).info["icc_profile"] == srgb_icc()


def test_profile_bytes_are_fixed_and_really_srgb() -> None:
    assert hashlib.sha256(srgb_icc()).hexdigest() == PROFILE_DIGEST
    assert struct.unpack(">6H", srgb_icc()[24:36]) == (2000, 1, 1, 0, 0, 0)
    assert is_srgb(srgb_icc())
    profile = ImageCms.ImageCmsProfile(io.BytesIO(srgb_icc()))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_jpeg_keeps_colour_at_full_resolution() -> None:
    image = _open(encode_jpeg(_pixels()))
    assert [component[1:3] for component in image.layer] == [(1, 1)] * 3
    assert np.abs(np.asarray(image).astype(int) - _pixels()).max() <= 6


def test_png_is_lossless() -> None:
    assert np.array_equal(np.asarray(_open(encode_png(_pixels()))), _pixels())


@pytest.mark.parametrize("alpha_kind", ["u8", "u16", "float"])
def test_cutout_png_8_bit(alpha_kind: str) -> None:
    share = np.linspace(0, 1, 160)[None, :] * np.ones((120, 1))
    alpha = {
        "u8": np.rint(share * 255).astype(np.uint8),
        "u16": np.rint(share * 65535).astype(np.uint16),
        "float": share.astype(np.float32),
    }[alpha_kind]
    image = _open(encode_rgba_png(_pixels(), alpha))
    assert image.mode == "RGBA"
    assert np.array_equal(np.asarray(image)[..., :3], _pixels())
    assert np.abs(np.asarray(image)[..., 3] - share * 255).max() <= 1


def test_cutout_png_16_bit() -> None:
    deep = np.linspace(0, 65535, 120 * 160 * 3).reshape(120, 160, 3).astype(np.uint16)
    alpha = np.linspace(0, 1, 160, dtype=np.float32)[None, :] * np.ones((120, 1), np.float32)
    data = encode_rgba_png(deep, alpha)
    assert data == encode_rgba_png(deep, alpha)
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert back.dtype == np.uint16
    assert np.array_equal(back[..., 2::-1], deep)
    assert _open(data).info["icc_profile"] == srgb_icc()


PROFILE_DIGEST = "6f6fe5cc53cd24ceeb7997fb24ce2889fdfb88d88ce4fdc5f8e25e0481294953"
