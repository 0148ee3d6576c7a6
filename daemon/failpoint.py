"""Points at which a proof may end this process as `kill -9` does. Owns their names; without the variable nothing happens.

`VITRINE_FAIL_AT=after-export` ends every process that comes there; `VITRINE_FAIL_AT=after-export@DIR` only as often as
DIR has files, each of which allows one end. In the order in which a photo passes them:

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
_AT, _, _ALLOWED = os.environ.get(VARIABLE, "").partition("@")


def reach(point: str) -> None:
    """End the process here, at once and without any tidying, if the variable says so."""
    if _AT and point == _AT and (not _ALLOWED or _use_up(Path(_ALLOWED))):
        os.kill(os.getpid(), signal.SIGKILL)


def _use_up(folder: Path) -> bool:
    """Take one of the files away; False if there is none left (another process may have been faster)."""
    for path in folder.iterdir():
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        return True
    return False
