"""The comparison of mattes sees what it must see: a filled hole, an invented one, a lost part."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

spec = importlib.util.spec_from_file_location("matte", Path(__file__).with_name("matte.py"))
matte = importlib.util.module_from_spec(spec)
sys.modules["matte"] = matte
spec.loader.exec_module(matte)


@pytest.fixture
def truth():
    alpha = np.zeros((400, 400), np.float32)
    alpha[100:300, 60:180] = alpha[100:300, 220:340] = 1
    alpha[150:200, 100:140] = 0
    alpha[150:200, 260:300] = 0
    return alpha


def test_the_truth_itself_is_perfect(truth):
    same = matte.compare(truth, truth)
    assert (same.iou, same.holes_found, same.mae, same.parts, same.holes) == (1, 1, 0, (2, 2), (2, 2))


def test_a_filled_hole_and_a_lost_part_show(truth):
    filled = truth.copy()
    filled[150:200, 100:140] = 1
    found = matte.compare(filled, truth)
    assert found.holes_found == 0.5
    assert found.holes == (1, 2)
    assert found.mae == pytest.approx(1000 * 50 * 40 / (200 * 280))
    lost = truth.copy()
    lost[:, 200:] = 0
    assert matte.compare(lost, truth).parts == (1, 2)
    assert matte.compare(lost, truth).iou == pytest.approx(0.5)
