"""The line between supervisor and worker: one JSON object per line. Owns framing; refuses to know what is said."""

from __future__ import annotations

import json
import os
import select
from typing import Any

Message = dict[str, Any]


class Line:
    """Reads messages from one file descriptor, without blocking longer than asked."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._rest = b""
        self.closed = False

    def fileno(self) -> int:
        """For selectors."""
        return self._handle

    def read(self, timeout_s: float) -> list[Message]:
        """What has arrived, after waiting at most `timeout_s`. Afterwards `closed` says whether the other side left."""
        if self.closed or not select.select([self._handle], [], [], timeout_s)[0]:
            return []
        data = os.read(self._handle, 65536)
        self.closed = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [message for line in lines if (message := _parse(line)) is not None]


def say(handle: int, **message: Any) -> bool:
    """Send one message; False if nobody listens any more."""
    try:
        os.write(handle, json.dumps(message).encode() + b"\n")
    except (BrokenPipeError, BlockingIOError):
        return False
    return True


def _parse(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None
