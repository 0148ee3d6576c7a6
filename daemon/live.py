"""The daemon's live state: in which folder it is kept, so that it can be seen even when the studio's disk is full.

Owns that folder and the form of `status.json`; the ledger, not this, is the truth. Refuses to find anything out itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon import durable, names
from daemon.studio import Studio

STATUS_NAME = "status.json"
METRICS_NAME = "vitrine.prom"
STALE_S = 15.0  # the daemon writes each second; older than this it is held up or gone


def run_folder(studio: Studio, environment: Mapping[str, str] | None = None) -> Path:
    """Where the live state goes, made if it is missing: systemd's folder, the user's, or one in the studio."""
    for folder in _candidates(studio, os.environ if environment is None else environment):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
    return studio.private / "run"


def _candidates(studio: Studio, environment: Mapping[str, str]) -> Iterator[Path]:
    if given := environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]:
        yield Path(given)
    if user := environment.get("XDG_RUNTIME_DIR", ""):
        root = studio.root.resolve()
        mark = hashlib.sha256(os.fsencode(root)).hexdigest()[:8]
        yield Path(user) / "vitrine" / f"{names.safe_stem(root.name, 'studio')}-{mark}"
    yield studio.private / "run"


@dataclass(frozen=True, slots=True)
class Live:
    """One daemon's folder."""

    folder: Path

    def write(self, report: Mapping[str, Any], metrics: bytes) -> None:
        """Replace both files. Raises OSError."""
        data = json.dumps(report, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")
        durable.write_fleeting(self.folder / STATUS_NAME, data + b"\n")
        durable.write_fleeting(self.folder / METRICS_NAME, metrics)

    def read(self) -> dict[str, Any]:
        """The last report; empty if there is none."""
        with contextlib.suppress(OSError, ValueError):
            report = json.loads((self.folder / STATUS_NAME).read_bytes())
            return report if isinstance(report, dict) else {}
        return {}

    def clear(self) -> None:
        """Take both files away: figures of a daemon that has ended must not look like those of a living one."""
        for name in (STATUS_NAME, METRICS_NAME):
            with contextlib.suppress(OSError):
                durable.disk.unlink(self.folder / name)
