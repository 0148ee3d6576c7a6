"""The outline finds the photo's edge, and leaves wires alone."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.cutout.snap import snap

SIZE, MIDDLE = 200, 99.5


def _disc(radius):
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    return np.clip(radius - np.hypot(x - MIDDLE, y - MIDDLE) + 0.5, 0, 1).astype(np.float32)


def _photo(matte, piece=(0.3, 0.2, 0.1), blur_px=1.2):
    soft = cv2.GaussianBlur(matte, (0, 0), blur_px)[..., None]
    return (soft * np.float32(piece) + (1 - soft) * np.float32(0.9)).astype(np.float32)


def _knobbly(radius):
    """A contour that runs up to five pixels outside the disc."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    wave = 2.5 + 2.5 * np.sin(9 * np.arctan2(y - MIDDLE, x - MIDDLE))
    return (np.hypot(x - MIDDLE, y - MIDDLE) < radius + wave).astype(np.float32)


def test_a_frayed_contour_comes_back_to_the_edge():
    truth = _disc(60)
    frayed = _knobbly(60)
    found = snap(_photo(truth), frayed)
    assert np.abs(frayed - truth).sum() > 700
    assert np.abs(found - truth).sum() < 200
    assert abs(float(found.sum()) / float(truth.sum()) - 1) < 0.01


def test_a_contour_on_the_edge_stays():
    truth = _disc(60)
    assert np.abs(snap(_photo(truth), truth) - truth).sum() < 60


def test_an_edge_inside_the_piece_does_not_draw_the_contour():
    truth, stone = _disc(60), _disc(56)[..., None]
    photo = _photo(truth, piece=(0.5, 0.35, 0.2)) * (1 - stone) + np.float32(0.02) * stone
    found = snap(photo.astype(np.float32), truth)
    assert float(found.sum()) > 0.985 * float(truth.sum())


def test_a_thin_wire_keeps_its_matte():
    wire = np.zeros((SIZE, SIZE), np.float32)
    wire[98:102, 20:180] = 1
    assert np.array_equal(snap(_photo(wire), wire), wire)


def test_nothing_to_snap():
    empty = np.zeros((SIZE, SIZE), np.float32)
    assert np.array_equal(snap(_photo(_disc(40)), empty), empty)
