"""Crops are averaged as light, keep their size promise and their alpha."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.photo.crop import alpha_crop, cropped_size, linear_crop
from pipeline.values import Box, Photo


def _photo(srgb: np.ndarray, alpha: np.ndarray | None = None) -> Photo:
    return Photo(srgb, alpha, {})


def test_a_checkerboard_shrinks_to_half_the_light() -> None:
    board = np.indices((600, 600)).sum(0) % 2 * 255
    photo = _photo(np.repeat(board[..., None], 3, 2).astype(np.uint8))
    crop = linear_crop(photo, Box(0, 0, 600, 600), 0.5)
    assert crop.shape == (300, 300, 3)
    assert crop.dtype == np.float32
    assert crop == pytest.approx(np.full_like(crop, 0.5), abs=1e-5)


@pytest.mark.parametrize("scale", [0.13, 0.377, 0.73, 1.0, 1.6])
def test_size_and_mean(scale: float) -> None:
    rng = np.random.default_rng(2)
    photo = _photo(rng.integers(0, 256, (700, 500, 3), dtype=np.uint8))
    box = Box(20, 30, 480, 655)
    crop = linear_crop(photo, box, scale)
    assert (crop.shape[1], crop.shape[0]) == cropped_size(box, scale)
    whole = linear_crop(photo, box, 1.0)
    assert crop.mean() == pytest.approx(whole.mean(), rel=0.02)  # bicubic undershoot is clamped
    assert crop.min() >= 0


def test_bands_leave_no_seam() -> None:
    ramp = np.linspace(0, 255, 1200).astype(np.uint8)
    photo = _photo(np.broadcast_to(ramp[:, None, None], (1200, 300, 3)).copy())
    column = linear_crop(photo, Box(0, 0, 300, 1200), 0.31)[:, 50, 1]
    assert np.all(np.diff(column) >= 0)


def test_16_bit_equals_8_bit() -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)
    box = Box(0, 0, 300, 300)
    deep = linear_crop(_photo(codes.astype(np.uint16) * 257), box, 0.4)
    assert deep == pytest.approx(linear_crop(_photo(codes), box, 0.4), abs=1e-5)


def test_alpha_follows() -> None:
    alpha = np.zeros((400, 400), dtype=np.uint8)
    alpha[100:300, 100:300] = 255
    photo = _photo(np.zeros((400, 400, 3), dtype=np.uint8), alpha)
    crop = alpha_crop(photo, Box(50, 50, 350, 350), 0.5)
    assert crop.shape == (150, 150)
    assert (crop.min(), crop.max()) == (0, 1)
    assert crop.mean() == pytest.approx((200 / 300) ** 2, abs=0.01)


def test_a_box_outside_is_refused() -> None:
    photo = _photo(np.zeros((100, 100, 3), dtype=np.uint8))
    for box in (Box(-1, 0, 50, 50), Box(0, 0, 101, 50), Box(50, 50, 50, 60)):
        with pytest.raises(ValueError, match="photo"):
            linear_crop(photo, box, 1.0)
