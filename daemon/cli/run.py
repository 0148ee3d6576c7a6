"""`vitrine run`: the daemon in the foreground."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from daemon import logbook
from daemon.cli.app import Exit
from daemon.cli.options import STUDIO, Studio
from daemon.line import Message
from daemon.studio import Studio as Folders
from daemon.supervisor import Supervisor

log = logging.getLogger("vitrine.run")


class Tally:
    """Tells of each photo as it ends, and remembers whether one failed."""

    def __init__(self) -> None:
        self.failed = 0

    def hear(self, message: Message) -> None:
        """One message of a worker."""
        if message.get("event") != "finished":
            return
        outcome, name = message["outcome"], message["name"]
        text = f"{name}: {outcome} in {message['seconds']:.1f} s"
        if message["reason"]:
            text += f" ({message['reason']})"
        if outcome in {"done", "vanished", "lost"}:
            log.info("%s", text)
        else:
            log.warning("%s", text)
        self.failed += outcome in {"review", "rejected"}


def command(
    studio: Studio = STUDIO,
    until_idle: Annotated[  # noqa: FBT002
        bool, typer.Option("--until-idle", help="Stop when nothing is waiting, instead of watching on.")
    ] = False,
) -> None:
    """Watch a studio folder and render what is dropped into its inbox."""
    folders = Folders(studio.absolute())
    tally = Tally()
    supervisor = Supervisor(folders, hear=tally.hear)
    folders.create()
    logbook.set_up(folders.logs)
    supervisor.run(until_idle=until_idle)
    if until_idle and tally.failed:
        sys.exit(Exit.SOME_FAILED)
