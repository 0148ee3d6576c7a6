"""Our light beside the path tracer's: `python -m tests.benchmarks.light FOLDER`. Prints figures, never fails on one.

The truth set (`tests.truth`) knows what each light really does. For each piece:

- shadow of the key: RMSE and ZNCC of the share of light that reaches the ground, over the ground in the box of piece and shadows;
  with the true heights of both sides of the piece; with that of the side that is seen (`rmse_seen`); and with the shape that Vitrine
  makes of the matte alone (`--outline`: without what the network knows of jewelry);
- contact gap: how far ours keeps from the piece where the true one touches it, px at 1080; azimuth: angle between the drifts of both shadows;
- mirror image: IoU with the exact one on the ground that is seen; normals: mean angle between ours and the true ones;
- ground: mean FLIP of the pictures, graded alike and without grain, where the piece changes the ground, against the path-traced one on the same plate, and that of the
  best drop shadow: the matte moved, blurred and faded as fits the truth best;
- fringe: mean and 95th percentile of CIEDE2000 at the piece's edge, its colours taken from the photo under the exact matte, over
  black, white and navy velvet.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import flip_evaluator
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from skimage.color import deltaE_ciede2000, rgb2lab

from pipeline.backdrop.backdrop import paint
from pipeline.color import luminance, srgb_from_linear
from pipeline.composite import Composite, cautious, compose
from pipeline.cutout.foreground import foreground_colors
from pipeline.develop import develop
from pipeline.light.reflection import mirror
from pipeline.light.shadow import visibility
from pipeline.light.traced import Traced, raytraced
from pipeline.shape.relief import Relief, learned
from pipeline.shape.solid import Solid, solidify
from pipeline.values import F32, Mask, Scene
from tests.truth.make import default_folder, made
from tests.truth.pieces import SIDE_PX, TRUTHS
from tests.truth.sample import Sample, read

SHADED = 0.97
CHANGE_EV, NOISE_EV = 0.03, 0.12
OPEN = 0.02  # alpha under which a pixel is ground
FRAME_PX = 1080
VELVET = (0.006, 0.010, 0.036)  # linear


@dataclasses.dataclass
class Row:
    """Figures of one piece; nan where there is nothing to measure."""

    name: str
    half: str
    rmse: float
    zncc: float
    rmse_seen: float
    rmse_estimated: float
    zncc_estimated: float
    gap_px: float
    azimuth_deg: float
    mirror: float
    normals_deg: float
    flip: float
    flip_drop: float
    fringe: float
    fringe_p95: float


ASKED = {
    "rmse": "<= 0.03", "zncc": ">= 0.985", "rmse_seen": "", "rmse_estimated": "<= 0.08", "zncc_estimated": ">= 0.92", "gap_px": "<= 1",
    "azimuth_deg": "<= 5", "mirror": ">= 0.8", "normals_deg": "<= 20", "flip": "<= half of the next", "flip_drop": "",
    "fringe": "<= 2", "fringe_p95": "<= 5",
}  # fmt: skip


def shadows(sample: Sample, solid: Solid) -> tuple[float, float, Mask, F32]:
    """RMSE, ZNCC, the region, and our share of the key on the ground."""
    ours = visibility(solid, sample.ground, cautious(sample.truth.recipe.rig.key, solid.sure))
    region = (sample.alpha < OPEN) & _box((sample.alpha > 0.5) | (sample.key < SHADED) | (ours < SHADED))
    a, b = ours[region], sample.key[region]
    rmse = float(np.sqrt(np.mean(np.square(a - b, dtype=np.float64))))
    zncc = float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else float("nan")
    return rmse, zncc, region, ours


def _box(mask: Mask) -> Mask:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.zeros_like(mask)
    box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return box


def gap_px(sample: Sample, ours: F32) -> float:
    """Of the ground next to the piece that the truth shades: how far away is our shade, mean, in pixels of a 1080 frame."""
    piece = sample.alpha > 0.5
    near = cv2.dilate(piece.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    touched = near & ~piece & (sample.key < 0.5)
    if not touched.any() or not (ours < 0.6).any():
        return float("nan") if not touched.any() else float(SIDE_PX)
    away = cv2.distanceTransform((~(ours < 0.6)).astype(np.uint8), cv2.DIST_L2, 5)
    return float(away[touched].mean()) * FRAME_PX / SIDE_PX


def azimuth_deg(sample: Sample, ours: F32, region: Mask) -> float:
    """Angle on the ground between the ways in which both shadows lie from the middle of the piece's foot; nan when they lie all around."""
    drifts = [_drift(sample, np.where(region, 1 - one, 0)) for one in (ours, sample.key)]
    if any(np.hypot(*one) < 0.04 for one in drifts):
        return float("nan")
    turn = math.degrees(math.atan2(drifts[0][1], drifts[0][0]) - math.atan2(drifts[1][1], drifts[1][0]))
    return abs((turn + 180) % 360 - 180)


