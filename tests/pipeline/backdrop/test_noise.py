"""Noise and veins: seeded, smooth, of known size."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.backdrop.gradient import ramp
from pipeline.backdrop.noise import Noise, generator, grain
from pipeline.backdrop.veins import cracks
from pipeline.color import oklab_from_linear


def points(reach: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    line = np.linspace(-reach, reach, 400, dtype=np.float32)
    return np.meshgrid(line, line)


def test_purposes_and_seeds_stay_apart():
    draws = {generator(seed, purpose).random() for seed in (0, 1) for purpose in ("nap", "pile", "elip")}
    assert len(draws) == 6
    assert generator(3, "nap").random() == generator(3, "nap").random()


def test_smooth_noise_is_centred_bounded_and_continuous():
    field = Noise(generator(1, "t"))(*points())
    assert field.dtype == np.float32
    assert abs(field.mean()) < 0.05
    assert 0.6 < np.abs(field).max() < 1.3
    assert np.abs(np.diff(field, axis=1)).max() < 0.4


@pytest.mark.parametrize("sigma", [0.5, 2.0, 30.0])
def test_grain_has_unit_deviation_at_any_size(sigma):
    field = grain(generator(2, "t"), (333, 201), sigma, sigma)
    assert field.shape == (333, 201)
    assert field.std() == pytest.approx(1.0, abs=1e-3)
    assert field.mean() == pytest.approx(0.0, abs=1e-3)


def test_cracks_are_thin_connected_borders():
    u, v = points(2.0)
    lines = cracks(generator(4, "t"), u, v, 0.8, 0.7)
    assert lines.distance.min() >= 0.0
    assert 0.0 < (lines.distance < 0.02).mean() < 0.25
    assert lines.strength.min() >= 0.0
    assert lines.strength.max() <= 1.0


def test_the_way_between_two_colours_stays_between_them():
    blue, yellow = np.array([0.02, 0.05, 0.6], np.float32), np.array([0.8, 0.7, 0.05], np.float32)
    colors = ramp([blue, yellow], np.linspace(0, 1, 21, dtype=np.float32))
    np.testing.assert_allclose(colors[[0, -1]], [blue, yellow], atol=2e-3)
    assert (np.diff(oklab_from_linear(colors[None])[0][:, 0]) > 0).all()
    assert (colors >= 0).all()
