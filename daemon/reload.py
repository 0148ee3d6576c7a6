"""Settings and templates of a studio, which its owner may change while the daemon runs.

Owns when the files are read; refuses to apply what they say.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from daemon.settings import SETTINGS_NAME, TEMPLATES_NAME, load_settings
from pipeline.errors import Misconfigured


class SettingsFile:
    """One studio's vitrine.toml, and the templates that it may name. Raises Misconfigured if it makes no sense at the start.

    settings: what it said when all of it last made sense; trouble: the mistake that is in it now, "" if there is none.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = self._mark()
        self.settings = load_settings(root)
        self.trouble = ""

    def changed(self, *, asked: bool) -> bool:
        """Whether there are new settings since the last call. asked: read the file even if it looks the same."""
        mark = self._mark()
        if mark == self._seen and not asked:
            return False
        self._seen = mark
        try:
            self.settings = load_settings(self._root)
        except Misconfigured as error:
            self.trouble = f"{error} {error.advice} The settings from before stay in force."
            return False
        self.trouble = ""
        return True

    def _mark(self) -> tuple[tuple[str, int, int], ...]:
        """What changes when one of the files is saved, added or removed."""
        files = (self._root / SETTINGS_NAME, *sorted((self._root / TEMPLATES_NAME).glob("*.toml")))
        return tuple(mark for file in files if (mark := _mark_of(file)))


def _mark_of(file: Path) -> tuple[str, int, int] | None:
    with contextlib.suppress(OSError):
        status = file.stat()
        return file.name, status.st_mtime_ns, status.st_ino
    return None
