"""What happens to an original once nothing is left to do for it. Owns the move out of the inbox; refuses pictures.

Order (so that every crash leaves a job that runs again or one that is done): outputs are durable, the job is recorded,
and only then the original leaves the inbox. No step deletes the last copy of a byte; each may be run again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from daemon import durable, names
from daemon.drops import Drop, Drops, Ended, JobRow
from daemon.failpoint import reach
from daemon.intake import sidecar_path
from daemon.roots import Roots
from daemon.scan import Stamp
from daemon.studio import Studio
from daemon.words import rejection

_OPEN = {"waiting", "leased"}


class PutAway:
    """Ends drops."""

    def __init__(self, studio: Studio, drops: Drops) -> None:
        self._studio = studio
        self._drops = drops
        self._roots = Roots(studio, drops.ledger)

    def close(self, drop_id: int) -> Ended | None:
        """End the drop if none of its jobs is open; the state it ended in. Raises OSError (disk full, no drive, ...)."""
        drop = self._drops.get(drop_id)
        jobs = self._drops.jobs(drop_id)
        if drop.state != "open" or any(job.state in _OPEN for job in jobs):
            return None
        state, reason = _outcome(drop, jobs)
        self._roots.require(
            self._studio.inbox, self._studio.rejected if state == "rejected" else self._studio.originals
        )
        target = self._place(drop, reason) if state == "rejected" else self._archive_path(drop)
        self._bring(drop, target)
        self._sidecar(drop, target)
        reach("before-end")
        self._drops.end(drop_id, state, reason)
        return state

    def _archive_path(self, drop: Drop) -> Path:
        folder = self._studio.originals / drop.digest[:2]
        suffix = names.safe_suffix(drop.name)
        with contextlib.suppress(FileNotFoundError):
            for entry in sorted(folder.iterdir()):
                if entry.stem == drop.digest and entry.suffix != ".toml":
                    return entry
        return folder / f"{drop.digest}{suffix}"

    def _place(self, drop: Drop, reason: str) -> Path:
        """Where in rejected/ the file goes; its reason is written there first."""
        folder = self._studio.rejected / names.safe_folder(drop.folder)
        durable.make_folders(folder)
        for target in _candidates(folder, drop):
            if not target.exists() or durable.digest_of(target) == drop.digest:
                note = target.with_name(f"{target.name}.reason.txt")
                durable.write_atomic(note, rejection(self._studio, drop, reason).encode())
                return target
        raise FileExistsError(folder)

    def _bring(self, drop: Drop, target: Path) -> None:
        """Move the original, byte for byte, to `target`: from the inbox if it is still the same file there."""
        copy = self._studio.absolute(drop.source)
        current = self._inbox_path(drop)
        if drop.archived:
            if copy != target:
                self._settle_at(copy, target, drop)
                note = copy.with_name(f"{copy.name}.reason.txt")
                if copy.is_relative_to(self._studio.rejected):
                    durable.remove(note)
        else:
            if current is not None and current.lstat().st_nlink > 1:  # its other name may be written through
                self._settle_at(copy, target, drop)
            if current is not None:
                self._settle_at(current, target, drop)
                self._undo_if_changed(drop, current, target)
            if copy != target:
                self._settle_at(copy, target, drop)
        reach("after-move")
        self._drops.moved(drop.id, self._studio.relative(target), archived=True)

    def _inbox_path(self, drop: Drop) -> Path | None:
        path = self._studio.inbox / os.fsdecode(drop.path)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if Stamp.of(path.lstat()) == drop.stamp:
                return path
        return None

    def _settle_at(self, source: Path, target: Path, drop: Drop) -> None:
        """Move `source`, or take its name away if `target` holds the very same bytes already."""
        try:
            durable.move_new(source, target)
        except FileNotFoundError:
            if not target.exists():
                raise
        except FileExistsError:
            if durable.digest_of(target) != drop.digest:
                raise
            if durable.digest_of(source) == drop.digest:
                durable.remove(source)

    def _undo_if_changed(self, drop: Drop, source: Path, target: Path) -> None:
        """Somebody wrote into the file in the last moment: it is a new drop, so it goes back."""
        if Stamp.of(target.lstat()) == drop.stamp or durable.digest_of(target) == drop.digest:
            return
        with contextlib.suppress(FileExistsError):
            durable.move_new(target, source)
            return
        durable.move_new(target, source.with_stem(f"{source.stem}-changed"))

    def _sidecar(self, drop: Drop, target: Path) -> None:
        """The sidecar goes with its photo, unless it was changed or serves another photo too."""
        photo = self._studio.inbox / os.fsdecode(drop.path)
        path = sidecar_path(photo)
        if drop.sidecar is None or _shared(photo):
            return
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            if path.is_symlink() or path.read_bytes().decode("utf-8-sig") != drop.sidecar:
                return
            with contextlib.suppress(FileExistsError):
                durable.move_new(path, target.with_suffix(".toml"))
                return
            durable.move_new(path, target.with_name(f"{target.stem}-{drop.id}.toml"))


def _outcome(drop: Drop, jobs: list[JobRow]) -> tuple[Ended, str]:
    if not jobs:
        return ("duplicate", "the same photo was dropped before") if drop.plan else ("rejected", drop.reason)
    states = {job.state for job in jobs}
    reason = "; ".join(dict.fromkeys(job.reason for job in jobs if job.reason))
    if not states & {"done", "review"}:
        return ("rejected", reason) if "rejected" in states else ("vanished", reason)
    return ("done", "") if states == {"done"} else ("review", reason)


def _candidates(folder: Path, drop: Drop) -> Iterator[Path]:
    stem = names.safe_stem(os.fsdecode(os.path.splitext(os.path.basename(drop.path))[0]))  # noqa: PTH119, PTH122
    suffix = names.safe_suffix(drop.name)
    for mark in ("", f"-{drop.digest[:8]}", f"-{drop.digest[:16]}", f"-{drop.digest}"):
        yield folder / f"{stem}{mark}{suffix}"


def _shared(photo: Path) -> bool:
    """Whether another photo with the same stem stands beside it."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return any(
            entry.stem == photo.stem and entry.suffix != ".toml" and entry.name != photo.name
            for entry in photo.parent.iterdir()
        )
    return False
