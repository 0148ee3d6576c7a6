"""The contact sheet of a batch, made by a process of its own: the supervisor loads no imaging library.

Owns that process: one at a time, gentle, and never outliving the daemon. A sheet that fails costs nobody a report.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys

from daemon.batch_rows import BatchRows
from daemon.ledger import Ledger
from daemon.limits import thread_environment
from daemon.studio import Studio

log = logging.getLogger("vitrine.sheet")


class SheetMaker:
    """Makes the sheets that reports lack."""

    def __init__(self, studio: Studio, ledger: Ledger) -> None:
        self._studio = studio
        self._rows = BatchRows(ledger)
        self._child: subprocess.Popen[bytes] | None = None
        self._batch = 0

    def advance(self) -> None:
        """Take in what was made, begin the next."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            self._child = None
            self._rows.sheet_tried(self._batch, made=code == 0)
            if code != 0:
                log.warning("the contact sheet of a night's report could not be made (code %d)", code)
        if (batch := self._rows.without_sheet()) is not None:
            self._batch = batch.id
            self._child = self._start(batch.id)

    def stop(self) -> None:
        """End it; the sheet is made at the next start."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def _start(self, batch: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "daemon.cli.contact", os.fspath(self._studio.root), str(batch)]
        return subprocess.Popen(  # noqa: S603 - our own module
            [*command, str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            process_group=0,
            env=os.environ | thread_environment(1),
        )
