"""Where the daemon's words go: plain lines on stderr and a capped file in the studio. Owns the set-up of logging."""

from __future__ import annotations

import logging
import logging.handlers
import time
from pathlib import Path

_SAME_S = 60.0
_LIMIT = 20
_FILE_BYTES = 2_000_000


class NoStorm(logging.Filter):
    """Lets the same message pass `_LIMIT` times a minute; ten thousand bad files must not fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        now = time.monotonic()
        since, count = self._seen.get(str(record.msg), (now, 0))
        if now - since > _SAME_S:
            since, count = now, 0
        self._seen[str(record.msg)] = (since, count + 1)
        if count == _LIMIT:
            record.msg, record.args = (
                "more of the same follows and is left out for a minute: %s",
                (record.msg,),
            )
        return count <= _LIMIT


def set_up(folder: Path, *, screen: logging.Handler | None = None) -> None:
    """Begin to log. folder: where the file goes; screen: instead of plain lines on stderr."""
    root = logging.getLogger("vitrine")
    root.setLevel(logging.INFO)
    root.propagate = False
    shown = screen or logging.StreamHandler()
    if screen is None:
        shown.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    written = logging.handlers.RotatingFileHandler(
        folder / "vitrine.log",
        maxBytes=_FILE_BYTES,
        backupCount=3,
        encoding="utf-8",
        errors="backslashreplace",
    )
    written.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for handler in (shown, written):
        handler.addFilter(NoStorm())
        root.addHandler(handler)
