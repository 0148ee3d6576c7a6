"""How high and thick a piece is behind its outline, as a network learned it from jewelry that was measured. Owns the frame it looks at.

An outline does not tell how thick what lies there is, nor how a ring is turned whose head closes its hole; knowing how jewelry is made
does, mostly. `weights/solid.onnx` was trained on meshes of the project's own generator (`weights/train/solid/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from pipeline.onnx import open_network
from pipeline.recipe import JewelryType
from pipeline.values import F32, Ground
from weights.outline import SIDE_PX, UNIT_PX, outline_features
from weights.store import Damaged, network

HALF = SIDE_PX // 2
ABOVE_DEG = 60.0  # the network knows two views, a table's at 30 degrees and from above
WITHIN = 0.3  # share of a place of the answer that the piece must fill for it to count
REACH_PX = 1.5  # places of the answer: how far what is inside is carried over the outline


@dataclass(frozen=True, slots=True)
class Relief:
    """Of each pixel of the piece, all (H, W), frame pixels; meaningless outside.

    top_px: height over the ground of the seen surface; low_px: of the underside there, None where it is unknown; normal: (H, W, 3) unit
    vectors in world axes, or None. exact: measured, not guessed.
    """

    top_px: F32
    low_px: F32 | None = None
    normal: F32 | None = None
    exact: bool = False


def learned(alpha: F32, ground: Ground, pose: str, kind: JewelryType) -> Relief | None:
    """What the network says of a matte (H, W); None without a piece, or without the network's file."""
    columns, rows = (np.flatnonzero((alpha > 0.5).any(axis)) for axis in (0, 1))
    session = _session()
    if session is None or not columns.size:
        return None
    x, y = (float(one[0] + one[-1] + 1) / 2 for one in (columns, rows))
    long_px = float(max(np.ptp(columns), np.ptp(rows)) + 1)
    scale = UNIT_PX / long_px
    small = _framed(alpha, scale, (x, y))
    seen = outline_features(small, above=ground.elevation_deg > ABOVE_DEG, pose=pose, kind=kind)
    top, low, normal = (one[0] for one in session.run(["top", "low", "normal"], {"features": seen[None]}))
    maps = np.concatenate([top * long_px, low * long_px, normal]).transpose(1, 2, 0)
    inside = cv2.resize(small, (HALF, HALF), interpolation=cv2.INTER_AREA) > WITHIN
    # A place's middle is at 2 k + 1 of the frame, in pixel edges.
    back = np.array(
        [[0.5 * scale, 0, HALF / 2 - 0.5 * scale * x], [0, 0.5 * scale, HALF / 2 - 0.5 * scale * y]]
    )
    whole = _enlarged(maps.astype(np.float32), inside, back, (alpha.shape[0], alpha.shape[1]))
    facing = whole[..., 2:]
    facing /= np.maximum(np.linalg.norm(facing, axis=-1, keepdims=True), 1e-6)
    return Relief(whole[..., 0], np.minimum(whole[..., 1], whole[..., 0]), facing)


def _framed(alpha: F32, scale: float, middle: tuple[float, float]) -> F32:
    """The piece as the network's frame shows it, (SIDE_PX, SIDE_PX): averaged, not sampled, so that chains stay."""
    shrink = max(1, int(0.5 / scale))  # to twice the size first
    size = (-(-alpha.shape[1] // shrink), -(-alpha.shape[0] // shrink))
    less: F32 = alpha
    if shrink > 1:
        padded = cv2.copyMakeBorder(
            alpha,
            0,
            size[1] * shrink - alpha.shape[0],
            0,
            size[0] * shrink - alpha.shape[1],
            cv2.BORDER_CONSTANT,
        )
        less = np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), np.float32)
    step = scale * shrink
    x, y = (value / shrink for value in middle)
    fine = 2  # samples to a pixel each way
    way = np.array(
        [[fine * step, 0, fine * (SIDE_PX / 2 - step * x)], [0, fine * step, fine * (SIDE_PX / 2 - step * y)]]
    )
    big = cv2.warpAffine(less, _of_middles(way), (fine * SIDE_PX, fine * SIDE_PX), flags=cv2.INTER_LINEAR)
    small: F32 = cv2.resize(big, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return small


def _enlarged(
    maps: F32, inside: np.ndarray[Any, Any], way: np.ndarray[Any, Any], shape: tuple[int, int]
) -> F32:
    """Maps (h, w, n) that count only `inside`, at full size; way: from full size to them, in pixel edges."""
    weight = inside.astype(np.float32)
    near = cv2.GaussianBlur(weight, (0, 0), REACH_PX)
    carried = cv2.GaussianBlur(maps * weight[..., None], (0, 0), REACH_PX) / np.maximum(near, 1e-4)[..., None]
    full = np.where(inside[..., None], maps, carried)
    way = _of_middles(way)
    bands = [
        cv2.warpAffine(
            np.ascontiguousarray(full[..., band]),
            way,
            shape[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for band in range(maps.shape[2])
    ]
    return np.stack(bands, -1).astype(np.float32)


def _of_middles(way: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A (2, 3) map between pixel edges as one between the middles of pixels, from which OpenCV counts."""
    moved = way.copy()
    moved[:, 2] += 0.5 * way[:, :2].sum(1) - 0.5
    return moved


@lru_cache(maxsize=1)
def _session() -> Any:
    try:
        return open_network(network("solid"), threads=1)
    except Damaged:
        return None
