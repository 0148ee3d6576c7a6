"""A post as the `.json` beside its picture says it. Owns that model, its reading and its writing; refuses to judge it.

The file belongs to the shop: it may be edited by hand at any time, and keys that we do not know are kept.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from daemon import durable
from pipeline.errors import BadInput

State = Literal["held", "approved", "refused", "person", "posted", "dropped"]
Kind = Literal["feed", "story"]


class Event(BaseModel):
    """One line of a post's history."""

    model_config = ConfigDict(frozen=True)

    at: str
    what: str


class Post(BaseModel):
    """What is in the file.

    state: "held" waits for approval, "approved" goes out, "refused" has a mistake (see history), "person": nobody but a person
    can tell whether it went out. kind: a "story" has one picture of 9:16 and no words. picture, more: file names; `more` makes it a carousel. sha256: of the files, as they were made
    or approved. when: not before then, local time of the studio unless it has an offset, "" for as soon as there is room. order: smaller is sooner.
    of: how many variants the photo has, variant: which one this is. first_comment: hashtags that go there.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    state: State = "held"
    kind: Kind = "feed"
    picture: str
    more: list[str] = Field(default_factory=list)
    sha256: list[str] = Field(default_factory=list)
    title: str = ""
    caption: str = ""
    alt_text: str = ""
    hashtags: list[str] = Field(default_factory=list)
    first_comment: list[str] = Field(default_factory=list)
    sku: str = ""
    link: str = ""
    source: str = ""
    template: str = ""
    type: str = ""
    job: str = ""
    variant: int = 0
    of: int = 1
    carousel: bool = False
    voice: str = ""
    when: str = ""
    order: float = 0.0
    media: str = ""
    history: list[Event] = Field(default_factory=list)

    @field_validator("picture")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _plain(value):
            raise ValueError(f'"{value}" is no file name in the queue')
        return value

    @field_validator("more")
    @classmethod
    def _plain_names(cls, value: list[str]) -> list[str]:
        for name in value:
            cls._plain_name(name)
        return value

    @field_validator("when")
    @classmethod
    def _a_time(cls, value: str) -> str:
        if value:
            try:
                dt.datetime.fromisoformat(value)
            except ValueError:
                raise ValueError(f'"{value}" is not a time such as "2026-12-24 18:30"') from None
        return value

    @property
    def pictures(self) -> list[str]:
        """All file names, in order."""
        return [self.picture, *self.more]

    @property
    def text(self) -> str:
        """Caption and hashtags, as they go out."""
        return "\n\n".join(part for part in (self.caption.strip(), " ".join(self.hashtags)) if part)

    def told(self, what: str, at: dt.datetime, **changes: Any) -> Post:
        """The post after something happened to it."""
        event = Event(at=at.astimezone(dt.UTC).isoformat(timespec="seconds"), what=what)
        return self.model_copy(update={"history": [*self.history, event], **changes})

    def wanted(self, zone: dt.tzinfo) -> dt.datetime | None:
        """`when` as an instant."""
        if not self.when:
            return None
        found = dt.datetime.fromisoformat(self.when)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(dt.UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """A post and where it stands. path: of the .json."""

    path: Path
    post: Post

    @property
    def id(self) -> str:
        """Its name for commands, and for ever in the ledger: the job that made it; for a post by hand, its file's name."""
        return self.post.job or self.path.stem

    @property
    def pictures(self) -> list[Path]:
        """Its files."""
        return [self.path.parent / name for name in self.post.pictures]

    def write(self, post: Post) -> Entry:
        """Put the post into the file, in one step."""
        durable.write_atomic(self.path, self.bytes_of(post))
        return replace(self, post=post)

    @staticmethod
    def bytes_of(post: Post) -> bytes:
        """The file's content."""
        data = post.model_dump(mode="json")
        return (json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()

    def told(self, what: str, at: dt.datetime, **changes: Any) -> Entry:
        """The post after something happened to it, also on the disk; what somebody changed meanwhile is kept."""
        try:
            post = read_post(self.path).post
        except BadInput:
            post = self.post
        return self.write(post.told(what, at, **changes))


def read_post(path: Path) -> Entry:
    """The post in a file. Raises BadInput that says which file and which key."""
    try:
        return Entry(path, Post.model_validate(json.loads(path.read_bytes())))
    except FileNotFoundError:
        raise BadInput(
            f"{path}: there is no such post.", "`vitrine queue list` shows what there is."
        ) from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {_words(one)}" for one in error.errors())
        raise BadInput(f"{path}: {wrong}", "Mend the file; until then the post stays where it is.") from None
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path}: cannot be read: {error}", "The file must be JSON; see its neighbours."
        ) from None


def _words(problem: Any) -> str:
    return str(problem["msg"]).removeprefix("Value error, ")


def _plain(name: str) -> bool:
    """A name in the same folder: no path, nothing hidden."""
    return bool(name) and name == Path(name).name and not name.startswith(".") and "\0" not in name
