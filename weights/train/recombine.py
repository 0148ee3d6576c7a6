"""One sample, many photos: a window of its layers, put together and developed anew. Owns the draw; refuses torch.

The piece may get another ground, a deeper or fainter shadow, another exposure, cast, noise and JPEG; what is true of
each pixel is cut from the same window.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from weights.train.catalogue import GROUNDS
from weights.train.develop import develop
from weights.train.spec import draw

F32 = NDArray[np.float32]
FROM_ABOVE_DEG: Final = 78.0
"""Over this elevation up and down are alike, so the window may be turned upside down."""
WHOLE: Final = (0.8, 1.2)
CLOSE: Final = (0.85, 2.6)
"""Window against the photo's long side; and window pixels per photo pixel for a close look."""
BLEACHED: Final = 0.15
"""Of the windows are overexposed."""
TINTED: Final = 0.5
"""Of the windows show the piece in another alloy than was rendered: rose, copper, greenish, bluish."""
TINT_EV: Final = (0.35, 0.12, 0.45)
"""Spread of the gain of red, green, blue, in stops; yellow to rose gold is about (0, -0.15, 0.55)."""
SHADE_SPAN: Final = (-3.0, 0.3)
IGNORED: Final = -1


@dataclass(frozen=True)
class Window:
    """A square photo and what is true of it.

    srgb: (s, s, 3) uint8. alpha: (s, s) 0..1. height: (s, s) px of the window. normal: (s, s, 3) right, up, to the eye.
    part: (s, s) 0 metal … 4 other, IGNORED off the piece. shade: (s, s) log of what the piece leaves of the ground's light.
    """

    srgb: NDArray[np.uint8]
    alpha: F32
    height: F32
    normal: F32
    part: NDArray[np.int64]
    shade: F32


@dataclass
class Recombiner:
    """Draws windows of one size; remembers some grounds to lay other pieces on."""

    size: int
    rng: np.random.Generator
    grounds: deque[F32] = field(default_factory=lambda: deque(maxlen=24))

    def window(self, layers: dict[str, F32], record: dict[str, Any]) -> Window:
        """One photo of the sample, as no camera has taken it before."""
        cut = self._cut(layers)
        self.grounds.append(cut["ground"])
        from_above = record["shot"]["elevation_deg"] > FROM_ABOVE_DEG
        cut = self._turned(cut, from_above=from_above)
        alpha = np.clip(cut["alpha"], 0, 1)
        ground, shadow = self._ground(cut, record)
        seed = int(self.rng.integers(1 << 31))
        shot = draw(seed, "train").shot
        gain = 1.0
        if (
            self.rng.random() < BLEACHED
        ):  # as shops do: paper clips, and with it pearls, dials and polished silver
            gain, shot = self.rng.uniform(1.0, 1.5), replace(shot, white=float(self.rng.uniform(1.0, 1.35)))
        piece = cut["piece"] * (np.float32(gain) * self._tint())
        photo = piece + (1 - alpha[..., None]) * ground * shadow
        srgb = self._jpeg(develop(photo, ground, alpha, shot, seed))
        shade = np.log(np.maximum((ground * shadow).mean(-1), 1e-4) / np.maximum(ground.mean(-1), 1e-4))
        part = np.rint(cut["part"]).astype(np.int64) - 1
        part[(alpha < 0.5) | (part < 0)] = IGNORED
        return Window(
            srgb, alpha, np.maximum(cut["height_px"], 0), cut["normal"], part, np.clip(shade, *SHADE_SPAN)
        )

    def _tint(self) -> F32:
        """Gains (3,) of the piece: what metal reflects is nearly proportional to its colour."""
        if self.rng.random() >= TINTED:
            return np.ones(3, np.float32)
        return np.exp2(self.rng.normal(0, TINT_EV)).astype(np.float32)

    def _cut(self, layers: dict[str, F32]) -> dict[str, F32]:
        """A square window at a drawn scale; beyond the photo's rim it goes on mirrored."""
        alpha = layers["alpha"]
        height, width = alpha.shape
        if self.rng.random() < 0.5:
            side = round(max(height, width) * self.rng.uniform(*WHOLE))
            middle = np.array([height, width]) / 2 + self.rng.normal(0, 0.05, 2) * side
        else:
            side = round(self.size / self.rng.uniform(*CLOSE))
            rows, columns = np.nonzero(alpha > 0.5)
            if rows.size:
                one = int(self.rng.integers(rows.size))
                middle = np.array([rows[one], columns[one]]) + self.rng.normal(0, 0.2, 2) * side
            else:
                middle = np.array([height, width]) / 2
        top, left = np.rint(middle - side / 2).astype(int)
        scale = self.size / side
        out: dict[str, F32] = {}
        for name, layer in layers.items():
            if name == "height_mm":
                continue
            piece = _piece(layer, int(top), int(left), side)
            how = cv2.INTER_NEAREST if name == "part" else cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            out[name] = cv2.resize(piece, (self.size, self.size), interpolation=how)
        out["height_px"] *= np.float32(scale)
        return out

    def _turned(self, cut: dict[str, F32], *, from_above: bool) -> dict[str, F32]:
        turns = [(1, 0)] if self.rng.random() < 0.5 else []
        if from_above and self.rng.random() < 0.5:
            turns.append((0, 1))
        for axis, component in turns:
            cut = {name: np.flip(layer, axis).copy() for name, layer in cut.items()}
            cut["normal"][..., component] *= -1
        return cut

    def _ground(self, cut: dict[str, F32], record: dict[str, Any]) -> tuple[F32, F32]:
        """(ground, what the piece leaves of its light), each (s, s, 3)."""
        ground = cut["ground"]
        shadow: F32 = np.clip(cut["shadowed"] / np.maximum(ground, 1e-4), 0, 3)
        mirrors = GROUNDS[record["ground"]].kind == "acrylic"
        if not mirrors:
            if self.rng.random() < 0.35 and self.grounds:
                ground = self.grounds[int(self.rng.integers(len(self.grounds)))]
            if self.rng.random() < 0.4:
                shadow = np.power(shadow, np.float32(self.rng.uniform(0.6, 1.7)))
            if self.rng.random() < 0.3:
                tint = self.rng.uniform(0.55, 1.2) * self.rng.uniform(0.92, 1.08, 3)
                ground = ground * tint.astype(np.float32)
        return ground, shadow

    def _jpeg(self, srgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.rng.random() < 0.3:
            return srgb
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(self.rng.integers(60, 97))]
        _, code = cv2.imencode(".jpg", np.ascontiguousarray(srgb[..., ::-1]), quality)
        back = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(back[..., ::-1])


def _piece(layer: F32, top: int, left: int, side: int) -> F32:
    """The square of `layer` from (top, left), mirrored where it leaves the layer."""
    height, width = layer.shape[:2]
    rows = slice(min(max(top, 0), height - 1), max(min(top + side, height), 1))
    columns = slice(min(max(left, 0), width - 1), max(min(left + side, width), 1))
    over = (rows.start - top, top + side - rows.stop, columns.start - left, left + side - columns.stop)
    return np.asarray(cv2.copyMakeBorder(layer[rows, columns], *over, cv2.BORDER_REFLECT), np.float32)
