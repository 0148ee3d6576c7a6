"""Name and password, or a token. Owns where they come from (systemd's credentials, the environment) and that no log has them.

They are never in the studio folder, in the settings, in an argument of a command or in a message.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import Misconfigured

_FOLDER = "CREDENTIALS_DIRECTORY"  # systemd.exec(5), LoadCredential=
_NAMES = ("username", "password", "token")
ADVICE = (
    "As a service: put each into a file of its own in /etc/vitrine/credentials (see vitrine-publish.service)."
    " By hand: set INSTAGRAM_USERNAME and INSTAGRAM_PASSWORD, or INSTAGRAM_TOKEN, in the environment."
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is known; "" for what is not. Its repr shows nothing."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def need(self, *names: str) -> None:
        """Raises Misconfigured that says which of them is missing."""
        missing = [name for name in names if not getattr(self, name)]
        if missing:
            raise Misconfigured(f"Instagram's {' and '.join(missing)} is not known.", ADVICE)

    def scrubbed(self, text: str) -> str:
        """The text without password and token."""
        for secret in (self.password, self.token):
            if secret:
                text = text.replace(secret, "***")
        return text


def read_secrets(environment: Mapping[str, str] | None = None) -> Secrets:
    """Take systemd's credentials first, then the environment. Raises Misconfigured for a file that cannot be read."""
    variables = os.environ if environment is None else environment
    folder = variables.get(_FOLDER, "")
    found = {}
    for key in _NAMES:
        name = f"instagram_{key}"
        path = Path(folder, name) if folder else None
        if path is not None and path.exists():
            try:
                found[key] = path.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Misconfigured(f"The credential {name} cannot be read: {error}.", ADVICE) from None
        else:
            found[key] = variables.get(name.upper(), "").strip()
    return Secrets(**found)


class Scrub(logging.Filter):
    """Takes secrets out of whatever is logged, should a library quote one."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass."""
        message = record.getMessage()
        clean = self._secrets.scrubbed(message)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[1] is not None:
            text = logging.Formatter().formatException(record.exc_info)
            if self._secrets.scrubbed(text) != text:
                record.exc_info, record.exc_text = None, self._secrets.scrubbed(text)
        return True
