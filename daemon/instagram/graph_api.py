"""Instagram's official content-publishing interface (business and creator accounts). Owns its requests and its error codes.

It takes no files: it fetches pictures from a public address, which the shop provides (`public_url`). What that address serves is
compared with the file, byte for byte, before anything is asked for. A request is sent once; redirects are not followed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any

from daemon import durable
from daemon.instagram.publisher import (
    Frozen,
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

_SLACK_S = 300.0
_LISTED = 50
_READY_S, _POLL_S = 300.0, 5.0  # a picture is ready within seconds, most often
_MOST_BYTES = 16_000_000
_SUBCODES: Mapping[int, type[Outcome]] = {
    2207042: Throttled,  # the account's posts of this day are used up
    2207051: Frozen,  # taken for spam
    2207050: NeedsPerson,  # the account is restricted
    2207027: NotSent,  # the picture is not ready yet
}
_CODES: Mapping[int, type[Outcome]] = {
    4: Throttled, 17: Throttled, 32: Throttled, 613: Throttled, 80002: Throttled,
    9: Throttled,
    3: NeedsPerson, 10: NeedsPerson, 102: NeedsPerson, 190: NeedsPerson, 200: NeedsPerson, 25: NeedsPerson,
    368: Frozen,
    9004: Refused, 36000: Refused, 36001: Refused, 36003: Refused, 36004: Refused, 100: Refused,
    9007: NotSent,
}  # fmt: skip


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - the library's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """A redirect is an error: the request has been sent once already."""


class GraphPublisher:
    """account_id, public_url and the token are needed."""

    name = "graph"

    def __init__(self, settings: InstagramSettings, secrets: Secrets) -> None:
        secrets.need("token")
        for key in ("account_id", "public_url"):
            if not getattr(settings, key):
                raise Misconfigured(
                    f"[instagram] {key} is needed for the official interface.", "See vitrine.toml."
                )
        self._settings = settings
        self._secrets = secrets
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        handlers = [_NoRedirect(), urllib.request.HTTPSHandler(context=context)]
        if settings.proxy:
            handlers.append(urllib.request.ProxyHandler({"http": settings.proxy, "https": settings.proxy}))
        self._opener = urllib.request.build_opener(*handlers)
        self.poll_s = _POLL_S

    def publish(self, post: Outgoing, mark: Mark) -> Receipt:
        """Containers, their readiness, the day's limit; then one request that publishes."""
        self._limit()
        addresses = [self._address(path) for path in post.pictures]
        words = {"caption": post.text}
        if post.kind == "story":  # takes neither caption nor description
            container = self._container({"media_type": "STORIES", "image_url": addresses[0]})
        elif len(addresses) == 1:
            container = self._container({"image_url": addresses[0], "alt_text": post.alt_text} | words)
        else:
            children = [
                self._container({"image_url": one, "alt_text": post.alt_text, "is_carousel_item": "true"})
                for one in addresses
            ]
            for child in children:
                self._ready(child)
            container = self._container({"media_type": "CAROUSEL", "children": ",".join(children)} | words)
        self._ready(container)
        mark(container)
        answer = self._ask(
            f"{self._settings.account_id}/media_publish", {"creation_id": container}, published=True
        )
        if not answer.get("id"):
            raise Unknown("no answer that says whether it went out")
        return Receipt(str(answer["id"]))

    def find(self, post: Outgoing) -> Receipt | None:
        """The container says whether it was published; the account's newest say as what.

        Raises Unknown when Instagram has forgotten the container, and more was posted since than it lists.
        """
        state = self._state(post.handle) if post.handle else ""
        if post.kind == "story" and state != "PUBLISHED":
            return None
        fields = {"fields": "id,caption,timestamp,permalink", "limit": str(_LISTED)}
        edge = "stories" if post.kind == "story" else "media"
        items = self._ask(f"{self._settings.account_id}/{edge}", query=fields).get("data", [])
        recent = [item for item in items if _posted_at(item) >= post.since - _SLACK_S]
        for item in recent:
            same = post.kind == "story" or _plain(item.get("caption", "")) == _plain(post.text)
            if same and str(item["id"]) not in post.known:
                return Receipt(str(item["id"]), str(item.get("permalink", "")))
        if state == "PUBLISHED":
            return Receipt(post.handle)
        if not state and len(recent) >= _LISTED:
            raise Unknown("more has been posted since its first try than Instagram lists")
        return None

    def _state(self, container: str) -> str:
        """Of a container; "" if Instagram does not know it any more."""
        try:
            return str(self._ask(container, query={"fields": "status_code"}).get("status_code", ""))
        except Refused:
            return ""

    def comment(self, receipt: Receipt, text: str) -> None:
        """The first comment."""
        self._ask(f"{receipt.media}/comments", {"message": text}, published=True)

    def commented(self, receipt: Receipt, text: str) -> bool:
        """Among the comments below it."""
        answer = self._ask(f"{receipt.media}/comments", query={"fields": "text", "limit": "50"})
        return any(_plain(str(one.get("text", ""))) == _plain(text) for one in answer.get("data", []))

    def log_in_again(self) -> None:
        """There is no session, only a token."""
        raise NeedsPerson(
            "the token is not accepted any more. Make a new one, then say `vitrine publish --resume`"
        )

    def _container(self, words: dict[str, str]) -> str:
        answer = self._ask(
            f"{self._settings.account_id}/media", {key: value for key, value in words.items() if value}
        )
        if not answer.get("id"):
            raise NotSent("Instagram gave no container for the picture")
        return str(answer["id"])

    def _ready(self, container: str) -> None:
        """Publishing too early is an error (9007)."""
        end = time.monotonic() + _READY_S
        while time.monotonic() < end:
            answer = self._ask(container, query={"fields": "status_code,status"})
            state = answer.get("status_code")
            if state == "FINISHED":
                return
            if state in {"ERROR", "EXPIRED"}:
                raise Refused(
                    f"Instagram could not take the picture ({str(answer.get('status', state))[:200]})"
                )
            time.sleep(self.poll_s)
        raise NotSent("Instagram has not prepared the picture within five minutes")

    def _limit(self) -> None:
        """How many posts a day are allowed is asked, never assumed."""
        query = {"fields": "quota_usage,config"}
        answer = self._ask(f"{self._settings.account_id}/content_publishing_limit", query=query)
        for one in answer.get("data", []):
            total = one.get("config", {}).get("quota_total")
            if total is not None and one.get("quota_usage", 0) >= total:
                raise Throttled(f"Instagram's limit of {total} posts a day is used up")

    def _address(self, path: Path) -> str:
        """Where Instagram fetches the picture; what is served there must be the file."""
        address = f"{self._settings.public_url.rstrip('/')}/{urllib.parse.quote(path.name)}"
        try:
            with self._opener.open(address, timeout=self._settings.timeout_s) as answer:
                served = answer.read(_MOST_BYTES)
        except (OSError, HTTPException) as error:
            raise NotSent(f"{address} cannot be fetched ({error}); Instagram could not either") from None
        if hashlib.sha256(served).hexdigest() != durable.digest_of(path):
            raise NotSent(f"{address} serves other bytes than {path.name} has", 3600.0)
        return address

    def _ask(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        published: bool = False,
    ) -> dict[str, Any]:
        """One request. published: it may have made something public. The token goes in a header, never in an address."""
        address = f"{self._settings.graph_url.rstrip('/')}/{path}"
        address += f"?{urllib.parse.urlencode(query)}" if query else ""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        headers = {"Authorization": f"Bearer {self._secrets.token}"}
        request = urllib.request.Request(address, data, headers)  # noqa: S310 - settings allow http(s) only
        try:
            with self._opener.open(request, timeout=self._settings.timeout_s) as answer:
                found = json.loads(answer.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            raise self._outcome(error, published=published) from None
        except (OSError, HTTPException, ValueError) as error:
            text = f"no answer from Instagram ({type(error).__name__})"
            raise (Unknown(text) if published else NotSent(text)) from None
        return found if isinstance(found, dict) else {}

    def _outcome(self, error: urllib.error.HTTPError, *, published: bool) -> Outcome:
        try:
            told = json.loads(error.read(_MOST_BYTES))["error"]
            code, subcode = int(told.get("code", 0)), int(told.get("error_subcode", 0))
            says = str(told.get("error_user_msg") or told.get("message", ""))[:300]
        except (ValueError, KeyError, TypeError, OSError, HTTPException):
            code, subcode, says = 0, 0, ""
        text = self._secrets.scrubbed(f"Instagram says: {says or error.reason} (code {code or error.code})")
        kind = _SUBCODES.get(subcode) or _CODES.get(code) or (Throttled if error.code == 429 else None)
        if error.code >= 500 or kind is None:
            return Unknown(text) if published else NotSent(text)
        if kind is NeedsPerson:
            text += ". Look at the account and its token, then say `vitrine publish --resume`"
        return kind(text)


def _posted_at(item: dict[str, Any]) -> float:
    """Unix time of an entry of the account's list."""
    return dt.datetime.fromisoformat(str(item.get("timestamp", "1970-01-01T00:00:00+00:00"))).timestamp()


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
