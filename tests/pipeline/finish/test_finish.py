"""Vignette, sharpening, grain and dither."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.color import linear_from_srgb, oklch_from_linear
from pipeline.finish import quantize, sharpen, vignette
from pipeline.judge.technical import banding

# ---- vignette -----------------------------------------------------------------------------------------------------


def test_vignette_is_centred_soft_and_bounded() -> None:
    flat = np.ones((301, 301, 3), dtype=np.float32)
    dark = vignette(flat, 0.5)
    assert dark[150, 150] == pytest.approx(np.ones(3), abs=1e-4)
    assert np.log2(dark[0, 0, 0]) == pytest.approx(-0.5, abs=0.01)
    assert dark == pytest.approx(dark[::-1, ::-1], abs=1e-6)
    assert np.diff(dark[150, 150:, 0]).max() < 0
    assert np.log2(dark[150 - 93, 150 - 93, 0]) > -0.25  # a piece that fills 0.62 of the frame


def test_no_vignette_is_no_change() -> None:
    flat = np.ones((30, 40, 3), dtype=np.float32)
    assert np.array_equal(vignette(flat, 0.0), flat)


# ---- sharpen ------------------------------------------------------------------------------------------------------


def _piece() -> tuple[np.ndarray, np.ndarray]:
    """Gold with soft facets on a dark ground, and its soft matte."""
    y, x = np.mgrid[:120, :120].astype(np.float32)
    tone = np.float32(0.55) + np.float32(0.2) * np.tanh(np.sin(x / 4) * 4)
    srgb = tone[..., None] * np.array([1.0, 0.8, 0.45], dtype=np.float32)
    alpha = np.clip(40.5 - np.hypot(x - 60, y - 60), 0, 1).astype(np.float32)
    return (srgb * alpha[..., None] + np.float32(0.03) * (1 - alpha[..., None])).astype(np.float32), alpha


def test_detail_gains_and_the_ground_does_not_move() -> None:
    srgb, alpha = _piece()
    sharp = sharpen(srgb, alpha, 0.6)
    inside = np.s_[50:70, 40:80]
    assert (
        np.abs(np.diff(sharp[inside][..., 0], axis=1)).max()
        > 1.05 * np.abs(np.diff(srgb[inside][..., 0], axis=1)).max()
    )
    assert np.array_equal(sharp[alpha == 0], srgb[alpha == 0])


def test_no_halo_at_the_contour() -> None:
    srgb, alpha = _piece()
    y, x = np.mgrid[:120, :120]
    flat = np.where(alpha[..., None] > 0, np.array([0.6, 0.48, 0.27], np.float32), np.float32(0.03))
    composite = (flat * alpha[..., None] + np.float32(0.03) * (1 - alpha[..., None])).astype(np.float32)
    sharp = sharpen(composite, alpha, 1.0)
    rim = np.abs(np.hypot(x - 60, y - 60) - 37) < 2
    assert np.abs(sharp[rim] - composite[rim]).max() < 0.01
    assert sharp.shape == srgb.shape


def test_sharpening_is_bounded_and_keeps_hue() -> None:
    srgb, alpha = _piece()
    sharp = sharpen(srgb, alpha, 1.0)
    assert sharp.max() <= max(1.0, srgb.max())
    assert sharp.min() >= 0
    core = alpha == 1
    before, after = (oklch_from_linear(linear_from_srgb(v[core]))[:, 2] for v in (srgb, sharp))
    assert np.degrees(np.abs(before - after)).max() < 1.0


def test_amount_zero_changes_nothing() -> None:
    srgb, alpha = _piece()
    assert np.array_equal(sharpen(srgb, alpha, 0.0), srgb)


# ---- grain and dither ---------------------------------------------------------------------------------------------


def _dark_gradient() -> np.ndarray:
    """Eight codes over 1080 pixels: without dither, bands of 135 pixels."""
    ramp = np.linspace(10 / 255, 18 / 255, 1080, dtype=np.float32)
    return np.broadcast_to(ramp[None, :, None], (200, 1080, 3)).copy()


def _band_error(codes: np.ndarray, gradient: np.ndarray) -> float:
    """Largest deviation, in codes, of local means from the true gradient: what the eye sees as bands."""
    columns = codes.astype(np.float64).mean(axis=(0, 2)).reshape(-1, 20).mean(axis=1)
    truth = gradient.astype(np.float64).mean(axis=(0, 2)).reshape(-1, 20).mean(axis=1) * 255
    return float(np.abs(columns - truth).max())


@pytest.mark.parametrize("grain", [0.0, 0.006])
def test_a_gradient_does_not_band(grain: float) -> None:
    gradient = _dark_gradient()
    plain = np.rint(gradient * 255)
    assert _band_error(plain, gradient) > 0.4
    assert _band_error(quantize(gradient, 3, grain), gradient) < 0.1


def test_dither_is_triangular_neutral_and_high_pass() -> None:
    flat = np.full((400, 400, 3), 100.3 / 255, dtype=np.float32)
    codes = quantize(flat, 1, 0.0).astype(np.float64)
    assert np.array_equal(codes[..., 0], codes[..., 2])
    assert codes.mean() == pytest.approx(100.3, abs=0.01)
    assert np.ptp(codes) <= 3
    spectrum = np.abs(np.fft.rfft(codes[..., 0] - codes[..., 0].mean(), axis=1)) ** 2
    assert spectrum[:, :50].mean() < 0.5 * spectrum[:, 150:].mean()


def test_grain_has_its_strength_in_mid_tones_and_none_in_black() -> None:
    grey = quantize(np.full((300, 300, 3), 0.5, np.float32), 5, 0.02).astype(np.float64)
    black = quantize(np.zeros((300, 300, 3), np.float32), 5, 0.02)
    assert grey[..., 0].std() / 255 == pytest.approx(0.02, rel=0.1)
    assert black.max() <= 1


@pytest.mark.parametrize("code", [2, 3, 5, 12, 250, 253])
def test_an_even_tone_next_to_black_or_white_has_no_flat_runs(code: int) -> None:
    even = np.full((1080, 1080, 3), code / 255, np.float32)
    assert banding(np.ascontiguousarray(quantize(even, 1, 0.004)[..., 1])) == 0.0


def test_the_seed_decides() -> None:
    gradient = _dark_gradient()
    assert np.array_equal(quantize(gradient, 3, 0.006), quantize(gradient, 3, 0.006))
    assert not np.array_equal(quantize(gradient, 3, 0.006), quantize(gradient, 4, 0.006))
