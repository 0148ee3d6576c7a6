"""`vitrine publish`: the one process that sends anything anywhere. Owns waiting, signals and the choice of a way to Instagram."""

from __future__ import annotations

import datetime as dt
import fcntl
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from daemon import durable, logbook
from daemon.alerts import Alerts
from daemon.bell import Bell
from daemon.cli.app import Exit
from daemon.cli.options import STUDIO, Studio
from daemon.health import Health
from daemon.instagram.agenda import zone_of
from daemon.instagram.export_only import ExportPublisher
from daemon.instagram.post_ledger import PostLedger
from daemon.instagram.publisher import NeedsPerson, Outcome, Publisher
from daemon.instagram.publishing import Publishing
from daemon.instagram.secrets import Scrub, Secrets, read_secrets
from daemon.notify import Systemd
from daemon.settings import Settings, load_settings
from daemon.studio import Studio as Folders
from pipeline.errors import BadInput, Busy, VitrineError

log = logging.getLogger("vitrine.publish")
_LONGEST_S = 10.0


def command(
    studio: Studio = STUDIO,
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, then end.")] = False,  # noqa: FBT002
    resume: Annotated[  # noqa: FBT002
        bool, typer.Option("--resume", help="Go on after a halt: you have looked at the account.")
    ] = False,
    log_in: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--log-in", help="Log in now (instagrapi); asks for a code if Instagram wants one."),
    ] = False,
) -> None:
    """Send approved posts when their time has come. Without `publish = true` in the settings it only says what it would do."""
    folders = Folders(studio.absolute())
    if not folders.instagram.is_dir():
        raise BadInput(f"{folders.root}: there is no studio here.", "Start one with `vitrine run`.")
    settings = load_settings(folders.root)
    durable.make_folders(folders.publisher)
    os.chmod(folders.publisher, 0o700)  # noqa: PTH101 - the session and what was said
    secrets = read_secrets()
    logbook.set_up(folders.publisher, sinks_filter=Scrub(secrets))
    with _alone(folders):
        ledger = PostLedger(folders.publisher / "posts.sqlite")
        if resume:
            ledger.resume()
            typer.echo("Going on.")
        if log_in:
            _log_in(settings, secrets, folders)
        if not (resume or log_in):
            _work(folders, settings, secrets, ledger, once=once)
        ledger.close()


def _work(folders: Folders, settings: Settings, secrets: Secrets, ledger: PostLedger, *, once: bool) -> None:
    bell, systemd = Bell(), Systemd()
    alerts = Alerts(folders.root, settings.alerts)
    health = Health(alerts.hear)
    with bell.hung():
        publishing = _publishing(folders, settings, secrets, ledger)
        publishing.recover(_now())
        systemd.ready()
        log.info("%s", _what(settings))
        while not bell.stops:
            try:
                until = publishing.step(_now())
                systemd.status(_status(publishing, ledger))
                health.set("instagram", publishing.trouble, aloud=True)
            except (OSError, sqlite3.OperationalError, VitrineError) as error:
                log.error("it is tried again: %s", error)  # noqa: TRY400 - for the owner, not a defect
                until = _now() + dt.timedelta(seconds=_LONGEST_S)
            alerts.tend(time.monotonic())
            systemd.alive()
            if once and until > _now():
                break
            if bell.reload:
                bell.reload = False
                settings = load_settings(folders.root)
                alerts.settings = settings.alerts
                publishing = _publishing(folders, settings, secrets, ledger)
            _wait(bell, until)
        systemd.stopping()
    if once and ledger.gate.halted:
        sys.exit(Exit.SOME_FAILED)


def _wait(bell: Bell, until: dt.datetime) -> None:
    wait_s = min(_LONGEST_S, (until - _now()).total_seconds())
    if wait_s > 0:
        bell.wait(time.monotonic() + wait_s)


def _publishing(folders: Folders, settings: Settings, secrets: Secrets, ledger: PostLedger) -> Publishing:
    publisher = publisher_for(folders, settings, secrets) if settings.instagram.publish else None
    zone = zone_of(settings.time_zone)
    return Publishing(
        folders, settings.instagram, zone, ledger, publisher, seed=settings.seed, sleep=time.sleep
    )


def publisher_for(folders: Folders, settings: Settings, secrets: Secrets) -> Publisher:
    """The way that the settings name. Raises Misconfigured when something is missing for it."""
    chosen = settings.instagram
    if chosen.back_end == "graph":
        from daemon.instagram.graph_api import GraphPublisher  # noqa: PLC0415 - no network for those who only export

        return GraphPublisher(chosen, secrets)
    if chosen.back_end == "instagrapi":
        from daemon.instagram.instagrapi_backend import InstagrapiPublisher  # noqa: PLC0415

        return InstagrapiPublisher(chosen, secrets, folders.publisher / "session.json")
    return ExportPublisher(folders.root, chosen.export_to)


def _log_in(settings: Settings, secrets: Secrets, folders: Folders) -> None:
    from daemon.instagram.instagrapi_backend import InstagrapiPublisher  # noqa: PLC0415

    publisher = InstagrapiPublisher(settings.instagram, secrets, folders.publisher / "session.json")
    try:
        try:
            publisher.log_in()
        except NeedsPerson:
            publisher.log_in(typer.prompt("Code that Instagram sent you", hide_input=True))
    except Outcome as error:
        raise Busy(str(error)) from None
    typer.echo("Logged in.")


def _what(settings: Settings) -> str:
    chosen = settings.instagram
    if not chosen.publish:
        return "dry run: nothing is sent ([instagram] publish = true in vitrine.toml changes that)"
    return f"publishing through {chosen.back_end}"


def _status(publishing: Publishing, ledger: PostLedger) -> str:
    gate = ledger.gate
    if gate.halted:
        return f"needs you: {gate.halted}"
    turn = publishing.turn(_now())
    return (
        f"{len(publishing.due)} approved; next {turn.at:%Y-%m-%d %H:%M} UTC"
        if turn
        else "nothing is approved"
    )


@contextmanager
def _alone(folders: Folders) -> Iterator[None]:
    """One publisher per studio: the kernel frees the lock when its owner dies. Raises Busy."""
    handle = os.open(folders.publisher / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"{folders.root}: another `vitrine publish` is at work here.", "Stop it first."
            ) from None
        yield
    finally:
        os.close(handle)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
