"""Pieces whose matte is exact, ready to be lit: rendered photos with their layers, or the project's own samples.

Owns the way from a sample of `make dataset` to a `Cutout`; refuses to cut anything out itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipeline.color import linear_from_srgb_u8
from pipeline.cutout.foreground import foreground_colors
from pipeline.cutout.leftover import leftover_figures
from pipeline.recipe import JewelryType, Pose
from pipeline.values import F32, Box, Cutout

SAMPLES = Path(__file__).parents[2] / "presets" / "samples"
RING_LIES = {"standing", "propped"}  # a ring is set down standing
OTHER_LIES = {"flat", "hanging"}
MARGIN_PX = 24
PAPER = 0.96  # white paper, linear
LEAST_SIDE_PX = 200
PLAIN = 0.06  # spread (1 sigma, log) of the paper around the piece from which a ground is no plain paper


@dataclass(frozen=True, slots=True)
class Exact:
    """photo: (h, w, 3) linear, its paper at `PAPER`; alpha: (h, w) the exact matte."""

    name: str
    kind: JewelryType
    pose: Pose
    photo: F32
    alpha: F32

    def cutout(self, alpha: F32 | None = None) -> Cutout:
        """Cut out by the exact matte, or by a wrong one: what a wrong one takes along of the paper is the photo's own."""
        matte = self.alpha if alpha is None else alpha
        height, width = matte.shape
        rgb = foreground_colors(self.photo, matte)
        paper = np.full(3, PAPER, np.float32)
        figures = leftover_figures(self.photo, matte, np.broadcast_to(paper, self.photo.shape))
        return Cutout(rgb, matte, Box(0, 0, width, height), 1.0, 1.0, paper, figures=figures)


def exact_pieces(folder: Path | None, most: int) -> Iterator[Exact]:
    """At most `most` pieces, the kinds in turns."""
    found = _samples() if folder is None else _dataset(folder)
    for _, one in zip(range(most), found, strict=False):
        yield one


def _samples() -> Iterator[Exact]:
    kinds: dict[str, JewelryType] = {"ring": "ring", "earrings": "earrings", "bangle": "bangle", "pendant": "pendant", "brooch": "brooch"}  # fmt: skip
    for truth in sorted((SAMPLES / "alpha").glob("*.png")):
        alpha = _alpha(truth)
        with Image.open(SAMPLES / f"{truth.stem}.jpg") as image:
            photo = np.asarray(image.convert("RGB"))
        made = _exact(truth.stem, kinds[truth.stem.partition("_")[0]], "auto", photo, alpha)
        if made is not None:
            yield made


def _dataset(folder: Path) -> Iterator[Exact]:
    """Pieces on plain paper, one of each group in turns, so that any number of them is varied."""
    groups: dict[tuple[str, str], list[tuple[Path, dict]]] = {}
    for path in sorted(folder.glob("*.json")):
        if not path.stem.isdigit():
            continue
        record = json.loads(path.read_text())
        lies = RING_LIES if record["type"] == "ring" else OTHER_LIES
        if record["lie"] in lies and "paper" in record["ground"]:
            groups.setdefault((record["type"], record["lie"]), []).append((path, record))
    for turn in zip_longest(*groups.values()):
        for entry in turn:
            if entry and (made := _rendered(*entry)) is not None:
                yield made


def _rendered(path: Path, record: dict) -> Exact | None:
    alpha = _alpha(path.with_name(f"{path.stem}.alpha.png"))
    with Image.open(path.with_suffix(".jpg")) as image:
        photo = np.asarray(image.convert("RGB"))
    pose: Pose = "hanging" if record["lie"] == "hanging" else "auto"
    return _exact(f"{path.stem} {record['family']}", record["type"], pose, photo, alpha)


def _alpha(path: Path) -> F32:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), np.float32) / 255


def _exact(name, kind, pose, srgb, alpha) -> Exact | None:
    """None for what runs out of the photo, is small, or lies on what is no plain paper."""
    rows, columns = np.flatnonzero((alpha > 0.1).any(1)), np.flatnonzero((alpha > 0.1).any(0))
    if not rows.size or max(np.ptp(rows), np.ptp(columns)) < LEAST_SIDE_PX:
        return None
    height, width = alpha.shape
    if rows[0] < 2 or columns[0] < 2 or rows[-1] > height - 3 or columns[-1] > width - 3:
        return None
    view = (
        slice(max(rows[0] - MARGIN_PX, 0), min(rows[-1] + MARGIN_PX, height)),
        slice(max(columns[0] - MARGIN_PX, 0), min(columns[-1] + MARGIN_PX, width)),
    )
    photo, alpha = linear_from_srgb_u8(srgb)[view], np.ascontiguousarray(alpha[view])
    paper = photo[alpha < 0.02]
    tone = np.median(paper, 0)
    if float(tone.mean()) < 0.25:  # black paper lends a matte's mistakes no light
        return None
    far = cv2.dilate((alpha > 0.02).astype(np.uint8), np.ones((31, 31), np.uint8)) == 0
    if far.any() and float(np.log(photo[far].mean(-1) + 0.01).std()) > 4 * PLAIN:
        return None
    return Exact(name, kind, pose, (photo * (PAPER / tone)).astype(np.float32), alpha)
