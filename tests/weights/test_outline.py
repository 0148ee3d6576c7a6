"""What the shape network sees of an outline."""

from __future__ import annotations

import numpy as np
import pytest

from weights.outline import CHANNELS, POSES, SIDE_PX, TYPES, outline_features


def _square() -> np.ndarray:
    alpha = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    alpha[40:88, 40:88] = 1
    return alpha


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("pose", POSES)
def test_pose_and_type_are_told_by_one_channel_each(kind, pose):
    seen = outline_features(_square(), above=False, pose=pose, kind=kind)
    assert seen.shape == (CHANNELS, SIDE_PX, SIDE_PX)
    told = seen[6:].mean((1, 2))
    assert told.sum() == 2
    assert told[POSES.index(pose)] == told[len(POSES) + TYPES.index(kind)] == 1


def test_an_unknown_type_is_left_open():
    seen = outline_features(_square(), above=True, pose="flat", kind="auto")
    assert seen[6 + len(POSES) :].max() == 0
    assert seen[5].min() == 1


def test_distances_grow_away_from_the_outline():
    seen = outline_features(_square(), above=True, pose="flat", kind="ring")
    assert seen[1, 64, 64] > seen[1, 64, 44] > 0 == seen[1, 10, 10]
    assert seen[2, 0, 0] == 1 > seen[2, 64, 30] > 0 == seen[2, 64, 64]
