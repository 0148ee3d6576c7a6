"""`vitrine queue`: the posts that wait, for people. Owns the words; the folder is `daemon.instagram.queue`'s matter."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from daemon import durable
from daemon.cli.app import Exit
from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.instagram import preflight
from daemon.instagram.agenda import zone_of
from daemon.instagram.export_only import as_zip
from daemon.instagram.gate import GateKeeper
from daemon.instagram.post import Entry
from daemon.instagram.post_ledger import PostLedger
from daemon.instagram.publishing import Publishing
from daemon.instagram.queue import Queue, changes
from daemon.settings import Settings, load_settings
from daemon.studio import Studio as Folders
from pipeline.errors import BadInput, Busy
from rules.cadence import Turn

_ACTIONS = (
    "list", "show", "edit", "approve", "hold", "drop", "reorder", "join", "calendar", "sent", "retry", "zip",
)  # fmt: skip
_HELP = f"What to do: {', '.join(_ACTIONS)}."


def command(
    action: Annotated[str, typer.Argument(help=_HELP)] = "list",
    posts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[POST...]", help="Number in the list, file name or SKU; for edit also KEY=VALUE."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All posts that wait.")] = False,  # noqa: FBT002
    studio: Studio = STUDIO,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Look at the posts that wait, change them, approve them."""
    if action not in _ACTIONS:
        raise typer.BadParameter(f'"{action}" is not one of {", ".join(_ACTIONS)}')
    folders = Folders(studio.absolute())
    if not folders.instagram.is_dir():
        raise BadInput(f"{folders.root}: there is no studio here.", "Start one with `vitrine run`.")
    desk = Desk(folders, load_settings(folders.root), as_json=as_json)
    words = posts or []
    if action in {"list", "calendar", "zip"}:
        getattr(desk, action)()
    elif action in {"edit", "reorder", "join"}:
        getattr(desk, action)(words)
    else:
        desk.each(getattr(desk, action), words, every=every)


