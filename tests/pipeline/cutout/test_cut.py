"""The classical cut-out against pieces whose alpha is known."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pipeline.cutout.classical import ClassicalSegmenter
from pipeline.cutout.cut import cut_out
from pipeline.errors import Unfit
from pipeline.judge.topology import topology
from pipeline.values import Photo

spec = importlib.util.spec_from_file_location("pieces", Path(__file__).with_name("pieces.py"))
pieces = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pieces)


def iou(a, b):
    return float((a & b).sum() / max((a | b).sum(), 1))


@pytest.mark.parametrize("gold", [True, False], ids=["gold", "silver"])
def test_ring_on_paper_is_cut_at_its_edge_and_its_hole_is_open(gold):
    photo, truth = pieces.ring_photo(gold=gold)
    cutout = cut_out(photo, ClassicalSegmenter())
    found = pieces.on_photo(cutout, photo)
    assert iou(found > 0.5, truth > 0.5) > 0.975
    assert topology(cutout.alpha) == topology(truth)
    assert cutout.confidence > 0.75


def test_shadow_is_not_part_of_the_piece():
    photo, truth = pieces.ring_photo(shadow=True)
    found = pieces.on_photo(cut_out(photo, ClassicalSegmenter()), photo)
    far = (truth < 0.01) & (np.hypot(*np.gradient(truth)) == 0)
    assert (found[far] > 0.5).mean() < 0.003


def test_colours_at_the_edge_are_the_metal_not_the_paper():
    photo, _ = pieces.ring_photo(dark_rim=False)
    cutout = cut_out(photo, ClassicalSegmenter())
    fringe = (cutout.alpha > 0.1) & (cutout.alpha < 0.9)
    core = cutout.alpha > 0.99
    blue_share = cutout.rgb[..., 2] / (cutout.rgb.sum(-1) + 1e-6)
    assert abs(np.median(blue_share[fringe]) - np.median(blue_share[core])) < 0.05


def test_empty_paper_is_refused():
    photo, _ = pieces.ring_photo()
    paper = np.full_like(photo.srgb, 236)
    paper += np.random.Generator(np.random.PCG64(1)).integers(0, 3, paper.shape, np.uint8)
    with pytest.raises(Unfit, match="No piece"):
        cut_out(Photo(paper, None, {}), ClassicalSegmenter())


def test_own_transparency_is_trusted():
    photo, truth = pieces.ring_photo()
    cutout = cut_out(Photo(photo.srgb, np.rint(truth * 255).astype(np.uint8), {}), ClassicalSegmenter())
    assert cutout.confidence == 1.0
    assert iou(pieces.on_photo(cutout, photo) > 0.5, truth > 0.5) > 0.99


def test_a_piece_that_runs_out_of_the_photo_says_where():
    photo, _ = pieces.ring_photo()
    cropped = Photo(np.ascontiguousarray(photo.srgb[:, 300:]), None, {})
    assert "left" in cut_out(cropped, ClassicalSegmenter()).touches
