"""Colours of a piece as words: what is seen, never what it may be made of."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.color import linear_from_srgb
from pipeline.judge.colours import COLOURS, colours_of
from pipeline.values import Box, Cutout


def piece(*parts, alpha=1.0):
    """A cut-out of vertical stripes of sRGB colours."""
    stripes = [np.tile(np.array(colour, np.float32), (40, width, 1)) for colour, width in parts]
    srgb = np.concatenate(stripes, axis=1)
    rgb = np.asarray(linear_from_srgb(srgb), np.float32)
    shape = rgb.shape[:2]
    paper = np.ones(3, np.float32)
    return Cutout(rgb, np.full(shape, alpha, np.float32), Box(0, 0, shape[1], shape[0]), 1.0, 1.0, paper)


GOLD, RUBY, STEEL, SHADE = (0.83, 0.66, 0.3), (0.6, 0.05, 0.12), (0.8, 0.81, 0.82), (0.4, 0.4, 0.4)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([(GOLD, 90), (RUBY, 10)], ("yellow", "red")),
        ([(GOLD, 97), (RUBY, 3)], ("yellow",)),
        ([(STEEL, 80), ((0.1, 0.2, 0.7), 20)], ("white", "blue")),
        ([(GOLD, 80), (SHADE, 20)], ("yellow",)),
        ([((0.05, 0.05, 0.05), 100)], ("black",)),
    ],
)
def test_the_most_frequent_first_and_shade_is_no_colour(parts, words):
    assert colours_of(piece(*parts)) == words


def test_only_plain_colours_are_named():
    assert not {"gold", "silver", "emerald", "ruby"} & set(COLOURS)


def test_a_piece_without_a_solid_pixel_has_none():
    assert colours_of(piece((GOLD, 50), alpha=0.4)) == ()
