"""What a job's verdict file says about its outputs. Owns that part of the file; the judge's words are not its matter.

The file is written when all outputs are on the disk and before the ledger is told. So a job that was cut short in between,
or that a lost ledger has forgotten, is recognised by its key, and is not rendered into the sinks a second time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from daemon import durable
from daemon.jobstore import Artifact, Outcome

_PICTURES = {"export", "watermark", "review"}
_GOES = {"instagram", "post"}  # out of the queue when it is published


@dataclass(frozen=True, slots=True)
class Receipt:
    """How one job ended. variant: which of the plan's recipes."""

    outcome: Outcome
    reason: str
    variant: int
    outputs: tuple[Artifact, ...]

    def as_dict(self) -> dict[str, Any]:
        """For the verdict file."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "variant": self.variant,
            "outputs": [asdict(item) for item in self.outputs],
        }

    def holds(self, root: Path) -> bool:
        """Whether the outputs still stand below the studio `root`: pictures byte for byte, notes in any wording."""
        return all(
            _holds(root / item.path, item.sha256) if item.kind in _PICTURES else (root / item.path).is_file()
            for item in self.outputs
            if item.kind not in _GOES
        )


def read(path: Path) -> tuple[dict[str, Any], Receipt] | None:
    """A verdict file and the receipt in it; None if there is none, or it is of an older version or damaged."""
    try:
        verdict = json.loads(path.read_bytes())
        found = verdict["receipt"]
        outputs = tuple(Artifact(**item) for item in found["outputs"])
        return verdict, Receipt(found["outcome"], found["reason"], found["variant"], outputs)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and not path.is_symlink() and durable.digest_of(path) == sha256
