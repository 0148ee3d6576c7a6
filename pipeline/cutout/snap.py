"""The outline moved to where the photo's own edge is. Owns the search along the normals; refuses to open or close anything.

A segmenter ends outside the piece by a pixel or two, more where paper and piece hardly differ, and JPEG frays it. So
the edge is looked for along the normals of the contour, which moves to the mean of its neighbourhood. Only profiles
with one single edge have a say: a pearl's or a plain band's rim settles, paved stones and thin wires keep their matte.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cutout.paper import strongest
from pipeline.shape.thickness import local_radius
from pipeline.values import F32, Mask

ROUNDS = 3
REACH = 6  # px, to either side
NEAR_PX = 0.9  # of the contour: where profiles are taken
LEAST = 0.01  # linear change per pixel under which a peak is noise
CLEAR = 0.08  # linear change per pixel at which a profile counts fully
ALONG_PX = 5.0  # of the contour that moves together
CALM_PX = 1.2  # smooths the distance, so that normals do not follow single pixels
BODY_PX = 3.0
LEAST_RADIUS = (4.5, 9.0)  # px: from the first on the contour begins to move, from the second it moves fully
RAMP_PX = 1.4  # width of the new edge
SURE, FAINT = 0.05, 0.002  # weight of the profiles around a pixel for a full move; keeps empty places still


def snap(rgb: F32, alpha: F32) -> F32:
    """Alpha (h, w) with its 0.5 contour on the edge nearby, RAMP_PX wide; rgb: (h, w, 3) linear.

    Several times over: normals of a frayed contour point anywhere at first.
    """
    thick = _thick(alpha > 0.5)
    for _ in range(ROUNDS):
        alpha = _step(rgb, alpha, thick)
    return alpha


def _step(rgb: F32, alpha: F32, thick: F32) -> F32:
    distance = _signed_distance(alpha)
    profiles = _Profiles.along(rgb, distance)
    if profiles is None:
        return alpha
    place, steep = profiles.only_edge()
    weight = np.clip(steep / CLEAR, 0, 1) * thick[profiles.at]
    shift, support = (np.zeros_like(alpha) for _ in range(2))
    shift[profiles.at], support[profiles.at] = place * weight, weight
    shift, support = (cv2.GaussianBlur(one, (0, 0), ALONG_PX) for one in (shift, support))
    moved = np.clip((distance - shift / (support + np.float32(FAINT))) / RAMP_PX + 0.5, 0, 1)
    trust = np.clip(support / SURE, 0, 1)
    snapped: F32 = alpha + trust * (moved - alpha)
    return snapped


@dataclass(frozen=True, slots=True)
class _Profiles:
    """Linear colours (n, 2 REACH + 1, 3) across the contour, from the paper inwards, at the pixels `at`.

    Linear, because there a blurred edge is symmetrical; in a logarithm its middle lies well inside dark metal.
    """

    at: tuple[NDArray[np.intp], NDArray[np.intp]]
    rgb: F32

    @classmethod
    def along(cls, rgb: F32, distance: F32) -> _Profiles | None:
        across, down = cv2.Sobel(distance, cv2.CV_32F, 1, 0), cv2.Sobel(distance, cv2.CV_32F, 0, 1)
        rows, columns = np.nonzero(np.abs(distance) < NEAR_PX)
        at = (rows, columns)
        if not rows.size:
            return None
        length = np.hypot(across[at], down[at]) + np.float32(1e-6)
        steps = np.arange(-REACH, REACH + 1, dtype=np.float32) - distance[at][:, None]
        x = at[1][:, None].astype(np.float32) + steps * (across[at] / length)[:, None]
        y = at[0][:, None].astype(np.float32) + steps * (down[at] / length)[:, None]
        return cls(at, cv2.remap(rgb, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))

    def only_edge(self) -> tuple[F32, F32]:
        """Pixels inwards (n,) of the one edge of a profile, and its steepness (change per pixel); 0 if there are more.

        Where a profile crosses several edges, some are the piece's own, and which one is the outline cannot be told.
        An edge just beyond the inner end draws the contour as far as the profile reaches.
        """
        steep = np.pad(strongest(np.abs(np.diff(self.rgb, axis=1))), ((0, 0), (1, 1)))
        before, here, after = steep[:, :-2], steep[:, 1:-1], steep[:, 2:]
        peak = np.where((here >= before) & (here >= after) & (here >= LEAST), here, 0)
        peak[:, -1] = np.where(peak[:, :-1].any(1), 0, here[:, -1])
        at, row = np.argmax(peak, 1), np.arange(len(peak))
        before, here, after = (side[row, at] for side in (before, here, after))
        bend = before - 2 * here + after  # of the parabola through the three
        part = np.where(bend < 0, (before - after) / (2 * np.minimum(bend, -1e-6)), 0)
        place = (at + 0.5 - REACH + np.clip(part, -0.5, 0.5)).astype(np.float32)
        return place, np.where((peak > 0).sum(1) > 1, np.float32(0), here)


def _signed_distance(alpha: F32) -> F32:
    """Pixels to the 0.5 contour, positive inside; by the 5 x 5 chamfer, which is exact enough so near and much faster."""
    solid = (alpha > 0.5).astype(np.uint8)
    inside, outside = (cv2.distanceTransform(one, cv2.DIST_L2, cv2.DIST_MASK_5) for one in (solid, 1 - solid))
    distance = np.where(solid > 0, inside - np.float32(0.5), np.float32(0.5) - outside)
    smooth: F32 = cv2.GaussianBlur(distance, (0, 0), CALM_PX)
    return smooth


def _thick(solid: Mask) -> F32:
    """0..1 (h, w): whether the piece is thick enough there for its contour to move."""
    body = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), BODY_PX) > 0.5
    radius = cv2.dilate(local_radius(body), np.ones((9, 9), np.uint8))
    thinnest, full = LEAST_RADIUS
    share: F32 = np.clip((radius - thinnest) / (full - thinnest), 0, 1)
    return share
