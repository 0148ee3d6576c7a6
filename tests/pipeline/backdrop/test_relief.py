"""The height field: seen where it stands, shading where the light says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.backdrop.relief import Raster, light_visibility, raster_for, see, sky_visibility
from pipeline.backdrop.stage import Stage
from pipeline.recipe import Surface
from pipeline.rig import Ambient, Light, Rig
from pipeline.values import Ground

SURFACE = Surface(
    name="s", material="velvet", palette="p", base="#102040", accent="#405080", detail="#000000"
)
KEY = Light(name="key", role="key", azimuth_deg=-90, elevation_deg=30, size_deg=1, strength=1)
RIG = Rig(name="r", title="r", lights=(KEY,), ambient=Ambient())
STAGE = Stage(SURFACE, RIG, "table", 200, 200, 1, Ground(30.0, 120.0, (100.0, 150.0)))
BUMP = 0.3


def wall(raster: Raster) -> np.ndarray:
    """A wall along Y at X = 0, `BUMP` high."""
    return np.where(np.abs(raster.X) < 0.05, BUMP, 0.0).astype(np.float32)


def test_level_ground_is_seen_as_the_plane_and_is_fully_lit():
    raster = raster_for(STAGE, 0.1)
    flat = np.zeros_like(raster.X)
    seen = see(STAGE, raster, flat)
    X, Y = STAGE.plane()
    np.testing.assert_allclose(seen.X, X, atol=1e-5)
    np.testing.assert_allclose(seen.Y, Y, atol=2e-3)
    np.testing.assert_allclose(seen.nz, 1.0, atol=1e-6)
    assert (light_visibility(raster, flat, KEY) == 1.0).all()
    np.testing.assert_allclose(sky_visibility(raster, flat), 1.0, atol=1e-5)


def test_a_wall_throws_its_shadow_away_from_the_light_as_far_as_the_light_is_low():
    raster = raster_for(STAGE, BUMP)
    middle = light_visibility(raster, wall(raster), KEY)[raster.X.shape[0] // 2]
    x = raster.X[0]
    reach = BUMP / math.tan(math.radians(30))
    assert middle[x < -0.15].min() > 0.9  # the light stands at the left
    assert middle[(x > 0.12) & (x < reach - 0.08)].max() < 0.1
    assert middle[(x > reach + 0.15) & (x < x[-1] - 0.1)].min() > 0.9


def test_a_larger_light_has_a_softer_shadow():
    raster = raster_for(STAGE, BUMP)
    beyond = raster.X[60] > 0.2  # the far border of the shadow, not the foot of the wall
    edges = []
    for size in (1.0, 12.0):
        lamp = KEY.model_copy(update={"size_deg": size})
        edges.append(np.abs(np.diff(light_visibility(raster, wall(raster), lamp)[60, beyond])).max())
    assert edges[1] < 0.6 * edges[0]


def test_a_ridge_hides_what_lies_behind_it():
    raster = raster_for(STAGE, BUMP)
    ridge = (BUMP * np.exp(-((raster.Y - 0.4) ** 2) / 0.01)).astype(np.float32)
    seen = see(STAGE, raster, ridge)
    column = seen.Y[::-1, 50]  # from the foreground up the picture
    assert (np.diff(column) >= -1e-5).all()
    hidden = (column > 0.55) & (column < 0.75)
    assert not hidden.any()
    assert seen.Z.max() == pytest.approx(BUMP, abs=0.03)


def test_a_valley_sees_less_sky():
    raster = raster_for(STAGE, BUMP)
    valley = np.where(np.abs(raster.X) < 0.1, 0.0, BUMP).astype(np.float32)
    sky = sky_visibility(raster, valley)[raster.X.shape[0] // 2]
    assert sky[np.abs(raster.X[0]) < 0.03].mean() < 0.6
    assert sky[np.abs(raster.X[0]) > 0.35].mean() > 0.95
