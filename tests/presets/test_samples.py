"""The sample photos are what they promise: plain shop photos with an exact matte, small and without metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SAMPLES = Path(__file__).parents[2] / "presets" / "samples"
NAMES = tuple(sorted(path.stem for path in SAMPLES.glob("*.jpg")))


def _open(name: str) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    with Image.open(SAMPLES / f"{name}.jpg") as photo, Image.open(SAMPLES / "alpha" / f"{name}.png") as matte:
        photo.load()
        assert matte.mode == "L"
        return photo, np.asarray(photo.convert("RGB")), np.asarray(matte)


def test_every_photo_has_its_matte_and_its_recipe() -> None:
    assert len(NAMES) >= 5
    assert tuple(sorted(path.stem for path in (SAMPLES / "alpha").glob("*.png"))) == NAMES
    recipe = (SAMPLES / "bake.py").read_text()
    assert all(f'"{name}": Shot(' in recipe for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_photo_is_plain(name: str) -> None:
    photo, srgb, alpha = _open(name)
    assert 1600 <= max(photo.size) <= 2000
    assert photo.format == "JPEG"
    assert not photo.getexif()
    assert (SAMPLES / f"{name}.jpg").stat().st_size <= 450 * 1024
    assert alpha.shape == srgb.shape[:2]
    paper = srgb[alpha == 0]
    assert 0.80 <= np.median(paper) / 255 <= 0.95
    assert (paper.max(axis=1) == 255).mean() < 0.01, "the paper is clipped"


@pytest.mark.parametrize("name", NAMES)
def test_matte_is_the_piece_and_nothing_else(name: str) -> None:
    _, srgb, alpha = _open(name)
    piece, paper = alpha == 255, alpha == 0
    assert 0.03 < piece.mean() < 0.5
    edge = np.ones(alpha.shape, bool)
    edge[8:-8, 8:-8] = False
    assert paper[edge].all(), "the piece runs out of the frame"
    noise = srgb[:64, :64].astype(np.float32)
    assert 0.2 < (noise - noise.mean(axis=(0, 1))).std() < 8, "neither sterile nor spoiled"
    level = srgb.astype(np.float32).mean(axis=2)
    assert level[piece].std() > 2 * level[paper].std() or level[piece].std() > 30