def _drift(sample: Sample, lost: F32) -> tuple[float, float]:
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32)
    ground, weight = sample.ground, max(float(lost.sum()), 1e-6)
    X = (float((x * lost).sum()) / weight - ground.origin[0]) / ground.unit_px
    Y = (ground.origin[1] - float((y * lost).sum()) / weight) / ground.unit_px
    return X, Y / math.sin(math.radians(ground.elevation_deg))


def mirror_iou(sample: Sample, solid: Solid) -> float:
    """Of the places where the mirror image is seen beside the piece; nan from above."""
    if sample.ground.elevation_deg > 80:
        return float("nan")
    scene = Scene({}, sample.ground, 0.0, 0.04, 1.0, np.zeros(3, np.float32))
    _, cover = mirror(np.ones((SIDE_PX, SIDE_PX, 3), np.float32), solid, scene)
    open_ground = sample.alpha < OPEN
    ours, true = open_ground & (cover > 0.25 * _full_cover(cover)), open_ground & (sample.mirrored > 0.5)
    return float((ours & true).sum()) / max(float((ours | true).sum()), 1.0)


def _full_cover(cover: F32) -> F32:
    """The cover that an unblurred image would have had about here."""
    return cv2.dilate(cover, np.ones((9, 9), np.uint8))


def normals_deg(sample: Sample, solid: Solid) -> float:
    """Mean angle inside the piece."""
    inside = (sample.alpha > 0.98) & solid.mask & (np.linalg.norm(sample.normal, axis=-1) > 0.5)
    true = sample.normal[inside] / np.linalg.norm(sample.normal[inside], axis=-1, keepdims=True)
    ours = solid.normal[inside] / np.maximum(
        np.linalg.norm(solid.normal[inside], axis=-1, keepdims=True), 1e-6
    )
    return float(np.degrees(np.arccos(np.clip((true * ours).sum(-1), -1, 1))).mean())


def drop_shadow(sample: Sample, bare: F32, left: F32) -> F32:
    """The set under the best blurred offset copy of the matte: of many, the one nearest to the truth's share of light."""
    small = (SIDE_PX // 4, SIDE_PX // 4)
    alpha, want = (cv2.resize(one, small, interpolation=cv2.INTER_AREA) for one in (sample.alpha, left))
    ground = alpha < OPEN
    best: tuple[float, F32] = (math.inf, want)
    for sigma in (1.0, 2.5, 5.0, 9.0, 16.0):
        soft = cv2.GaussianBlur(alpha, (0, 0), sigma)
        for dx, dy in itertools.product(range(-24, 25, 4), range(-24, 25, 4)):
            moved = cv2.warpAffine(soft, np.array([[1.0, 0, dx], [0, 1.0, dy]]), small)
            lost = 1 - want[ground]
            fade = float(np.clip((moved[ground] * lost).sum() / max((moved[ground] ** 2).sum(), 1e-6), 0, 1))
            error = float(np.square(1 - fade * moved[ground] - want[ground]).mean())
            if error < best[0]:
                best = (error, 1 - fade * moved)
    whole = cv2.resize(best[1], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return bare * np.clip(whole, 0, 1)[..., None]


def grounds(sample: Sample, solid: Solid) -> tuple[Composite, Composite, Composite]:
    """Ours, the path tracer's and the best drop shadow's, on the same plate with the same piece."""
    wanted, piece = sample.truth.recipe, sample.piece
    scene = paint(wanted.surface, wanted.rig, piece.view, (SIDE_PX, SIDE_PX), wanted.seed, piece.ground)
    ours = compose(scene, piece, solid, wanted.rig)
    true = raytraced(ours, Traced(sample.bare, sample.shaded, whole=False), piece)
    left = np.clip((luminance(true.shaded) + 1e-3) / (luminance(true.bare) + 1e-3), 0, 1)
    ground = drop_shadow(sample, ours.bare, left)
    alpha = piece.alpha[..., None]
    drop = dataclasses.replace(ours, ground=ground, frame=ground * (1 - alpha) + ours.lit * alpha)
    return ours, true, drop


def flip(reference: np.ndarray, picture: np.ndarray, region: Mask) -> float:
    """Mean LDR-FLIP (Andersson et al. 2020) over the region, two sRGB pictures, 67 pixels a degree."""
    pair = [np.asarray(one, np.float32) / 255 for one in (reference, picture)]
    error, _, _ = flip_evaluator.evaluate(*pair, "LDR", applyMagma=False, computeMeanError=False)
    return float(np.asarray(error).reshape(SIDE_PX, SIDE_PX)[region].mean())


def fringe(sample: Sample) -> tuple[float, float]:
    """Colour error at the edge, mean and 95th percentile."""
    edge = (sample.alpha > 0.02) & (sample.alpha < 0.98)
    alpha = sample.alpha[edge][:, None]
    ours, true = foreground_colors(sample.photo, sample.alpha)[edge], sample.rgb[edge]
    errors = []
    for under in ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), VELVET):
        pair = [
            rgb2lab(srgb_from_linear(np.clip(one * alpha + (1 - alpha) * under, 0, 1)))
            for one in (ours, true)
        ]
        errors.append(deltaE_ciede2000(*pair))
    return float(np.mean(errors)), float(np.percentile(errors, 95))


