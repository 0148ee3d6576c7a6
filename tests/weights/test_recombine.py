"""One sample, many photos: what is true of a pixel stays true of it."""

import numpy as np
import pytest

from weights.train.recombine import IGNORED, Recombiner

RECORD = {"ground": "white_paper", "shot": {"elevation_deg": 30.0}}


@pytest.fixture
def layers():
    """A red ball, 60 px across, at the middle of a grey paper with a shadow below it."""
    y, x = np.mgrid[0:200, 0:260].astype(np.float32)
    inside = np.clip(30.5 - np.hypot(x - 130, y - 100), 0, 1)
    shadowed = np.full((200, 260, 3), 0.5, np.float32)
    shadowed[130:150, 100:160] = 0.1
    normal = np.zeros((200, 260, 3), np.float32)
    normal[..., 0] = (x - 130) / 40
    normal[..., 2] = np.sqrt(np.clip(1 - normal[..., 0] ** 2, 0.01, 1))
    return {
        "piece": inside[..., None] * np.array([0.8, 0.02, 0.02], np.float32),
        "ground": np.full((200, 260, 3), 0.5, np.float32),
        "shadowed": shadowed,
        "alpha": inside,
        "normal": normal,
        "height_px": 40 * inside,
        "height_mm": 4 * inside,
        "part": (inside > 0.5).astype(np.float32),
    }


def _windows(layers, count=12):
    one = Recombiner(96, np.random.default_rng(3))
    return [one.window(layers, RECORD) for _ in range(count)]


def test_the_matte_covers_the_piece_and_nothing_else(layers):
    for window in _windows(layers):
        red = window.srgb[..., 0].astype(int) - window.srgb[..., 1]
        surely = window.alpha > 0.99
        if surely.sum() > 50:
            assert np.median(red[surely]) > 40
        assert np.median(np.abs(red[window.alpha == 0])) < 40
        assert ((window.part == 0) == (window.alpha > 0.5)).mean() > 0.98  # all but the rim
        assert (window.part[window.alpha < 0.5] == IGNORED).all()


def test_half_the_windows_show_another_alloy():
    one = Recombiner(96, np.random.default_rng(5))
    tints = np.array([one._tint() for _ in range(400)])
    as_rendered = (tints == 1).all(1)
    assert 0.4 < as_rendered.mean() < 0.6
    assert np.log2(tints[~as_rendered]).std(0) == pytest.approx((0.35, 0.12, 0.45), rel=0.2)


def test_height_grows_with_the_window_and_normals_turn_with_it(layers):
    for window in _windows(layers):
        if (window.alpha > 0.5).sum() < 200:
            continue
        across = np.sqrt((window.alpha > 0.5).sum() * 4 / np.pi)
        whole = not any(
            side.any()
            for side in (window.alpha[0], window.alpha[-1], window.alpha[:, 0], window.alpha[:, -1])
        )
        if whole and window.height.max() > 0:
            assert window.height.max() == pytest.approx(40 / 60 * across, rel=0.15)
        columns = np.nonzero((window.alpha > 0.9).any(0))[0]
        row = window.normal[..., 0][:, columns][(window.alpha > 0.9)[:, columns]]
        assert row.min() < 0 < row.max() or not whole


def test_shade_is_where_the_shadow_is(layers):
    shades = [window.shade for window in _windows(layers)]
    assert min(shade.min() for shade in shades) < -0.8
    assert all(np.median(shade) > -0.1 for shade in shades)


def test_no_two_windows_are_alike_and_the_same_seed_gives_the_same(layers):
    first, second = _windows(layers, 4), _windows(layers, 4)
    assert all((a.srgb == b.srgb).all() for a, b in zip(first, second, strict=True))
    assert not (first[0].srgb == first[1].srgb).all()
