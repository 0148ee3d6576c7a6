"""`vitrine run`: the daemon in the foreground."""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from daemon import logbook
from daemon.cli.app import Exit
from daemon.cli.options import STUDIO, Studio
from daemon.intake import Accepted
from daemon.jobstore import Offer
from daemon.line import Message
from daemon.studio import Studio as Folders
from daemon.supervisor import Supervisor

log = logging.getLogger("vitrine.run")
_WELL = {"done", "vanished", "lost"}
_ENDED = {"done", "review", "rejected", "vanished"}


class Tally:
    """Tells of each photo as it ends, and moves the bar if there is one."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._bar = progress.add_task("waiting for photos", total=0) if progress else None

    def accepted(self, one: Accepted) -> None:
        """A photo was taken; its pictures are work to come."""
        self._move(total=sum(offer is not Offer.DUPLICATE for offer in one.offers))

    def hear(self, message: Message) -> None:
        """One message of a worker."""
        if message.get("event") == "claimed" and self._progress is not None and self._bar is not None:
            self._progress.update(self._bar, description=message["name"])
        if message.get("event") != "finished":
            return
        outcome, text = (
            message["outcome"],
            f"{message['name']}: {message['outcome']} in {message['seconds']:.1f} s",
        )
        text += f" ({message['reason']})" if message["reason"] else ""
        about = {"job": message["key"], "drop": message["drop"], "photo": message["name"]}
        level = logging.INFO if outcome in _WELL else logging.WARNING
        log.log(level, "%s", text, extra=about | {"worker": message.get("worker")})
        self._move(done=outcome in _ENDED)

    def _move(self, *, total: int = 0, done: int = 0) -> None:
        if self._progress is None or self._bar is None:
            return
        task = self._progress.tasks[0]
        known = max(
            (task.total or 0) + total, task.completed + done
        )  # a job from before the start may end, too
        self._progress.update(self._bar, total=known, advance=done)


def command(
    studio: Studio = STUDIO,
    until_idle: Annotated[  # noqa: FBT002
        bool, typer.Option("--until-idle", help="Stop when nothing is waiting, instead of watching on.")
    ] = False,
) -> None:
    """Watch a studio folder and render what is dropped into its inbox."""
    failed = work(Folders(studio.absolute()), until_idle=until_idle)
    if until_idle and failed:
        sys.exit(Exit.SOME_FAILED)


def work(folders: Folders, *, until_idle: bool = False, until_batch: int | None = None) -> int:
    """Be the studio's daemon, with a bar on a terminal and plain lines elsewhere; how many photos failed."""
    console = Console(stderr=True)
    progress = _progress(console) if console.is_terminal else None
    tally = Tally(progress)
    supervisor = Supervisor(folders, hear=tally.hear, accepted=tally.accepted)
    screen = (
        RichHandler(console=console, show_path=False, show_time=False, markup=False) if progress else None
    )
    logbook.set_up(folders.logs, screen=screen)
    with progress or nullcontext():
        return supervisor.run(until_idle=until_idle, until_batch=until_batch)


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)
