"""`vitrine demo`: the real daemon at work on the sample photos. Owns the show; everything it shows is the program itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from daemon import durable
from daemon.cli.app import Exit
from daemon.drops import Drops
from daemon.fates import Fate, fates
from daemon.ledger import Ledger
from daemon.settings import SETTINGS_NAME, starter_toml
from daemon.studio import Studio
from pipeline.errors import BadInput, Misconfigured
from pipeline.recipe import JewelryType
from presets.library import HOME
from rules.wording import type_in_name

PLACE = Path("out/demo")
MARK = "this-is-a-demo.txt"
FOLDERS: tuple[tuple[JewelryType, str], ...] = (
    ("ring", "rings--velvet-navy-moody"),
    ("earrings", "earrings--marble--soft-glow"),
    ("bangle", "bangles"),
    ("pendant", "pendants--festive"),
    ("earrings", "earrings--velvet-burgundy-moody"),
    ("brooch", "brooches--gradient--studio"),
    ("ring", "auto--marble-black"),
    ("bangle", "bangles--festive--spotlight"),
    ("earrings", "earrings--minimal--soft-glow"),
)
UNTOLD = "IMG_0412.jpg"  # neither folder nor name say what it shows
LONGEST_S = 900.0
GRACE_S = 30.0
PROGRAM = (sys.executable, "-c", "from daemon.cli import main; main()")

Place = Annotated[Path, typer.Option("--studio", "-s", help="Where the demo's studio folder is made.")]


def command(studio: Place = PLACE) -> None:
    """See the whole program at work on sample photos."""
    folders = Studio(studio.absolute())
    set_up(folders)
    photos = dropped_photos(HOME / "samples")
    console = Console()
    console.print(f"A studio for the demo: {folders.root}", highlight=False, soft_wrap=True)
    with daemon_at_work(folders) as check_alive:
        for photo, folder in photos:
            drop(photo, folders.inbox / folder, UNTOLD if folder.startswith("auto") else photo.name)
        follow(folders, len(photos), console, check_alive)
    ended = fates(folders)
    from daemon.cli.contact import save_contact_sheet  # noqa: PLC0415 - brings the imaging libraries

    sheets = save_contact_sheet(ended, folders.root / "contact-sheet")
    for line in account(folders, ended, len(photos), sheets):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if len(ended) != len(photos) or not any(fate.state == "done" for fate in ended):
        sys.exit(Exit.SOME_FAILED)


def set_up(folders: Studio) -> None:
    """An empty studio; an earlier demo in its place goes. Raises BadInput when something else is there."""
    if folders.root.exists() and (not folders.root.is_dir() or any(folders.root.iterdir())):
        if not (folders.root / MARK).is_file():
            raise BadInput(
                f"{folders.root} holds something else.", "Give the demo another place with --studio."
            )
        shutil.rmtree(folders.root)
    folders.root.mkdir(parents=True, exist_ok=True)
    (folders.root / MARK).write_text(
        "Made by `vitrine demo`, which empties this folder when it is run again.\n", "utf-8"
    )
    workers = max(1, min(4, len(os.sched_getaffinity(0))))
    quick = f"workers = {workers}\nworker_threads = 1\n"
    (folders.root / SETTINGS_NAME).write_text(
        starter_toml().replace("# workers = 1\n# worker_threads = 2\n", quick), "utf-8"
    )
    folders.create()


def dropped_photos(home: Path) -> list[tuple[Path, str]]:
    """Which sample goes into which inbox folder: the samples of a kind take turns. Raises Misconfigured."""
    samples: dict[JewelryType, list[Path]] = {}
    for path in sorted(home.glob("*.jpg")):
        kind = type_in_name(path.name)
        if kind is not None:
            samples.setdefault(kind, []).append(path)
    turns: Counter[JewelryType] = Counter()
    chosen = []
    for kind, folder in FOLDERS:
        if kind in samples:
            chosen.append((samples[kind][turns[kind] % len(samples[kind])], folder))
            turns[kind] += 1
    if not chosen:
        raise Misconfigured(f"there are no sample photos in {home}", "Install Vitrine again.")
    return chosen


def drop(photo: Path, folder: Path, name: str) -> None:
    """Copy a photo into an inbox folder, as its owner would."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(photo, folder / name)


@contextmanager
def daemon_at_work(folders: Studio) -> Iterator[Callable[[], None]]:
    """`vitrine run` as a process of its own; asked to stop at the end.

    Gives a function that raises Misconfigured when the process has ended before its time.
    """
    said = folders.logs / "demo.txt"
    durable.make_folders(folders.logs)
    with said.open("wb") as stream:
        words = [*PROGRAM, "run", "--studio", str(folders.root)]
        process = subprocess.Popen(words, stdout=stream, stderr=stream)  # noqa: S603 - our own program
        try:
            _until(lambda: b"watching" in said.read_bytes(), lambda: _check_alive(process, said))
            yield lambda: _check_alive(process, said)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _check_alive(process: subprocess.Popen[bytes], said: Path) -> None:
    if process.poll() is not None:
        raise Misconfigured(
            f"The daemon stopped:\n{said.read_text('utf-8', 'replace')[-2000:]}", f"Its log: {said}"
        )


def _until(done: Callable[[], bool], check_alive: Callable[[], None]) -> None:
    end = time.monotonic() + LONGEST_S
    while not done():
        check_alive()
        if time.monotonic() > end:
            raise BadInput(f"The demo took longer than {LONGEST_S:.0f} s and was given up.")
        time.sleep(0.1)


def follow(folders: Studio, count: int, console: Console, check_alive: Callable[[], None]) -> None:
    """Tell of each photo as it ends, until all have ended."""
    ledger = Ledger(folders.ledger)
    drops = Drops(ledger)
    told: set[int] = set()
    columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=count)

        def all_ended() -> bool:
            for one in reversed(drops.recent(("done", "review", "rejected", "duplicate", "vanished"), -1)):
                if one.id not in told:
                    told.add(one.id)
                    word = "published" if one.state == "done" else f"{one.state}: {one.reason}"
                    console.print(f"  inbox/{one.folder}/{one.name}  {word}", highlight=False, markup=False)
                    progress.advance(bar)
            return len(told) >= count

        try:
            _until(all_ended, check_alive)
        finally:
            ledger.close()


def account(folders: Studio, ended: Sequence[Fate], count: int, sheets: Sequence[Path]) -> list[str]:
    """The words at the end."""
    states = Counter(fate.state for fate in ended)
    words = {"done": "published", "review": "to review"}
    parts = [f"{number} {words.get(state, state)}" for state, number in states.most_common()]
    return [
        "",
        f"{count} photos dropped, {sum(states.values())} accounted for: {', '.join(parts)}.",
        f"  finished pictures        {folders.export}",
        f"  the same with your mark  {folders.watermark}",
        f"  posts to approve         {folders.instagram}",
        *([f"  to look at first         {folders.review}"] if states["review"] else []),
        f"  your originals           {folders.originals}",
        *(f"  contact sheet            {path}" for path in sheets[:1]),
        "",
        f"Next: drop a photo of your own into {folders.inbox} and start `vitrine run --studio {folders.root}`.",
    ]
