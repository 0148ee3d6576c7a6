"""Finished posts in a folder, for somebody to post by hand: pictures, a text file each, a table of all. Needs no network."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

from daemon import durable, names
from daemon.instagram.publisher import Mark, NotSent, Outgoing, Receipt
from pipeline.errors import Misconfigured

TABLE = "posts.csv"
_COLUMNS = ("folder", "pictures", "caption", "alt_text", "first_comment", "kind")


class ExportPublisher:
    """folder: where the posts go. What it puts there is the same at every try, so that nothing comes twice."""

    name = "export"

    def __init__(self, studio: Path, folder: str) -> None:
        self._folder = (studio / folder).resolve()
        if not self._folder.is_relative_to(studio.resolve()) or self._folder.is_relative_to(
            (studio / "inbox").resolve()
        ):
            raise Misconfigured(
                f"{folder}: posts can be exported only into the studio folder, and not into its inbox.",
                "Change [instagram] export_to in vitrine.toml.",
            )

    def publish(self, post: Outgoing, mark: Mark) -> Receipt:
        """Put it there."""
        target = self._target(post)
        mark("")
        try:
            durable.make_folders(target)
            pictures = []
            for at, path in enumerate(post.pictures, 1):
                pictures.append(f"{at}-{names.safe_stem(path.stem)}.jpg")
                durable.write_atomic(target / pictures[-1], path.read_bytes())
            text = (
                "--- a story: post the picture as one, it has no words ---\n"
                if post.kind == "story"
                else f"{post.text}\n"
            )
            text += f"\n--- first comment ---\n{post.first_comment}\n" if post.first_comment else ""
            text += f"\n--- alternative text ---\n{post.alt_text}\n" if post.alt_text else ""
            durable.write_atomic(target / "post.txt", text.encode())
            self._enter(target.name, pictures, post)
        except OSError as error:
            raise NotSent(f"{target} cannot be written ({error.strerror})") from error
        return Receipt(target.name, str(target))

    def find(self, post: Outgoing) -> Receipt | None:
        """Whether its folder is whole: the table is written last."""
        target = self._target(post)
        if target.name in {row["folder"] for row in self._rows()} and (target / "post.txt").is_file():
            return Receipt(target.name, str(target))
        return None

    def comment(self, receipt: Receipt, text: str) -> None:
        """It stands in the text file already."""

    def commented(self, receipt: Receipt, text: str) -> bool:  # noqa: ARG002 - the interface of all back ends
        """It does: the file is written as a whole."""
        return True

    def log_in_again(self) -> None:
        """There is nothing to log in to."""

    def _target(self, post: Outgoing) -> Path:
        return self._folder / f"{names.safe_stem(post.pictures[0].stem)[:80]}-{post.upload_id[-6:]}"

    def _rows(self) -> list[dict[str, str]]:
        try:
            text = (self._folder / TABLE).read_text("utf-8")
        except FileNotFoundError:
            return []
        return [row for row in csv.DictReader(io.StringIO(text)) if row.get("folder")]

    def _enter(self, folder: str, pictures: list[str], post: Outgoing) -> None:
        """One line per post, as spreadsheets and posting tools read it; written anew as a whole."""
        rows = [row for row in self._rows() if row["folder"] != folder]
        values = (folder, " ".join(pictures), post.text, post.alt_text, post.first_comment, post.kind)
        rows.append(dict(zip(_COLUMNS, values, strict=True)))
        stream = io.StringIO(newline="")
        table = csv.DictWriter(stream, _COLUMNS, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
        durable.write_atomic(self._folder / TABLE, stream.getvalue().encode())


def as_zip(folder: Path, target: Path) -> Path:
    """The export folder as one archive `target` (with .zip)."""
    return Path(shutil.make_archive(str(target.with_suffix("")), "zip", folder))
