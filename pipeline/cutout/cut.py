"""The cut-out: two looks, trimap, matte, colours, confidence. Owns the order of these steps."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.color import srgb_from_linear
from pipeline.cutout.classical import ClassicalSegmenter
from pipeline.cutout.confidence import doubted, weigh
from pipeline.cutout.contour import choke, smooth_weak_contour
from pipeline.cutout.doubt import doubts
from pipeline.cutout.foreground import foreground_colors
from pipeline.cutout.leftover import leftover_figures
from pipeline.cutout.looks import believed, joined, on_crop, without_paper
from pipeline.cutout.matting import band_matte
from pipeline.cutout.opinions import settled
from pipeline.cutout.paper import Paper, fit_paper, follow_paper
from pipeline.cutout.segmenter import Segmenter
from pipeline.cutout.snap import snap
from pipeline.cutout.trimap import make_trimap, soft_trimap
from pipeline.errors import Unfit
from pipeline.photo.crop import alpha_crop, linear_crop
from pipeline.values import F32, U8, Box, Cutout, Mask, Note, Photo

WORKING_PX = 1000  # long side of the piece's crop: about 1.5 times what a 1080 picture shows
DRAFT_PX = 640
MARGIN = 0.13  # of the piece's box, around the second look
FAINT = 0.03  # alpha below this is noise of the solver
WISP = 0.1  # alpha from which on a fringe is one thing with what it hangs on
BALANCE_LIMIT = 0.15  # largest white-balance correction a channel may get
EXPOSURE_LIMIT = 1.35


def cut_out(
    photo: Photo, segmenter: Segmenter, *, working_px: int = WORKING_PX, settle: bool = True
) -> Cutout:
    """Cut the piece out of `photo` at `working_px` (long side of the crop).

    settle: take the contour in by a pixel, as a composite wants it; not for a faithful transparent copy.
    Raises `Unfit` when there is no piece on the paper. The photo's own alpha, if it has one, is trusted.
    """
    if photo.alpha is not None:
        return _trusted(photo, working_px)
    first_scale = min(1.0, segmenter.overview_px / max(photo.width, photo.height))
    overview = segmenter.segment(_overview(photo, first_scale))
    box = _box_around(overview > 0.5, first_scale, photo)
    scale = min(working_px / max(box.width, box.height), 2.0)
    rgb = linear_crop(photo, box, scale)
    srgb = _encoded(rgb)
    encoded = srgb.astype(np.float32) / np.float32(255)
    first, second = on_crop(overview, box, first_scale, srgb.shape[:2]), segmenter.segment(srgb)
    answer = joined(first, second, scale / first_scale) if segmenter.soft else believed(first, second)
    paper = follow_paper(rgb, fit_paper(cv2.GaussianBlur(rgb, (0, 0), 1.0)), answer <= 0.5)
    if segmenter.soft:
        region = ClassicalSegmenter().segment(srgb) > 0.5
        mended = settled(rgb, encoded, paper, (answer, first), region)
        answer = without_paper(mended.matte, rgb, paper)
    piece = answer > 0.5
    if not piece.any():
        raise _nothing_found()
    trimap = soft_trimap(answer) if segmenter.soft else make_trimap(piece, rgb, paper.rgb)
    guess = answer if segmenter.soft else None
    alpha = _clean(band_matte(encoded, trimap.known, trimap.unknown, guess))
    alpha = smooth_weak_contour(rgb, alpha)
    final = choke(snap(rgb, alpha)) if settle else alpha
    confidence, figures, notes = weigh(rgb, final, trimap.unknown, paper)
    if segmenter.soft:
        figures |= doubts(first, answer, alpha) | {"faint_share": mended.faint_share}
        confidence, more = doubted(confidence, figures)
        notes += more
    figures |= leftover_figures(rgb, final, paper.rgb)
    balance = _white_balance(paper, alpha)
    return Cutout(
        rgb=foreground_colors(rgb, alpha) * balance,
        alpha=final,
        box=box,
        scale=scale,
        confidence=confidence,
        paper_rgb=np.median(paper.rgb.reshape(-1, 3), 0).astype(np.float32),
        touches=_touches(alpha, box, photo),
        notes=notes,
        figures=figures,
    )


def _overview(photo: Photo, scale: float) -> U8:
    """The whole photo, small; averaged as encoded, which is good enough to find the piece and five times faster."""
    srgb = photo.srgb if photo.srgb.dtype == np.uint8 else (photo.srgb >> 8).astype(np.uint8)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    small: U8 = cv2.resize(srgb, size, interpolation=cv2.INTER_AREA)
    return small


def _encoded(rgb: F32) -> U8:
    return np.rint(srgb_from_linear(np.clip(rgb, 0, 1)) * 255).astype(np.uint8)


def _box_around(piece: Mask, scale: float, photo: Photo) -> Box:
    """The piece's box in photo pixels, with the margin of the second look."""
    rows, columns = np.flatnonzero(piece.any(1)), np.flatnonzero(piece.any(0))
    if not rows.size:
        raise _nothing_found()
    x0, x1, y0, y1 = columns[0] / scale, (columns[-1] + 1) / scale, rows[0] / scale, (rows[-1] + 1) / scale
    pad = max(24.0, MARGIN * max(x1 - x0, y1 - y0))
    return Box(
        int(max(0, x0 - pad)),
        int(max(0, y0 - pad)),
        int(min(photo.width, x1 + pad)),
        int(min(photo.height, y1 + pad)),
    )


