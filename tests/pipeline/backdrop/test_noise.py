"""Noise and veins: seeded, smooth, of known size."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.backdrop import veins
from pipeline.backdrop.gradient import ramp
from pipeline.backdrop.noise import Noise, generator, grain
from pipeline.backdrop.sheet import Sheet
from pipeline.backdrop.veins import Cells, cracks
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
    lines = cracks(Cells.drawn(generator(4, "t")), u, v, 0.8, 0.7)
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


@pytest.mark.parametrize("samples", [(335.0, 167.0), (335.0, 335.0)])
def test_a_smooth_layer_drawn_on_few_points_is_the_same_layer(samples):
    noise = Noise(generator(5, "t"))
    x, y = np.meshgrid(
        *(np.arange(n, dtype=np.float32) / np.float32(s) for n, s in zip((541, 537), samples, strict=True))
    )
    few, whole = Sheet(x, y, samples).fbm(noise, 0.8, 1.7, 4), noise.fbm(x * 0.8, y * 1.7, 4)
    assert few.shape == whole.shape
    assert np.abs(few - whole).mean() < 0.03 * np.abs(whole).mean()
    assert np.abs(few - whole).max() < 0.1
    stripes = Sheet(x, y, samples).noise(noise, 20.0, 20.0)
    assert np.abs(stripes - noise(x * 20.0, y * 20.0)).mean() < 0.05


def test_cracks_asked_at_few_points_are_those_asked_everywhere(monkeypatch):
    u, v = points(1.0)
    few = cracks(Cells.drawn(generator(4, "t")), u, v, 0.5, 0.9)
    monkeypatch.setattr(veins, "SPARSE", 1)
    everywhere = cracks(Cells.drawn(generator(4, "t")), u, v, 0.5, 0.9)
    assert ((few.distance < 0.02) != (everywhere.distance < 0.02)).mean() < 1e-4
    assert (np.abs(few.strength - everywhere.strength) > 0.02).mean() < 0.01  # where three cracks meet
