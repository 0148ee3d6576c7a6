"""The studio folder: which folders it has, and what belongs into a new one. Owns the layout; refuses photos."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from daemon import durable
from daemon.loops import overlap
from daemon.settings import SETTINGS_NAME, TEMPLATES_NAME, starter_toml
from pipeline.errors import Busy, Misconfigured
from pipeline.recipe import JEWELRY_TYPES

PLURALS = {
    "ring": "rings",
    "necklace": "necklaces",
    "pendant": "pendants",
    "bracelet": "bracelets",
    "bangle": "bangles",
    "watch": "watches",
    "brooch": "brooches",
    "set": "sets",
}
MARKER = ".vitrine-here"  # see daemon.roots
README = """\
Drop product photos into one of these folders. Finished pictures appear in export/, watermark/ and instagram-queue/.

A folder's name says what is inside and, if you like, how it should look:
  rings                         rings, each on a set that flatters its metal and stones
  earrings--velvet-moody        a template
  rings--our-velvet             a template of your own (see templates/README.txt)
  necklaces--marble--soft-glow  a surface and a light
  bangles--overnight            rendered at night only
  sets--diffusion               on a painted background (see [diffusion] in vitrine.toml)
  auto--festive--x4             kind of jewelry found by itself, four variants
You may make new folders. A file ring.toml beside ring.jpg changes things for that one photo.
What could not be used is in review/ or rejected/, each with a note that says why and what to do.
Your originals are kept, unaltered, in originals/.
"""
TEMPLATES_README = """\
Templates of your own: a file with any name that ends in .toml, one table for each template. What stands in brackets is its
name: it goes into folder names (inbox/rings--our-velvet), vitrine.toml, the .toml beside a photo, and --template.

  [our-velvet]
  title = "Our velvet"
  surface = "velvet"                  # `vitrine templates` lists surfaces, palettes, lights and looks
  palette = "navy"
  rig = "moody"
  look = "warm-gold"
  change = { base = "#14082a", accent = "#5a3fa0", relief = 0.5 }   # all of it optional: your colours, lower folds
  backdrop = "diffusion"              # optional: the set is painted (see [diffusion] in vitrine.toml)
  prompt = "our velvet, low sun"      # optional: and these are its words; negative and lora, too
  suits = ["ring", "earrings"]        # optional: chosen by itself for these only
  flatters = ["yellow-gold"]          # optional: and for this metal

