"""The full-size cut-out: the photo's own pixels where it is opaque, the piece's colours in the fringe."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pipeline.color import linear_from_srgb
from pipeline.cutout.classical import ClassicalSegmenter
from pipeline.cutout.full_size import full_size
from pipeline.errors import Unfit
from pipeline.judge.topology import topology
from pipeline.values import Photo

_spec = importlib.util.spec_from_file_location("pieces", Path(__file__).with_name("pieces.py"))
pieces = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pieces)


@pytest.fixture(scope="module")
def case():
    photo, truth = pieces.ring_photo()
    return photo, truth, full_size(photo, ClassicalSegmenter())


def test_it_has_the_photos_size_and_the_pieces_shape(case):
    photo, truth, cut = case
    assert cut.srgb.shape == photo.srgb.shape
    assert cut.srgb.dtype == cut.alpha.dtype == np.uint8
    found, wanted = cut.alpha > 127, truth > 0.5
    assert (found & wanted).sum() / (found | wanted).sum() > 0.98
    assert topology(cut.alpha / np.float32(255)).holes == 1
    assert cut.confidence > 0.6


def test_opaque_pixels_are_the_photos_own_bit_for_bit(case):
    photo, _, cut = case
    opaque = cut.alpha == 255
    assert opaque.sum() > 0.9 * (cut.alpha > 127).sum()
    assert np.array_equal(cut.srgb[opaque], photo.srgb[opaque])


def test_the_fringe_holds_the_metals_colour_and_not_the_papers(case):
    photo, truth, cut = case
    fringe = (cut.alpha > 80) & (cut.alpha < 176) & (truth > 0.2) & (truth < 0.8)
    assert fringe.sum() > 300
    before, after = (linear_from_srgb(one[fringe] / np.float32(255)) for one in (photo.srgb, cut.srgb))
    blue_before, blue_after = (one[:, 2].sum() / one[:, 0].sum() for one in (before, after))
    assert blue_after < 0.5 < blue_before  # gold of 0.18 : 0.72, paper nearly neutral


def test_sixteen_bits_stay_sixteen_bits_and_a_working_scale_below_the_photos_is_brought_back(case):
    photo, truth, _ = case
    deep = Photo(photo.srgb.astype(np.uint16) * 257 + 3, None, {})
    cut = full_size(deep, ClassicalSegmenter(), most_px=450)
    assert cut.srgb.dtype == cut.alpha.dtype == np.uint16
    opaque = cut.alpha == 65535
    assert np.array_equal(cut.srgb[opaque], deep.srgb[opaque])
    found, wanted = cut.alpha > 32767, truth > 0.5
    assert (found & wanted).sum() / (found | wanted).sum() > 0.97


def test_a_photo_that_brings_its_own_transparency_comes_back_as_it_is(case):
    photo, truth, _ = case
    own = np.rint(truth * 255).astype(np.uint8)
    cut = full_size(Photo(photo.srgb, own, {}), ClassicalSegmenter())
    assert np.array_equal(cut.alpha, own)
    assert np.array_equal(cut.srgb, photo.srgb)


def test_empty_paper_is_refused():
    with pytest.raises(Unfit):
        full_size(Photo(np.full((400, 400, 3), 236, np.uint8), None, {}), ClassicalSegmenter())
