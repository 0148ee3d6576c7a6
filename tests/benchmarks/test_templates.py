"""The distance between pictures: nothing for the same, more for other colours, other folds, other places."""

from __future__ import annotations

import numpy as np
import pytest

from presets.library import recipe
from tests.benchmarks.kept import mark
from tests.benchmarks.templates import COLOR_LENGTH, descriptor, distances

Y, X = np.mgrid[0:216, 0:216]


def striped(rgb: tuple[int, int, int], turn: float = 0.0, depth: float = 18.0) -> np.ndarray:
    wave = depth * np.sin((X * np.cos(turn) + Y * np.sin(turn)) / 9)
    return np.clip(np.array(rgb) + wave[..., None], 0, 255).astype(np.uint8)


def parts(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    away = np.abs(descriptor(one) - descriptor(other))
    return float(away[:COLOR_LENGTH].sum()), float(away[COLOR_LENGTH:].sum())


def test_the_same_picture_has_no_distance():
    assert parts(striped((20, 30, 80)), striped((20, 30, 80))) == (0.0, 0.0)


def test_colour_is_the_earth_movers_distance():
    """Grey to grey: lightness alone moves, by the difference of L; three directions see the share |cos|, 1/2 on average."""
    grey, lighter = np.full((216, 216, 3), 100, np.uint8), np.full((216, 216, 3), 160, np.uint8)
    color, form = parts(grey, lighter)
    assert color == pytest.approx(0.5 * (0.706 - 0.503), rel=0.25)
    assert form == pytest.approx(0.0, abs=1e-6)  # rounding differs between processors
    assert parts(grey, np.full((216, 216, 3), (100, 60, 160), np.uint8))[0] > 0.03


def test_form_sees_direction_and_strength_of_folds():
    flat = striped((90, 90, 90), depth=0)
    along, across, faint = (
        striped((90, 90, 90)),
        striped((90, 90, 90), np.pi / 2),
        striped((90, 90, 90), depth=4),
    )
    assert parts(along, across)[1] > parts(along, faint)[1] > parts(flat, faint)[1] > 0
    assert parts(along, across)[0] < 0.01


def test_templates_are_compared_in_their_likest_view():
    """Two that differ in one view only are as near as in the other."""
    red, blue = descriptor(striped((120, 20, 20))), descriptor(striped((20, 20, 120), 1.0))
    marks = np.stack([[[red, red], [red, red]], [[red, blue], [red, blue]], [[blue, blue], [red, blue]]])
    pairs, seeds, _ = distances(marks)
    assert pairs[0, 1] == 0.0
    assert pairs[0, 2] > 0
    assert seeds[0] == seeds[1] == 0.0


def test_what_is_kept_is_marked_by_recipe_and_code():
    one, other = recipe("velvet-navy-moody", "ring"), recipe("velvet-navy-moody", "ring", seed=1)
    assert mark(one) != mark(other)
    assert mark(one).rpartition("-")[2] == mark(other).rpartition("-")[2]
