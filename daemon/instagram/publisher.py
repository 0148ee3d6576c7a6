"""What a way to Instagram is, and how it may fail. Owns the Protocol and the outcomes; the back ends live beside this module.

A back end never sends anything a second time by itself: whoever called it decides, and only after having looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from daemon.instagram.post import Kind

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A post as it is sent.

    upload_id: digits, the same at every try. since: Unix time of the first try. kind: "feed", or "story", which has no
    words. handle: what the back end gave to `Mark` at the last try, "" if it never came so far. known: what Instagram
    calls our other posts.
    """

    id: str
    upload_id: str
    pictures: tuple[Path, ...]
    text: str
    alt_text: str
    first_comment: str = ""
    since: float = 0.0
    kind: Kind = "feed"
    handle: str = ""
    known: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Instagram knows the post as. address: for people, "" if it is not known."""

    media: str
    address: str = ""


# Called right before the one request that makes a post of it; it must return first. It keeps a word by which the back end
# can ask later what became of that request, "" if there is none.
Mark = Callable[[str], None]


class Publisher(Protocol):
    """One way to Instagram. Raises the outcomes below; any other error is a defect, and counts as Unknown."""

    name: str

    def publish(self, post: Outgoing, mark: Mark) -> Receipt:
        """Send it, once."""
        ...

    def find(self, post: Outgoing) -> Receipt | None:
        """Look whether it is there already; None if it is certainly not among what was posted since its first try.

        Raises Unknown where something is there that may be it.
        """
        ...

    def comment(self, receipt: Receipt, text: str) -> None:
        """Say something below it, once."""
        ...

    def commented(self, receipt: Receipt, text: str) -> bool:
        """Whether we said that below it already."""
        ...

    def log_in_again(self) -> None:
        """A new session on the same device."""
        ...


class Outcome(Exception):  # noqa: N818 - an outcome, which the loop acts on
    """How sending ended, if not well. The text is for people, and holds no secret."""


class NotSent(Outcome):
    """It certainly did not go out, and the cause may pass: later again. wait_s: not before."""

    def __init__(self, text: str, wait_s: float = 300.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Throttled(NotSent):
    """Too many requests: stop, an hour at first and a day at most."""

    def __init__(self, text: str) -> None:
        super().__init__(text, HOUR_S)


class Frozen(NotSent):
    """Instagram objects to what the account does: nothing for a day."""

    def __init__(self, text: str) -> None:
        super().__init__(text, 24 * HOUR_S)


class LoggedOut(NotSent):
    """The session has ended."""


class Refused(Outcome):
    """It did not go out, and would not if it were sent again: this post has a mistake."""


class NeedsPerson(Outcome):
    """It did not go out, and nothing will until somebody has looked at the account."""


class Unknown(Outcome):
    """Nobody can tell whether it went out."""
