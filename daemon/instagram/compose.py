"""The `.json` of a new post, from a plan and its render. Owns what goes into it; the folder is `daemon.deliver`'s matter."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Sequence
from pathlib import Path

from daemon import names
from daemon.instagram.captions import Captioner, Record, Said, Voice, voice_for
from daemon.instagram.hashtags import hashtags
from daemon.instagram.post import Event, Post
from daemon.instagram.preflight import MOST_CAPTION
from daemon.instagram.queue import Queue
from daemon.studio import Studio
from pipeline.errors import Misconfigured
from rules.plan import Plan

log = logging.getLogger("vitrine.captions")


def compose(
    studio: Studio, plan: Plan, variant: int, *, stem: str, job: str, source: str, picture: str, sha256: str,
    colours: Sequence[str], image: bytes, now: dt.datetime,
) -> Post:  # fmt: skip
    """The post of one render, `image` as JPEG. Made again after a crash it is the same, byte for byte: so it holds no time."""
    known, recipe, posting = plan.post, plan.recipes[variant], plan.posting
    record = Record(
        title=known.title if known.title.casefold() != plan.jewelry_type else "",
        type=plan.jewelry_type,
        metal=known.metal,
        stones=known.stones,
        price=known.price_line,
        sku=known.sku,
        link=known.link,
        material=recipe.surface.material,
        palette=recipe.surface.palette,
        light=recipe.rig.name,
        colours=tuple(colours),
        seed=job,
    )
    voices = _voices(posting.languages, studio)
    captioners: Sequence[Captioner] = voices
    if posting.caption_model and recipe.format != "story" and not known.own_caption:
        captioners = _models(studio.root / posting.caption_model, voices, image)
    words = _words(record, captioners, studio)
    tags = list(known.hashtags) if known.own_hashtags else []
    tags = tags or hashtags(record, posting.hashtags, posting.max_hashtags, now.month)
    tags = tags[: posting.max_hashtags]
    below = posting.hashtags_in == "comment"
    made = Post(
        state="approved" if posting.approval == "auto" else "held",
        picture=picture,
        sha256=[sha256],
        title=known.title or names.readable(stem),
        caption=known.own_caption or words.caption,
        alt_text=known.alt_text or words.alt_text,
        hashtags=[] if below else tags,
        first_comment=tags if below else [],
        sku=known.sku,
        link=known.link,
        source=source,
        template=recipe.template,
        type=plan.jewelry_type,
        job=job,
        variant=plan.variant_of(variant),
        of=sum(1 for one in plan.recipes if one.format == recipe.format),
        carousel=posting.carousel,
        voice=words.voice,
        history=[Event(at="", what=words.note)] if words.note else [],
    )
    return _story(made) if recipe.format == "story" else made


def _story(post: Post) -> Post:
    """A story is its picture: Instagram shows no words with it, and nobody can comment below it."""
    silent = {"caption": "", "hashtags": [], "first_comment": [], "voice": "", "carousel": False}
    return post.model_copy(update={"kind": "story", **silent})


def _voices(languages: Sequence[str], studio: Studio) -> list[Voice]:
    """The shop's voices. A mistake in one is no reason to lose a picture: Vitrine's own speaks instead, and it is told."""
    found = []
    for language in languages:
        try:
            found.append(voice_for(language, studio.voice))
        except Misconfigured as error:
            log.warning("%s %s Until then Vitrine's own words are used.", error, error.advice)
            with contextlib.suppress(Misconfigured):
                found.append(voice_for(language, None))
    return found or [voice_for("en", None)]


def _models(folder: Path, voices: Sequence[Voice], image: bytes) -> list[Captioner]:
    from daemon.instagram.language_model import ModelCaptioner  # noqa: PLC0415 - for those who have one

    return [ModelCaptioner(folder, voice, image) for voice in voices]


def _words(record: Record, captioners: Sequence[Captioner], studio: Studio) -> Said:
    """Caption in all languages, alternative text in the first; unlike all that waits and the last that went out."""
    queue = Queue(studio)
    waiting, posted = queue.entries_in(studio.instagram, most=300), queue.entries_in(studio.posted, most=100)
    others = [entry.post for entry in (*posted, *waiting) if entry.post.caption]
    before = {line for post in others for line in post.caption.split("\n\n")}
    last = others[-1] if others else None
    lasts = last.voice.split(" ") if last else []
    said = [
        one.write(record, before, lasts[at] if at < len(lasts) else "") for at, one in enumerate(captioners)
    ]
    caption = "\n\n".join(one.caption for one in said)
    if len(caption) > MOST_CAPTION - 300:  # room for hashtags
        caption = said[0].caption[: MOST_CAPTION - 300]
    notes = "; ".join(one.note for one in said if one.note)
    return Said(caption, said[0].alt_text, " ".join(one.voice for one in said), notes)
