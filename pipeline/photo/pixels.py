"""From a loaded picture to arrays. Owns modes (palette, grey, CMYK, 16-bit, alpha) and orientation; refuses files' fate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pipeline.photo import matrix_profile, profile
from pipeline.values import U8, Note

_BAND_ROWS = 256
Pixels = tuple[NDArray[Any], U8 | None, str, tuple[Note, ...]]

# EXIF orientation (CIPA DC-008, tag 0x0112): what to do so that row 0 is the visual top.
_UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda a: cv2.flip(a, 1),
    3: lambda a: cv2.rotate(a, cv2.ROTATE_180),
    4: lambda a: cv2.flip(a, 0),
    5: cv2.transpose,
    6: lambda a: cv2.rotate(a, cv2.ROTATE_90_CLOCKWISE),
    7: lambda a: cv2.rotate(cv2.transpose(a), cv2.ROTATE_180),
    8: lambda a: cv2.rotate(a, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn (H, W[, 3]) pixels by an EXIF orientation 1..8; other values leave them alone."""
    turn = _UPRIGHT.get(orientation)
    return pixels if turn is None else turn(pixels)


def from_image(image: Image.Image, icc: bytes | None, *, adobe_rgb: bool = False) -> Pixels:
    """8-bit: (sRGB (H, W, 3) uint8, varying alpha or None, profile's name, notes) of a loaded picture.

    adobe_rgb: no profile, but the camera says Adobe RGB.
    """
    image, alpha = _split_alpha(image)
    image, used, notes = profile.to_srgb(image, icc)
    srgb = _array(image)
    if adobe_rgb and icc is None:
        wide = matrix_profile.adobe_rgb().to_srgb(srgb.astype(np.uint16) * np.uint16(257))
        srgb, used = (wide // np.uint16(257)).astype(np.uint8), "Adobe RGB (EXIF)"
    return srgb, alpha, used, notes


def from_deep(codes: NDArray[Any], icc: bytes | None) -> Pixels | None:
    """16-bit: as `from_image`, from (H, W), (H, W, 3) BGR or (H, W, 4) BGRA codes; None when only 8 bits can do it."""
    alpha = (
        _varying((codes[..., 3] >> 8).astype(np.uint8)) if codes.ndim == 3 and codes.shape[2] == 4 else None
    )
    plane = codes if codes.ndim == 2 else np.ascontiguousarray(codes[..., 2::-1])
    if icc is None:
        srgb = plane if plane.ndim == 3 else cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB)
        return srgb, alpha, "none (sRGB)", ()
    try:
        if profile.is_srgb(icc):
            srgb = plane if plane.ndim == 3 else cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB)
            return srgb, alpha, profile.describe(icc), ()
        converter = matrix_profile.parse(icc)
        name = profile.describe(icc)
    except (ValueError, OSError, ImageCms.PyCMSError):
        return None
    if converter is None or (converter.matrix is None) != (plane.ndim == 2):
        return None
    return converter.to_srgb(plane), alpha, name, ()


def _split_alpha(image: Image.Image) -> tuple[Image.Image, U8 | None]:
    """A picture of mode L, RGB, CMYK or LAB, and its transparency if that varies."""
    if image.mode in {"1", "YCbCr", "HSV", "RGBX"}:
        return image.convert("L" if image.mode == "1" else "RGB"), None
    if image.mode in {"P", "PA", "RGBa", "La"} or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode.startswith("I;16"):
        eight = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(eight), None
    if image.mode in {"RGBA", "LA"}:
        alpha = _varying(np.asarray(image.getchannel("A")))
        return image.convert(image.mode[:-1]), alpha
    if image.mode not in {"L", "RGB", "CMYK", "LAB"}:
        raise NotImplementedError(f"pixels of kind {image.mode}")
    return image, None


def _varying(alpha: U8) -> U8 | None:
    """The alpha plane, or None when it says nothing (all the same)."""
    return None if alpha.min() == alpha.max() else np.ascontiguousarray(alpha)


def _array(image: Image.Image) -> U8:
    """(H, W, 3) uint8, copied in bands: a whole-picture export holds the pixels twice for a moment."""
    out = np.empty((image.height, image.width, 3), dtype=np.uint8)
    for top in range(0, image.height, _BAND_ROWS):
        band = image.crop((0, top, image.width, min(top + _BAND_ROWS, image.height)))
        pixels = np.asarray(band)
        out[top : top + _BAND_ROWS] = pixels if pixels.ndim == 3 else pixels[..., None]
    return out