A change counts for photos dropped from then on. `vitrine check` tells about mistakes, `vitrine templates --try PHOTO
--own` shows them all. While a file has a mistake, the templates from before stay in force.
"""


@dataclass(frozen=True, slots=True)
class Studio:
    """Where things are. `root` is the studio folder; nothing outside it is written."""

    root: Path

    @property
    def inbox(self) -> Path:
        """Where photos are dropped."""
        return self.root / "inbox"

    @property
    def marker(self) -> Path:
        """Stands in the inbox. Where it is missing, the drive may be unplugged: then nothing counts as taken away."""
        return self.inbox / MARKER

    @property
    def export(self) -> Path:
        """Clean renders."""
        return self.root / "export"

    @property
    def watermark(self) -> Path:
        """Renders with the shop's mark."""
        return self.root / "watermark"

    @property
    def instagram(self) -> Path:
        """Posts that wait for approval."""
        return self.root / "instagram-queue"

    @property
    def posted(self) -> Path:
        """Posts that went out."""
        return self.instagram / "posted"

    @property
    def dropped(self) -> Path:
        """Posts that shall not go out."""
        return self.instagram / "dropped"

    @property
    def voice(self) -> Path:
        """The shop's own captions, one file per language."""
        return self.root / "captions"

    @property
    def templates(self) -> Path:
        """The shop's own templates."""
        return self.root / TEMPLATES_NAME

    @property
    def backgrounds(self) -> Path:
        """Backgrounds that a diffusion model painted."""
        return self.root / "backgrounds"

    def weights(self, said: str = "weights") -> Path:
        """Diffusion models and what belongs to them; `said` in the settings, below the studio or anywhere."""
        return self.root / Path(said).expanduser()

    @property
    def publisher(self) -> Path:
        """What the publisher keeps: its ledger, its session."""
        return self.private / "publisher"

    @property
    def review(self) -> Path:
        """Renders that a person should look at."""
        return self.root / "review"

    @property
    def rejected(self) -> Path:
        """Files that cannot be rendered."""
        return self.root / "rejected"

    @property
    def originals(self) -> Path:
        """Every accepted original, by digest."""
        return self.root / "originals"

    @property
    def reports(self) -> Path:
        """What each night batch came to."""
        return self.root / "reports"

    @property
    def private(self) -> Path:
        """The program's own things."""
        return self.root / ".vitrine"

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.private / "ledger" / "ledger.sqlite"

    @property
    def staging(self) -> Path:
        """Private copies of photos that are being worked on."""
        return self.private / "staging"

    @property
    def verdicts(self) -> Path:
        """The judge's JSON, one file per job."""
        return self.private / "verdicts"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.private / "logs"

    @property
    def folders(self) -> tuple[Path, ...]:
        """All of them but the inbox."""
        return (
            *self.roots[1:],
            self.reports,
            self.ledger.parent,
            self.staging,
            self.verdicts,
            self.publisher,
            self.logs,
        )

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that may be drives of their own: the inbox, then all that the owner finds results in."""
        shown = (self.export, self.watermark, self.instagram, self.review, self.rejected, self.originals)
        return (self.inbox, *shown)

    def create(self) -> None:
        """Make what is missing. A file that the owner changed is left alone. Raises Misconfigured."""
        self._refuse_loops()
        try:
            new = not self.ledger.exists()
            for folder in (self.inbox, *self.folders):
                if not folder.is_symlink():  # a link to a drive that is not there now
                    durable.make_folders(folder)
            if new:
                if not (self.root / SETTINGS_NAME).exists():
                    durable.write_new(self.root / SETTINGS_NAME, starter_toml().encode())
                if not self.templates.exists():
                    durable.make_folders(self.templates)
                    durable.write_new(self.templates / "README.txt", TEMPLATES_README.encode())
                self.furnish()
        except (PermissionError, NotADirectoryError, FileExistsError) as error:
            raise Misconfigured(
                f"{self.root}: the studio folder cannot be set up ({error.strerror}: {error.filename}).",
                "Check that the folder is writable for the user that runs Vitrine.",
            ) from error
        except OSError as error:  # full or read-only: that passes
            raise unwritable(self.root, error) from error

    def furnish(self) -> None:
        """Put what belongs into a new inbox: a folder for each type, the README."""
        if (self.inbox / "README.txt").exists() or not self.inbox.is_dir():
            return
        for kind in JEWELRY_TYPES:
            durable.make_folders(self.inbox / PLURALS.get(kind, kind))
        durable.write_new(self.inbox / "README.txt", README.encode())

    def _refuse_loops(self) -> None:
        """A result that lands in the inbox would be rendered again, for ever."""
        for folder in self.folders:
            if overlap(folder, self.inbox):
                raise Misconfigured(
                    f"{folder} and {self.inbox} lie inside each other, so results would be taken for new photos.",
                    "Keep the inbox apart from all other studio folders.",
                )

    def relative(self, path: Path) -> bytes:
        """The path below the root, as the ledger stores it."""
        return os.fsencode(path.relative_to(self.root))

    def in_inbox(self, path: Path) -> str:
        """The path below the inbox. Its text is the disk's, bytes that are no UTF-8 as surrogates."""
        return os.fspath(path)[len(os.fspath(self.inbox)) + 1 :]

    def absolute(self, stored: bytes) -> Path:
        """The path that the ledger stored."""
        return self.root / os.fsdecode(stored)


class Unwritable(Busy):
    """Nothing can be written to the studio's drive now (full, read-only, over quota). The daemon waits until it can."""


def unwritable(path: Path, error: OSError) -> Unwritable:
    """The words for a file or folder that cannot be written."""
    return Unwritable(
        f"{path}: nothing can be written ({error.strerror}).",
        "Make room or make it writable, then start again.",
    )
