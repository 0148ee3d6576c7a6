"""What a network knows of shapes lands where the piece is, and what it says is worth having."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.shape import relief
from pipeline.shape.relief import HALF, Relief, learned
from pipeline.shape.solid import solidify
from pipeline.values import Ground
from weights.outline import UNIT_PX

GROUND = Ground(90.0, 400.0, (300.0, 260.0))
ACROSS = (
    np.arange(HALF, dtype=np.float32) * 2 + 1
)  # of the network's frame, at the middles of its answer's places


def disk(x: float = 300.0, y: float = 260.0, radius: float = 200.0) -> np.ndarray:
    rows, columns = np.mgrid[0:600, 0:600] + 0.5
    return np.clip(radius - np.hypot(columns - x, rows - y) + 0.5, 0, 1).astype(np.float32)


class Echo:
    """A network that answers where each place of its frame is."""

    def run(self, _names, _feed):
        x, y = np.meshgrid(ACROSS, ACROSS)
        normal = np.zeros((1, 3, HALF, HALF), np.float32)
        normal[:, 2] = 1
        return [x[None, None] / UNIT_PX, y[None, None] / UNIT_PX, normal]


@pytest.mark.parametrize(("x", "y", "radius"), [(300, 260, 200), (180.4, 330.7, 60.3), (400, 200, 20)])
def test_every_pixel_is_told_of_its_own_place(monkeypatch, x, y, radius):
    monkeypatch.setattr(relief, "_session", Echo)
    said = learned(disk(x, y, radius), GROUND, "flat", "brooch")
    assert said is not None
    rows, columns = np.nonzero(disk(x, y, radius) > 0.5)
    # The frame's middle is 64 of its pixels; a long side is UNIT_PX of them.
    wanted = (columns + 0.5 - x) + 64 * 2 * radius / UNIT_PX
    _near(said.top_px[rows, columns], wanted)
    assert said.low_px is not None
    wanted = np.minimum((rows + 0.5 - y) + 64 * 2 * radius / UNIT_PX, said.top_px[rows, columns])
    _near(said.low_px[rows, columns], wanted)


def _near(said: np.ndarray, wanted: np.ndarray) -> None:
    """All but the rim, where places that are mostly outside take what their neighbours say."""
    away = np.abs(said - wanted)
    assert np.percentile(away, 90) < 0.6
    assert away.max() < 10


def test_without_a_piece_nothing_is_said():
    assert learned(np.zeros((50, 50), np.float32), GROUND, "flat", "auto") is None


def test_a_missing_network_leaves_the_outline_to_itself(monkeypatch):
    monkeypatch.setattr(relief, "_session", lambda: None)
    assert learned(disk(), GROUND, "flat", "auto") is None


def test_what_is_measured_beats_even_a_hoop():
    table = Ground(30.0, 400.0, (300.0, 460.0))
    ring = disk() - disk(radius=150.0)
    top, low = np.full((600, 600), 30.0, np.float32), np.full((600, 600), 10.0, np.float32)
    assert solidify(ring, table, "flat", Relief(top, low, exact=True)).top_px.max() == 30
    guessed, alone = solidify(ring, table, "flat", Relief(top, low)), solidify(ring, table, "flat")
    hoop = np.array_equal(guessed.top_px, alone.top_px)
    assert hoop or guessed.top_px.max() == 30


def test_the_shipped_network_knows_a_chain_from_a_brooch():
    chain = disk(radius=200.0) - disk(radius=194.0)
    thin, thick = learned(chain, GROUND, "flat", "necklace"), learned(disk(), GROUND, "flat", "brooch")
    assert thin is not None
    assert thick is not None
    assert np.median(thick.top_px[disk() > 0.5]) > 2.5 * np.median(thin.top_px[chain > 0.5])
    assert thick.normal is not None
    assert thick.normal[260, 300, 2] > 0.8  # its middle faces the lens
    assert 0.01 < np.median(thin.top_px[chain > 0.5]) / 400 < 0.06


def test_the_same_piece_at_two_sizes_has_the_same_shape():
    large, small = (
        learned(disk(), GROUND, "flat", "pendant"),
        learned(disk(radius=100.0), GROUND, "flat", "pendant"),
    )
    assert large is not None
    assert small is not None
    assert small.top_px[260, 300] == pytest.approx(large.top_px[260, 300] / 2, rel=0.05)


def test_a_guess_leaves_what_stands_on_the_ground():
    table = Ground(30.0, 400.0, (300.0, 460.0))
    high = np.full((600, 600), 90.0, np.float32)
    guess = Relief(high, high - 5)
    alone, guessed = (solidify(disk(), table, "upright", one) for one in (None, guess))
    assert np.array_equal(guessed.top_px, alone.top_px)
    assert guessed.low_px[disk() > 0.5].min() == 0
    assert guessed.sure < 1
    lying = solidify(disk(), GROUND, "flat", guess)
    assert np.median(lying.top_px[disk() > 0.5]) == 90
