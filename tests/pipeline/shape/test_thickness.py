"""Thickness from the outline: exact distances, whatever the number of threads."""

import cv2
import numpy as np
import pytest

from pipeline.shape.thickness import distance_inside, thickness


@pytest.fixture
def threads():
    before = cv2.getNumThreads()
    yield cv2.setNumThreads
    cv2.setNumThreads(before)


def disk(radius, size):
    y, x = np.mgrid[0:size, 0:size] - size // 2
    return x * x + y * y <= radius * radius


def test_distances_are_the_same_to_the_last_bit_on_any_number_of_threads(threads):
    ring = disk(410, 1000) & ~disk(300, 1000)
    found = []
    for count in (1, 2, 4):
        threads(count)
        found.append(distance_inside(ring).tobytes())
    assert found[0] == found[1] == found[2]
    squares = np.square(np.frombuffer(found[0], np.float32).astype(np.float64))
    assert np.abs(squares - np.rint(squares)).max() < 0.02


def test_a_piece_that_fills_the_frame_and_an_empty_one_are_no_trouble():
    assert np.isfinite(distance_inside(np.ones((40, 50), bool))).all()
    assert distance_inside(np.zeros((40, 50), bool)).max() == 0


def test_a_ball_is_as_deep_as_it_is_wide():
    assert thickness(disk(100, 300)).max() == pytest.approx(200, rel=0.03)
