"""The matte against the truth, on the project's sample photos. Owns the comparison; refuses to judge it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipeline.cutout.cut import cut_out
from pipeline.cutout.network import NetworkSegmenter
from pipeline.judge.topology import topology
from pipeline.photo.decode import decode

SPECK = 2e-5  # of the photo's area: smaller holes are gaps between stones that no render shows


@dataclass(frozen=True, slots=True)
class Against:
    """iou at alpha 0.5; holes_found: share of the true holes that are open; mae: mean absolute error of alpha times
    1000, over the box of the true piece; parts, holes: (found, true).
    """

    iou: float
    holes_found: float
    mae: float
    parts: tuple[int, int]
    holes: tuple[int, int]
    confidence: float


def compare(found, truth, confidence=1.0):
    """Compare two mattes (H, W), 0..1."""
    mine, true = found > 0.5, truth > 0.5
    speck = max(12, round(SPECK * truth.size))
    before, after = topology(truth, speck_px=speck), topology(found, speck_px=speck)
    ys, xs = np.nonzero(truth > 0.02)
    box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    return Against(
        iou=float((mine & true).sum() / max((mine | true).sum(), 1)),
        holes_found=_holes_found(mine, true, speck),
        mae=float(np.abs(found - truth)[box].mean() * 1000),
        parts=(after.parts, before.parts),
        holes=(after.holes, before.holes),
        confidence=confidence,
    )


def _holes_found(mine, true, speck):
    """Share of the true holes of which at least half is open."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        np.pad(1 - true.astype(np.uint8), 1, constant_values=1), connectivity=4
    )
    labels, outside = labels[1:-1, 1:-1], labels[0, 0]
    holes = [at for at in range(1, count) if at != outside and stats[at, cv2.CC_STAT_AREA] >= speck]
    open_ = [float((~mine)[labels == at].mean()) >= 0.5 for at in holes]
    return sum(open_) / len(open_) if open_ else 1.0


def sample(photo: Path, truth: Path) -> Against:
    """Cut one sample out, as a render does, and compare it on the photo's own grid."""
    decoded = decode(photo)
    cutout = cut_out(decoded, NetworkSegmenter())
    found = np.zeros((decoded.height, decoded.width), np.float32)
    size = (cutout.box.width, cutout.box.height)
    found[cutout.box.slices] = cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_LINEAR)
    with Image.open(truth) as image:
        exact = np.asarray(image.convert("L"), np.float32) / 255
    return compare(found, exact, cutout.confidence)
