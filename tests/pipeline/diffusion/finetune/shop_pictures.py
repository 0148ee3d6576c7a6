"""Pictures as a shop has them: the samples' pieces on painted grounds of one style, made with numpy."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SAMPLES = Path(__file__).parents[4] / "presets" / "samples"
PIECES = ("ring_solitaire", "bangle_stones", "brooch_flower", "earrings_hoop")
SIZES = ((360, 360), (360, 360), (320, 400), (400, 320))


def pictures(folder: Path, count: int = 14, seed: int = 5) -> list[Path]:
    """Each another piece, size, brightness and direction of light; all of one colour."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    made = []
    for at in range(count):
        srgb = ground(SIZES[at % len(SIZES)], rng)
        put(srgb, PIECES[at % len(PIECES)], rng)
        made.append(folder / f"shop-{at:02d}.png")
        Image.fromarray(srgb).save(made[-1])
    return made


def ground(size, rng):
    """A wall of one colour with light from one side."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    fall = (np.cos(turn) * x / width + np.sin(turn) * y / height) * rng.uniform(0.3, 0.7)
    tone = np.clip(rng.uniform(0.75, 0.95) - fall + fall.mean(), 0.2, 1)
    return np.rint(tone[..., None] * np.array([235, 215, 200], np.float32)).clip(0, 255).astype(np.uint8)


def put(srgb, piece, rng):
    """A sample's piece into the picture."""
    side = int(min(srgb.shape[:2]) * rng.uniform(0.5, 0.65))
    photo = _small(SAMPLES / f"{piece}.jpg", "RGB", side)
    alpha = _small(SAMPLES / "alpha" / f"{piece}.png", "L", side)[..., None].astype(np.float32) / 255
    y, x = ((srgb.shape[axis] - alpha.shape[axis]) // 2 for axis in (0, 1))
    view = srgb[y : y + alpha.shape[0], x : x + alpha.shape[1]]
    view[:] = np.rint(view * (1 - alpha) + photo * alpha)


def _small(path, mode, side):
    with Image.open(path) as image:
        pixels = np.asarray(image.convert(mode))
    scale = side / max(pixels.shape)
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
