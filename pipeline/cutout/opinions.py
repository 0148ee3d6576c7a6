"""Two segmenters that know different things, on one photo. Owns who is believed where they differ.

The network knows shadows, pearls and silver on white, but is unsure of faint rims; the classical one sees every edge, but
takes hard shadows for metal and blank metal for paper. On plain, well-lit paper they agree on nearly everything. There the rest
is left to the photo: closed-form matting (see `matting`) carries the colours of what both call piece or paper into what they
do not agree on, with their votes as its guess. So it does into what both took for the piece though it looks like paper (`gaps`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.cutout.gaps import CERTAIN, blanks, disc, lining, log_distance
from pipeline.cutout.matting import band_matte
from pipeline.cutout.paper import Paper, bare_paper
from pipeline.values import F32, Mask

LEAST_AGREED = 0.85  # intersection over union; under it the classical one cannot read the photo
LOOK_PX = 500  # long side at which they are compared: rims are the fine matte's business
SURE = 0.08  # an answer of the network under this, and over its counterpart, stands
VOTES = (0.5, 0.2, 0.3)  # of the near look, the look at the whole, the classical one
LINING_VOTE = 0.25
THIN_PX, GROWN_PX = 1, 2
FAINT_LOG = 0.15  # off the paper by less than this, a quarrel is about something hardly to be seen


@dataclass(frozen=True, slots=True)
class Settled:
    """matte: (h, w) 0..1. faint_share: what was quarrelled about though it is hardly to be seen, as a share of the piece."""

    matte: F32
    faint_share: float = 0.0


@dataclass(frozen=True, slots=True)
class _Case:
    """One photo, small, all (h, w) or (h, w, 3). near, whole: the network's looks; bare: paper alone; rgb, paper: linear."""

    near: F32
    whole: F32
    classical: Mask
    bare: Mask
    encoded: F32
    rgb: F32
    paper: F32


def settled(rgb: F32, encoded: F32, paper: Paper, looks: tuple[F32, F32], region: Mask) -> Settled:
    """The network's matte, mended where the classical `region` (h, w) says otherwise.

    rgb, encoded: the picture (h, w, 3), linear and encoded, 0..1. looks: the network's answers (h, w), near and of the whole
    photo. Without enough agreement the near one comes back as it is.
    """
    second, first = looks
    if _agreement(second > 0.5, region) < LEAST_AGREED:
        return Settled(second)
    height, width = second.shape
    scale = min(1.0, LOOK_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    planes = (second, first, region, bare_paper(rgb, paper), encoded, rgb, paper.rgb)
    near, whole, classical, bare, *pictures = (
        cv2.resize(np.asarray(one, np.float32), size, interpolation=cv2.INTER_AREA) for one in planes
    )
    matte, zone, faint_share = _judged(_Case(near, whole, classical > 0.5, bare > 0.5, *pictures))
    back = (width, height)
    inside = cv2.resize(zone.astype(np.float32), back, interpolation=cv2.INTER_LINEAR) > 0.5
    mended = np.where(inside, cv2.resize(matte, back, interpolation=cv2.INTER_LINEAR), second)
    return Settled(mended.astype(np.float32), faint_share)


def _judged(case: _Case) -> tuple[F32, Mask, float]:
    """The matte of the case, where it differs from the network's, and `Settled.faint_share`."""
    near = case.near
    ratio, far = log_distance(case.rgb, case.paper)
    differ = _thick((near > 0.5) != case.classical)
    bare = differ & (near > 0.5) & case.bare & (near < CERTAIN) | blanks(near, ratio, far)
    open_ = differ & ~bare & (near > SURE) & (near < 1 - SURE)
    lined = _thick(lining(np.where(bare, np.float32(0), near), case.rgb, case.paper) & ~open_)
    guess = np.where(lined, np.minimum(near, LINING_VOTE), near)
    guess = np.where(
        differ, VOTES[0] * near + VOTES[1] * case.whole + VOTES[2] * case.classical, guess
    ).astype(np.float32)
    known = ((near > 0.5) & ~bare).astype(np.float32)
    unknown = (cv2.dilate((open_ | lined | bare).astype(np.uint8), disc(GROWN_PX)) > 0) & ~bare
    zone = cv2.dilate((unknown | bare).astype(np.uint8), disc(1)) > 0
    faint = (open_ & (far < FAINT_LOG)).sum() / max(known.sum(), 1)
    return band_matte(case.encoded, known, unknown, guess), zone, float(faint)


def _agreement(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def _thick(mask: Mask) -> Mask:
    """`mask` without what is narrower than three pixels."""
    core = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(THIN_PX))
    thick: Mask = mask & (cv2.dilate(core, disc(1)) > 0)
    return thick
