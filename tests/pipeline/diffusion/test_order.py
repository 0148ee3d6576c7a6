"""The order of a painting: what decides its digest, and its way through text."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.diffusion.order import Held, Order, Sheet, as_text, from_text, size_for

ORDER = Order(
    "xl",
    "aa",
    "velvet",
    "text",
    (512, 640),
    30,
    6.0,
    (("shop", "bb", 0.8),),
    Held("depth-xl", "cc", "depth", 0.7, "dd"),
)


@pytest.mark.parametrize(
    "change",
    [
        {"model_digest": "ab"}, {"prompt": "silk"}, {"negative": ""}, {"size_px": (640, 512)}, {"steps": 29}, {"guidance": 5.0},
        {"loras": ()}, {"loras": (("shop", "bb", 0.7),)}, {"loras": (("shop", "bc", 0.8),)}, {"control": None},
        {"control": Held("depth-xl", "cc", "depth", 0.6, "dd")}, {"control": Held("depth-xl", "cc", "depth", 0.7, "de")},
    ],
)  # fmt: skip
def test_whatever_decides_the_picture_decides_the_digest(change):
    assert replace(ORDER, **change).digest != ORDER.digest


def test_names_decide_nothing():
    other = replace(
        ORDER, model="big", loras=(("ours", "bb", 0.8),), control=Held("other", "cc", "depth", 0.7, "dd")
    )
    assert other.digest == ORDER.digest


def test_it_comes_out_of_text_as_it_went_in():
    sheets = [Sheet(3, b"\x00png"), Sheet(4)]
    assert from_text(json.loads(json.dumps(as_text(ORDER, sheets)))) == (ORDER, sheets)
    plain = replace(ORDER, control=None, loras=())
    assert from_text(json.loads(json.dumps(as_text(plain, [])))) == (plain, [])


@pytest.mark.parametrize(
    ("frame", "side", "size"),
    [
        ((1080, 1080), 512, (512, 512)),
        ((1080, 1080), 1024, (1024, 1024)),
        ((1080, 1350), 1024, (896, 1152)),
        ((1080, 1920), 1024, (768, 1344)),
        ((256, 256), 64, (64, 64)),
    ],
)
def test_a_painting_has_the_frames_shape_and_the_models_number_of_pixels(frame, side, size):
    assert size_for(frame, side) == size
