"""Technical figures of a finished picture: clipping, tone, banding, file. Owns their definitions; refuses to judge."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from pipeline.color import LUMA
from pipeline.values import U8

_WHITE, _BLACK = 254, 1
TONE_STEP = 2  # percentiles of a quarter of the pixels are as good
_BAND_RUN_PX = 24  # a flat run this long beside a step of one code is seen as a band on a smooth ground


def technical_figures(srgb_u8: U8, jpeg: bytes | None = None) -> dict[str, float]:
    """Figures of an encoded (H, W, 3) picture, and of its file when `jpeg` is given.

    clipped_high_pct, clipped_low_pct: share of pixels with all channels at white, or at black. luma_p1, luma_p50, luma_p99:
    percentiles of encoded luma 0..255. black_point, white_point: 0.1 and 99.9 percentiles. banding: share (0..1) of
    pixels in flat runs of `_BAND_RUN_PX` or more that end in a step of one code, the worse of rows and columns;
    black and white do not count. file_kb, icc, full_chroma: size, 1 when a profile is embedded, 1 when 4:4:4.
    """
    red, green, blue = (srgb_u8[..., c] for c in range(3))
    darkest, brightest = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    tones = srgb_u8[::TONE_STEP, ::TONE_STEP] @ LUMA
    low, dark, middle, bright, high = (float(v) for v in np.percentile(tones, (0.1, 1, 50, 99, 99.9)))
    figures = {
        "clipped_high_pct": 100 * float((darkest >= _WHITE).mean()),
        "clipped_low_pct": 100 * float((brightest <= _BLACK).mean()),
        "luma_p1": dark,
        "luma_p50": middle,
        "luma_p99": bright,
        "black_point": low,
        "white_point": high,
        "banding": banding(np.ascontiguousarray(green)),
    }
    return figures if jpeg is None else figures | _file_figures(jpeg)


def banding(codes: U8) -> float:
    """Share of pixels (H, W) that lie in bands, the worse of both directions; dithered pictures give nearly 0."""
    return max(_banded_share(codes), _banded_share(np.ascontiguousarray(codes.T)))


def _banded_share(codes: U8) -> float:
    """Runs along rows: long, not clipped, and next to one that differs by exactly one code."""
    rows, columns = codes.shape
    starts_here = np.ones((rows, columns), dtype=np.bool_)
    starts_here[:, 1:] = codes[:, 1:] != codes[:, :-1]
    flat = codes.ravel()
    starts = np.flatnonzero(starts_here)
    lengths = np.diff(starts, append=flat.size)
    values = flat[starts].astype(np.int16)
    same_row = starts[1:] % columns != 0
    step = (np.abs(np.diff(values)) == 1) & same_row
    beside_step = np.zeros(starts.size, dtype=np.bool_)
    beside_step[1:] |= step
    beside_step[:-1] |= step
    banded = (lengths >= _BAND_RUN_PX) & beside_step & (values > _BLACK) & (values < _WHITE)
    return float(lengths[banded].sum()) / flat.size


def _file_figures(jpeg: bytes) -> dict[str, float]:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        layers = getattr(image, "layer", ())
        full = bool(layers) and all(component[1:3] == (1, 1) for component in layers)
        return {
            "file_kb": len(jpeg) / 1024,
            "icc": float("icc_profile" in image.info),
            "full_chroma": float(full),
        }
