"""The grade: table against exact chain, shoulder, balance, hue lock."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.color import linear_from_srgb, luminance, oklab_from_linear, oklch_from_linear, srgb_from_linear
from pipeline.grade import balance, grade, lock_hue
from pipeline.grade.ocio import CONFIG, apply_exactly, apply_look
from pipeline.grade.shoulder import KNEE, roll_off
from pipeline.recipe import Look

PLAIN = Look(name="plain", contrast=0.0)
WARM = Look(
    name="warm",
    slope=(1.05, 1.0, 0.94),
    offset=(0.012, 0.0, -0.014),
    power=(1.0, 1.01, 1.03),
    saturation=1.15,
)
COOL = Look(name="cool", slope=(0.95, 1.0, 1.05), offset=(-0.012, 0.0, 0.014), saturation=1.1)


def _frame(side: int = 200) -> np.ndarray:
    rng = np.random.default_rng(4)
    return (rng.random((side, side, 3), dtype=np.float32) ** 2) * np.float32(1.4)


def _hue_shift_deg(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    turn = np.exp(1j * (oklch_from_linear(after)[..., 2] - oklch_from_linear(before)[..., 2]))
    return np.abs(np.degrees(np.angle(turn)))


# ---- look ---------------------------------------------------------------------------------------------------------


def test_config_is_pinned_by_its_exact_name() -> None:
    assert CONFIG == "cg-config-v2.2.0_aces-v1.3_ocio-v2.4"


@pytest.mark.parametrize("look", [PLAIN, WARM, COOL], ids=lambda look: look.name)
def test_the_table_equals_the_exact_chain(look: Look) -> None:
    """In OKLab x 100, where 1 is about a just noticeable difference; the worst lie at the border of the gamut."""
    frame = _frame()
    baked, exact = (oklab_from_linear(linear_from_srgb(f(frame, look))) for f in (apply_look, apply_exactly))
    error = 100 * np.linalg.norm(baked - exact, axis=-1)
    assert np.percentile(error, 50) < 0.05
    assert np.percentile(error, 99) < 0.4
    assert error.max() < 1.5


def test_a_plain_look_is_the_srgb_curve_below_the_knee() -> None:
    frame = _frame() * np.float32(KNEE / 1.4)
    assert apply_look(frame, PLAIN) == pytest.approx(srgb_from_linear(frame), abs=2.5 / 255)


def test_greys_stay_grey_and_rise() -> None:
    ramp = np.repeat(np.geomspace(1e-4, 30, 2000, dtype=np.float32)[None, :, None], 3, axis=2)
    graded = apply_look(ramp, PLAIN)
    assert np.ptp(graded, axis=-1).max() < 1e-6
    assert np.diff(graded[0, :, 0]).min() > -1e-6
    assert apply_look(np.zeros((1, 1, 3), np.float32), PLAIN).max() < 0.5 / 255
    assert graded.max() <= 1


def test_a_warm_look_warms() -> None:
    grey = np.full((4, 4, 3), 0.2, dtype=np.float32)
    graded = apply_look(grey, WARM)[0, 0]
    assert graded[0] > graded[2] + 0.02


def test_grade_does_not_change_its_input_and_repeats() -> None:
    frame = _frame()
    kept = frame.copy()
    first = grade(frame, WARM)
    assert np.array_equal(frame, kept)
    assert np.array_equal(first, grade(frame, WARM))
    assert (first.min() >= 0, first.max() <= 1, first.dtype) == (True, True, np.float32)


def test_same_bytes_on_any_number_of_threads() -> None:
    frame = _frame(500)
    alpha = np.ones(frame.shape[:2], dtype=np.float32)
    results = []
    before = cv2.getNumThreads()
    try:
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            results.append(lock_hue(grade(frame, WARM), frame, alpha).tobytes())
    finally:
        cv2.setNumThreads(before)
    assert len(set(results)) == 1


def test_ocio_is_imported_only_when_something_is_graded() -> None:
    code = "import sys, pipeline.grade; sys.exit('PyOpenColorIO' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- shoulder -----------------------------------------------------------------------------------------------------


def test_shoulder_is_identity_below_the_knee_and_smooth_at_it() -> None:
    values = np.linspace(0, 12, 200_001)
    rolled = roll_off(np.repeat(values[:, None], 3, axis=1).astype(np.float32))[:, 0].astype(np.float64)
    below = values < KNEE
    assert rolled[below] == pytest.approx(values[below], abs=1e-6)
    assert np.diff(rolled[values < 2.5][::50]).min() > 0
    assert np.diff(rolled).min() > -2e-7  # one step of float32
    assert rolled.max() <= 1
    slope = np.gradient(rolled[::100], values[::100])
    assert np.abs(np.diff(slope)).max() < 0.05


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(0.01, 8)] * 3))
def test_shoulder_keeps_the_ratio_of_the_channels(color: tuple[float, float, float]) -> None:
    rgb = np.array([[color]], dtype=np.float32)
    rolled = roll_off(rgb)
    assert rolled / rolled.max() == pytest.approx(rgb / rgb.max(), abs=1e-5)


# ---- balance ------------------------------------------------------------------------------------------------------


def _low_key() -> np.ndarray:
    """Dark velvet with a small bright piece."""
    rng = np.random.default_rng(7)
    frame = np.full((300, 300, 3), 0.02, dtype=np.float32) * rng.uniform(0.7, 1.3, (300, 300, 1)).astype(
        np.float32
    )
    frame[130:170, 130:170] = (0.9, 0.7, 0.3)
    return frame


def test_low_key_stays_low_key() -> None:
    frame = _low_key()
    balanced = balance.apply(frame, balance.meter(frame, 1.0))
    assert float(np.median(luminance(balanced))) < 0.03


@pytest.mark.parametrize("gain", [0.01, 0.3, 1.0, 20.0])
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_corrections_are_bounded(gain: float, strength: float) -> None:
    found = balance.meter(_frame() * np.float32(gain), strength)
    assert abs(found.exposure_ev) <= balance.MAX_EV
    assert 0.9 <= found.power <= 1.2
    if strength == 0:
        assert (found.exposure_ev, found.power) == (0.0, 1.0)


def test_a_flat_frame_gains_contrast_and_no_hue_moves() -> None:
    frame = np.float32(0.3) + _frame() * np.float32(0.1)
    balanced = balance.apply(frame, balance.meter(frame, 1.0))

    def stops(rgb: np.ndarray) -> float:
        low, high = np.percentile(luminance(rgb), (5, 95))
        return float(np.log2(high / low))

    assert stops(balanced) > 1.05 * stops(frame)
    ratio = balanced / frame
    assert np.ptp(ratio, axis=-1).max() < 1e-5


# ---- hue lock -----------------------------------------------------------------------------------------------------

GOLD, ROSE, SILVER, RUBY = (0.83, 0.6, 0.25), (0.8, 0.5, 0.38), (0.62, 0.61, 0.6), (0.5, 0.02, 0.06)


@pytest.mark.parametrize("look", [WARM, COOL], ids=lambda look: look.name)
@pytest.mark.parametrize("metal", [GOLD, ROSE, RUBY])
def test_hue_of_metal_and_stone_survives_the_look(look: Look, metal: tuple[float, float, float]) -> None:
    shades = np.linspace(0.05, 1.6, 400, dtype=np.float32)[None, :, None]
    frame = (np.array(metal, dtype=np.float32) * shades).astype(np.float32)
    locked = lock_hue(grade(frame, look), frame, np.ones(frame.shape[:2], dtype=np.float32))
    assert _hue_shift_deg(frame, linear_from_srgb(locked)).max() <= 2.0
    before, after = oklch_from_linear(frame), oklch_from_linear(linear_from_srgb(locked))
    purity = (after[..., 1] / after[..., 0]) / (before[..., 1] / before[..., 0])
    assert purity.min() > 0.7  # gold does not turn pale


@pytest.mark.parametrize("look", [WARM, COOL], ids=lambda look: look.name)
def test_silver_stays_neutral(look: Look) -> None:
    shades = np.linspace(0.05, 1.2, 400, dtype=np.float32)[None, :, None]
    frame = (np.array(SILVER, dtype=np.float32) * shades).astype(np.float32)
    graded = grade(frame, look)
    locked = lock_hue(graded, frame, np.ones(frame.shape[:2], dtype=np.float32))
    chroma = oklch_from_linear(linear_from_srgb(locked))[..., 1]
    assert oklch_from_linear(linear_from_srgb(graded))[..., 1].max() > 0.015  # the look does tint
    assert chroma.max() < 0.01


def test_ground_is_untouched_and_edges_blend() -> None:
    frame = np.full((20, 60, 3), GOLD, dtype=np.float32) * np.float32(0.6)
    alpha = np.zeros((20, 60), dtype=np.float32)
    alpha[:, 20:40], alpha[:, 40:] = 0.5, 1.0
    graded = grade(frame, COOL)
    locked = lock_hue(graded, frame, alpha)
    assert np.array_equal(locked[:, :20], graded[:, :20])
    off = np.abs(locked - graded).max(axis=-1)
    assert 0 < off[0, 30] < off[0, 50]


def test_lightness_comes_from_the_grade() -> None:
    frame = _frame()
    graded = grade(frame, WARM)
    locked = lock_hue(graded, frame, np.ones(frame.shape[:2], dtype=np.float32))
    before, after = (oklch_from_linear(linear_from_srgb(v))[..., 0] for v in (graded, locked))
    assert np.abs(before - after).max() < 0.01
