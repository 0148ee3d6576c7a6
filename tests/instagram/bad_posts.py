"""Posts that must not go out, one of each kind, as arguments of `Shop.post`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageCms

from tests.instagram.shop import picture


def bad_posts() -> Iterator[tuple[str, dict[str, Any]]]:
    image = Image.open(io.BytesIO(picture(0)))
    yield "narrow", {"data": picture(1, (1000, 1000))}
    yield "wide", {"data": picture(1, (1440, 1440))}
    yield "tall", {"data": picture(1, (1080, 1500))}
    yield "flat", {"data": picture(1, (1080, 400))}
    yield "grey", {"data": picture(1, mode="L")}
    yield "cmyk", {"data": picture(1, mode="CMYK")}
    yield "profile", {"data": _saved(image, icc_profile=_wide_profile())}
    yield "turned", {"data": _saved(image, exif=_turned())}
    yield "heavy", {"data": picture(1) + bytes(8_000_000)}
    yield "cut", {"data": picture(1)[:-20_000]}
    yield "png", {"data": _saved(image, "PNG")}
    yield "text", {"data": b"dear madam"}
    yield "changed", {"sha256": ["0" * 64]}
    yield "never", {"sha256": []}
    yield "long", {"caption": "a" * 2201}
    yield "longtags", {"caption": "a" * 2195, "hashtags": ["#ring"]}
    yield "empty", {"caption": "  "}
    yield "tags", {"hashtags": [f"#t{number}" for number in range(6)]}
    yield "hidden", {"caption": "#a #b #c #d #e", "hashtags": ["#f"]}
    yield "comment", {"first_comment": [f"#t{number}" for number in range(6)], "hashtags": []}
    yield "mentions", {"caption": " ".join(f"@u{number}" for number in range(21))}
    yield "badtag", {"hashtags": ["#two words"]}
    yield "control", {"caption": "a\x00b"}
    yield "alt", {"alt_text": "a" * 1001}
    yield "story-square", {"kind": "story", "caption": "", "hashtags": []}
    tall = {"kind": "story", "data": picture(1, (1080, 1920)), "caption": "", "hashtags": []}
    yield "story-words", tall | {"caption": "Words that nobody sees"}
    yield "story-tags", tall | {"hashtags": ["#ring"]}
    yield "story-comment", tall | {"first_comment": ["#ring"]}
    yield "story-short", tall | {"data": picture(1, (1080, 1350))}
    yield "story-in-feed", {"data": picture(1, (1080, 1920))}
    yield "missing", {"more": ["not-there.jpg"], "sha256": ["0" * 64, "0" * 64]}


def _saved(image: Image.Image, kind: str = "JPEG", **more: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, quality=95, **more)
    return stream.getvalue()


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def _wide_profile() -> bytes:
    """sRGB's profile with other primaries: the red colourant's X, Y, Z made those of Display P3."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132])
    for at in range(count):
        entry = 132 + 12 * at
        if profile[entry : entry + 4] == b"rXYZ":
            offset = int.from_bytes(profile[entry + 4 : entry + 8]) + 8
            for part, value in enumerate((0.5151, 0.2412, -0.0011)):
                raw = round(value * 65536).to_bytes(4, "big", signed=True)
                profile[offset + 4 * part : offset + 4 * part + 4] = raw
    return bytes(profile)
