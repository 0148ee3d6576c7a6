"""One piece of the truth set as values of the pipeline. Owns the files' meaning; refuses to measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.layout import Piece
from pipeline.values import F32, U8, Box, Ground
from presets.bake.pack import exposure
from tests.truth.make import ground_of, stance_of
from tests.truth.pieces import SIDE_PX, Truth

FAINT = 1e-3


@dataclass(frozen=True, slots=True)
class Sample:
    """All (H, W[, 3]). height, low: of the seen surface and of the underside there over the ground, units; normal: world axes; part: see `weights.train.catalogue.PARTS`.

    key, dome: share of that light which reaches plain ground, exact but for Blender's noise; mirrored: alpha of the mirror image
    beside the piece; bare, shaded: radiance of the set without and with the piece, at the rig's exposure (shaded shows the piece, too).
    photo: the shop's own, paper at 1.
    """

    truth: Truth
    rgb: F32
    alpha: F32
    height: F32
    low: F32
    normal: F32
    part: U8
    key: F32
    dome: F32
    mirrored: F32
    bare: F32
    shaded: F32
    photo: F32

    @property
    def piece(self) -> Piece:
        """The piece as the layout would hand it on."""
        rows, columns = np.flatnonzero((self.alpha > 0.1).any(1)), np.flatnonzero((self.alpha > 0.1).any(0))
        box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        view, pose = stance_of(self.truth)
        parts: Any = (view, pose)
        return Piece(self.rgb, self.alpha, box, self.ground, *parts, 1.0, kind=self.truth.kind)

    @property
    def ground(self) -> Ground:
        """A frame's pixels count from their centres."""
        return ground_of(self.truth)


def read(truth: Truth, folder: Path) -> Sample:
    """What `tests.truth.shoot` made of it."""
    place = folder / truth.name
    with np.load(place / "photo.npz") as raw, np.load(place / "mirror.npz") as mirror:
        data = {name: raw[name] for name in raw.files}
        mirrored = mirror["alpha"].astype(np.float32)
    alpha = data["alpha"].astype(np.float32)
    premul = data["premul"].astype(np.float32)
    paper = _full(place / "paper.exr")
    white = float(np.median(paper[alpha < 0.004]))
    rgb = np.where(alpha[..., None] > 0.004, premul / np.maximum(alpha, 0.004)[..., None], 0) / white
    gain = np.float32(2.0**truth.recipe.rig.exposure_ev)
    return Sample(
        truth=truth,
        rgb=rgb.astype(np.float32),
        alpha=alpha,
        height=data["height"].astype(np.float32),
        low=data["low"].astype(np.float32),
        normal=data["normal"].astype(np.float32),
        part=data["part"],
        key=_share(place, "key"),
        dome=_share(place, "dome"),
        mirrored=mirrored,
        bare=_full(place / "bare.exr") * gain,
        shaded=_full(place / "set.exr") * gain,
        photo=(premul + (1 - alpha[..., None]) * paper) / white,
    )


def _full(path: Path) -> F32:
    pixels = exposure(path)
    whole: F32 = cv2.resize(pixels, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return np.maximum(whole, 0)


def _share(place: Path, light: str) -> F32:
    shaded, bare = (_full(place / f"{light}-{name}.exr")[..., 1] for name in ("shaded", "bare"))
    return np.clip(shaded / np.maximum(bare, FAINT), 0, 1)
