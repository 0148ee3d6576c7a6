"""Shadows go where the light sends them, grow soft with height and stay open under holes."""

import math

import numpy as np
import pytest

from pipeline.light.shadow import dome_visibility, light_directions, visibility
from pipeline.rig import Light
from pipeline.shape.solid import Solid, solidify
from pipeline.values import Ground

GROUND = Ground(90.0, 100.0, (200.0, 200.0))


def light(**changes):
    return Light(
        **(
            {
                "name": "key",
                "role": "rim",  # far away, so its light is parallel
                "azimuth_deg": -90,
                "elevation_deg": 45,
                "size_deg": 2,
                "strength": 1,
            }
            | changes
        )
    )


def plate(height_px):
    """A thin square plate hovering at a height, seen from above."""
    mask = np.zeros((400, 400), np.bool_)
    mask[180:220, 180:220] = True
    top = np.where(mask, np.float32(height_px), np.float32(0))
    return Solid(mask, top, top, np.zeros((400, 400, 3), np.float32))


def centre(seen):
    shade = 1 - seen
    y, x = np.mgrid[0:400, 0:400]
    return (x * shade).sum() / shade.sum(), (y * shade).sum() / shade.sum()


@pytest.mark.parametrize(("azimuth", "dx", "dy"), [(-90, 40, 0), (90, -40, 0), (0, 0, 40), (180, 0, -40)])
def test_shadow_falls_away_from_the_light(azimuth, dx, dy):
    x, y = centre(visibility(plate(40), GROUND, light(azimuth_deg=azimuth)))
    assert x - 199.5 == pytest.approx(dx, abs=2.5)
    assert y - 199.5 == pytest.approx(dy, abs=2.5)


def test_a_lamp_beside_the_set_throws_it_further():
    near, far = (
        centre(visibility(plate(40), GROUND, light(role=role)))[0] - 199.5 for role in ("key", "rim")
    )
    up = 5 * 100 * math.sin(math.radians(45))
    assert near == pytest.approx(40 * up / (up - 40), abs=2.5)
    assert near > far + 3


def test_penumbra_grows_with_height_and_light():
    def edge_width(height, size):
        seen = visibility(plate(height), GROUND, light(size_deg=size))
        row = seen[200]
        return int(((row > 0.1) & (row < 0.9)).sum())

    assert edge_width(80, 6) > edge_width(20, 6) + 3
    assert edge_width(60, 12) > edge_width(60, 3) + 3


def test_table_view_puts_the_shadow_of_a_standing_post_on_the_ground():
    alpha = np.zeros((400, 400), np.float32)
    alpha[100:300, 195:206] = 1
    ground = Ground(30.0, 200.0, (200.0, 300.0))
    solid = solidify(alpha, ground, "upright")
    seen = visibility(solid, ground, light(azimuth_deg=0, elevation_deg=60))
    length = 200 / math.cos(math.radians(30)) / math.tan(math.radians(60)) * math.sin(math.radians(30))
    tip = int(np.flatnonzero(seen[:, 200] < 0.5).max())
    assert tip - 299 == pytest.approx(length, abs=6)


def test_light_falls_through_a_hole():
    whole, holed = plate(20), plate(20)
    holed.mask[190:210, 190:210] = False
    lamp = light(role="key")  # cut finer than others
    shade = (1 - visibility(whole, GROUND, lamp)).sum() - (1 - visibility(holed, GROUND, lamp)).sum()
    assert shade == pytest.approx(400, rel=0.25)


def test_dome_darkens_the_contact_most():
    seen = dome_visibility(plate(3), GROUND)
    assert seen[200, 223] < seen[200, 260] <= 1


def test_disk_of_directions_is_centred_and_above_ground():
    directions = light_directions((0.0, 0.0, 1.0), 10, 64)
    assert np.allclose(directions.mean(0)[:2], 0, atol=0.02)
    assert (directions[:, 2] > 0).all()
