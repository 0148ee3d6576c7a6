"""Looks at measured pieces as the network sees them. Owns reading, size and what chance may change; refuses torch.

What lies and is seen from above is learned in all eight positions, all else in its mirror image, too. Mattes are not perfect: some
outlines have a hole closed, a gap opened or an edge moved.
"""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from weights.outline import SIDE_PX, outline_features
from weights.train.catalogue import Split
from weights.train.spec import split_of

UNKNOWN_TYPE: Final = 0.15
"""Share of looks whose type is not told."""
FAULTY: Final = 0.3

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


def turned(look: Look, rng: np.random.Generator) -> Look:
    """The same in another position that is as likely."""
    maps = {name: look[name] for name in ("alpha", "top", "low", "normal")}
    if rng.random() < 0.5:
        maps = {name: one[:, ::-1] for name, one in maps.items()}
        maps["normal"] = maps["normal"] * np.array([-1, 1, 1], np.int8)
    if look["above"] and look["pose"] == "flat":
        for _ in range(int(rng.integers(4))):
            maps = {name: np.rot90(one) for name, one in maps.items()}
            x, y, z = np.moveaxis(maps["normal"], -1, 0)
            maps["normal"] = np.stack([-y, x, z], -1)
    return look | {name: np.ascontiguousarray(one) for name, one in maps.items()}


def matted(alpha: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Alpha as a cut-out may have it, 0..1."""
    if rng.random() < FAULTY:
        size = int(rng.integers(2, 4))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        way = (cv2.MORPH_CLOSE, cv2.MORPH_OPEN, cv2.MORPH_DILATE)[int(rng.integers(3))]
        alpha = np.asarray(cv2.morphologyEx(alpha, way, kernel), np.uint8)
    return alpha.astype(np.float32) / np.float32(255)


def sample(look: Look, rng: np.random.Generator | None) -> dict[str, NDArray[np.float32]]:
    """Features and truth, channels first. Without chance: as it is, its type told."""
    if rng is not None:
        look = turned(look, rng)
    alpha = matted(look["alpha"], rng) if rng is not None else look["alpha"].astype(np.float32) / 255
    kind = "" if rng is not None and rng.random() < UNKNOWN_TYPE else look["kind"]
    return {
        "features": outline_features(alpha, above=look["above"], pose=look["pose"], kind=kind),
        "alpha": look["alpha"][None].astype(np.float32) / 255,
        "top": look["top"][None].astype(np.float32),
        "low": look["low"][None].astype(np.float32),
        "normal": np.moveaxis(look["normal"], -1, 0).astype(np.float32) / 127,
    }
