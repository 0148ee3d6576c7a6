"""instagrapi's client, made to send every request once. The one door to instagrapi; imported only by its back end.

instagrapi is made for scripts: it asks for codes on the terminal, sends a request again after a timeout or a short answer, tries to
publish ten times, re-compresses every picture, and has no time limit. libcurl sends a request again when a kept connection
turns out to be closed. Here none of that happens: a connection serves one request, and an answer that does not come is an error.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import instagrapi
import requests
from curl_cffi import CurlOpt
from instagrapi import config, exceptions
from instagrapi.transports import create_curl_h2_adapter
from requests.adapters import HTTPAdapter

_CONNECT_S = 20.0


class PersonWanted(exceptions.ChallengeRequired):  # type: ignore[misc]
    """Instagram asks something that only a person can answer."""


def _ask_a_person(*_: Any, **__: Any) -> NoReturn:
    raise PersonWanted("Instagram asks for a code or a new password.")


class _OneShot(HTTPAdapter):  # type: ignore[misc]
    """curl's transport with a time limit, and a new connection for every request."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(max_retries=0)
        self._timeout = (min(_CONNECT_S, timeout_s), timeout_s)
        self._inner = create_curl_h2_adapter()
        self._inner.client.curl_options |= {CurlOpt.FRESH_CONNECT: 1, CurlOpt.FORBID_REUSE: 1}

    def send(self, request: Any, timeout: Any = None, **more: Any) -> Any:
        """Send it, once."""
        return self._inner.send(request, timeout=timeout or self._timeout, **more)

    def close(self) -> None:
        """Let go."""
        self._inner.close()


class PrivateClient(instagrapi.Client):  # type: ignore[misc]
    """The client. settings: of an earlier session, or {} for a new device."""

    def __init__(
        self, settings: Mapping[str, Any], *, proxy: str, ca_file: str, pause_s: float, timeout_s: float
    ) -> None:
        for name in ("instagrapi", "private_request", "public_request"):  # they quote whole answers
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        super().__init__(private_transport="curl", session_retry_total=0)
        if settings:
            self.set_settings(dict(settings))
        self.set_retry_config(
            request_timeout=pause_s,
            public_request_retries_count=0,
            session_retry_total=0,
            session_retry_statuses=[],
            private_transport="curl",
        )
        self.set_tls_verify(ca_file or True)
        self.set_proxy(proxy or None)
        one_shot, limited = _OneShot(timeout_s), _Limited(timeout_s)
        for session in (self.private, self.public, self.graphql):
            session.trust_env = (
                False  # one way out, which the settings name; the environment's certificates would win
            )
            for scheme in ("https://", "http://"):
                session.mount(scheme, one_shot if session is self.private else limited)
        self.handle_exception = None
        self.with_challenge_flow = False
        self.challenge_code_handler = _ask_a_person
        self.change_password_handler = _ask_a_person

    def private_request(  # noqa: PLR0917 - instagrapi's signature
        self,
        endpoint: str,
        data: Any = None,
        params: Any = None,
        login: bool = False,  # noqa: FBT001, FBT002
        with_signature: bool = True,  # noqa: FBT001, FBT002
        headers: Any = None,
        extra_sig: Any = None,
        domain: Any = None,
    ) -> Any:
        """As instagrapi's, without its second try after a timeout, a short answer or a challenge."""
        headers = dict(headers or {})
        if self.authorization and "authorization" not in {key.lower() for key in headers}:
            headers["Authorization"] = self.authorization
        self.private_requests_count += 1
        self._send_private_request(
            endpoint, data=data, params=params, login=login, with_signature=with_signature,
            headers=headers or None, extra_sig=extra_sig, domain=domain,
        )  # fmt: skip
        return self.last_json

    def upload_as_it_is(self, path: Path, upload_id: str, *, in_album: bool) -> tuple[int, int]:
        """Upload the file's own bytes; width and height. Nothing is public by that. Raises as `private_request`."""
        data = path.read_bytes()
        parameters = {
            "retry_context": '{"num_step_auto_retry":0,"num_reupload":0,"num_step_manual_retry":0}',
            "media_type": "1",
            "xsharing_user_ids": "[]",
            "upload_id": upload_id,
            "image_compression": json.dumps({"lib_name": "moz", "lib_version": "3.1.m", "quality": "95"}),
        } | ({"is_sidecar": "1"} if in_album else {})
        name = f"{upload_id}_0_{int(upload_id) % 9_000_000_000 + 1_000_000_000}"
        headers = {
            "Accept-Encoding": "gzip",
            "X-Instagram-Rupload-Params": json.dumps(parameters),
            "X_FB_PHOTO_WATERFALL_ID": upload_id,
            "X-Entity-Type": "image/jpeg",
            "Offset": "0",
            "X-Entity-Name": name,
            "X-Entity-Length": str(len(data)),
            "Content-Type": "application/octet-stream",
            "Content-Length": str(len(data)),
        }
        time.sleep(self.request_timeout)
        address = f"https://{config.API_DOMAIN}/rupload_igphoto/{name}"
        self.last_json: dict[str, Any] = {}
        try:
            response = self.private.post(address, data=data, headers=self.private_headers(headers))
        except requests.ConnectionError as error:
            raise exceptions.ClientConnectionError(type(error).__name__) from error
        if response.status_code != 200:
            raise _upload_error(response)
        return _size(data)


class _Limited(HTTPAdapter):  # type: ignore[misc]
    """A time limit for what asks for the key that passwords are encrypted with; no second tries."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(max_retries=0)
        self._timeout = (min(_CONNECT_S, timeout_s), timeout_s)

    def send(self, request: Any, timeout: Any = None, **more: Any) -> Any:
        """Send it, once."""
        return super().send(request, timeout=timeout or self._timeout, **more)


_MESSAGES: dict[str, Any] = {
    "login_required": exceptions.LoginRequired,
    "challenge_required": exceptions.ChallengeRequired,
    "feedback_required": exceptions.FeedbackRequired,
}
_TYPES: dict[str, Any] = {
    "rate_limit_error": exceptions.RateLimitError,
    "sentry_block": exceptions.SentryBlock,
    "bad_password": exceptions.BadPassword,
    "two_factor_required": exceptions.TwoFactorRequired,
    "needs_upgrade": exceptions.ClientNeedsUpgradeError,
}


def _upload_error(response: Any) -> Any:
    """What an upload's answer means, by the same words as other answers', which instagrapi does not read here."""
    try:
        found = dict(response.json())
    except (ValueError, TypeError):
        found = {}
    message = str(found.get("message") or "")
    kind = _MESSAGES.get(message) or _TYPES.get(str(found.get("error_type")))
    if kind is None and found.get("two_factor_info"):
        kind = exceptions.TwoFactorRequired
    if kind is None and "wait a few minutes" in message:
        kind = exceptions.PleaseWaitFewMinutes
    if kind is not None:
        return kind(message=message or "-", feedback_message=found.get("feedback_message"))
    if response.status_code == 429:
        return exceptions.ClientThrottledError("429", response=response)
    if response.status_code in {400, 413, 415}:
        return exceptions.MediaError(message=message or "the picture was not taken", response=response)
    return exceptions.PhotoNotUpload(f"answer {response.status_code}", response=response)


def _size(data: bytes) -> tuple[int, int]:
    import io  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
    return width, height
