"""Vitrine's own network as a segmenter. Owns the size it looks at and the way back; the file ships in `weights/`.

It was trained on path-traced jewelry alone (`weights/train/`), so it knows what colour and edges cannot tell: silver
on white, clear stones, the shadow under a gold ring. At full size its answer is only a guide: the matte follows the
photo's own edges.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import cv2
import numpy as np

from pipeline.errors import Misconfigured
from pipeline.onnx import open_network
from pipeline.values import F32, U8
from weights.features import STRIDE, features
from weights.store import Damaged, network

LOOK_PX = 704
"""Largest long side that is looked at: pieces fill as many pixels there as they did in training."""


@dataclass(slots=True)
class NetworkSegmenter:
    """`weights/piece.onnx` behind the `Segmenter` protocol. Loaded by the first picture; one picture at a time.

    look_px: long side of what the network sees. Raises `Misconfigured` when the shipped file is missing or damaged.
    """

    name: str = "network"
    soft: bool = True
    overview_px: int = 448
    look_px: int = LOOK_PX
    _session: Any = None
    _lock: Lock = field(default_factory=Lock)

    def segment(self, srgb: U8) -> F32:
        """See `Segmenter.segment`."""
        height, width = srgb.shape[:2]
        scale = min(1.0, self.look_px / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(srgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else srgb
        alpha = self._alpha(np.ascontiguousarray(small))
        if scale == 1:
            return alpha
        enlarged: F32 = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.clip(enlarged, 0, 1)

    def _alpha(self, srgb: U8) -> F32:
        height, width = srgb.shape[:2]
        padded = np.pad(features(srgb), ((0, 0), (0, -height % STRIDE), (0, -width % STRIDE)), mode="edge")
        with self._lock:
            if self._session is None:
                self._session = _open()
            alpha: F32 = self._session.run(["alpha"], {"features": padded[None]})[0][0, 0]
        return np.ascontiguousarray(alpha[:height, :width])


def _open() -> Any:
    try:
        return open_network(network("piece"))
    except Damaged as error:
        raise Misconfigured(
            f"Vitrine's own cut-out network cannot be used: {error}.",
            "Install Vitrine again, or choose the segmenter 'classical' meanwhile.",
        ) from error
