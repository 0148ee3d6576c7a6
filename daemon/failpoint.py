"""Points at which a proof may end this process as `kill -9` does. Owns their names; without the variable nothing happens.

`VITRINE_FAIL_AT=after-export` ends every process that comes there. With the path of a folder in it, a process ends at a point
only if the folder has a file of the point's name, which is used up by that. In the order in which a photo passes them:

before-sync     the private copy is written, not yet on the disk       (supervisor)
after-copy      the private copy is on the disk, the ledger is not told
in-take         inside the transaction that takes the photo
after-take      the photo is taken
after-claim     a worker has the job, its attempt is counted            (worker)
after-render    the picture exists in memory only
before-rename   a finished file still has its temporary name
after-export, after-watermark, after-instagram, after-post, after-review    that file has its name
after-verdict   all outputs are on the disk, the ledger is not told
in-finish       inside the transaction that records the result
after-finish    the result is recorded, the original is still in the inbox
during-move     the original has its new name and still its old one
after-move      the original is put away, the ledger is not told
before-end      only the drop's last line is missing

Of a post, in the publisher:

after-begin     it is written down that it will be sent; nothing was
after-mark      it is written down that it may be public from now on; the request was not sent
after-posted    it is public and the ledger knows; its file is still in the queue
after-comment-mark    it is written down that the first comment may be public from now on; the request was not sent
after-comment   the first comment is public, the ledger is not told
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

VARIABLE = "VITRINE_FAIL_AT"
POINTS = (
    "before-sync", "after-copy", "in-take", "after-take", "after-claim", "after-render", "before-rename",
    "after-export", "after-watermark", "after-instagram", "after-post", "after-review", "after-verdict",
    "in-finish", "after-finish", "during-move", "after-move", "before-end",
)  # fmt: skip
_AT = os.environ.get(VARIABLE, "")


def reach(point: str) -> None:
    """End the process here, at once and without any tidying, if the variable says so."""
    if _AT and (point == _AT or ("/" in _AT and _used_up(Path(_AT, point)))):
        os.kill(os.getpid(), signal.SIGKILL)


def _used_up(token: Path) -> bool:
    try:
        token.unlink()
    except FileNotFoundError:  # not wanted here, or another process was faster
        return False
    return True
