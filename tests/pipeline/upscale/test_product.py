"""A small photo's piece: enlarged by another hand only while it stays the same piece."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.color import linear_from_srgb
from pipeline.errors import Misconfigured
from pipeline.layout import lay_out
from pipeline.upscale.upscaler import no_upscalers, resized
from pipeline.values import Box, Cutout
from presets.library import recipe


def cutout(side=200, scale=1.0, peak=1.0):
    """A disc with a pattern."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / side - 0.5
    alpha = np.clip((0.48 - np.hypot(x, y)) * side / 2, 0, 1).astype(np.float32)
    tone = 0.5 + 0.4 * np.sin(40 * x) * np.cos(30 * y)
    rgb = (np.stack([tone, 0.8 * tone, 0.5 * tone], -1) * peak).astype(np.float32)
    box = Box(0, 0, round(side / scale), round(side / scale))
    return Cutout(rgb, alpha, box, scale, 1.0, np.ones(3, np.float32))


def asked(enlarge="net"):
    return recipe("velvet-navy-moody", "earrings", enlarge=enlarge)


def true(srgb, size_px):
    """Sharper than Lanczos, and still the photo."""
    return np.clip(resized(srgb, size_px) + 0.01, 0, 1)


def inventing(srgb, size_px):
    """Draws a stone that is not there."""
    made = resized(srgb, size_px).copy()
    at = (size_px[0] // 2, size_px[1] // 3)
    cv2.circle(made, at, size_px[0] // 25, (0.1, 0.2, 0.9), -1)
    return made


def recoloured(srgb, size_px):
    """The same luminance patterns in one channel, another in blue."""
    made = resized(srgb, size_px).copy()
    made[..., 2] = made[:, ::-1, 2]
    return made


def codes(piece):
    return [note.code for note in piece.notes]


def test_a_true_enlargement_is_shown():
    plain, made = lay_out(cutout(), asked("")), lay_out(cutout(), asked(), lambda _name: true)
    assert "not-upscaled" not in codes(made)
    assert np.array_equal(plain.alpha, made.alpha)
    inside = made.alpha > 0.99
    assert not np.allclose(plain.rgb[inside], made.rgb[inside], atol=1e-3)
    assert np.abs(plain.rgb[inside] - made.rgb[inside]).mean() < 0.03


@pytest.mark.parametrize("hand", [inventing, recoloured])
def test_an_invention_is_refused(hand):
    made, lanczos = (
        lay_out(cutout(), asked(), lambda _name: hand),
        lay_out(cutout(), asked(), lambda _name: resized),
    )
    assert codes(made).count("not-upscaled") == 1
    assert "not the photo's any more" in next(note.text for note in made.notes if note.code == "not-upscaled")
    assert codes(lanczos).count("not-upscaled") == 0
    assert np.array_equal(made.rgb, lanczos.rgb)


def test_what_is_missing_costs_a_note_only():
    made = lay_out(cutout(), asked(), no_upscalers)
    assert "not-upscaled" in codes(made)
    assert made.rgb.max() > 0


def test_a_large_piece_asks_nobody():
    def nobody(_name):
        raise Misconfigured("asked")

    assert "not-upscaled" not in codes(lay_out(cutout(900), asked(), nobody))


def test_the_network_is_given_the_photos_own_pixels_and_highlights_stay():
    seen = []

    def watching(srgb, size_px):
        seen.append(srgb)
        return resized(srgb, size_px)

    made = lay_out(cutout(400, scale=2.0, peak=1.5), asked(), lambda _name: watching)
    assert 185 < seen[0].shape[0] < 200
    assert seen[0].max() <= 1
    inside = made.alpha > 0.99
    assert made.rgb[inside].max() > 1.2
    assert abs(made.rgb[inside].mean() - cutout(400, 2.0, 1.5).rgb[cutout(400).alpha > 0.99].mean()) < 0.02
    assert linear_from_srgb(seen[0]).mean() < made.rgb[inside].mean()
