"""`[instagram]` of `vitrine.toml`. Owns the model; there is no place in it for a password or a token."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rules.cadence import Cadence
from rules.posting import Posting

BackEnd = Literal["instagrapi", "graph", "export"]


def _web_address(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        raise ValueError(f'"{value}" is not a web address (accepted: one that begins with https://)')
    return value


Address = Annotated[str, AfterValidator(_web_address)]


class InstagramSettings(Posting):
    """How posts are sent.

    publish: false is a dry run, which says what it would send. back_end: "export" puts finished posts into a folder for
    somebody to post by hand; "graph" is Instagram's official interface, "instagrapi" its unofficial one.
    public_url: where the pictures of the queue can be fetched from by the official interface, which takes no files;
    account_id: of the business account, for the same. graph_url: of that interface. proxy: one steady way out, for
    instagrapi; ca_file: certificates to trust instead of the system's. pause_s: between two requests of one post.
    timeout_s: of one request. export_to: below the studio.
    """

    publish: bool = False
    back_end: BackEnd = "export"
    public_url: Address = ""
    account_id: Annotated[str, Field(pattern=r"^[0-9]*$")] = ""
    graph_url: Address = "https://graph.facebook.com/v24.0"
    proxy: str = ""
    ca_file: str = ""
    pause_s: Annotated[float, Field(ge=0, le=60)] = 2.0
    timeout_s: Annotated[float, Field(ge=0.1, le=600)] = 60.0
    export_to: Annotated[str, Field(min_length=1)] = "instagram-export"
    cadence: Cadence = Cadence()
