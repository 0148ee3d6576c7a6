"""The truth set's orders are whole without Blender; what it made is read as the pipeline's values where it is there."""

from __future__ import annotations

import json

import pytest

from tests.truth.make import ground_of, order, stance_of
from tests.truth.pieces import SIDE_PX, TRUTHS
from weights.train.catalogue import FAMILIES, METALS, STONES


def test_the_set_is_large_and_its_halves_share_no_piece():
    names = [one.name for one in TRUTHS]
    assert len(set(names)) == len(names)
    assert len({(one.family, one.seed) for one in TRUTHS}) == len(TRUTHS)
    test = [one for one in TRUTHS if one.half == "test"]
    assert len(test) >= 20
    assert {one.kind for one in test} == {
        "ring",
        "earrings",
        "pendant",
        "necklace",
        "bracelet",
        "bangle",
        "watch",
        "brooch",
    }
    assert {stance_of(one)[1] for one in test} == {"upright", "flat", "hanging"}


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda one: one.name)
def test_every_piece_can_be_ordered(truth, tmp_path):
    assert truth.family in FAMILIES
    assert truth.metal in METALS
    assert truth.stone in STONES
    asked = json.loads(json.dumps(order(truth, tmp_path, 1)))
    assert asked["canvas"]["size_px"] == [SIDE_PX, SIDE_PX]
    assert asked["canvas"]["elevation_deg"] == ground_of(truth).elevation_deg
    assert asked["key"]["name"].endswith(truth.recipe.rig.key.name)
    assert asked["pose"] == stance_of(truth)[1]
