"""Two segmenters that know different things, on one photo. Owns who is believed where they differ.

The network knows shadows, pearls and silver on white, but is unsure of faint rims; the classical one sees every edge, but
takes hard shadows for metal and blank metal for paper. On plain, well-lit paper they agree on nearly everything. There the rest
is left to the photo: closed-form matting (see `matting`) carries the colours of what both call piece or paper into what they
do not agree on, with their votes as its guess. So it does into lining that both took for piece though they look far more like
the paper beside them: the acute ones between bangles, the narrow ones between pearls.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.cutout.holes import GEM_OR_GOLD
from pipeline.cutout.matting import band_matte
from pipeline.cutout.paper import FLOOR, Paper, bare_paper, strongest
from pipeline.cutout.trimap import connected_to, nearer_to_paper
from pipeline.shape.thickness import distance_inside, local_radius
from pipeline.values import F32, U8, Mask

LEAST_AGREED = 0.85  # intersection over union; under it the classical one cannot read the photo
LOOK_PX = 500  # long side at which they are compared: rims are the fine matte's business
SURE = 0.08  # an answer of the network under this, and over its counterpart, stands
CERTAIN = 0.9  # under this it does not stand where the classical one sees paper and there is nothing else to be seen
VOTES = (0.5, 0.2, 0.3)  # of the near look, the look at the whole, the classical one
THIN_PX, GROWN_PX = 1, 2
LINING_PX, MIDDLE_SHARE = (
    16.0,
    0.7,
)  # a lining of paper is at most so deep; what is deeper by the local radius is not
LINING_VOTE = 0.25
BRIGHTER = 1.1
# In gold or beside coloured stones, what is as blank as paper: at the piece's rim from this share of it on, a gap and no
# glint; within it, where facets shine, only from a larger one. And without a share of the piece's colour.
BLANK_LOG, BLANK_RIM_LOG = 0.2, 0.15
BLANK_SHARE, BLANK_RIM_SHARE = 0.004, 0.001
BLANK_CHROMA = 0.25
GROUND_SHARE = 0.01  # of the piece's area: the ground and what shows of it through the piece, not a pinhole
FAINT_LOG = 0.15  # off the paper by less than this, a quarrel is about something hardly to be seen


@dataclass(frozen=True, slots=True)
class Settled:
    """matte: (h, w) 0..1. faint_share: what was quarrelled about though it is hardly to be seen, as a share of the piece."""

    matte: F32
    faint_share: float = 0.0


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
    near, whole, blank = (_shrunk(one, size) for one in (second, first, bare_paper(rgb, paper)))
    classical = _shrunk(region, size) > 0.5
    small, ground = _shrunk(rgb, size), _shrunk(paper.rgb, size)
    ratio = (small + FLOOR) / (ground + FLOOR)
    far = strongest(np.abs(np.log(ratio)))

    differ = _thick((near > 0.5) != classical)
    bare = differ & (near > 0.5) & (blank > 0.5) & (near < CERTAIN) | _blanks(near, ratio, far)
    open_ = differ & ~bare & (near > SURE) & (near < 1 - SURE)
    piece = (near > 0.5) & ~bare
    lining = _thick(_lining(piece, small, ground) & (near < CERTAIN) & ~open_)
    unknown = cv2.dilate((open_ | lining | bare).astype(np.uint8), _disc(GROWN_PX)) > 0
    unknown &= ~bare
    guess = np.where(lining, np.minimum(near, LINING_VOTE), near)
    guess = np.where(differ, VOTES[0] * near + VOTES[1] * whole + VOTES[2] * classical, guess)
    guess = np.where(bare, 0, guess).astype(np.float32)
    matte = band_matte(_shrunk(encoded, size), piece.astype(np.float32), unknown, guess)

    zone = cv2.dilate((unknown | bare).astype(np.float32), _disc(1))
    back = (width, height)
    inside = cv2.resize(zone, back, interpolation=cv2.INTER_LINEAR) > 0.5
    mended = np.where(inside, cv2.resize(matte, back, interpolation=cv2.INTER_LINEAR), second)
    faint = (open_ & (far < FAINT_LOG)).sum() / max(piece.sum(), 1)
    return Settled(mended.astype(np.float32), float(faint))


def _agreement(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def _shrunk(image: F32 | Mask, size: tuple[int, int]) -> F32:
    smaller: F32 = cv2.resize(np.asarray(image, np.float32), size, interpolation=cv2.INTER_AREA)
    return smaller


def _lining(piece: Mask, rgb: F32, paper_rgb: F32) -> Mask:
    """Of the piece, what is connected to the ground through each other and far more like it, bare or shaded."""
    depth = distance_inside(piece)
    middle = piece & (depth >= np.minimum(MIDDLE_SHARE * local_radius(piece), LINING_PX))
    near, _ = nearer_to_paper(rgb, paper_rgb, middle)
    dull = rgb.mean(-1) < BRIGHTER * paper_rgb.mean(-1)  # what outshines the paper is polished metal
    return connected_to(
        _large(~piece, GROUND_SHARE * piece.sum()), piece & near & dull & (depth <= LINING_PX)
    )


def _blanks(near: F32, ratio: F32, far: F32) -> Mask:
    """Gaps in a coloured piece that show nothing but paper, where the network is not certain of a region as a whole."""
    piece = near > 0.5
    chroma = 1 + strongest(-ratio) / np.maximum(strongest(ratio), 0.05)
    blanks = np.zeros_like(piece)
    own = float(np.median(chroma[piece])) if piece.any() else 0.0
    if own < GEM_OR_GOLD:
        return blanks
    pale = piece & (cv2.GaussianBlur(chroma, (0, 0), 0.7) < BLANK_CHROMA * own)
    distance = cv2.GaussianBlur(far, (0, 0), 0.7)
    rim = cv2.dilate(_large(~piece, GROUND_SHARE * piece.sum()).astype(np.uint8), _disc(2)) > 0
    for limit, share in ((BLANK_LOG, BLANK_SHARE), (BLANK_RIM_LOG, BLANK_RIM_SHARE)):
        candidates = cv2.morphologyEx((pale & (distance < limit)).astype(np.uint8), cv2.MORPH_OPEN, _disc(1))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(candidates, connectivity=4)
        area = stats[:, cv2.CC_STAT_AREA]
        surety = np.bincount(labels.ravel(), weights=near.ravel(), minlength=count) / area
        gap = (area >= share * piece.sum()) & (surety < CERTAIN)
        if share == BLANK_RIM_SHARE:
            gap &= np.bincount(labels.ravel(), weights=rim.ravel(), minlength=count) > 0
        gap[0] = False
        blanks |= gap[labels]
    return blanks


def _large(mask: Mask, least_px: float) -> Mask:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= least_px
    large[0] = False
    parts: Mask = large[labels]
    return parts


def _disc(radius: int) -> U8:
    disc: U8 = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return disc


def _thick(mask: Mask) -> Mask:
    """`mask` without what is narrower than three pixels."""
    core = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(THIN_PX))
    thick: Mask = mask & (cv2.dilate(core, _disc(1)) > 0)
    return thick
