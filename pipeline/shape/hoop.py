"""How a hoop stands or lies, from the outline of its hole, and where its metal is. Refuses pieces that are none.

A ring's shank is a shell of inner radius r, outer radius R and width w. Its rims are seen as ellipses: the hole is where both inner
ones are open, and the outline on the ground's side is that of both outer ones. With the camera's elevation known, the two
outlines settle yaw, lean, r, R and w (least squares, soft L1).
World axes as in `pipeline.rig`; pictures are measured upwards here, so a point is seen at (X, Y sin e + Z cos e).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from pipeline.values import F32, Ground, Mask

F64 = NDArray[np.float64]
LEAST_HOLE = 0.015  # of the square of the unit
ROUNDED = 0.5
POINTS = 160
MOST_YAW, LEANS = math.radians(78), (math.radians(-20), math.radians(20))
LYING = -math.pi / 2  # the lean of what lies
LOWEST, HIGHEST = math.radians(12), math.radians(75)  # camera's elevation over a lying hoop
LIKELY_LEAN, LEAN_WEIGHT = (
    0.0,
    0.06,
)  # rings stand nearly upright; a weak wish where the outline does not tell
LEAST_WIDTH = 0.1  # of a shank over its radius
# Center (2) in the hole's size, inner radius in it, width and outer radius over that.
START, LEAST, MOST = (0, 0, 1.1, 0.3, 1.15), (-1, -1, 0.5, 0.0, 1.02), (1, 1, 3.0, 1.2, 1.8)
OUTER_WEIGHT = 0.5  # shanks taper, swell and carry pearls; their insides are round
GRAZED = 1.1  # of the outer radius
WITHIN = 70  # a head may hang into the hole
MOST_MISFIT = 0.045  # beyond it is no hoop


@dataclass(frozen=True, slots=True)
class Hoop:
    """yaw: radians by which its right end is further away; lean: radians by which its top is further away.

    center: (x, y) pixel of its middle. radius_px: of its inside; outer_px: of its outside; width_px: along its axis. misfit: distance from the model within which
    `WITHIN` percent of the hole's outline stay, over the radius. elevation: of the camera, radians.
    """

    yaw: float
    lean: float
    center: tuple[float, float]
    radius_px: float
    outer_px: float
    width_px: float
    misfit: float
    elevation: float

    @property
    def sure(self) -> bool:
        """Whether the outline is that of a hoop at all."""
        return self.misfit < MOST_MISFIT


def find_hoop(mask: Mask, ground: Ground) -> Hoop | None:
    """The standing hoop around the largest hole; None when there is no hole worth the name. On a table only (elevation under 60)."""
    seen = _outlines(mask, ground)
    if seen is None:
        return None
    e = math.radians(ground.elevation_deg)
    spread = np.cov(seen.hole.T)
    yaw = math.atan(float(spread[0, 1] / spread[0, 0]) / math.sin(e))
    start = np.array([*START, np.clip(yaw, -1.2, 1.2), LIKELY_LEAN])
    bounds = ([*LEAST, -MOST_YAW, LEANS[0]], [*MOST, MOST_YAW, LEANS[1]])
    below = seen.below()
    wish = LEAN_WEIGHT * math.sqrt(len(seen.hole))
    found = _fitted(
        lambda x: np.append(below.away(x[:5], _axes(x[5], x[6], e)), wish * (x[6] - LIKELY_LEAN)),
        start,
        bounds,
    )
    return below.hoop(found[:5], float(found[5]), float(found[6]), e)


def find_lying(mask: Mask, ground: Ground) -> Hoop | None:
    """The hoop that lies flat around the largest hole. How far down the photo was taken is part of the fit, so it need not be the set's."""
    seen = _outlines(mask, ground)
    if seen is None:
        return None
    start = np.array([*START, math.radians(ground.elevation_deg)])
    bounds = ([*LEAST, LOWEST], [*MOST, HIGHEST])
    found = _fitted(lambda x: seen.away(x[:5], _axes(0.0, LYING, x[5])), start, bounds)
    return seen.hoop(found[:5], 0.0, LYING, float(found[5]))


