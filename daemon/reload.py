"""The settings file, which the owner may change while the daemon runs. Owns when it is read; refuses to apply what it says."""

from __future__ import annotations

import contextlib
from pathlib import Path

from daemon.settings import SETTINGS_NAME, load_settings
from pipeline.errors import Misconfigured


class SettingsFile:
    """One studio's vitrine.toml. Raises Misconfigured if it makes no sense at the start.

    settings: what it said when it last made sense; trouble: the mistake that is in it now, "" if there is none.
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

    def _mark(self) -> tuple[int, int] | None:
        """What changes when the file is saved."""
        with contextlib.suppress(OSError):
            status = (self._root / SETTINGS_NAME).stat()
            return status.st_mtime_ns, status.st_ino
        return None
