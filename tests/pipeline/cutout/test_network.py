"""Vitrine's own network, as it ships, on pictures it has not seen."""

import importlib.util
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.cutout import network as door
from pipeline.cutout.cut import cut_out
from pipeline.cutout.network import NetworkSegmenter
from pipeline.errors import Misconfigured, Unfit
from pipeline.judge.topology import topology
from pipeline.photo.decode import decode
from pipeline.values import Photo
from weights.store import FOLDER, NETWORKS, network

SAMPLES = Path(__file__).parents[3] / "presets" / "samples"
spec = importlib.util.spec_from_file_location("pieces", Path(__file__).with_name("pieces.py"))
pieces = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pieces)


@pytest.fixture(scope="module")
def segmenter():
    return NetworkSegmenter()


def test_the_answer_has_the_picture_s_size_and_range(segmenter):
    for height, width in ((97, 61), (900, 640), (33, 1500)):
        answer = segmenter.segment(np.full((height, width, 3), 240, np.uint8))
        assert answer.shape == (height, width)
        assert answer.dtype == np.float32
        assert 0 <= answer.min() <= answer.max() <= 1


def test_the_same_picture_gives_the_same_answer_on_any_number_of_threads():
    photo, _ = pieces.ring_photo()
    before, answers = cv2.getNumThreads(), []
    for threads in (1, 2, 4):
        cv2.setNumThreads(threads)
        answers.append(NetworkSegmenter().segment(photo.srgb))
    cv2.setNumThreads(before)
    assert all((one == answers[0]).all() for one in answers)


@pytest.mark.parametrize("name", ["bangle_stones", "earrings_drop", "ring_solitaire"])
def test_a_sample_is_cut_out_close_to_its_truth_and_its_shadow_left_behind(segmenter, name):
    photo = decode(SAMPLES / f"{name}.jpg")
    cutout = cut_out(photo, segmenter)
    found = pieces.on_photo(cutout, photo) > 0.5
    truth = cv2.imread(str(SAMPLES / "alpha" / f"{name}.png"), cv2.IMREAD_GRAYSCALE) > 127
    assert (found & truth).sum() / (found | truth).sum() > 0.9


def test_empty_paper_is_refused(segmenter):
    paper = np.full((400, 500, 3), 236, np.uint8)
    paper += np.random.Generator(np.random.PCG64(1)).integers(0, 3, paper.shape, np.uint8)
    with pytest.raises(Unfit, match="No piece"):
        cut_out(Photo(paper, None, {}), segmenter)


def test_a_ring_s_hole_is_open(segmenter):
    photo, truth = pieces.ring_photo()
    assert topology(cut_out(photo, segmenter).alpha).holes == topology(truth).holes == 1


def test_a_damaged_file_is_told_with_what_to_do(tmp_path, monkeypatch):
    shutil.copy(FOLDER / NETWORKS, tmp_path)
    (tmp_path / "piece.onnx").write_bytes(b"not a network")
    monkeypatch.setattr(door, "network", lambda name: network(name, tmp_path))
    with pytest.raises(Misconfigured, match=r"piece\.onnx.*not the file that was released") as told:
        NetworkSegmenter().segment(np.zeros((64, 64, 3), np.uint8))
    assert "classical" in told.value.advice
