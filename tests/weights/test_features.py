"""What the network sees."""

import numpy as np

from weights.features import CHANNELS, features, ground_tone


def _paper(level, piece):
    srgb = np.full((64, 96, 3), level, np.uint8)
    srgb[20:40, 30:60] = piece
    return srgb


def test_paper_is_nought_whatever_its_tone_and_a_piece_twice_as_dark_is_the_same_on_each():
    for level in ((250, 248, 240), (120, 118, 130)):
        srgb = _paper(level, (10, 10, 10))
        seen = features(srgb)
        assert seen.shape == (CHANNELS, 64, 96)
        assert np.abs(seen[3:, 0, 0]).max() < 1e-6
        assert (seen[3:, 30, 45] < -1).all()


def test_the_rim_says_the_tone_even_when_a_piece_crosses_it():
    srgb = _paper((200, 200, 200), (30, 20, 10))
    srgb[:, 40:50] = (30, 20, 10)
    assert np.allclose(ground_tone(srgb), ground_tone(_paper((200, 200, 200), (0, 0, 0))))


def test_codes_keep_what_is_clipped():
    seen = features(_paper((255, 255, 255), (0, 128, 255)))
    assert np.allclose(seen[:3, 30, 45], [-1, 0.004, 1], atol=0.01)
