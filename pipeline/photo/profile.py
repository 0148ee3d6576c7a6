"""Colour profiles of 8-bit pictures. Owns the way from any embedded profile to sRGB; refuses 16-bit (`matrix_profile`).

Relative colorimetric with black point compensation through LittleCMS. A profile that cannot be used is noted, not fatal:
the picture is then taken as sRGB.
"""

from __future__ import annotations

import functools
import io

import numpy as np
from PIL import Image, ImageCms

from pipeline.values import U8, Note

MAX_PROFILE_BYTES = 16 * 2**20
_IGNORED = Note(
    "profile-ignored", "The photo's colour profile is broken or does not fit; its colours were read as sRGB."
)
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}


def to_srgb(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, str, tuple[Note, ...]]:
    """Convert an 8-bit picture of mode L, RGB, CMYK or LAB to RGB in sRGB.

    Returns the picture (mode RGB, or L when grey was already right), what profile was used, and notes.
    """
    if icc is not None:
        try:
            return _with_profile(image, icc)
        except (ImageCms.PyCMSError, ValueError, OSError):
            converted, profile, notes = to_srgb(image, None)
            return converted, profile, (_IGNORED, *notes)
    if image.mode == "LAB":
        return _transformed(image, _lab(), "LAB"), "Lab D50", ()
    if image.mode == "CMYK":
        text = "The photo is in printing colours (CMYK) without a profile; its colours are an estimate."
        return image.convert("RGB"), "none (CMYK)", (Note("cmyk-without-profile", text),)
    return image, "none (sRGB)", ()


def describe(icc: bytes) -> str:
    """The profile's own name; raises ImageCms.PyCMSError when it is broken."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.getProfileDescription(profile).strip() or "unnamed"


def is_srgb(icc: bytes) -> bool:
    """True when an RGB profile moves no colour of a test grid by more than one 8-bit code: names can lie."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    if profile.profile.xcolor_space.strip() != "RGB":
        return False
    before = _grid()
    after = np.asarray(_transformed(Image.fromarray(before), profile, "RGB"), dtype=np.int16)
    return int(np.abs(after - before).max()) <= 1


def _with_profile(image: Image.Image, icc: bytes) -> tuple[Image.Image, str, tuple[Note, ...]]:
    if len(icc) > MAX_PROFILE_BYTES:
        raise ValueError("colour profile too large")
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    wanted = _SPACES.get(f"{profile.profile.xcolor_space:<4}")
    if wanted == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if wanted != image.mode:
        raise ValueError(f"profile for {wanted} on a picture in {image.mode}")
    name = describe(icc)
    if wanted == "RGB" and is_srgb(icc):
        return image, name, ()
    return _transformed(image, profile, wanted), name, ()


def _transformed(image: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(profile, _srgb(), mode, "RGB", intent, _FLAGS)
    if mode == "RGB" and image.readonly == 0:
        transform.apply_in_place(image)
        return image
    return transform.apply(image)


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@functools.cache
def _lab() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))


def _grid() -> U8:
    axis = np.linspace(0, 255, 9).astype(np.uint8)
    return np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(27, 27, 3)
