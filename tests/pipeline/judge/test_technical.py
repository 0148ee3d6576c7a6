"""Technical figures on pictures whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.finish import encode_jpeg, quantize
from pipeline.judge.technical import banding, technical_figures


def _gradient() -> np.ndarray:
    ramp = np.linspace(10 / 255, 22 / 255, 540, dtype=np.float32)
    return np.broadcast_to(ramp[None, :, None], (300, 540, 3)).copy()


def test_clipping_and_tone() -> None:
    srgb = np.full((100, 100, 3), 120, dtype=np.uint8)
    srgb[:10], srgb[10:15] = 255, 0
    figures = technical_figures(srgb)
    assert figures["clipped_high_pct"] == pytest.approx(10)
    assert figures["clipped_low_pct"] == pytest.approx(5)
    assert figures["luma_p50"] == pytest.approx(120, abs=0.01)
    assert (figures["black_point"], figures["white_point"]) == (0, pytest.approx(255, abs=0.01))


def test_bands_are_found_in_both_directions_and_dither_removes_them() -> None:
    plain = np.rint(_gradient() * 255).astype(np.uint8)
    assert banding(plain[..., 1]) > 0.8
    assert banding(plain[..., 1].T) > 0.8
    assert banding(quantize(_gradient(), 1, 0.0)[..., 1]) < 0.01


def test_flat_and_clipped_areas_are_no_bands() -> None:
    assert banding(np.full((100, 100), 40, dtype=np.uint8)) == 0
    two = np.zeros((100, 100), dtype=np.uint8)
    two[:, 50:] = 1
    assert banding(two) == 0


def test_file_figures() -> None:
    srgb = quantize(_gradient(), 1, 0.006)
    figures = technical_figures(srgb, encode_jpeg(srgb))
    assert figures["icc"] == 1
    assert figures["full_chroma"] == 1
    assert 5 < figures["file_kb"] < 500