def changed(sample: Sample, composites: tuple[Composite, ...]) -> Mask:
    """Ground whose light the piece changes: by us, by the drop shadow, or by the truth, if by more than Blender's own noise."""
    shares = [
        np.abs(np.log2((luminance(one.ground) + 1e-3) / (luminance(one.bare) + 1e-3))) for one in composites
    ]
    ours, true, drop = shares
    return (sample.alpha < OPEN) & ((np.maximum(ours, drop) > CHANGE_EV) | (true > NOISE_EV))


def row(sample: Sample, out: Path | None, *, outline: bool = False) -> Row:
    """All figures of one piece."""
    piece, pose = sample.piece, sample.piece.pose
    relief = None if outline else learned(piece.alpha, piece.ground, pose, piece.kind)
    estimated = solidify(sample.alpha, piece.ground, pose, relief)
    unit = piece.ground.unit_px
    seen = Relief(sample.height * unit, exact=True)
    known = dataclasses.replace(seen, low_px=np.minimum(sample.low, sample.height) * unit)
    rmse, zncc, _, _ = shadows(sample, solidify(sample.alpha, piece.ground, pose, known))
    rmse_seen, _, _, _ = shadows(sample, solidify(sample.alpha, piece.ground, pose, seen))
    rmse_e, zncc_e, region, ours = shadows(sample, estimated)
    composites = grounds(sample, estimated)
    plain = sample.truth.recipe.look.model_copy(update={"grain": 0.0, "contrast": 0.0})
    wanted = sample.truth.recipe.model_copy(update={"look": plain})
    pictures = [develop(one.frame, piece, wanted) for one in composites]
    around = changed(sample, composites)
    if out:
        _keep(out, sample, pictures, ours)
    return Row(
        sample.truth.name, sample.truth.half, rmse, zncc, rmse_seen, rmse_e, zncc_e, gap_px(sample, ours), azimuth_deg(sample, ours, region),
        mirror_iou(sample, estimated), normals_deg(sample, estimated), flip(pictures[1], pictures[0], around),
        flip(pictures[1], pictures[2], around), *fringe(sample),
    )  # fmt: skip


def _keep(out: Path, sample: Sample, pictures: list[np.ndarray], ours: F32) -> None:
    """Photo and both shadows above; ours, the truth and the drop shadow below."""
    out.mkdir(parents=True, exist_ok=True)
    photo = np.clip(sample.photo * 0.9, 0, 1) ** (1 / 2.2)
    above = [photo, *(np.repeat(one[..., None], 3, 2) for one in (ours, sample.key))]
    rows = [np.concatenate([np.asarray(np.clip(one, 0, 1) * 255, np.uint8) for one in above], 1)]
    rows.append(np.concatenate(pictures, 1))
    Image.fromarray(np.concatenate(rows)).save(out / f"{sample.truth.name}.png")


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.light", description=__doc__)
    cli.add_argument("folder", type=Path, nargs="?", default=default_folder())
    cli.add_argument("--only", nargs="*", default=[])
    cli.add_argument("--half", choices=("dev", "test"), default=None)
    cli.add_argument(
        "--out", type=Path, default=None, help="folder for pictures: ours, the truth, the drop shadow"
    )
    cli.add_argument("--outline", action="store_true", help="shapes without the network")
    args = cli.parse_args()
    there = [one for one in TRUTHS if made(args.folder, one) and (not args.only or one.name in args.only)]
    rows = [
        row(read(one, args.folder), args.out, outline=args.outline)
        for one in there
        if args.half in {None, one.half}
    ]
    if not rows:
        cli.error(f"nothing in {args.folder}; `make light-truth` makes it")
    names = [field.name for field in dataclasses.fields(Row)][2:]
    table = Table("piece", *names, title=f"{len(rows)} pieces, {SIDE_PX} px")
    for one in rows:
        table.add_row(f"{one.name} ({one.half})", *(_shown(getattr(one, name)) for name in names))
    mean: Callable[[str], float] = lambda name: float(np.nanmean([getattr(one, name) for one in chosen]))  # noqa: E731
    for half in ("dev", "test"):
        chosen = [one for one in rows if one.half == half]
        if chosen:
            table.add_row(f"mean of {half}", *(_shown(mean(name)) for name in names), style="bold")
    table.add_row("asked", *(ASKED[name] for name in names))
    Console(width=190).print(table)


def _shown(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


if __name__ == "__main__":
    main()
