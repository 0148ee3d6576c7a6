"""Where the daemon's words go: plain lines on stderr, one JSON object a line in the studio. Owns the set-up of logging.

Under systemd the plain lines carry their priority (sd-daemon(3)), so that `journalctl -p warning` works. What is said about
a job carries its id: `extra={"job": ..., "drop": ..., "photo": ..., "worker": ...}`. Refuses to fill the disk.
"""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import json
import logging
import logging.handlers
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from daemon.line import say

NAME = "vitrine.jsonl"
FIELDS = ("code", "job", "drop", "photo", "worker")
_MINUTE_S = 60.0
_SAME = 5
_OF_A_KIND = 300
_ALWAYS = 3  # of a kind, even when the minute's bytes are spent: something else that is wrong is still heard
_MINUTE_BYTES = 350_000  # on each of the two sinks: together they stay below a megabyte
_SAID_MOST = 1000  # some of it names a file, and a daemon runs for years
_FRAME_BYTES = 200  # what JSON and ids add to a message
_FILE_BYTES = 2_000_000
_LONGEST = 8_000  # characters of one message
_PRIORITY = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


class NoStorm(logging.Handler):
    """In front of all sinks: ten thousand bad files must not fill the disk.

    Per minute: 5 times the same message, 300 of a kind, and so many bytes in all. What is left out is counted.
    """

    def __init__(self, sinks: list[logging.Handler], ticks: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.sinks = sinks
        self._ticks = ticks
        self._since = ticks()
        self._seen: Counter[str] = Counter()
        self._bytes = 0
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on, or leave it out."""
        if self._ticks() - self._since > _MINUTE_S:
            self._begin_minute(record)
        message = record.getMessage()
        kind, same = f"{record.name} {record.msg}", f"={message}"
        self._seen[kind] += 1
        if (
            self._seen[kind] <= _OF_A_KIND
        ):  # the rest is left out anyway: its words need not be kept for a minute
            self._seen[same] += 1
        self._bytes += _FRAME_BYTES + 2 * len(getattr(record, "photo", "")) + len(message)
        spent = self._bytes > _MINUTE_BYTES and self._seen[kind] > _ALWAYS
        if self._seen[kind] > _OF_A_KIND or self._seen[same] > _SAME or spent:
            self._left_out += 1
            if self._left_out == 1:
                self._pass_on(
                    _instead(record, "there is too much to say: more of this is left out for a minute")
                )
            return
        self._pass_on(record)

    def close(self) -> None:
        """End the sinks too."""
        for sink in self.sinks:
            sink.close()
        super().close()

    def _begin_minute(self, record: logging.LogRecord) -> None:
        if self._left_out:
            self._pass_on(_instead(record, f"{self._left_out} messages were left out in the last minute"))
        self._since = self._ticks()
        self._seen.clear()
        self._bytes = self._left_out = 0

    def _pass_on(self, record: logging.LogRecord) -> None:
        for sink in self.sinks:
            sink.handle(record)


class Once:
    """Says a thing once, not once per photo."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said: set[str] = set()

    def __call__(self, text: str) -> None:
        """Warn, if this was not said before (or so long ago that it is forgotten)."""
        if text in self._said:
            return
        if len(self._said) >= _SAID_MOST:
            self._said.clear()
        self._said.add(text)
        self._log.warning("%s", text)


class Plain(logging.Formatter):
    """Lines for people. prefix: each line gets `<N>`, its priority for the journal, instead of the level's name."""

    def __init__(self, *, prefix: bool) -> None:
        super().__init__("%(message)s" if prefix else "%(levelname)s %(message)s")
        self._prefix = prefix

    def format(self, record: logging.LogRecord) -> str:
        """The text, with the job's id behind it."""
        text = super().format(record)
        job = getattr(record, "job", "")
        text += f" [job {job[:8]}]" if job else ""
        if not self._prefix:
            return text
        mark = f"<{_PRIORITY.get(record.levelno, 6)}>"
        return "\n".join(mark + line for line in text.splitlines())


class JsonLine(logging.Formatter):
    """One JSON object: time (ISO 8601), level, event (who says it), message, and those of FIELDS that are known."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end."""
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + self.formatException(record.exc_info)
        when = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.name.partition(".")[2] or record.name,
            "message": _clean(message),
        }
        for field in FIELDS:
            value = getattr(record, field, None)
            if value not in {None, ""}:
                line[field] = _clean(value) if isinstance(value, str) else value
        return json.dumps(line, ensure_ascii=False)


class Pages(logging.handlers.RotatingFileHandler):
    """The file. A full disk is no reason to stop or to fill stderr: `trouble` says so, "" when all is well."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_FILE_BYTES, backupCount=3, encoding="utf-8", delay=True)
        self.trouble = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        self.trouble = ""
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's name
        """Note it. The next record opens the file anew."""
        error = sys.exc_info()[1]
        why = error.strerror if isinstance(error, OSError) else error
        self.trouble = (
            f"{self.baseFilename} cannot be written: {why}. What is said meanwhile is missing there."
        )
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


class Relay(logging.Handler):
    """A worker's words, on the line to its supervisor. about: job, drop, photo of this moment."""

    def __init__(self, out: int, about: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(logging.WARNING)
        self._out = out
        self._about = about

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        text = self.format(record)
        say(self._out, event="log", level=record.levelno, text=_clean(text[-_LONGEST:]), **self._about())


def set_up(
    folder: Path, *, screen: logging.Handler | None = None, sinks_filter: logging.Filter | None = None
) -> None:
    """Begin to log. folder: where the file goes; screen: instead of plain lines on stderr; sinks_filter: sees all."""
    root = logging.getLogger("vitrine")
    root.setLevel(logging.INFO)
    root.propagate = False
    shown = screen or logging.StreamHandler()
    if screen is None:
        shown.setFormatter(Plain(prefix=_journal()))
    written = Pages(folder / NAME)
    written.setFormatter(JsonLine())
    storm = NoStorm([shown, written])
    if sinks_filter is not None:
        storm.addFilter(sinks_filter)
    root.addHandler(storm)


def trouble() -> str:
    """Why the log file cannot be written, "" if it can."""
    for handler in logging.getLogger("vitrine").handlers:
        for sink in getattr(handler, "sinks", ()):
            if isinstance(sink, Pages) and sink.trouble:
                return sink.trouble
    return ""


def _journal() -> bool:
    """Whether stderr is the journal itself (systemd.exec(5), JOURNAL_STREAM)."""
    with contextlib.suppress(OSError, ValueError):
        device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
        status = os.fstat(sys.stderr.fileno())
        return (status.st_dev, status.st_ino) == (int(device), int(inode))
    return False


def _instead(record: logging.LogRecord, text: str) -> logging.LogRecord:
    other = copy.copy(record)
    other.msg, other.args, other.exc_info, other.exc_text = text, (), None, None
    for field in FIELDS:
        other.__dict__.pop(field, None)
    return other


def _clean(text: str) -> str:
    r"""Bytes of a name that are not UTF-8 show as `\xff`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")[:_LONGEST]
