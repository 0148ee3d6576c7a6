"""Colour spaces as pure arithmetic on float32 arrays. Owns the sRGB curve, luminance and OKLab/OKLCh.

Refuses profiles (`pipeline.photo`), looks (`pipeline.grade`) and dithering (`pipeline.finish`).
All functions take (..., 3) arrays and return float32 of the same shape unless they say otherwise.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.values import F32, U8

# Y of linear Rec.709/sRGB primaries under D65 (ITU-R BT.709-6, item 3.2).
LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)

# Bjorn Ottosson, "A perceptual color space for image processing" (2020), matrices of 2021-01-25.
_LMS_FROM_RGB = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=np.float32,
)
_LAB_FROM_ROOT = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=np.float32,
)
_ROOT_FROM_LAB = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ],
    dtype=np.float32,
)
_RGB_FROM_LMS = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ],
    dtype=np.float32,
)


def _f32(values: NDArray[Any] | float) -> F32:
    return np.ascontiguousarray(values, dtype=np.float32)


def _mix(values: F32, matrix: F32) -> F32:
    """Apply a 3x3 matrix to the last axis. OpenCV is several times faster here than a thin matrix product."""
    if values.size == 0:
        return values.copy()
    flat = cv2.transform(values.reshape(-1, 1, 3), matrix)
    return np.asarray(flat, dtype=np.float32).reshape(values.shape)


def _power(values: F32, exponent: float) -> F32:
    """|values| ** exponent, vectorised."""
    if values.size == 0:
        return values.copy()
    return np.asarray(cv2.pow(values.reshape(-1, 1), exponent), dtype=np.float32).reshape(values.shape)


def linear_from_srgb(srgb: NDArray[Any] | float) -> F32:
    """Decode sRGB-encoded values (0..1 nominal, any shape) to scene-linear (IEC 61966-2-1).

    Below 0 and above 1 the curve goes on, odd about zero, so that nothing is clipped on the way.
    """
    encoded = _f32(srgb)
    magnitude = np.abs(encoded)
    curve = _power((magnitude + np.float32(0.055)) / np.float32(1.055), 2.4)
    linear = np.where(magnitude <= np.float32(0.04045), magnitude / np.float32(12.92), curve)
    return np.asarray(np.copysign(linear, encoded), dtype=np.float32)


_LINEAR_OF_CODE = linear_from_srgb(np.arange(256, dtype=np.float32) / np.float32(255))


def linear_from_srgb_u8(srgb_u8: U8) -> F32:
    """Decode 8-bit sRGB (any shape) to scene-linear by table."""
    return np.asarray(_LINEAR_OF_CODE[srgb_u8], dtype=np.float32)


def srgb_from_linear(rgb: NDArray[Any] | float) -> F32:
    """Encode scene-linear values (any shape) with the sRGB curve (IEC 61966-2-1); odd about zero, not clipped."""
    linear = _f32(rgb)
    magnitude = np.abs(linear)
    curve = _power(magnitude, 1 / 2.4) * np.float32(1.055) - np.float32(0.055)
    encoded = np.where(magnitude <= np.float32(0.0031308), magnitude * np.float32(12.92), curve)
    return np.asarray(np.copysign(encoded, linear), dtype=np.float32)


def luminance(rgb: F32) -> F32:
    """Relative luminance Y of scene-linear Rec.709 (..., 3) -> (...)."""
    weighted = rgb[..., 0] * LUMA[0]
    weighted += rgb[..., 1] * LUMA[1]
    weighted += rgb[..., 2] * LUMA[2]
    return np.asarray(weighted, dtype=np.float32)


def oklab_from_linear(rgb: NDArray[Any]) -> F32:
    """OKLab (L 0..1, a, b about -0.4..0.4) of scene-linear Rec.709 (Ottosson 2020)."""
    lms = _mix(_f32(rgb), _LMS_FROM_RGB)
    return _mix(np.copysign(_power(lms, 1 / 3), lms), _LAB_FROM_ROOT)


def linear_from_oklab(lab: NDArray[Any]) -> F32:
    """Scene-linear Rec.709 of OKLab; out-of-gamut colours give negative or > 1 components."""
    root = _mix(_f32(lab), _ROOT_FROM_LAB)
    return _mix(root * root * root, _RGB_FROM_LMS)


def oklch_from_oklab(lab: F32) -> F32:
    """(L, chroma >= 0, hue in radians -pi..pi) of OKLab."""
    return np.stack(
        [lab[..., 0], np.hypot(lab[..., 1], lab[..., 2]), np.arctan2(lab[..., 2], lab[..., 1])], axis=-1
    )


def oklab_from_oklch(lch: F32) -> F32:
    """OKLab of (L, chroma, hue in radians)."""
    chroma, hue = lch[..., 1], lch[..., 2]
    return np.stack([lch[..., 0], chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)


def oklch_from_linear(rgb: NDArray[Any]) -> F32:
    """(L, chroma, hue in radians) of scene-linear Rec.709."""
    return oklch_from_oklab(oklab_from_linear(rgb))


def linear_from_oklch(lch: F32) -> F32:
    """Scene-linear Rec.709 of (L, chroma, hue in radians)."""
    return linear_from_oklab(oklab_from_oklch(lch))
