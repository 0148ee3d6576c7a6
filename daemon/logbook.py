"""Where the daemon's words go: plain lines on stderr and a capped file in the studio. Owns the set-up of logging."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import time
from collections import Counter
from pathlib import Path

_MINUTE_S = 60.0
_SAME = 5
_OF_A_KIND = 300
_FILE_BYTES = 2_000_000


class NoStorm(logging.Filter):
    """Ten thousand bad files must not fill the disk: per minute, 5 times the same message, 300 of a kind."""

    def __init__(self) -> None:
        super().__init__()
        self._since = 0.0
        self._seen: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        now = time.monotonic()
        if now - self._since > _MINUTE_S:
            self._since = now
            self._seen.clear()
        kind, same = f"{record.name} {record.msg}", f"={record.getMessage()}"
        self._seen.update((kind, same))
        if self._seen[kind] == _OF_A_KIND:
            record.msg, record.args = "more messages of this kind are left out for a minute", ()
        return self._seen[kind] <= _OF_A_KIND and self._seen[same] <= _SAME


class _File(logging.handlers.RotatingFileHandler):
    """The log file. On a full disk its lines are lost, and nothing else: no traceback for each of them."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Let the line go."""

    def close(self) -> None:
        """What cannot be written now is not written."""
        with contextlib.suppress(OSError):
            super().close()


def set_up(folder: Path, *, screen: logging.Handler | None = None) -> None:
    """Begin to log. folder: where the file goes; screen: instead of plain lines on stderr."""
    root = logging.getLogger("vitrine")
    root.setLevel(logging.INFO)
    root.propagate = False
    shown = screen or logging.StreamHandler()
    if screen is None:
        shown.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    written = _File(
        folder / "vitrine.log",
        maxBytes=_FILE_BYTES,
        backupCount=3,
        encoding="utf-8",
        errors="backslashreplace",
        delay=True,  # a disk that is read-only now is found out line by line, and may be writable later
    )
    written.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for handler in (shown, written):
        handler.addFilter(NoStorm())
        root.addHandler(handler)
