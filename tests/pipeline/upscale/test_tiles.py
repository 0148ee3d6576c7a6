"""Cutting and joining, with functions of known reach in the network's place; and a picture's way without torch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.errors import Misconfigured
from pipeline.upscale import network_upscaler
from pipeline.upscale.family import family_of
from pipeline.upscale.tiles import tiled
from pipeline.upscale.upscaler import resized


def picture(height, width):
    return np.random.default_rng(5).random((height, width, 3), np.float32)


def blurred(tile, scale):
    """Looks 5 px around itself."""
    return cv2.blur(tile, (11, 11), borderType=cv2.BORDER_CONSTANT).repeat(scale, 0).repeat(scale, 1)


@pytest.mark.parametrize("size", [(64, 64), (65, 31), (7, 130), (1, 9)])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_tiles_are_the_whole(size, scale):
    whole = tiled(picture(*size), lambda tile: blurred(tile, scale), scale=scale, tile_px=500, context_px=5)
    parts = tiled(picture(*size), lambda tile: blurred(tile, scale), scale=scale, tile_px=24, context_px=5)
    assert whole.shape == (size[0] * scale, size[1] * scale, 3)
    assert np.abs(whole - parts).max() < 1e-5


def test_a_tile_that_sees_too_little_shows():
    whole = tiled(picture(64, 64), lambda tile: blurred(tile, 1), scale=1, tile_px=500, context_px=5)
    parts = tiled(picture(64, 64), lambda tile: blurred(tile, 1), scale=1, tile_px=24, context_px=0)
    assert np.abs(whole - parts).max() > 0.01


@pytest.mark.parametrize("multiple", [1, 2, 4])
def test_what_the_network_is_given_can_be_folded(multiple):
    seen = []

    def run(tile):
        seen.append(tile.shape[:2])
        return tile

    made = tiled(picture(33, 51), run, scale=1, tile_px=20, context_px=5, multiple_px=multiple)
    assert np.abs(made - picture(33, 51)).max() < 1e-6
    assert len(seen) == 6
    assert len(set(seen)) == 1
    assert all(side % multiple == 0 for side in seen[0])


def test_lanczos_keeps_flat_colours_and_bounds():
    flat = np.full((9, 9, 3), 0.25, np.float32)
    assert np.abs(resized(flat, (30, 31)) - 0.25).max() < 1e-5
    edge = np.zeros((9, 9, 3), np.float32)
    edge[:, 4:] = 1
    assert 0 <= resized(edge, (40, 40)).min() <= resized(edge, (40, 40)).max() <= 1


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Misconfigured, match=r"RealESRGAN_x4plus\.pth: the upscaler is not there"):
        network_upscaler.find_upscaler(tmp_path, "RealESRGAN_x4plus")


def test_torch_that_is_not_there_is_named(tmp_path, monkeypatch):
    (tmp_path / "net.pth").write_bytes(b"")
    monkeypatch.setattr(network_upscaler.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(Misconfigured, match="needs torch") as caught:
        network_upscaler.find_upscaler(tmp_path, "net")
    assert "vitrine[diffusion]" in caught.value.advice


def test_a_network_that_makes_pictures_smaller_is_refused():
    shapes = {
        "conv_first.weight": (8, 48, 3, 3),
        "body.0.rdb1.conv1.weight": (4, 8, 3, 3),
        "conv_up1.weight": (8, 8, 3, 3),
    }
    with pytest.raises(ValueError, match="smaller"):
        family_of(shapes)
