"""A frame on a plate: the crop puts every pixel where it belongs, on any number of threads."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.backdrop.window import Pane, overlap


@pytest.mark.parametrize("length", [540, 1080, 1920])
@pytest.mark.parametrize("step", [0.2389, 0.37313, 0.5, 0.6569, 1.0, 1.6384])
def test_every_pixel_falls_on_its_sample(step, length):
    worst = 0.0
    for at in (-0.37, 0.0, 11.22, 90.718, 140.5):
        one = overlap(step, at, length)
        ratio = one.count / one.length
        # Pixel 0 and the last one: the way between is straight.
        off = [one.first + (one.skip + i + 0.5) * ratio - 0.5 - (at + step * i) for i in (0, length - 1)]
        worst = max(worst, *(abs(x) for x in off))
        assert one.skip * ratio >= 2  # the filter's reach lies within the crop
        assert (one.length - one.skip - length) * ratio >= 2
    assert worst <= (step / 2 if step in {0.5, 1.0} else 0.03)


def test_a_frame_shows_what_lies_under_it_also_beyond_the_picture():
    y, x = np.mgrid[0:90, 0:70].astype(np.float32)
    picture = np.stack([x, y, x + y], -1)
    pane = Pane(overlap(0.31, -4.0, 150), overlap(0.31, 20.0, 200), 150, 200)
    seen = pane.enlarged(pane.cut(picture))
    assert seen.shape == (200, 150, 3)
    row, column = 100, 120
    np.testing.assert_allclose(seen[row, column], (33.2, 51.0, 84.2), atol=0.2)
    np.testing.assert_allclose(seen[row, 0], (0.0, 51.0, 51.0), atol=0.2)


def test_the_same_bytes_on_any_number_of_threads():
    picture = np.random.default_rng(0).random((300, 310, 3), dtype=np.float32)
    pane = Pane(overlap(0.2389, 3.3, 1080), overlap(0.2389, 4.4, 1080), 1080, 1080)
    before, made = cv2.getNumThreads(), set()
    try:
        for threads in (1, 2, 7, 16):
            cv2.setNumThreads(threads)
            made.add(pane.enlarged(pane.cut(picture)).tobytes())
    finally:
        cv2.setNumThreads(before)
    assert len(made) == 1
