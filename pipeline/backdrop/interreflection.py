"""Light that folds throw at each other, in the palette's colours. Owns the estimate of the second bounce; refuses the first.

A plate was baked with a body of albedo `BODY` and a white sheen, so what bounces twice is in it as if the cloth had those. The
second bounce goes with the product of both albedos (one bounce of an integrating cavity, Goral et al. 1984, "Modeling the
interaction of light between diffuse surfaces"), so for other colours a part of it must be added or taken away:

    body:  body colour * ((body colour - BODY) * thrown body + sheen colour * thrown sheen)
    sheen: sheen colour * (body colour * thrown body + (sheen colour - 1) * thrown sheen) * the sheen's answer to all-round light

Thrown light is estimated from the plate itself: the share of the surroundings that is cloth instead of sky, which the picture
under the sky alone tells, times the mean light of the cloth around. No number was fitted; that the ground under the piece tells what sees the whole sky
was settled with velvet and suede in view. Marks in the nap that are darker than it are taken for hollows, which is the error.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from pipeline.backdrop.filters import enlarged, f32, wide_gaussian
from pipeline.backdrop.plate_file import BODY, Canvas, Picture, read_picture
from pipeline.values import F32

AROUND = 0.35  # units: folds this far away are seen
CALM = 0.45  # units around the piece that no plate has folds in
# Of the baked sky: what is hid up to sine z takes z^2 (HORIZON + RISE z) of the open ground's light.
HORIZON, RISE = 0.5, 0.5


def colors(body: F32, sheen: F32) -> tuple[F32, F32]:
    """What the channels of `thrown` add to the body and to the sheen: (3, 4) each, linear."""
    none = np.zeros(3, np.float32)
    return (
        np.stack([body * (body - np.float32(BODY)), body * sheen, none, none], axis=1),
        np.stack([none, none, sheen * body, sheen * (sheen - np.float32(1))], axis=1),
    )


def thrown(lobes: F32, hidden: F32, unit_px: float) -> F32:
    """Light of body and sheen thrown at the body, and at the sheen: (rows, columns, 4) of the lobes (rows, columns, 3).

    hidden: of the same part of the plate, see `hidden_share`. unit_px: of these pictures.
    """
    body, sheen = (wide_gaussian(f32(cv2.extractChannel(lobes, lobe)), AROUND * unit_px) for lobe in (0, 1))
    share, answer = cv2.split(hidden)
    return f32(cv2.merge([share * body, share * sheen, answer * body, answer * sheen]))


@lru_cache(maxsize=4)
def hidden_share(folder: Path, sky: Picture, canvas: Canvas, shape: tuple[int, int]) -> F32:
    """Share of the sky that cloth hides, and that times the sheen's answer to it: (rows, columns, 2) for pictures of that shape."""
    lit = f32(read_picture(folder, sky))
    unit = canvas.unit_px * lit.shape[1] / canvas.size_px[0]
    body, sheen = (np.ascontiguousarray(lit[..., lobe]) for lobe in (0, 1))
    loss = np.clip(1 - body / max(_calm(body, canvas), 1e-3), 0, 1)
    # The cloth that hides the sky sends back some of it, of the bake's own albedo.
    share = np.minimum(loss / HORIZON, 1)
    for _ in range(3):
        share = np.minimum(loss / (HORIZON - BODY + RISE * np.sqrt(share)), 1)
    both = cv2.merge([share, share * wide_gaussian(sheen, AROUND * unit)])
    kept = enlarged(f32(both), shape)
    kept.flags.writeable = False
    return kept


def _calm(body: F32, canvas: Canvas) -> float:
    """Median of the ground under the piece, which sees the whole sky."""
    scale = body.shape[1] / canvas.size_px[0]
    unit = canvas.unit_px * scale
    x, y = (round(at * scale) for at in canvas.origin)
    across, down = int(CALM * unit), int(CALM * unit * np.sin(np.radians(canvas.elevation_deg)))
    return float(np.median(body[max(y - down, 0) : y + down + 1, max(x - across, 0) : x + across + 1]))
