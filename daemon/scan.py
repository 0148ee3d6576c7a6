"""What is in the inbox right now: the truth that events only hint at. Owns which names count; refuses to open files."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

_TEMP = re.compile(
    r"""^(?: \. | ~\$ | ~syncthing~ | \#.*\#$ )          # hidden, rsync's .x.AbC, our own, office and editor locks
      | (?: \.part | \.partial | \.crdownload | \.download | \.opdownload | \.tmp | \.temp | \.filepart
        | \.aria2 | \.!ut | \.swp | ~ )$ """,
    re.VERBOSE | re.IGNORECASE,
)
_COMPANION = re.compile(r"^(readme(\..*)?|desktop\.ini|thumbs\.db|vitrine\.toml)$|\.toml$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What says that a file is still the same: device, inode, size in bytes, time of the last change."""

    dev: int
    ino: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """From a stat result."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Found:
    """One scan. photos, sidecars: path -> stamp; ignored: path -> why, for the owner; folders: all that were read.

    unreadable: what is there and cannot be looked at -> why. Nothing is known of what lies below.
    """

    photos: dict[Path, Stamp] = field(default_factory=dict)
    sidecars: dict[Path, Stamp] = field(default_factory=dict)
    ignored: dict[Path, str] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)
    unreadable: dict[Path, str] = field(default_factory=dict)

    def add(self, other: Found) -> None:
        """Take in what another look found."""
        self.photos.update(other.photos)
        self.sidecars.update(other.sidecars)
        self.ignored.update(other.ignored)
        self.folders.update(other.folders)
        self.unreadable.update(other.unreadable)


def is_temporary(name: str) -> bool:
    """Whether the name is one that programs use while they are still writing; the final name comes later."""
    return _TEMP.search(name) is not None


def is_companion(name: str) -> bool:
    """Whether the file goes with photos and is none itself: a sidecar, a README."""
    return _COMPANION.search(name) is not None


def scan(folder: Path) -> Found:
    """All candidates below `folder`.

    Names that are not UTF-8 come back with surrogates (`os.fsdecode`). What vanishes meanwhile is left out.
    """
    found = Found()
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            with os.scandir(current) as entries:
                pending += [Path(entry.path) for entry in entries if _sort_out(entry, found)]
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found.unreadable[current] = os.strerror(error.errno or 0)
            continue
        found.folders.add(current)
    return found


def look(path: Path) -> Found:
    """The one file at `path`, or all below it if it is a folder; nothing if it is gone. Links are not followed."""
    found = Found()
    if is_temporary(path.name):
        return found
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return found
    except OSError as error:
        found.unreadable[path] = os.strerror(error.errno or 0)
        return found
    if stat.S_ISDIR(status.st_mode):
        return scan(path)
    _classify(path, status, found)
    return found


def _sort_out(entry: os.DirEntry[str], found: Found) -> bool:
    """Put one entry where it belongs; True if it is a folder to read."""
    if is_temporary(entry.name):
        return False
    try:
        if entry.is_dir(follow_symlinks=False):
            return True
        _classify(Path(entry.path), entry.stat(follow_symlinks=False), found)
    except FileNotFoundError:
        pass
    except OSError as error:
        found.unreadable[Path(entry.path)] = os.strerror(error.errno or 0)
    return False


def _classify(path: Path, status: os.stat_result, found: Found) -> None:
    if is_companion(path.name):
        if path.suffix == ".toml" and stat.S_ISREG(status.st_mode):
            found.sidecars[path] = Stamp.of(status)
    elif stat.S_ISREG(status.st_mode):
        found.photos[path] = Stamp.of(status)
    elif stat.S_ISLNK(status.st_mode):
        found.ignored[path] = "a link, not a photo: copy the photo itself into the inbox"
    else:
        found.ignored[path] = "not a file (a pipe, socket or device)"
