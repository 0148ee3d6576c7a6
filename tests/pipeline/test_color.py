"""Colour arithmetic against published values."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import color


def test_srgb_curve_matches_the_standard() -> None:
    codes = np.array([0, 10, 11, 128, 188, 255], dtype=np.float32) / 255
    expected = [0.0, 0.0030353, 0.0033465, 0.2158605, 0.5028865, 1.0]
    assert color.linear_from_srgb(codes) == pytest.approx(expected, abs=2e-6)


def test_srgb_curve_round_trips_beyond_the_display_range() -> None:
    values = np.linspace(-0.5, 4.0, 5000, dtype=np.float32)
    assert color.linear_from_srgb(color.srgb_from_linear(values)) == pytest.approx(values, abs=5e-6)


def test_oklab_of_primaries() -> None:
    # CSS Color 4 sample values for red, lime, blue and white.
    rgb = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=np.float32)
    expected = [
        [0.62796, 0.22486, 0.12585],
        [0.86644, -0.23389, 0.1795],
        [0.45201, -0.03246, -0.31153],
        [1, 0, 0],
    ]
    assert color.oklab_from_linear(rgb) == pytest.approx(np.array(expected), abs=2e-4)


def test_oklch_round_trips_an_image() -> None:
    rgb = np.random.default_rng(3).random((40, 30, 3), dtype=np.float32)
    back = color.linear_from_oklch(color.oklch_from_linear(rgb))
    assert back.shape == rgb.shape
    assert back.dtype == np.float32
    assert back == pytest.approx(rgb, abs=1e-4)


def test_luminance_of_white_is_one() -> None:
    white = np.ones((2, 2, 3), dtype=np.float32)
    assert color.luminance(white) == pytest.approx(np.ones((2, 2)))


def test_empty_arrays_pass() -> None:
    empty = np.zeros((0, 3), dtype=np.float32)
    assert color.oklch_from_linear(empty).shape == (0, 3)


def test_table_decode_equals_the_curve() -> None:
    codes = np.arange(256, dtype=np.uint8)
    assert color.linear_from_srgb_u8(codes) == pytest.approx(color.linear_from_srgb(codes / 255), abs=1e-6)
