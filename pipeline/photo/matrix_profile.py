"""ICC matrix/TRC and grey profiles on 16-bit pixels. Owns their parsing and the way to sRGB; refuses table profiles.

The colour engine behind Pillow works on 8 bits; these simple profiles (Adobe RGB, Display P3, ProPhoto, grey
gammas) are exact in a few lines, so 16-bit photos keep all their levels.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.color import srgb_from_linear
from pipeline.values import F32, U16

# Linear sRGB to XYZ of the profile connection space (D50, Bradford-adapted): B. Lindbloom, "RGB/XYZ Matrices".
_XYZ_D50_FROM_SRGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
# Adobe RGB (1998) in the same space (same source), for cameras that only name it in EXIF.
_XYZ_D50_FROM_ADOBE = np.array(
    [[0.6097559, 0.2052401, 0.1492240], [0.3111242, 0.6256560, 0.0632197], [0.0194811, 0.0608902, 0.7448387]]
)
_BAND_ROWS = 256
_CODES = np.arange(65536, dtype=np.float64) / 65535


@dataclass(frozen=True, slots=True)
class MatrixProfile:
    """curves: (channels, 65536) linear value of each 16-bit code; matrix: (3, 3) to linear sRGB, None for grey."""

    curves: F32
    matrix: F32 | None

    def to_srgb(self, codes: U16) -> U16:
        """(H, W, 3) RGB or (H, W) grey codes -> (H, W, 3) sRGB-encoded uint16; out-of-gamut colours are clipped."""
        out = np.empty((*codes.shape[:2], 3), dtype=np.uint16)
        for top in range(0, codes.shape[0], _BAND_ROWS):
            out[top : top + _BAND_ROWS] = self._band(codes[top : top + _BAND_ROWS])
        return out

    def _band(self, codes: U16) -> U16:
        if self.matrix is None:
            rgb = np.repeat(self.curves[0][codes][..., None], 3, axis=-1)
        else:
            linear = np.stack([self.curves[c][codes[..., c]] for c in range(3)], axis=-1)
            rgb = np.asarray(cv2.transform(linear, self.matrix), dtype=np.float32)
        encoded = srgb_from_linear(np.clip(rgb, 0, 1))
        return (encoded * np.float32(65535) + np.float32(0.5)).astype(np.uint16)


def adobe_rgb() -> MatrixProfile:
    """Adobe RGB (1998): gamma 563/256 (Adobe RGB specification 4.3.4.2)."""
    curve = (_CODES ** (563 / 256)).astype(np.float32)
    return MatrixProfile(np.stack([curve] * 3), _to_srgb(_XYZ_D50_FROM_ADOBE))


def parse(icc: bytes) -> MatrixProfile | None:
    """Read an ICC profile (ICC.1:2022). None when it is not a matrix or grey profile; ValueError when it is broken."""
    try:
        return _parse(icc)
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"broken colour profile: {error}") from error


def _parse(icc: bytes) -> MatrixProfile | None:
    space, connection = icc[16:20], icc[20:24]
    count = struct.unpack_from(">I", icc, 128)[0]
    entries = [struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(min(count, 200))]
    tags = {name: icc[offset : offset + size] for name, offset, size in entries}
    if space == b"GRAY" and b"kTRC" in tags:
        return MatrixProfile(_curve(tags[b"kTRC"])[None], None)
    wanted = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    if (
        space != b"RGB "
        or connection != b"XYZ "
        or b"A2B0" in tags
        or any(name not in tags for name in wanted)
    ):
        return None
    columns = [np.array(struct.unpack_from(">3i", tags[name], 8)) / 65536 for name in wanted[:3]]
    curves = np.stack([_curve(tags[name]) for name in wanted[3:]])
    return MatrixProfile(curves, _to_srgb(np.stack(columns, axis=1)))


def _to_srgb(xyz_d50: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> F32:
    return np.asarray(np.linalg.solve(_XYZ_D50_FROM_SRGB, xyz_d50), dtype=np.float32)


def _curve(tag: bytes) -> F32:
    """Linear value of every 16-bit code for a `curv` or `para` tag (ICC.1:2022, 10.6 and 10.18)."""
    if tag[:4] == b"para":
        return _parametric(tag)
    if tag[:4] != b"curv":
        raise ValueError("broken colour profile: unknown tone curve")
    count = struct.unpack_from(">I", tag, 8)[0]
    if count == 0:
        return _CODES.astype(np.float32)
    if count == 1:
        return np.asarray(_CODES ** (struct.unpack_from(">H", tag, 12)[0] / 256), dtype=np.float32)
    table = np.array(struct.unpack_from(f">{count}H", tag, 12)) / 65535
    return np.asarray(np.interp(_CODES, np.linspace(0, 1, count), table), dtype=np.float32)


def _parametric(tag: bytes) -> F32:
    kind = struct.unpack_from(">H", tag, 8)[0]
    if kind > 4:
        raise ValueError("broken colour profile: unknown parametric curve")
    values = [v / 65536 for v in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)]
    g, a, b, c, d, e, f = (values + [0.0] * 7)[:7] if kind else (values[0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if kind in {1, 2}:  # Y = (aX + b)^g + c for X >= -b/a, else c
        d, e, f, c = (-b / a if a else 0.0), c, c, 0.0
    upper = np.maximum(a * _CODES + b, 0) ** g + e
    curve = np.clip(np.where(d <= _CODES, upper, c * _CODES + f), 0, 1)
    return np.asarray(curve, dtype=np.float32)
