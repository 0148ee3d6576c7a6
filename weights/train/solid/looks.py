"""Looks at measured pieces as the network sees them. Owns reading and size; refuses chance and torch."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from weights.outline import SIDE_PX
from weights.train.catalogue import Split
from weights.train.spec import split_of

Look = dict[str, Any]


def looks(path: Path) -> list[Look]:
    """All looks at one piece, at the network's size: alpha (uint8), top and low (float16, long sides), normal (int8)."""
    with np.load(path) as raw:
        data = {name: raw[name] for name in raw.files}
    out = []
    for number, pose in enumerate(data["pose"]):
        top, low = (data[name][number].astype(np.float32) for name in ("top", "low"))
        normal = data["normal"][number].astype(np.float32) / 127
        mask = (top > 0).astype(np.float32)
        alpha = _halved(mask)
        some = np.maximum(alpha, 0.25)
        out.append(
            {
                "alpha": np.rint(255 * alpha).astype(np.uint8),
                "top": (_halved(top * mask) / some).astype(np.float16),
                "low": (_halved(low * mask) / some).astype(np.float16),
                "normal": np.rint(127 * _halved(normal) / some[..., None]).clip(-127, 127).astype(np.int8),
                "above": float(data["elevation_deg"][number]) > 80,
                "pose": str(pose),
                "kind": str(data["type"]),
            }
        )
    return out


def samples(folder: Path, split: Split) -> list[Path]:
    """The files of a split."""
    paths = sorted(path for path in folder.glob("*.npz") if path.stem.isdigit())
    return [path for path in paths if split_of(int(path.stem)) == split]


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    half: NDArray[np.float32] = cv2.resize(plane, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return half
