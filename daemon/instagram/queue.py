"""The queue is the folder `instagram-queue/`: a picture and a `.json` for each post. Owns looking, changing and putting away.

Refuses to decide when something goes out, and to send it.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daemon import durable
from daemon.instagram.post import Entry, Post, read_post
from daemon.studio import Studio
from pipeline.errors import BadInput

log = logging.getLogger("vitrine.queue")
MOST_PICTURES = 10  # of a carousel: what the official interface takes


class Queue:
    """All posts that have not gone out, in the owner's order."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.mistakes: list[BadInput] = []  # of the last look

    def entries(self) -> list[Entry]:
        """Look into the folder. Files that cannot be understood are left out and told in `mistakes`."""
        self.mistakes = []
        found = self.entries_in(self._studio.instagram)
        return sorted(found, key=lambda entry: (entry.post.order, _age(entry.path), entry.path.name))

    def entries_in(self, folder: Path, most: int = 100_000) -> list[Entry]:
        """Posts in any folder, at most so many of the newest."""
        paths = [path for path in folder.glob("*.json") if not path.name.startswith(".")]
        found = []
        for path in sorted(paths, key=_age)[-most:]:
            try:
                found.append(read_post(path))
            except BadInput as error:
                self.mistakes.append(error)
        return found

    def find(self, word: str) -> Entry:
        """The post that a person means: its number in the list, file name, SKU, or the beginning of its id. Raises BadInput."""
        entries = self.entries()
        if word.isdecimal() and 1 <= int(word) <= len(entries):
            return entries[int(word) - 1]
        stem = Path(word).stem
        for match in (
            [one for one in entries if one.path.stem == stem],
            [one for one in entries if one.post.sku and one.post.sku == word],
            [one for one in entries if len(word) >= 6 and one.id.startswith(word)],
        ):
            if len(match) == 1:
                return match[0]
        for mistake in self.mistakes:
            if Path(word).stem in str(mistake):
                raise mistake
        raise BadInput(
            f"{word}: there is no such post, or more than one.", "`vitrine queue list` shows them all."
        )

    def approve(self, entry: Entry, now: dt.datetime) -> Entry:
        """Let it go out as it stands now, pictures included."""
        sums = [durable.digest_of(_there(path)) for path in entry.pictures]
        return entry.told("approved", now, state="approved", sha256=sums)

    def hold(self, entry: Entry, now: dt.datetime) -> Entry:
        """Keep it."""
        return entry.told("held", now, state="held")

    def drop(self, entry: Entry, now: dt.datetime) -> Path:
        """Take it out of the queue, into `dropped/`."""
        return self.put_away(entry.told("dropped", now, state="dropped"), self._studio.dropped)

    def reorder(self, words: Sequence[str], now: dt.datetime) -> list[Entry]:
        """Put these first, in this order."""
        chosen = [self.find(word) for word in words]
        first = min((entry.post.order for entry in self.entries()), default=0.0)
        moved = []
        for at, entry in enumerate(chosen):
            order = first - len(chosen) + at
            moved.append(entry.told("moved to the front", now, order=order))
        return moved

    def join(self, entries: Sequence[Entry], now: dt.datetime) -> Entry:
        """Make one post with several pictures of them; the first one's words are kept. Raises BadInput."""
        first, *others = entries
        if any(entry.post.kind == "story" for entry in entries):
            raise BadInput(f"{first.path}: a story has one picture.", "Join posts of the feed.")
        pictures = [name for entry in entries for name in entry.post.pictures]
        if len(set(pictures)) != len(pictures) or len(pictures) > MOST_PICTURES:
            raise BadInput(
                f"{first.path}: {len(pictures)} pictures cannot be one post.",
                f"Choose different posts with at most {MOST_PICTURES} pictures in all.",
            )
        sums = [one for entry in entries for one in entry.post.sha256]
        whole = first.told(
            f"joined with {', '.join(entry.path.name for entry in others)}",
            now,
            more=pictures[1:],
            sha256=sums,
        )
        for entry in (
            others
        ):  # a crash in between leaves a post whose picture another one has, too: `claimed` sees that
            durable.remove(entry.path)
        return whole

    def join_variants(self, now: dt.datetime) -> None:
        """Make one post of all variants of a photo, as soon as all are there (where the settings wanted that)."""
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries():
            post = entry.post
            if post.carousel and post.of > 1 and not post.more and post.state in {"held", "approved"}:
                groups.setdefault(post.source, []).append(entry)
        for group in groups.values():
            if len(group) == min(group[0].post.of, MOST_PICTURES):
                group.sort(key=lambda entry: entry.post.variant)
                self.join(group, now)

    def claimed(self, entry: Entry) -> bool:
        """Whether a carousel has this post's picture already (a crash while they were joined)."""
        return any(
            entry.post.picture in other.post.more for other in self.entries() if other.path != entry.path
        )

    def put_away(self, entry: Entry, folder: Path) -> Path:
        """Move a post and its pictures out of the queue. Run again after a crash it finishes the move."""
        durable.make_folders(folder)
        target, mark = folder / entry.path.name, f"-{entry.id[:8]}"
        moved = target.exists() and not any(path.exists() for path in entry.pictures)
        if moved and read_post(target).post.job == entry.post.job:
            durable.remove(entry.path)  # it had been moved already
            return target
        taken = target.exists() or any(
            path.exists() and (folder / path.name).exists() for path in entry.pictures
        )
        names = {
            path: path.with_stem(path.stem + mark).name if taken else path.name for path in entry.pictures
        }
        for path, name in names.items():
            if path.exists():
                durable.move_new(path, folder / name)
        first, *more = names.values()
        if taken:
            target = target.with_stem(target.stem + mark)
        durable.write_new(
            target, entry.bytes_of(entry.post.model_copy(update={"picture": first, "more": more}))
        )
        durable.remove(entry.path)
        return target


def _there(path: Path) -> Path:
    if not path.is_file() or path.is_symlink():
        raise BadInput(f"{path}: the picture of this post is missing.", "Put it back, or drop the post.")
    return path


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def changes(post: Post, words: Sequence[str]) -> dict[str, Any]:
    """`caption=...`, `when=...` as a person wrote them, as fields. Raises BadInput."""
    lists = {"hashtags", "first_comment"}
    texts = {"caption", "alt_text", "title", "sku", "link", "when"}
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in lists | texts:
            raise BadInput(
                f"{word}: nothing to change.",
                f"Write KEY=VALUE, with one of {', '.join(sorted(lists | texts))}.",
            )
        found[key] = value.replace(",", " ").split() if key in lists else value.replace("\\n", "\n")
    Post.model_validate(post.model_dump() | found)
    return found
