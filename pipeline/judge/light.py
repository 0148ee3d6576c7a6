"""Does the light agree with itself? Figures of shadow and reflection that need no reference picture."""

from __future__ import annotations

import math

import numpy as np

from pipeline.color import luminance
from pipeline.composite import Composite
from pipeline.layout import Piece
from pipeline.rig import Rig
from pipeline.values import F32

SHADED = 0.12  # share of light lost from which the ground counts as shaded


def light_figures(piece: Piece, composite: Composite, rig: Rig) -> dict[str, float]:
    """Measure shadow against piece and rig.

    shadow_share: shaded ground per piece area; umbra: darkest shade left (0 black, 1 none); contact_gap_px: mean
    distance between the piece's lower outline and its shade; azimuth_error_deg: between the drift of the shade and
    the key light, nan where the shade lies all around the piece.
    """
    lost = 1 - (luminance(composite.shaded) + 1e-4) / (luminance(composite.bare) + 1e-4)
    lost = np.where(piece.alpha < 0.02, np.clip(lost, 0, 1), 0).astype(np.float32)
    shaded = lost > SHADED
    area = float((piece.alpha > 0.5).sum())
    return {
        "shadow_share": float(shaded.sum()) / max(area, 1.0),
        "umbra": float(1 - np.percentile(lost[shaded], 98)) if shaded.any() else 1.0,
        "contact_gap_px": _contact_gap(piece.alpha, lost),
        "azimuth_error_deg": _azimuth_error(piece, lost, rig),
    }


def _contact_gap(alpha: F32, lost: F32) -> float:
    """Median rows between the lowest piece pixel of a column and the first shaded pixel under it."""
    solid = alpha > 0.5
    columns = np.flatnonzero(solid.any(0))
    if not columns.size:
        return float("nan")
    bottom = solid.shape[0] - 1 - np.argmax(solid[::-1, columns], axis=0)
    lowest = columns[bottom >= np.percentile(bottom, 75)]
    rows = solid.shape[0] - 1 - np.argmax(solid[::-1, lowest], axis=0)
    gaps = [_first_shade(lost[row + 1 : row + 60, column]) for row, column in zip(rows, lowest, strict=True)]
    return float(np.median(gaps)) if gaps else float("nan")


def _first_shade(below: F32) -> float:
    hits = np.flatnonzero(below > SHADED / 2)
    return float(hits[0]) if hits.size else 60.0


def _azimuth_error(piece: Piece, lost: F32, rig: Rig) -> float:
    """Angle between where the shade lies, seen from the piece, and where the key light sends it, on the screen."""
    weight = float(lost.sum())
    if weight < 1:
        return float("nan")
    y, x = np.mgrid[0 : lost.shape[0], 0 : lost.shape[1]].astype(np.float32)
    solid = piece.alpha
    drift_x = float((x * lost).sum() / weight - (x * solid).sum() / solid.sum())
    drift_y = float((y * lost).sum() / weight - (y * solid).sum() / solid.sum())
    lx, ly, lz = rig.key.direction
    elevation = math.radians(piece.ground.elevation_deg)
    away_x, away_y = -lx / lz, math.cos(elevation) + math.sin(elevation) * ly / lz
    if math.hypot(drift_x, drift_y) < 0.02 * piece.ground.unit_px or math.hypot(away_x, away_y) < 0.15:
        return float("nan")
    angle = math.degrees(math.atan2(drift_y, drift_x) - math.atan2(away_y, away_x))
    return abs((angle + 180) % 360 - 180)
