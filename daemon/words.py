"""What the owner reads in review/ and rejected/. Owns the words; refuses to decide."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.drops import Drop
from daemon.studio import Studio

EMPTY = "The file is empty (0 bytes). Copy the photo again from the camera or the computer it came from."
CUT_OFF = (
    "The file is incomplete: its end is missing, and nobody is writing to it any more."
    " Most often a copy was interrupted. Copy the photo again."
)


def rejection(studio: Studio, drop: Drop, reason: str) -> str:
    """The text beside a rejected file."""
    return (
        f"{drop.name} could not be used.\n\n"
        f"Why: {reason}\n\n"
        f"Your file is here, unaltered. Mend it and drop it into inbox/{drop.folder} again,\n"
        f"or try the same file once more:  vitrine retry {drop.id} --studio {studio.root}\n"
    )


def review(studio: Studio, drop: Drop, reasons: Sequence[str], *, picture: bool) -> str:
    """The text beside a picture that was held back."""
    why = "\n".join(f"- {reason}" for reason in reasons) or "- the result is not sure enough"
    use = "If you like the picture as it is, use it: it is finished.\n" if picture else ""
    return (
        f"{drop.name} was not published; please have a look.\n\n"
        f"Why:\n{why}\n\n"
        f"{use}"
        f"A new photo (plain background, all of the piece in the frame, even light) helps most: drop it into"
        f" inbox/{drop.folder}.\n"
        f"To try the same photo once more, for example after a change of settings:"
        f"  vitrine retry {drop.id} --studio {studio.root}\n"
    )
