"""How the shop wants its posts: who approves them, in which language, with how many hashtags. Owns that model."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.rig import Frozen

Approval = Literal["hold", "auto"]


def _hashtag(word: str) -> str:
    plain = word.strip().removeprefix("#")
    if not re.fullmatch(r"\w+", plain):
        raise ValueError(
            f'"{word}" is not a hashtag (accepted: letters, digits and _ without blanks, as "#goldring")'
        )
    return f"#{plain}"


Hashtag = Annotated[str, AfterValidator(_hashtag)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
TagPlace = Literal["caption", "comment"]


class Posting(Frozen):
    """`[instagram]`, as far as it decides what a post says and who lets it go.

    approval: "hold" waits for `vitrine queue approve`, "auto" does not; a rule may say otherwise for its folders.
    languages: the caption says the same in each of them. max_hashtags: Instagram's own cap is 5 since December 2025, and
    was 30. hashtags_in: behind the caption, or as the first comment. hashtags: the shop's own, before all others.
    carousel: the variants of one photo become one post with several pictures. caption_model: folder of a language model that
    writes the captions, below the studio or with its whole path; "" for the voice alone.
    """

    approval: Approval = "hold"
    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=3)] = ("en",)
    max_hashtags: Annotated[int, Field(ge=0, le=30)] = 5
    hashtags_in: TagPlace = "caption"
    hashtags: Annotated[tuple[Hashtag, ...], Field(max_length=30)] = ()
    carousel: bool = False
    caption_model: Annotated[str, Field(max_length=1000)] = ""