@dataclass(frozen=True, slots=True)
class _Outlines:
    """Of a hole and of what is around it. hole, around: (n, 2) x and y up, about `middle` (pixel), in units of `size` px."""

    hole: F64
    around: F64
    middle: F64
    size: float

    def below(self) -> _Outlines:
        """Only the part of the outer outline on which a standing hoop rests: above sit shoulders and heads."""
        return replace(self, around=self.around[self.around[:, 1] < -0.25])

    def away(self, x: F64, axes: tuple[F64, F64, F64]) -> F64:
        """Distances of all points from the modelled outlines. x: center (2), inner radius, width and outer radius over it."""
        across, up, axis = axes
        inverse = np.linalg.inv(np.stack([across, up], 1))

        def from_axis(points: F64, side: float) -> F64:
            inside = (points - x[:2] - side * x[3] * x[2] * axis) @ inverse.T
            return np.asarray(np.hypot(inside[:, 0], inside[:, 1]))

        hole = np.maximum(*(from_axis(self.hole, side) for side in (-0.5, 0.5))) - x[2]
        if not len(self.around):
            return np.asarray(hole)
        around = (
            np.min([from_axis(self.around, side) for side in (-0.5, -0.25, 0, 0.25, 0.5)], 0) - x[4] * x[2]
        )
        return np.concatenate([hole, OUTER_WEIGHT * around])

    def hoop(self, x: F64, yaw: float, lean: float, e: float) -> Hoop:
        """The hoop of a fit."""
        away = self.away(x, _axes(yaw, lean, e))[: len(self.hole)]
        misfit = float(np.percentile(np.abs(away), WITHIN) / x[2])
        center = (float(self.middle[0] + x[0] * self.size), float(self.middle[1] - x[1] * self.size))
        radius = float(x[2]) * self.size
        return Hoop(yaw, lean, center, radius, radius * float(x[4]), radius * float(x[3]), misfit, e)


def _fitted(residuals: Callable[[F64], F64], start: F64, bounds: tuple[list[float], list[float]]) -> F64:
    found = least_squares(residuals, start, bounds=bounds, loss="soft_l1", f_scale=0.03, max_nfev=60)
    return np.asarray(found.x)