def _clean(alpha: F32) -> F32:
    """Stretch away the solver's haze at both ends, and drop wisps of it that hang on nothing solid."""
    clean: F32 = np.clip((alpha - FAINT) / (1 - 2 * FAINT), 0, 1)
    count, labels = cv2.connectedComponents((clean > WISP).astype(np.uint8), connectivity=8)
    solid = np.zeros(count, np.bool_)
    solid[np.unique(labels[clean > 0.5])] = True
    around = cv2.dilate((solid[labels] & (labels > 0)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(around, clean, np.float32(0))


def _white_balance(paper: Paper, alpha: F32) -> F32:
    """Gains (3,) that make the paper around the piece white, bounded: a cream paper is not a colour cast."""
    near = paper.rgb[alpha < 0.5] if (alpha < 0.5).any() else paper.rgb.reshape(-1, 3)
    tone = np.median(near, 0)
    level = float(tone @ np.array([0.2126, 0.7152, 0.0722]))
    cast = np.clip(level / np.maximum(tone, 1e-3), 1 - BALANCE_LIMIT, 1 + BALANCE_LIMIT)
    gains: F32 = (cast * min(max(0.96 / max(level, 1e-3), 1.0), EXPOSURE_LIMIT)).astype(np.float32)
    return gains


def _touches(alpha: F32, box: Box, photo: Photo) -> tuple[str, ...]:
    """Sides of the photo that the piece reaches."""
    rims = {
        "left": alpha[:, :2] if box.x0 == 0 else None,
        "right": alpha[:, -2:] if box.x1 == photo.width else None,
        "top": alpha[:2] if box.y0 == 0 else None,
        "bottom": alpha[-2:] if box.y1 == photo.height else None,
    }
    return tuple(side for side, rim in rims.items() if rim is not None and (rim > 0.5).any())


def _trusted(photo: Photo, working_px: int) -> Cutout:
    """Use the file's own transparency."""
    assert photo.alpha is not None  # noqa: S101 - the caller has looked
    box = _box_around(photo.alpha > 127, 1.0, photo)
    scale = min(working_px / max(box.width, box.height), 2.0)
    alpha = alpha_crop(photo, box, scale)
    note = Note("own-alpha", "The photo brings its own transparency; it was used as it is.")
    rgb = foreground_colors(linear_crop(photo, box, scale), alpha)
    return Cutout(rgb, alpha, box, scale, 1.0, np.ones(3, np.float32), _touches(alpha, box, photo), (note,))


def _nothing_found() -> Unfit:
    return Unfit(
        "No piece of jewelry was found on this photo's background.",
        "Photograph the piece on plain, evenly lit paper with room around it, or save a PNG with a transparent background.",
    )
