"""Pictures as bytes. Owns formats, quality and the embedded profile; refuses disk. Same pixels, same bytes, on any day."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.values import F32, U8, U16

JPEG_QUALITY = 95


@functools.cache
def srgb_icc() -> bytes:
    """The sRGB profile that is embedded. Shipped as bytes: a generated one carries the date of its making."""
    return resources.files("pipeline.finish").joinpath("srgb.icc").read_bytes()


def encode_jpeg(srgb_u8: U8, quality: int = JPEG_QUALITY) -> bytes:
    """(H, W, 3) uint8 as baseline JPEG, 4:4:4 (coloured stones keep their edges), with the sRGB profile."""
    return _saved(srgb_u8, "JPEG", quality=quality, subsampling=0, optimize=True)


def encode_png(srgb_u8: U8) -> bytes:
    """(H, W, 3) or (H, W, 4) uint8 as PNG with the sRGB profile."""
    return _saved(srgb_u8, "PNG", compress_level=3)  # grain hardly compresses; level 6 takes twice as long


def encode_webp(srgb_u8: U8, quality: int = 92) -> bytes:
    """(H, W, 3) or (H, W, 4) uint8 as lossy WebP with the sRGB profile."""
    return _saved(srgb_u8, "WEBP", quality=quality, method=4)


def encode_rgba_png(srgb: U8 | U16, alpha: U8 | U16 | F32) -> bytes:
    """A cut-out as PNG with straight alpha, in the depth of `srgb` (8 or 16 bits), with the sRGB profile.

    srgb: (H, W, 3); alpha: (H, W), integers at their full range or float 0..1.
    """
    depth = np.iinfo(srgb.dtype)
    full = {"uint8": 255.0, "uint16": 65535.0}.get(alpha.dtype.name, 1.0)
    share = np.clip(alpha.astype(np.float64) / full, 0, 1)
    rgba = np.dstack([srgb, np.rint(share * depth.max).astype(srgb.dtype)])
    if srgb.dtype == np.uint8:
        return encode_png(rgba)
    done, data = cv2.imencode(".png", rgba[..., [2, 1, 0, 3]])  # Pillow writes no 16-bit RGBA
    if not done:
        raise ValueError(f"cannot encode {rgba.shape} as PNG")
    return _with_profile(data.tobytes())


def _saved(pixels: NDArray[Any], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, kind, icc_profile=srgb_icc(), **options)
    return buffer.getvalue()


def _with_profile(png: bytes) -> bytes:
    """Insert an iCCP chunk behind IHDR (PNG 3rd edition, 11.3.2.3)."""
    body = b"iCCPsRGB\x00\x00" + zlib.compress(srgb_icc(), 9)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    behind_header = 8 + 12 + 13
    return png[:behind_header] + chunk + png[behind_header:]
