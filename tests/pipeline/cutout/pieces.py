"""Photos of made-up pieces with known alpha, drawn by the tests themselves."""

import cv2
import numpy as np

from pipeline.color import srgb_from_linear
from pipeline.values import Photo

SIZE = 900


def ring_photo(*, gold=True, shadow=True, hole=True, dark_rim=True, seed=0):
    """A thick ring, textured metal, on off-white paper with a soft shadow to the lower right. Returns photo, alpha."""
    rng = np.random.Generator(np.random.PCG64(seed))
    big = SIZE * 2
    mask = np.zeros((big, big), np.uint8)
    cv2.ellipse(mask, (big // 2, big // 2), (430, 400), 0, 0, 360, 255, -1, cv2.LINE_AA)
    if hole:
        cv2.ellipse(mask, (big // 2, big // 2), (250, 230), 0, 0, 360, 0, -1, cv2.LINE_AA)
    alpha = cv2.resize(mask, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    metal = np.array([0.72, 0.5, 0.18] if gold else [0.55, 0.55, 0.56], np.float32)
    x = np.linspace(0, 40, SIZE, dtype=np.float32)
    shine = np.where(np.sin(3 * x) > 0.2, 1.0, 0.12)[None, :, None].astype(
        np.float32
    )  # a tent's bands and black cards
    inside = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    rim = (
        np.clip((inside - 2) / 8, 0.15, 1)[..., None] if dark_rim else 1.0
    )  # metal turned away mirrors the dark room
    piece = (metal * shine * rim * np.ones((SIZE, SIZE, 1))).astype(np.float32)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    paper = (
        np.array([0.84, 0.83, 0.8], np.float32) * (1 - 0.12 * ((x - 0.4) ** 2 + (y - 0.4) ** 2))[..., None]
    )
    if shadow:
        cast = cv2.GaussianBlur(np.roll(alpha, (18, 26), (0, 1)), (0, 0), 14)
        paper = paper * (1 - 0.45 * cast)[..., None]
    rgb = piece * alpha[..., None] + paper * (1 - alpha[..., None])
    rgb = cv2.GaussianBlur(rgb, (0, 0), 0.6) + rng.normal(0, 0.004, rgb.shape).astype(np.float32)
    srgb = np.rint(np.clip(srgb_from_linear(np.clip(rgb, 0, 1)), 0, 1) * 255).astype(np.uint8)
    return Photo(srgb, None, {}), alpha


def on_photo(cutout, photo):
    """The cut-out's alpha on the photo's own grid."""
    full = np.zeros((photo.height, photo.width), np.float32)
    box = cutout.box
    full[box.slices] = cv2.resize(cutout.alpha, (box.width, box.height), interpolation=cv2.INTER_AREA)
    return full
