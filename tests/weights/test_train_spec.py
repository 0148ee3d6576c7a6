"""The draw of samples: seeded, split, resumable. No Blender."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from weights.train import dataset, samples
from weights.train.catalogue import FAMILIES, GROUNDS, LIGHTS, METALS, STONES
from weights.train.develop import develop
from weights.train.spec import draw, split_of

SHARED_STONES = {"diamond", "pearl_white"}
MANY = [draw(seed) for seed in range(1600)]


def _seen(split: str) -> dict[str, set[str]]:
    of = [s for s in MANY if s.split == split]
    return {
        "family": {s.family for s in of},
        "metal": {s.metal for s in of} | {s.trim for s in of},
        "stone": {x for s in of for x in (s.stone, s.accent, s.pearl, s.enamel, s.leather)},
        "ground": {s.ground for s in of},
        "light": {s.light for s in of},
    }


def test_a_seed_is_always_the_same_sample() -> None:
    assert [draw(seed) for seed in range(50)] == MANY[:50]


def test_training_never_sees_what_the_test_is_made_of() -> None:
    train, test = _seen("train"), _seen("test")
    for matter in train:
        assert not (train[matter] & test[matter]) - SHARED_STONES, matter


def test_everything_in_the_catalogue_is_drawn() -> None:
    both = {k: v | _seen("test")[k] for k, v in _seen("train").items()}
    for matter, table in {
        "family": FAMILIES,
        "metal": METALS,
        "stone": STONES,
        "ground": GROUNDS,
        "light": LIGHTS,
    }.items():
        assert both[matter] == set(table), matter


def test_both_splits_hold_every_type_of_piece() -> None:
    for split in ("train", "test"):
        assert {s.type for s in MANY if s.split == split} == {f.type for f in FAMILIES.values()}
    share = Counter(split_of(seed) for seed in range(1600))
    assert share["test"] == 200


def test_only_missing_samples_are_asked_for(tmp_path: Path) -> None:
    for seed in (0, 2, 3):
        samples.stem(tmp_path, seed).with_suffix(".json").write_text("{}")
    samples.stem(tmp_path, 1).with_suffix(".jpg").write_bytes(b"cut off before the record was written")
    todo = dataset.missing(tmp_path, dataset.wanted(0, 6, set(), set()))
    assert [s.seed for s in todo] == [1, 4, 5]


def test_the_filters_pass_over_other_set_ups() -> None:
    specs = list(dataset.wanted(0, 20, {"white_paper"}, {"tent", "window"}))
    assert {s.ground for s in specs} == {"white_paper"}
    assert {s.light for s in specs} <= {"tent", "window"}


@pytest.mark.parametrize("seed", [3, 4, 9])
def test_development_is_repeatable_and_fills_the_range(seed: int) -> None:
    shot = draw(seed).shot
    ramp = np.linspace(0.02, 1.0, 64 * 48, dtype=np.float32).reshape(48, 64, 1).repeat(3, 2)
    alpha = np.zeros((48, 64), np.float32)
    alpha[10:30, 10:30] = 1
    once, twice = (develop(ramp, ramp, alpha, shot, seed) for _ in range(2))
    assert once.dtype == np.uint8
    assert once.shape == (48, 64, 3)
    assert (once == twice).all()
    assert np.ptp(once) > 100
