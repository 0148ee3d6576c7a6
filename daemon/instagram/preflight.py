"""Whether a post is fit to be sent, before anything is sent. Owns Instagram's limits; changes nothing.

A story has other limits than a post of the feed: one picture of 9:16, and no words. Sizes: pictures are sent byte for byte, so that they must be as Instagram wants them; it would shrink or crop anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from daemon import durable
from daemon.instagram.post import Entry, Kind

if TYPE_CHECKING:
    from PIL import Image

WIDTH_PX = 1080
STORY_PX = (1080, 1920)
WIDTH_LEAST, HEIGHT_LEAST = 4 / 5, 1 / 1.91  # of width to height, of height to width
MOST_BYTES = 8_000_000
MOST_CAPTION, MOST_TAGS, MOST_MENTIONS, MOST_ALT = 2200, 30, 20, 1000
MOST_PICTURES = 10
_TAG = re.compile(r"(?<![\w&])#\w+")
_MENTION = re.compile(r"(?<![\w@/.])@\w[\w.]*")


def problems(entry: Entry, max_hashtags: int) -> list[str]:
    """All that is wrong with a post, in words for its owner; [] if it may go out."""
    return [*_words(entry, max_hashtags), *_pictures(entry)]


def wrong_words(text: str, first_comment: str, max_hashtags: int) -> list[str]:
    """What is wrong with caption and hashtags as they go out together."""
    found = []
    if len(text) > MOST_CAPTION:
        found.append(f"the caption has {len(text)} characters with its hashtags; {MOST_CAPTION} are allowed")
    if len(first_comment) > MOST_CAPTION:
        found.append(f"the first comment has {len(first_comment)} characters; {MOST_CAPTION} are allowed")
    tags = len(_TAG.findall(text)) + len(_TAG.findall(first_comment))
    most = min(max_hashtags, MOST_TAGS)
    if tags > most:
        found.append(f"there are {tags} hashtags; {most} are allowed (max_hashtags in the settings)")
    mentions = len(_MENTION.findall(text)) + len(_MENTION.findall(first_comment))
    if mentions > MOST_MENTIONS:
        found.append(f"there are {mentions} mentions; {MOST_MENTIONS} are allowed")
    return found


def _words(entry: Entry, max_hashtags: int) -> Iterator[str]:
    post = entry.post
    yield from wrong_words(post.text, " ".join(post.first_comment), max_hashtags)
    if post.kind == "feed" and not post.caption.strip():
        yield "the caption is empty"
    if post.kind == "story" and (post.text or post.first_comment):
        yield "a story shows no caption, no hashtags and no comment: empty them, or put words into the picture"
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in post.text + post.alt_text):
        yield "the caption has control characters"
    if len(post.alt_text) > MOST_ALT:
        yield f"the alternative text has {len(post.alt_text)} characters; {MOST_ALT} are allowed"
    for tag in (*post.hashtags, *post.first_comment):
        if not re.fullmatch(r"#\w+", tag):
            yield f'"{tag}" is not a hashtag'


def _pictures(entry: Entry) -> Iterator[str]:
    paths = entry.pictures
    most = 1 if entry.post.kind == "story" else MOST_PICTURES
    if len(paths) > most:
        yield f"there are {len(paths)} pictures; {most} {'is' if most == 1 else 'are'} allowed"
    if len(entry.post.sha256) != len(paths):
        yield "the pictures were never approved: `vitrine queue approve` does that"
    sizes: set[tuple[int, int]] = set()
    for path, sha in zip(paths, [*entry.post.sha256, *[""] * len(paths)], strict=False):
        if not path.is_file() or path.is_symlink():
            yield f"{path.name} is missing"
            continue
        if sha and durable.digest_of(path) != sha:
            yield f"{path.name} was changed after it was made or approved: `vitrine queue approve` accepts the new one"
        yield from _picture(path, entry.post.kind, sizes)
    if len(sizes) > 1:
        yield "the pictures of one post must all have the same size"


def _picture(path: Path, kind: Kind, sizes: set[tuple[int, int]]) -> Iterator[str]:
    from PIL import Image  # noqa: PLC0415 - not for those who only look at the queue

    if path.stat().st_size > MOST_BYTES:
        yield f"{path.name} has {path.stat().st_size / 1e6:.1f} MB; {MOST_BYTES / 1e6:g} MB are allowed"
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            image.load()
            sizes.add(image.size)
            yield from (f"{path.name} {what}" for what in (*_shape(image.size, kind), *_wrong(image)))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        yield f"{path.name} is not a sound JPEG"


def _shape(size: tuple[int, int], kind: Kind) -> Iterator[str]:
    width, height = size
    if kind == "story":
        if size != STORY_PX:
            yield f"is {width}x{height}; a story is {STORY_PX[0]}x{STORY_PX[1]}"
        return
    if width != WIDTH_PX:
        yield f"is {width} pixels wide; Instagram shows {WIDTH_PX}"
    if width / height < WIDTH_LEAST - 1e-3 or height / width < HEIGHT_LEAST - 1e-3:
        yield f"is {width}x{height}: too long a shape; from 4:5 to 1.91:1 is allowed"


def _wrong(image: Image.Image) -> Iterator[str]:
    if image.mode != "RGB":
        yield f"has the colour mode {image.mode}; RGB is wanted"
    if (orientation := image.getexif().get(0x0112, 1)) != 1:
        yield f"is stored turned (EXIF orientation {orientation})"
    profile = image.info.get("icc_profile")
    if profile and not _is_srgb(profile):
        yield "has a colour profile that is not sRGB"


def _is_srgb(profile: bytes) -> bool:
    import io  # noqa: PLC0415

    from PIL import ImageCms  # noqa: PLC0415

    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
        colours = (found.red_primary, found.green_primary, found.blue_primary)
        primaries = [colour[1][:2] if colour else (0.0, 0.0) for colour in colours]
    except (OSError, TypeError, ImageCms.PyCMSError):
        return False
    # D50-adapted, as profiles keep them (sRGB IEC61966-2.1), and the white-point-relative ones of some programs.
    wanted = ((0.6485, 0.3309), (0.3212, 0.5979), (0.1559, 0.0660))
    return all(
        abs(got[at] - want[at]) < 0.012 for got, want in zip(primaries, wanted, strict=True) for at in (0, 1)
    )