class Desk:
    """One call of the command."""

    def __init__(self, folders: Folders, settings: Settings, *, as_json: bool) -> None:
        self._folders = folders
        self._settings = settings
        self._as_json = as_json
        self._queue = Queue(folders)
        self._now = dt.datetime.now(dt.UTC)

    def list(self) -> None:
        """What waits, in order."""
        entries = self._queue.entries()
        if self._as_json:
            typer.echo(json.dumps([self._as_dict(entry) for entry in entries], indent=2, ensure_ascii=False))
        else:
            table = Table("", "post", "kind", "state", "when", "caption")
            for number, entry in enumerate(entries, 1):
                post = entry.post
                caption = post.caption.replace("\n", " ")
                table.add_row(str(number), entry.path.stem, post.kind, post.state, post.when, caption[:60])
            Console().print(table if entries else "Nothing is in the queue.", markup=False)
            with self._ledger() as ledger:
                if why := GateKeeper(ledger, zone_of(self._settings.time_zone)).closed(self._now):
                    typer.echo(f"The publisher sends nothing: {why}")
        self._tell_mistakes()

    def zip(self) -> None:
        """The exported posts as one archive, for another machine or a posting service."""
        folder = self._folders.root / self._settings.instagram.export_to
        if not folder.is_dir():
            raise BadInput(f"{folder}: nothing was exported yet.", 'It is filled by back_end = "export".')
        made = as_zip(folder, folder.with_name(f"{folder.name}.zip"))
        typer.echo(f"{made}: {sum(1 for one in folder.iterdir() if one.is_dir())} posts")

    def calendar(self) -> None:
        """When what is approved would go out."""
        zone = zone_of(self._settings.time_zone)
        turns, entries = self._turns(zone), {entry.id: entry for entry in self._queue.entries()}
        if self._as_json:
            lines = [{"post": entries[turn.id].path.stem, "at": turn.at.isoformat()} for turn in turns]
            typer.echo(json.dumps(lines, indent=2, ensure_ascii=False))
            return
        for turn in turns:
            typer.echo(f"{turn.at.astimezone(zone):%a %Y-%m-%d %H:%M}  {entries[turn.id].path.stem}")
        if not turns:
            typer.echo("Nothing is approved.")

    def show(self, entry: Entry) -> None:
        """All of one post."""
        if self._as_json:
            typer.echo(json.dumps(self._as_dict(entry), indent=2, ensure_ascii=False))
            return
        post = entry.post
        what = "story, " if post.kind == "story" else ""
        typer.echo(f"{entry.path.stem} ({what}{post.state}): {', '.join(post.pictures)}\n\n{post.text}\n")
        for name in ("first_comment", "alt_text", "sku", "link", "when", "template"):
            if value := getattr(post, name):
                typer.echo(f"{name}: {value if isinstance(value, str) else ' '.join(value)}")
        for event in post.history:
            typer.echo(f"{event.at or 'when it was made'}  {event.what}")
        for wrong in preflight.problems(entry, self._settings.instagram.max_hashtags):
            typer.echo(f"NOT fit to go out: {wrong}")

    def edit(self, words: Sequence[str]) -> None:
        """KEY=VALUE changes; approved pictures stay approved."""
        if len(words) < 2:
            raise typer.BadParameter(
                "give a post and KEY=VALUE, such as caption=... or when='2026-12-24 18:30'"
            )
        entry = self._queue.find(words[0])
        found = changes(entry.post, words[1:])
        entry.told(f"edited: {', '.join(found)}", self._now, **found)
        typer.echo(f"{entry.path.stem}: changed {', '.join(found)}")

    def approve(self, entry: Entry) -> None:
        """Let it go out. Raises BadInput if it could not."""
        done = self._queue.approve(entry, self._now)
        if wrong := preflight.problems(done, self._settings.instagram.max_hashtags):
            done.told(f"held: {'; '.join(wrong)}", self._now, state="held")
            raise BadInput(f"{entry.path.stem}: cannot go out: {'; '.join(wrong)}.", "Mend that first.")
        typer.echo(f"{entry.path.stem}: approved")

    def hold(self, entry: Entry) -> None:
        """Keep it."""
        self._queue.hold(entry, self._now)
        typer.echo(f"{entry.path.stem}: held")

    def drop(self, entry: Entry) -> None:
        """Take it out of the queue."""
        target = self._queue.drop(entry, self._now)
        typer.echo(f"{entry.path.stem}: dropped; it is kept as {target.relative_to(self._folders.root)}")

    def reorder(self, words: Sequence[str]) -> None:
        """Put these first."""
        for entry in self._queue.reorder(words, self._now):
            typer.echo(f"{entry.path.stem}: moved to the front")

    def join(self, words: Sequence[str]) -> None:
        """Make a carousel of them."""
        if len(words) < 2:
            raise typer.BadParameter("give two posts or more")
        whole = self._queue.join([self._queue.find(word) for word in words], self._now)
        typer.echo(f"{whole.path.stem}: has {len(whole.post.pictures)} pictures now")

    def sent(self, entry: Entry) -> None:
        """A person saw it in the account."""
        with self._ledger() as ledger:
            self._undecided(ledger, entry)
            ledger.posted(entry.id, "seen by a person", "", self._now.timestamp())
            ledger.put_away(entry.id)
        told = entry.told("a person saw it in the account", self._now, state="posted")
        self._queue.put_away(told, self._folders.posted)
        typer.echo(f"{entry.path.stem}: counts as posted")

    def retry(self, entry: Entry) -> None:
        """A person saw that it is not in the account."""
        with self._ledger() as ledger:
            self._undecided(ledger, entry)
            ledger.forget(entry.id)
        entry.told("a person saw that it is not in the account", self._now, state="approved")
        typer.echo(f"{entry.path.stem}: will be sent again")

    def each(self, act: Callable[[Entry], None], words: Sequence[str], *, every: bool) -> None:
        """Act on all of them; what fails is told, and the others are still done."""
        if bool(words) == every:
            raise typer.BadParameter("give one post or more, or --all")
        entries = self._queue.entries() if every else [self._queue.find(word) for word in words]
        failed = 0
        for entry in entries:
            try:
                act(entry)
            except BadInput as error:
                failed += 1
                typer.echo(f"{error} {error.advice}", err=True)
        if failed:
            sys.exit(Exit.SOME_FAILED)

    def _undecided(self, ledger: PostLedger, entry: Entry) -> None:
        row = ledger.get(entry.id)
        if row is None or row.step != "undecided":
            raise BadInput(
                f"{entry.path.stem}: nothing is undecided about it.", "`vitrine queue show` says more."
            )

    def _turns(self, zone: dt.tzinfo) -> Sequence[Turn]:
        with self._ledger() as ledger:
            publishing = Publishing(
                self._folders, self._settings.instagram, zone, ledger, None,
                seed=self._settings.seed, sleep=lambda _: None,
            )  # fmt: skip
            return publishing.calendar(self._now)

    def _ledger(self) -> closing[PostLedger]:
        durable.make_folders(self._folders.publisher)
        os.chmod(self._folders.publisher, 0o700)  # noqa: PTH101
        try:
            return closing(PostLedger(self._folders.publisher / "posts.sqlite"))
        except sqlite3.OperationalError as error:
            raise Busy(f"The publisher's ledger cannot be opened ({error}).", "Try again.") from error

    def _as_dict(self, entry: Entry) -> dict[str, object]:
        wrong = preflight.problems(entry, self._settings.instagram.max_hashtags)
        return entry.post.model_dump(mode="json") | {
            "id": entry.id,
            "file": entry.path.name,
            "problems": wrong,
        }

    def _tell_mistakes(self) -> None:
        for mistake in self._queue.mistakes:
            typer.echo(f"{mistake} {mistake.advice}", err=True)
