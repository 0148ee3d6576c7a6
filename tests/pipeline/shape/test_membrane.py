"""Sheets over an outline are Poisson's: checked where the answer is known."""

import math

import numpy as np
import pytest

from pipeline.shape.membrane import stretched
from pipeline.shape.normals import inflated


def disk(radius, side=400):
    y, x = np.mgrid[0:side, 0:side] - (side - 1) / 2
    return np.hypot(x, y) < radius, x, y


@pytest.mark.parametrize("radius", [30, 150])  # solved as it is, and on a coarser grid
def test_a_sheet_under_pressure_over_a_disk(radius):
    mask, x, y = disk(radius)
    u = stretched(mask, 4.0)
    true = radius**2 - x * x - y * y
    assert np.abs(u - true)[mask].mean() < 0.06 * radius**2
    assert (u[~mask] == 0).all()


def test_a_sheet_without_pressure_continues_its_edge():
    mask, x, _ = disk(60)
    u = stretched(mask, 0.0, (3 * x + 7).astype(np.float32))
    assert np.abs(u - (3 * x + 7))[mask].mean() < 4


def test_normals_of_a_disk_are_nearly_those_of_a_ball():
    mask, x, y = disk(100)
    ours = inflated(mask, math.radians(90))
    true = np.stack([x, -y, np.sqrt(np.maximum(100**2 - x * x - y * y, 0))], -1) / 100
    angle = np.degrees(np.arccos(np.clip((ours * true).sum(-1), -1, 1)))[mask]
    assert angle.mean() < 9
    assert (inflated(mask, math.radians(90))[~mask] == 0).all()
