"""A small photo's piece, enlarged by a network. Owns the proof that it is still the same piece; refuses the matte's shape.

A network trained to please may draw a facet or a hallmark that is not there. So its picture is brought back to the photo's own
pixels and must look there as the photo does; else it is not used.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.color import linear_from_srgb, srgb_from_linear
from pipeline.errors import Busy, Misconfigured
from pipeline.judge.identity import GAIN_SIGMA, GREY, long_side, ssim_map, worst_spot
from pipeline.upscale.upscaler import Upscalers, resized
from pipeline.values import F32, Box, Cutout, Note

LEAST_ENLARGEMENT = 1.25  # of the photo's pixels, from which on a network has anything to add
LEAST_SSIM = 0.98
LEAST_SSIM_WORST = 0.90  # of its worst spot: an invented claw must not average out


def enlarged(
    cutout: Cutout, tight: Box, size_px: tuple[int, int], name: str, upscalers: Upscalers
) -> tuple[F32, tuple[Note, ...]]:
    """The colours of the piece in the box `tight`, (height, width, 3) linear, unpremultiplied, at `size_px`; notes say why not by the network."""
    rgb, alpha = cutout.rgb[tight.slices], cutout.alpha[tight.slices]
    if cutout.scale > 1:  # the photo's own pixels
        own_size = (max(1, round(tight.width / cutout.scale)), max(1, round(tight.height / cutout.scale)))
        rgb, alpha = _down(rgb, own_size), _down(alpha, own_size)
    peak = np.float32(max(1.0, float(rgb.max())))  # a highlight over paper's white is kept
    own = srgb_from_linear(np.clip(rgb / peak, 0, 1))
    made, why = _by_network(own, alpha, size_px, name, upscalers)
    note = Note("not-upscaled", f"The piece was enlarged the ordinary way, not by {name}: {why}")
    return linear_from_srgb(resized(own, size_px) if made is None else made) * peak, (
        note,
    ) if made is None else ()


def _by_network(
    own: F32, alpha: F32, size_px: tuple[int, int], name: str, upscalers: Upscalers
) -> tuple[F32 | None, str]:
    try:
        made = upscalers(name)(own, size_px)
    except (Misconfigured, Busy) as error:  # another try would have no more memory
        return None, f"{error} {error.advice}".strip()
    mean, worst = sameness(own, _down(made, (own.shape[1], own.shape[0])), alpha)
    if mean >= LEAST_SSIM and worst >= LEAST_SSIM_WORST:
        return made, ""
    asked = f"{LEAST_SSIM} and {LEAST_SSIM_WORST} are asked for"
    return (
        None,
        f"its picture is not the photo's any more (likeness {mean:.3f}, at its worst spot {worst:.3f}; {asked}).",
    )


def sameness(before: F32, after: F32, alpha: F32) -> tuple[float, float]:
    """SSIM of two encoded pictures (h, w, 3) of a piece over grey: mean over it, and at its worst spot; of the colour that differs most."""
    inside = alpha > 0.5
    if not inside.any():
        return 1.0, 1.0
    cover = alpha[..., None]
    over = [
        one * cover + srgb_from_linear(np.full(3, GREY, np.float32)) * (1 - cover) for one in (before, after)
    ]
    maps = [ssim_map(*(np.ascontiguousarray(one[..., c], np.float32) for one in over)) for c in range(3)]
    spot = GAIN_SIGMA * long_side(alpha)
    return min(float(one[inside].mean()) for one in maps), min(worst_spot(one, inside, spot) for one in maps)


def _down(image: F32, size_px: tuple[int, int]) -> F32:
    return np.asarray(cv2.resize(image, size_px, interpolation=cv2.INTER_AREA), np.float32)
