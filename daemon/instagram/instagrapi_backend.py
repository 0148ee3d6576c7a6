"""Instagram's unofficial interface, through instagrapi. Owns session, order of requests, and what each error means.

Instagram does not like it: an account may be asked for a code, slowed down or closed. The official interface is in `graph_api`.
Nothing is sent twice, nobody is asked on a terminal, and the device stays the same for ever.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import durable
from daemon.instagram.post_ledger import upload_id
from daemon.instagram.publisher import (
    Frozen,
    LoggedOut,
    Mark,
    NeedsPerson,
    NotSent,
    Outcome,
    Outgoing,
    Receipt,
    Refused,
    Throttled,
    Unknown,
)
from daemon.instagram.secrets import Secrets
from daemon.instagram.settings import InstagramSettings
from pipeline.errors import Misconfigured

if TYPE_CHECKING:
    from daemon.instagram.private_client import PrivateClient

_SLACK_S = 300.0  # between this machine's clock and Instagram's
_PAGES = 10  # of 33 posts; a post that has stood back for longer is a person's to look for
# Class names of instagrapi's errors, the most special first; each error is looked up along its bases.
_MEANS: dict[str, type[Outcome]] = {
    "AccountSuspended": NeedsPerson, "ChallengeError": NeedsPerson, "TwoFactorRequired": NeedsPerson,
    "BadPassword": NeedsPerson, "BadCredentials": NeedsPerson, "ProxyAddressIsBlocked": NeedsPerson,
    "ReloginAttemptExceeded": NeedsPerson, "ClientNeedsUpgradeError": NeedsPerson, "CaptchaChallengeRequired": NeedsPerson,
    "LoginRequired": LoggedOut, "ClientLoginRequired": LoggedOut, "ClientUnauthorizedError": LoggedOut,
    "FeedbackRequired": Frozen, "SentryBlock": Frozen,
    "PleaseWaitFewMinutes": Throttled, "RateLimitError": Throttled, "ClientThrottledError": Throttled,
    "ClientForbiddenError": NeedsPerson,
    "PhotoNotUpload": NotSent,
    "ClientBadRequestError": Refused, "UnknownError": Refused, "MediaError": Refused,
}  # fmt: skip
_SAYS: dict[type[Outcome], str] = {
    NeedsPerson: "Instagram wants a person to look at the account ({what}). Open Instagram on your telephone, do what it asks,"
    " then say `vitrine publish --resume`",
    LoggedOut: "Instagram has ended the session ({what})",
    Frozen: "Instagram objects to the account's activity ({what}); nothing is sent for a day",
    Throttled: "Instagram says: too many requests ({what})",
    Refused: "Instagram refuses this post ({what})",
    NotSent: "it could not be sent ({what})",
    Unknown: "no answer that says whether it went out ({what})",
}


class InstagrapiPublisher:
    """session: the file that the device and its session are kept in, for this user's eyes only."""

    name = "instagrapi"

    def __init__(self, settings: InstagramSettings, secrets: Secrets, session: Path) -> None:
        secrets.need("username", "password")
        self._settings = settings
        self._secrets = secrets
        self._session = session
        self._made: PrivateClient | None = None

    def publish(self, post: Outgoing, mark: Mark) -> Receipt:
        """Upload the pictures, then make a post of them by one request."""
        with self._meaning(published=False):
            client = self._client()
            album = len(post.pictures) > 1
            ids = [upload_id(post.id, at) for at in range(len(post.pictures))] if album else [post.upload_id]
            sizes = [
                client.upload_as_it_is(path, one, in_album=album)
                for path, one in zip(post.pictures, ids, strict=True)
            ]
        mark("")
        with self._meaning(published=True):
            extra = {"custom_accessibility_caption": post.alt_text} if post.alt_text else {}
            if post.kind == "story":
                answer = client.photo_configure_to_story(ids[0], *sizes[0], "", extra_data=extra)
            elif album:
                children = [_child(one, *size, extra) for one, size in zip(ids, sizes, strict=True)]
                same = {"upload_id": post.upload_id, "client_sidecar_id": post.upload_id}
                answer = client.album_configure(children, post.text, extra_data=same)
            else:
                answer = client.photo_configure(ids[0], *sizes[0], post.text, extra_data=extra)
            if not (receipt := _receipt((answer or {}).get("media"))):
                raise Unknown(_SAYS[Unknown].format(what="its answer names no post"))
        self._keep()
        return receipt

    def find(self, post: Outgoing) -> Receipt | None:
        """Look through what the account posted since the first try, for this upload or these words.

        Raises Unknown when that is more than can be looked through.
        """
        if post.kind == "story":
            return self._find_story(post)
        with self._meaning(published=False):
            client, since, cursor = self._client(), post.since - _SLACK_S, ""
            for _ in range(_PAGES):
                answer = client.private_request(
                    f"feed/user/{client.user_id}/",
                    params={
                        "max_id": cursor,
                        "count": 33,
                        "rank_token": client.rank_token,
                        "ranked_content": "true",
                    },
                )
                items = answer["items"]
                for item in items:
                    if _is(item, post, since):
                        return _receipt(item)
                recent = [item for item in items if float(item.get("taken_at", 0)) >= since]
                cursor = answer.get("next_max_id") or ""
                if not cursor or not recent:
                    return None
            raise Unknown("more has been posted since its first try than can be looked through")

    def _find_story(self, post: Outgoing) -> Receipt | None:
        """By its upload alone, since a story has no words; one that is nobody's may be it. Raises Unknown."""
        with self._meaning(published=False):
            client = self._client()
            answer = client.private_request(f"feed/user/{client.user_id}/story/")
            items = list((answer.get("reel") or {}).get("items", []))
            strange = False
            for item in items:
                if _is_upload(item, post):
                    return _receipt(item)
                recent = float(item.get("taken_at", 0)) >= post.since - _SLACK_S
                strange |= recent and str(item.get("id") or item.get("pk")) not in post.known
            if strange:
                raise Unknown("a story is there that Vitrine does not know; it may be this one")
        return None

    def comment(self, receipt: Receipt, text: str) -> None:
        """The first comment."""
        with self._meaning(published=True):
            self._client().media_comment(receipt.media, text)

    def commented(self, receipt: Receipt, text: str) -> bool:
        """Among our own comments below it."""
        with self._meaning(published=False):
            client = self._client()
            answer = client.private_request(
                f"media/{receipt.media}/comments/", params={"can_support_threading": "true"}
            )
            own = [one for one in answer.get("comments", []) if str(one["user"]["pk"]) == str(client.user_id)]
        return any(_plain(str(one.get("text", ""))) == _plain(text) for one in own)

    def log_in_again(self) -> None:
        """A new session on the same device."""
        with self._meaning(published=False):
            client = self._new_client()
            client.relogin_attempt = 0
            client.login(self._secrets.username, self._secrets.password, relogin=True)
            self._made = client
        self._keep()

    def log_in(self, code: str = "") -> None:
        """With a person at the keyboard, who may have a code. Raises NeedsPerson if Instagram wants one."""
        with self._meaning(published=False):
            client = self._new_client()
            client.login(self._secrets.username, self._secrets.password, verification_code=code)
            self._made = client
        self._keep()

    def _client(self) -> PrivateClient:
        if self._made is None:
            client = self._new_client()
            if not client.user_id:
                client.login(self._secrets.username, self._secrets.password)
            self._made = client
            self._keep()
        return self._made

    def _new_client(self) -> PrivateClient:
        try:
            from daemon.instagram.private_client import PrivateClient  # noqa: PLC0415
        except ImportError as error:
            raise Misconfigured(
                f"instagrapi is not installed ({error}).",
                "Install it with: pip install 'vitrine[instagram]'.",
            ) from error
        known: dict[str, Any] = {}
        with contextlib.suppress(FileNotFoundError):
            known = json.loads(self._session.read_bytes())
        client = PrivateClient(
            known,
            proxy=self._settings.proxy,
            ca_file=self._settings.ca_file,
            pause_s=self._settings.pause_s,
            timeout_s=self._settings.timeout_s,
        )
        client.username, client.password = self._secrets.username, self._secrets.password
        if not known:  # the device is chosen once, before anybody has seen it
            self._write(client)
        return client

    def _keep(self) -> None:
        if self._made is not None:
            self._write(self._made)

    def _write(self, client: PrivateClient) -> None:
        data = json.dumps(client.get_settings(), indent=2, sort_keys=True).encode()
        durable.write_secret(self._session, data)

    @contextlib.contextmanager
    def _meaning(self, *, published: bool) -> Iterator[None]:
        """Turn instagrapi's errors into outcomes. published: the request that publishes may have arrived."""
        try:
            yield
        except (Outcome, Misconfigured):
            raise
        except Exception as error:  # noqa: BLE001 - every one of them means something
            raise self._outcome(
                error, published=published
            ) from None  # instagrapi's errors quote whole answers

    def _outcome(self, error: Exception, *, published: bool) -> Outcome:
        kind = meaning(error, published=published)
        what = self._secrets.scrubbed(_brief(error))
        return kind(_SAYS[kind].format(what=what))


