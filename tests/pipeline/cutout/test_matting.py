"""Closed-form band and foreground colours on mixtures that are known exactly."""

import numpy as np

from pipeline.cutout.foreground import foreground_colors
from pipeline.cutout.matting import band_matte


def mixture():
    x = np.clip((np.arange(80, dtype=np.float32) - 30) / 20, 0, 1)
    alpha = np.repeat(x[None, :], 60, 0)
    front, back = np.array([0.7, 0.45, 0.15], np.float32), np.array([0.9, 0.9, 0.88], np.float32)
    return alpha, front, alpha[..., None] * front + (1 - alpha[..., None]) * back


def test_band_follows_a_linear_blend():
    alpha, _, rgb = mixture()
    unknown = np.zeros(alpha.shape, np.bool_)
    unknown[:, 26:54] = True
    known = (alpha > 0.5).astype(np.float32)
    solved = band_matte(rgb, known, unknown)
    assert np.abs(solved - alpha)[2:-2].max() < 0.05
    assert (solved[~unknown] == known[~unknown]).all()


def test_no_unknown_pixel_is_no_work():
    known = np.ones((4, 5), np.float32)
    assert (band_matte(np.zeros((4, 5, 3), np.float32), known, known < 0) == 1).all()


def test_foreground_is_free_of_paper():
    alpha, front, rgb = mixture()
    found = foreground_colors(rgb, alpha)
    inside = alpha > 0.15
    assert np.abs(found[inside] - front).max() < 0.06


def test_a_guess_decides_where_colours_do_not():
    known = np.zeros((40, 60), np.float32)
    known[:, 40:] = 1
    unknown = np.zeros(known.shape, np.bool_)
    unknown[:, 20:40] = True
    white = np.full((*known.shape, 3), 0.9, np.float32)
    guess = (np.mgrid[0:40, 0:60][1] >= 35).astype(np.float32)
    alone, guided = band_matte(white, known, unknown), band_matte(white, known, unknown, guess)
    off = [np.abs(found - guess)[5:-5, 20:40].mean() for found in (alone, guided)]
    assert off[1] < 0.9 * off[0]


def test_a_blurred_guess_is_sharpened_by_an_edge():
    x = np.mgrid[0:40, 0:80][1].astype(np.float32)
    alpha = (x >= 41).astype(np.float32)
    rgb = alpha[..., None] * np.array([0.7, 0.45, 0.15], np.float32) + (1 - alpha[..., None]) * np.float32(
        0.9
    )
    guess = np.clip((x - 30) / 20, 0, 1)
    unknown = (x > 28) & (x < 52)
    solved = band_matte(rgb, alpha, unknown, guess)
    assert np.abs(solved - alpha)[3:-3].max() < 0.2 < np.abs(guess - alpha).max()
