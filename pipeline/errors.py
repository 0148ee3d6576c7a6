"""The four ways a job can end badly. Owns their meaning; `daemon.worker` alone acts on them.

Every message is for a shop owner: what happened, to which file, what to do.
"""

from __future__ import annotations


class VitrineError(Exception):
    """Root of all errors that Vitrine raises on purpose.

    `advice` says what the owner can do; it is printed after the message.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class BadInput(VitrineError):  # noqa: N818 - outcomes, not error classes, in the domain's language
    """The file can never be rendered (damaged, not a picture, too large): to `rejected/`, never retried."""


class Unfit(VitrineError):  # noqa: N818
    """A picture could be read but not rendered well enough: to `review/` with the reason."""


class Busy(VitrineError):  # noqa: N818
    """Something outside the photo is in the way (disk full, memory): retried with backoff."""


class Misconfigured(VitrineError):  # noqa: N818
    """Settings, rules or presets are wrong: the process stops with exit code 78."""