def meaning(error: Exception, *, published: bool) -> type[Outcome]:
    """Which outcome an error of instagrapi is. published: the request that publishes may have arrived."""
    status = getattr(getattr(error, "response", None), "status_code", 0) or 0
    for base in type(error).__mro__:
        if base.__name__ in _MEANS and not (published and status >= 500):
            return _MEANS[base.__name__]
    return Unknown if published else NotSent


def _brief(error: Exception) -> str:
    """The kind of error, and what Instagram says to the person, if anything; never a whole answer."""
    words = [type(error).__name__]
    for name in ("feedback_message", "instagram_message", "error_title"):
        text = getattr(error, name, None)
        if isinstance(text, str) and text:
            words.append(re.sub(r"\s+", " ", text)[:200])
    return ": ".join(words)


def _child(one: str, width: int, height: int, extra: dict[str, str]) -> dict[str, Any]:
    """A picture of a carousel."""
    edits = {"crop_original_size": [width, height], "crop_center": [0.0, -0.0], "crop_zoom": 1.0}
    return {
        "upload_id": one,
        "edits": json.dumps(edits),
        "extra": json.dumps({"source_width": width, "source_height": height}),
        "scene_capture_type": "",
        "scene_type": None,
    } | extra


def _is_upload(item: dict[str, Any], post: Outgoing) -> bool:
    return post.upload_id in {str(item.get("device_timestamp", "")), str(item.get("upload_id", ""))}


def _is(item: dict[str, Any], post: Outgoing, since: float) -> bool:
    if _is_upload(item, post):
        return True
    said = str((item.get("caption") or {}).get("text", ""))
    return float(item.get("taken_at", 0)) >= since and _plain(said) == _plain(post.text)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _receipt(media: Any) -> Receipt | None:
    if not isinstance(media, dict) or not (media.get("id") or media.get("pk")):
        return None
    code = media.get("code")
    return Receipt(
        str(media.get("id") or media["pk"]), f"https://www.instagram.com/p/{code}/" if code else ""
    )