def _outlines(mask: Mask, ground: Ground) -> _Outlines | None:
    """Of the largest hole, if it is worth the name; evenly thinned."""
    contours, hierarchy = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    holes = [index for index, one in enumerate(contours) if hierarchy[0][index][3] >= 0]
    if not holes:
        return None
    largest = max(holes, key=lambda index: cv2.contourArea(contours[index]))
    if cv2.contourArea(contours[largest]) < LEAST_HOLE * ground.unit_px**2:
        return None
    pair = (contours[largest], contours[hierarchy[0][largest][3]])
    hole, around = (one.reshape(-1, 2)[:: max(1, len(one) // POINTS)].astype(np.float64) for one in pair)
    middle = hole.mean(0)
    size = float(np.sqrt(2 * ((hole - middle).var(0)).max()))
    hole, around = ((one - middle) * (1, -1) / size for one in (hole, around))
    return _Outlines(hole, around, middle, size)


def _axes(yaw: float, lean: float, e: float) -> tuple[F64, F64, F64]:
    """Unit steps across, up and along the axis of the hoop as the picture shows them."""
    cos, sin, c, s = math.cos(yaw), math.sin(yaw), math.cos(lean), math.sin(lean)
    across = np.array([cos, sin * math.sin(e)])
    up = np.array([-sin * s, cos * s * math.sin(e) + c * math.cos(e)])
    axis = np.array([sin * c, -cos * c * math.sin(e) + s * math.cos(e)])
    return across, up, axis


def metal_of(hoop: Hoop, mask: Mask, depth_px: F32) -> tuple[F32, F32, F32]:
    """Heights (top, low) of seen surface and underside, (H, W), px, of a shank around the hole and of what sits on it.

    And where the shank faces, (H, W, 3) unit vectors in world axes, 0 where there is none.

    What the shell does not reach, a head or
    a shoulder, lies about the hoop's plane, `depth_px` deep along the line of sight.
    """
    e, cos, sin = hoop.elevation, math.cos(hoop.lean), math.sin(hoop.lean)
    across, up, _ = _axes(hoop.yaw, hoop.lean, e)
    y, x = np.nonzero(mask)
    inverse = np.linalg.inv(np.stack([across, up], 1))
    c, h = inverse @ np.stack([x - hoop.center[0], hoop.center[1] - y])
    # The line of sight in the hoop's own axes: across, up, along its axis.
    view = (
        -math.cos(e) * math.sin(hoop.yaw),
        math.sin(e) * cos - math.cos(e) * math.cos(hoop.yaw) * sin,
        math.cos(e) * math.cos(hoop.yaw) * cos + math.sin(e) * sin,
    )
    width = max(hoop.width_px, LEAST_WIDTH * hoop.radius_px)
    if hoop.lean == LYING:  # its section is rounded, and the hole ends where that is thickest
        width = hoop.width_px + ROUNDED * (hoop.outer_px - hoop.radius_px)
    reach = width / 2 / abs(view[2])
    slope = view[0] ** 2 + view[1] ** 2
    middle = -(c * view[0] + h * view[1]) / slope  # where the line of sight comes nearest to the axis
    nearest = np.hypot(c + middle * view[0], h + middle * view[1])
    near, far, hit = _shell((hoop.radius_px, hoop.outer_px), (nearest, middle, slope), reach)
    half = depth_px[y, x] / 2
    facing = _facing(hoop, np.stack([c + near * view[0], h + near * view[1], near * view[2]]), width / 2, hit)
    # A shank that swells a little over the shell is grazed where the line of sight comes nearest to the axis.
    closest = np.clip(middle, -reach, reach)
    grazed = ~hit & (np.hypot(c + closest * view[0], h + closest * view[1]) < GRAZED * hoop.outer_px)
    near, far = (
        np.where(hit, near, np.where(grazed, closest, half)),
        np.where(hit, far, np.where(grazed, closest, -half)),
    )
    foot = hoop.outer_px * cos + width / 2 * abs(sin)
    base = foot + h * cos
    top, low = np.zeros(mask.shape, np.float32), np.zeros(mask.shape, np.float32)
    top[y, x] = np.maximum(base + near * math.sin(e), 0)
    low[y, x] = np.maximum(base + far * math.sin(e), 0)
    normal = np.zeros((*mask.shape, 3), np.float32)
    normal[y, x] = facing
    return top, low, normal


def _facing(hoop: Hoop, at: F64, half: float, hit: NDArray[np.bool_]) -> F32:
    """Unit normals (n, 3) of the shell at points `at` (3, n) in the hoop's own axes: outside, inside or a rim, whichever is nearest."""
    cos, sin, c, s = math.cos(hoop.yaw), math.sin(hoop.yaw), math.cos(hoop.lean), math.sin(hoop.lean)
    axes = np.array(
        [[cos, sin, 0], [-sin * s, cos * s, c], [sin * c, -cos * c, s]]
    )  # across, up, along the axis
    away = np.hypot(at[0], at[1])
    gaps = np.abs(np.stack([away - hoop.outer_px, away - hoop.radius_px, np.abs(at[2]) - half]))
    nearest = gaps.argmin(0)
    radial = at[:2] / np.maximum(away, 1e-6)
    own = np.zeros_like(at)
    own[:2] = radial * np.where(nearest == 0, 1.0, np.where(nearest == 1, -1.0, 0.0))
    own[2] = np.where(nearest == 2, np.sign(at[2]), 0.0)
    return np.where(hit, axes.T @ own, 0).T.astype(np.float32)


def _shell(
    radii: tuple[float, float], sight: tuple[F64, F64, float], reach: float
) -> tuple[F64, F64, NDArray[np.bool_]]:
    """Where lines of sight enter and leave a shell `2 reach` wide along them, and whether they meet it at all.

    sight: distance from the axis where a line is nearest to it, the place of that, and how fast it leaves. A line that stays
    inside the hole, as rounding may have it, meets the rim that is nearer to it.
    """
    nearest, middle, slope = sight
    inner, outer = (np.sqrt(np.maximum(r * r - nearest * nearest, 0) / slope) for r in radii)
    high, low = np.minimum(middle + outer, reach), np.maximum(middle - outer, -reach)
    opens = nearest < radii[0]
    open_high, open_low = np.where(opens, middle + inner, -np.inf), np.where(opens, middle - inner, -np.inf)
    behind = high < open_high  # the near rim is open here: the line goes through the hole to the far wall
    near = np.where(behind, np.minimum(open_low, high), high)
    far = np.where(behind, low, np.where(open_high > low, np.minimum(open_high, high), low))
    through = behind & (open_low <= low)
    rim = np.where(np.abs(high - middle) > np.abs(low - middle), high, low)
    near, far = np.where(through, rim, near), np.where(through, rim, far)
    return near, far, (nearest <= radii[1]) & (high >= low)
