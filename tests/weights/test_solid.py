"""The data of the shape network: pieces measured in Blender for real, and looks that stay true however they are turned."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from weights.outline import SIDE_PX, UNIT_PX
from weights.train.solid.looks import looks, sample, turned

ROOT = Path(__file__).resolve().parents[2]
BLENDER = ROOT / ".venv-blender/bin/python"


def _slope() -> dict:
    """A disk whose top rises to the right and a little away, with the normals that this has."""
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32)
    inside = np.hypot(x - 64, y - 64) < 40
    top = np.where(inside, 0.3 + (x - 64) * 0.002 - (y - 64) * 0.0005, 0)
    normal = np.array([-0.002, -0.0005, 1 / UNIT_PX])
    normal = np.where(inside[..., None], normal / np.linalg.norm(normal), 0)
    return {
        "alpha": (255 * inside).astype(np.uint8),
        "top": top.astype(np.float16),
        "low": (0.5 * top).astype(np.float16),
        "normal": np.rint(127 * normal).astype(np.int8),
        "above": True,
        "pose": "flat",
        "kind": "brooch",
    }


def test_a_turned_look_keeps_its_normals_on_its_slope():
    seen = set()
    for seed in range(40):
        look = turned(_slope(), np.random.default_rng(seed))
        top = look["top"].astype(np.float32)[50:78, 50:78]
        down, right = (float(one.mean()) * UNIT_PX for one in np.gradient(top))
        x, y, z = look["normal"][64, 64].astype(np.float32) / 127
        assert x / z == pytest.approx(-right, abs=0.03)
        assert y / z == pytest.approx(down, abs=0.03)
        seen.add((round(right, 2), round(down, 2)))
    assert len(seen) == 8


def test_what_stands_is_only_mirrored():
    look = _slope() | {"above": False, "pose": "upright"}
    slopes = set()
    for seed in range(20):
        top = turned(look, np.random.default_rng(seed))["top"].astype(np.float32)[50:78, 50:78]
        slopes.add(tuple(round(float(one.mean()), 4) for one in np.gradient(top)))
    assert len(slopes) == 2
    assert len({down for down, _ in slopes}) == 1


def test_without_chance_a_sample_is_as_it_is():
    one, other = (sample(_slope(), None) for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert one["features"].shape[1:] == one["alpha"].shape[1:] == (SIDE_PX, SIDE_PX)


@pytest.mark.skipif(not BLENDER.exists(), reason="no Blender environment: make blender")
def test_pieces_are_measured_in_blender(tmp_path):
    command = [
        BLENDER,
        "-m",
        "weights.train.solid.dataset",
        "--out",
        str(tmp_path),
        "--count",
        "2",
        "--start",
        "3",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in (tmp_path / "000003.npz", tmp_path / "000004.npz"):
        with np.load(path) as raw:
            top, low = (raw[name].astype(np.float32) for name in ("top", "low"))
        assert (low <= top).all()
        for plane in top:
            rows, columns = (np.flatnonzero((plane > 0).any(axis)) for axis in (1, 0))
            long = max(np.ptp(rows), np.ptp(columns)) + 1
            assert 240 < long <= 282  # a thin tip may lie between two rays
            assert abs(columns[0] + columns[-1] - 319) < 20
        for look in looks(path):
            assert look["alpha"].max() == 255
            facing = look["normal"].astype(np.float32)[look["alpha"] == 255]
            assert np.linalg.norm(facing, axis=1).mean() > 80
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert "2 of 2 pieces are in" in again.stdout
