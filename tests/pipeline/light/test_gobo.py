"""The window: panes where they should be, light through the bars, one pattern for ground and piece."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.light.gobo import SLANT, cone_mask, gobo_mask, light_pattern
from pipeline.rig import Cone, Gobo, Light


def grid(reach: float = 3.0, count: int = 301) -> tuple[np.ndarray, np.ndarray]:
    line = np.linspace(-reach, reach, count, dtype=np.float32)
    return np.meshgrid(line, line)


def at(gobo: Gobo, x: float, y: float, softness_add: float = 0.0) -> float:
    """The mask at a point given along the window's own axes."""
    point = np.array([[x + SLANT * y]], dtype=np.float32), np.array([[y]], dtype=np.float32)
    return float(gobo_mask(gobo, *point, softness_add)[0, 0])


UPRIGHT = Gobo(columns=3, rows=2, pane=0.5, bar=0.2, turn_deg=0.0, softness=0.02, leak=0.1)


def test_stays_between_the_leak_and_full_light():
    for softness_add in (0.0, 0.3, 2.0):
        mask = gobo_mask(Gobo(leak=0.08), *grid(), softness_add)
        assert mask.dtype == np.float32
        assert mask.min() >= 0.08 - 1e-6
        assert mask.max() <= 1.0


def test_as_many_panes_as_asked_one_pitch_apart():
    line = np.linspace(-2, 2, 2001, dtype=np.float32)
    y = np.full_like(line, 0.35)
    row = gobo_mask(UPRIGHT, line[None] + SLANT * y[None], y[None])[0]
    lit = row > 0.5 * row.max()
    starts = line[1:][lit[1:] & ~lit[:-1]]
    assert len(starts) == 3
    np.testing.assert_allclose(np.diff(starts), 0.7, atol=0.01)


def test_bars_and_beyond_the_frame_only_leak():
    assert at(UPRIGHT, 0.35, 0.35) == pytest.approx(0.1, abs=1e-4)
    assert at(UPRIGHT, 0.0, 0.0) == pytest.approx(0.1, abs=1e-4)
    assert at(UPRIGHT, 5.0, 0.35) == pytest.approx(0.1, abs=1e-4)
    assert at(UPRIGHT, 0.7, 0.35) > 0.8


def test_a_wider_penumbra_blurs_the_edge_and_keeps_the_light():
    X, Y = grid()
    sharp, soft = gobo_mask(UPRIGHT, X, Y), gobo_mask(UPRIGHT, X, Y, 0.08)
    assert np.abs(np.diff(soft, axis=1)).max() < 0.5 * np.abs(np.diff(sharp, axis=1)).max()
    assert soft.mean() == pytest.approx(sharp.mean(), rel=0.02)


def test_turn_and_center_move_the_window():
    X, Y = grid()
    there = gobo_mask(UPRIGHT.model_copy(update={"center": (0.4, -0.3)}), X + 0.4, Y - 0.3)
    np.testing.assert_allclose(there, gobo_mask(UPRIGHT, X, Y), atol=2e-4)
    turned = gobo_mask(UPRIGHT.model_copy(update={"turn_deg": 90.0}), -Y, X)
    np.testing.assert_allclose(turned, gobo_mask(UPRIGHT, X, Y), atol=2e-4)


def test_the_cone_is_full_inside_and_dark_outside():
    X, Y = grid()
    mask, away = cone_mask(Cone(inner=0.5, outer=1.5), X, Y), np.hypot(X, Y)
    assert (mask[away < 0.49] == 1.0).all()
    assert (mask[away > 1.51] == 0.0).all()
    assert 0.3 < mask[np.abs(away - 1.0) < 0.02].mean() < 0.7


def test_a_raised_point_has_the_pattern_of_where_its_shadow_falls():
    light = Light(
        name="key",
        role="key",
        azimuth_deg=-40,
        elevation_deg=30,
        size_deg=2,
        strength=1,
        gobo=UPRIGHT,
        cone=Cone(),
    )
    X, Y = grid(1.0, 41)
    Z = np.full_like(X, 0.6)
    lx, ly, lz = light.direction
    ground = light_pattern(light, X - Z * np.float32(lx / lz), Y - Z * np.float32(ly / lz))
    np.testing.assert_allclose(light_pattern(light, X, Y, Z), ground, atol=1e-6)


def test_a_bare_light_has_no_pattern():
    light = Light(name="fill", role="fill", azimuth_deg=40, elevation_deg=30, size_deg=20, strength=1)
    assert (light_pattern(light, *grid()) == 1.0).all()


def test_palm_leaves_shade_a_part_and_foreshorten_no_light_away():
    X, Y = np.meshgrid(
        np.linspace(-1.5, 1.5, 400, dtype=np.float32), np.linspace(-1.5, 1.5, 400, dtype=np.float32)
    )
    mask = gobo_mask(Gobo(kind="palm", pane=0.8, softness=0.02, leak=0.1), X, Y)
    assert mask.min() == pytest.approx(0.1, abs=0.01)
    assert mask.max() <= 1.0
    shaded = float((mask < 0.4).mean())
    assert 0.08 < shaded < 0.5
    softer = gobo_mask(Gobo(kind="palm", pane=0.8, softness=0.02, leak=0.1), X, Y, softness_add=0.15)
    assert np.abs(np.diff(softer, axis=1)).max() < np.abs(np.diff(mask, axis=1)).max() / 2


def test_low_panes_are_blinds():
    line = np.linspace(-1.0, 1.0, 2001, dtype=np.float32)
    blinds = Gobo(columns=1, rows=7, pane=3.0, tall=0.08, bar=0.12, turn_deg=0, softness=0.01)
    down = gobo_mask(blinds, np.zeros_like(line), line) > 0.5
    across = gobo_mask(blinds, line, np.zeros_like(line)) > 0.5
    assert int((np.diff(down.astype(int)) != 0).sum()) >= 8
    assert across.all()
