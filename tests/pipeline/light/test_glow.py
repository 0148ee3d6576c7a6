"""What the piece and its ground throw at each other: bounce, spill, and light through stones."""

import math

import cv2
import numpy as np
import pytest

from pipeline.color import luminance
from pipeline.composite import cautious, compose
from pipeline.layout import Piece
from pipeline.light.bounce import bounce
from pipeline.light.shadow import dome_visibility
from pipeline.light.spill import MOST, spill
from pipeline.light.stones import clear_stones
from pipeline.rig import Aim, Ambient, Gobo, Light, Rig
from pipeline.shape.solid import solidify
from pipeline.values import Box, Ground, Scene

SIDE = 300
GROUND = Ground(90.0, 140.0, (150.0, 150.0))
KEY = Light(name="key", role="key", azimuth_deg=-90, elevation_deg=45, size_deg=3, strength=1.0)
RIG = Rig(name="one", title="", lights=(KEY,), ambient=Ambient(strength=0.4), relight=0.0, shine_ev=0.0)


def scene(rgb=(0.5, 0.5, 0.5), spill_rgb=(0.5, 0.5, 0.5)):
    groups = {
        "key": np.full((SIDE, SIDE, 3), 0.4, np.float32),
        "ambient": np.zeros((SIDE, SIDE, 3), np.float32),
    }
    groups["ambient"][:] = np.asarray(rgb, np.float32) * 0.4
    return Scene(groups, GROUND, 0.6, 0.04, 0.0, np.asarray(spill_rgb, np.float32))


def disk(radius=60):
    y, x = np.mgrid[0:SIDE, 0:SIDE] - 150
    return (np.hypot(x, y) < radius).astype(np.float32)


def piece(rgb, alpha):
    return Piece(rgb.astype(np.float32), alpha, Box(90, 90, 210, 210), GROUND, "flat", "flat", 1.0)


def faceted(color, *, lively):
    rng = np.random.default_rng(3)
    facets = cv2.resize(
        rng.uniform(0.2, 1.8, (75, 75)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST
    )
    return np.asarray(color, np.float32) * (facets if lively else np.ones_like(facets))[..., None]


def test_gold_warms_the_ground_beside_it_and_nothing_far_away():
    alpha = disk()
    sky = dome_visibility(solidify(alpha, GROUND, "flat"), GROUND)
    glow = bounce(scene(), RIG, np.full((SIDE, SIDE, 3), (0.8, 0.6, 0.2), np.float32), alpha, sky)
    beside, far = glow[150, 213], glow[150, 295]
    assert beside[0] > beside[1] > beside[2] > 0
    assert far.max() < 0.1 * beside.max()


def test_spill_takes_the_grounds_colour_and_stays_a_trace():
    alpha = disk(20)
    solid = solidify(
        alpha, Ground(30.0, 140.0, (150.0, 150.0)), "flat"
    )  # from the side, so that undersides are seen
    lit = np.full((SIDE, SIDE, 3), 0.7, np.float32)
    blue = spill(lit, lit, solid, scene(spill_rgb=(0.05, 0.1, 0.9))) - lit
    inside = alpha > 0
    assert (luminance(blue)[inside] <= MOST * 0.7 + 1e-4).all()
    touched = blue[inside].max(axis=1) > 1e-4
    assert touched.any()
    assert (blue[inside][touched][:, 2] > blue[inside][touched][:, 0]).all()
    assert np.array_equal(spill(lit, lit, solid, scene(spill_rgb=(0, 0, 0))), lit)


@pytest.mark.parametrize(
    ("color", "lively", "clear"),
    [
        ((0.05, 0.1, 0.5), True, True),
        ((0.05, 0.1, 0.5), False, False),
        ((0.8, 0.6, 0.25), True, False),
        ((0.6, 0.6, 0.6), True, False),
    ],
    ids=["sapphire", "lapis", "gold", "silver"],
)
def test_which_stones_are_clear(color, lively, clear):
    found = clear_stones(faceted(color, lively=lively), disk(), GROUND.unit_px)
    assert (found is not None) == clear


def test_a_sapphires_shadow_is_blue_and_lighter_than_a_metals():
    alpha = disk(30)
    solid = solidify(alpha, GROUND, "flat")
    shades = {}
    for name, color in (("stone", (0.05, 0.1, 0.5)), ("metal", (0.6, 0.6, 0.6))):
        shaded = compose(scene(), piece(faceted(color, lively=True), alpha), solid, RIG).shaded
        shades[name] = shaded[145:156, 182:190].mean((0, 1))
    assert shades["stone"][2] > 1.4 * shades["metal"][2]
    assert shades["stone"][2] > 1.2 * shades["stone"][0]
    assert np.ptp(shades["metal"]) < 0.02


def test_a_doubtful_turn_makes_the_shadow_softer_and_shorter():
    sure, doubtful = cautious(KEY, 1.0), cautious(KEY, 0.4)
    assert sure == KEY
    assert doubtful.size_deg > KEY.size_deg
    assert doubtful.elevation_deg > KEY.elevation_deg


def test_the_same_bytes_on_any_number_of_threads():
    rgb, alpha = faceted((0.05, 0.1, 0.5), lively=True), disk()
    before = cv2.getNumThreads()
    made = []
    for threads in (1, 2, 4):
        cv2.setNumThreads(threads)
        made.append(compose(scene(), piece(rgb, alpha), solidify(alpha, GROUND, "flat"), RIG).frame)
    cv2.setNumThreads(before)
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0], made[2])


class TestAim:
    def test_a_higher_key_gives_the_ground_no_more_light(self):
        turned = RIG.aimed(Aim(elevation_deg=80)).key
        assert turned.strength * turned.direction[2] == pytest.approx(KEY.strength * KEY.direction[2])

    def test_spread_moves_light_to_the_dome(self):
        rig = RIG.aimed(Aim(spread=0.5))
        direct = sum(one.strength * one.direction[2] for one in rig.lights)
        assert rig.ambient.strength == pytest.approx(direct)
        total = KEY.strength * math.sin(math.radians(45)) + 0.4
        assert direct + rig.ambient.strength == pytest.approx(total)

    def test_gobos_come_and_go_and_what_is_not_said_stays(self):
        paned = RIG.aimed(Aim(gobo="palm", intensity_ev=1))
        assert paned.key.gobo == Gobo(kind="palm")
        assert paned.key.strength == pytest.approx(2 * KEY.strength)
        assert paned.aimed(Aim(gobo="none")).key.gobo is None
        assert RIG.aimed(Aim()) == RIG

    def test_later_wishes_win(self):
        assert Aim(azimuth_deg=10, spread=0.3).joined(Aim(azimuth_deg=40)) == Aim(azimuth_deg=40, spread=0.3)
