"""Finished pictures to their folders. Owns names, places and the post's JSON; refuses to decide what is published.

A name is visible only with its full content. The same job gives the same name: bytes that already stand there are
adopted. Another photo's picture is never overwritten: a mark from the job's key is added to the name.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon import durable, names
from daemon.drops import Drop
from daemon.failpoint import reach
from daemon.instagram.compose import compose
from daemon.jobstore import Artifact, Claim
from daemon.studio import Studio
from daemon.words import review
from rules.plan import Plan


@dataclass(frozen=True, slots=True)
class Pictures:
    """JPEG files in memory: the clean one, and the one with the shop's mark if it was asked for. colours: of the piece."""

    clean: bytes
    marked: bytes | None = None
    colours: tuple[str, ...] = ()


def as_json(value: object) -> bytes:
    """Canonical JSON: sorted keys, readable letters, newline at the end."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, default=str) + "\n").encode()


class Delivery:
    """Puts one job's results where they belong."""

    def __init__(self, studio: Studio, drop: Drop, plan: Plan, claim: Claim) -> None:
        self._studio = studio
        self._drop = drop
        self._plan = plan
        self._claim = claim
        stem = names.safe_stem(os.fsdecode(os.path.splitext(os.path.basename(drop.path))[0]))  # noqa: PTH119, PTH122
        variant, shape = plan.variant_of(claim.variant), plan.recipes[claim.variant].format
        self._outputs = plan.outputs_of(claim.variant)
        self._stem = (
            stem + (f"-{variant + 1}" if variant else "") + (f"-{shape}" if shape != "square" else "")
        )
        self._folder = names.safe_folder(drop.folder)

    def publish(self, pictures: Pictures) -> list[Artifact]:
        """Put the pictures into the folders that the plan names."""
        made: list[Artifact] = []
        if "export" in self._outputs:
            made.append(self._put("export", self._studio.export / self._folder, pictures.clean))
        if "watermark" in self._outputs and pictures.marked is not None:
            made.append(self._put("watermark", self._studio.watermark / self._folder, pictures.marked))
        if "instagram" in self._outputs:
            made.extend(self._queue(pictures))
        return made

    def hold(self, clean: bytes | None, reasons: Sequence[str], verdict: object) -> list[Artifact]:
        """Put the picture (if there is one) into review/ with the reasons."""
        folder = self._studio.review / self._folder
        made = [self._put("review", folder, clean)] if clean is not None else []
        place = (
            self._studio.root / made[0].path if made else folder / f"{self._stem}-{self._claim.key[:8]}.txt"
        )
        durable.make_folders(folder)
        text = review(self._studio, self._drop, reasons, picture=clean is not None).encode()
        made.append(self._replace("reason", place.with_suffix(".txt"), text))
        made.append(self._replace("verdict", place.with_suffix(".json"), as_json(verdict)))
        return made

    def _replace(self, kind: str, path: Path, data: bytes) -> Artifact:
        durable.write_atomic(path, data)
        return Artifact(kind, os.fspath(path.relative_to(self._studio.root)), _sha(data))

    def _queue(self, pictures: Pictures) -> list[Artifact]:
        picture = self._put("instagram", self._studio.instagram, pictures.clean)
        note = (self._studio.root / picture.path).with_suffix(".json")
        data = as_json(self._post(picture, pictures))
        if not note.exists():  # the owner may have edited or approved it
            durable.write_new(note, data)
            reach("after-post")
        return [picture, Artifact("post", os.fspath(note.relative_to(self._studio.root)), _sha(data))]

    def _post(self, picture: Artifact, pictures: Pictures) -> dict[str, Any]:
        post = compose(
            self._studio, self._plan, self._claim.variant, stem=self._stem, job=self._claim.key,
            source=self._drop.digest, picture=Path(picture.path).name, sha256=picture.sha256,
            colours=pictures.colours, image=pictures.clean, now=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        return post.model_dump(mode="json")

    def _put(self, kind: str, folder: Path, data: bytes) -> Artifact:
        sha = _sha(data)
        for length in (0, 8, 16, 64):
            mark = f"-{self._claim.key[:length]}" if length else ""
            path = folder / f"{self._stem}{mark}.jpg"
            if _put_or_adopt(path, data, sha):
                reach(f"after-{kind}")
                return Artifact(kind, os.fspath(path.relative_to(self._studio.root)), sha)
        raise FileExistsError(folder / self._stem)


def _put_or_adopt(path: Path, data: bytes, sha: str) -> bool:
    if not os.path.lexists(path):
        try:
            durable.write_new(path, data)
        except FileExistsError:
            pass
        else:
            return True
    return path.is_file() and not path.is_symlink() and durable.digest_of(path) == sha


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
