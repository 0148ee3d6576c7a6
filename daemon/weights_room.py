"""The studio's weights folder: what lies in it, is it sound, and how something is brought in. Owns imports and their memory.

What was imported is remembered in `<room>/.<name>.json` with its digest, so that `check` sees when a file changed since. What
the owner put there by hand is as good; only its digest at that time is not known. Refuses to load any model.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from daemon import durable
from daemon.digests import Digests
from pipeline.diffusion.files import WEIGHTS, Control, Lora, Model, control_at, lora_at, model_at
from pipeline.diffusion.shelf import CONFIGS, CONTROLS, LORAS, MODELS, UPSCALERS, Shelf
from pipeline.errors import BadInput, Misconfigured
from weights import licences

SORTS: Final = {"model": MODELS, "control": CONTROLS, "lora": LORAS, "config": CONFIGS, "upscaler": UPSCALERS}
UPSCALER_SUFFIXES: Final = (".pth", WEIGHTS)
SMALL: Final = (".json", ".txt", ".model")


@dataclass(frozen=True, slots=True)
class Thing:
    """Something in the folder. about: family or kind; wrong: why it cannot be used, "" if it can."""

    sort: str
    name: str
    path: Path
    about: str = ""
    size: int = 0
    licence: str = licences.UNKNOWN
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class WeightsRoom:
    """The folder and the memory of digests."""

    shelf: Shelf
    digests: Digests

    def things(self) -> list[Thing]:
        """All there is, sort by sort."""
        found = [
            self._thing(sort, path)
            for sort in ("model", "control", "lora")
            for path in self.shelf.paths(SORTS[sort])
        ]
        home = self.shelf.folder / UPSCALERS
        files = sorted(home.iterdir()) if home.is_dir() else []
        for path in files:
            if path.suffix in UPSCALER_SUFFIXES:
                size = path.stat().st_size
                found.append(Thing("upscaler", path.stem, path, size=size, licence=licences.UPSCALER))
        return found

    def changed(self, thing: Thing) -> str:
        """Nothing when the thing is as it was imported; else what is known."""
        note = _note(thing.path)
        try:
            then = json.loads(note.read_text("utf-8"))["sha256"]
        except (OSError, ValueError, KeyError):
            return "put there by hand"
        return "" if self._digest(thing.path) == then else "CHANGED since it was imported"

    def bring(self, source: Path, name: str = "", sort: str = "", sha256: str = "") -> Thing:
        """Copy a file or folder into its room, checked byte for byte. Raises BadInput, Misconfigured, OSError.

        sort: see `SORTS`, "" = by its files. sha256: what a single file must have.
        """
        sort = sort or _sort_of(source)
        given = durable.digest_of(source) if source.is_file() else ""
        if sha256 and given != sha256.casefold().strip():
            what = f"its SHA-256 is {given}" if given else "a folder has no SHA-256 of its own"
            raise BadInput(f"{source}: {what}, not {sha256}.", "Fetch the file again from its maker.")
        target = self.shelf.folder / SORTS[sort] / _named(source, name)
        if os.path.lexists(target):
            raise BadInput(f"{target} is there already.", "Take it away first, or give another --name.")
        durable.make_folders(target.parent)
        temp = target.parent / f"{durable.TEMP_PREFIX}{secrets.token_hex(8)}"
        try:
            _copy(source, temp)
            durable.name_folder(temp, target)
        finally:
            _discard(temp)
        beside = source.with_suffix(".config")
        if sort == "model" and source.is_file() and beside.is_dir():
            self.bring(beside, target.with_suffix(".config").name, "model")
        told = {"sha256": self._digest(target), "from": os.fspath(source.absolute()), "when": _now()}
        durable.write_atomic(_note(target), json.dumps(told, indent=2).encode())
        return self._thing(sort, target)

    def _digest(self, path: Path) -> str:
        return self.digests.of(path)

    def _thing(self, sort: str, path: Path) -> Thing:
        bare = Thing(sort, path.name.removesuffix(WEIGHTS), path)
        if sort not in {"model", "control", "lora"} or path.suffix == ".config":
            return bare
        try:
            return _described(bare, self._read(sort, path))
        except Misconfigured as error:
            return Thing(sort, bare.name, path, wrong=f"{error} {error.advice}".strip())

    def _read(self, sort: str, path: Path) -> Model | Control | Lora:
        if sort == "model":
            return model_at(path, self.shelf.folder / CONFIGS)
        return control_at(path) if sort == "control" else lora_at(path)


def _described(bare: Thing, what: Model | Control | Lora) -> Thing:
    if isinstance(what, Model):
        about, licence = f"{what.family}, {what.side_px} px", licences.FAMILIES[what.family]
    elif isinstance(what, Control):
        about, licence = f"{what.kind or 'of no known kind'}, words {what.cross} wide", licences.CONTROL
    else:
        about, licence = f"words {what.cross or '?'} wide", licences.LORA
    return Thing(bare.sort, bare.name, bare.path, about, what.size, licence)


def _sort_of(source: Path) -> str:
    """By its files. Raises BadInput."""
    if not source.exists():
        raise BadInput(f"{source}: there is no such file or folder.")
    if source.suffix == ".pth":
        return "upscaler"
    reasons = []
    readers: dict[str, Any] = {"control": control_at, "lora": lora_at, "model": model_at}
    for sort, read in readers.items():
        try:
            read(source)
        except Misconfigured as error:
            reasons.append(str(error))
        else:
            return sort
    raise BadInput(
        f"{source}: it is no model, ControlNet or LoRA that can be used. {reasons[-1]}",
        "Or say what it is: --as.",
    )


def _named(source: Path, name: str) -> str:
    """The name in the room; a file keeps its suffix."""
    plain = name or source.name
    if "/" in plain or plain.startswith("."):
        raise BadInput(f'"{plain}" is no name for it.', "Use letters, digits and hyphens.")
    return plain if source.is_dir() or plain.endswith(source.suffix) else plain + source.suffix


def _copy(source: Path, target: Path) -> None:
    """Copy files that models are made of; all bytes are compared. Raises BadInput when a copy differs."""
    if source.is_file():
        _copy_file(source, target)
        return
    durable.make_folders(target)
    for file in sorted(source.rglob("*")):
        if file.is_file() and file.suffix in {*SMALL, WEIGHTS}:
            durable.make_folders((target / file.relative_to(source)).parent)
            _copy_file(file, target / file.relative_to(source))


def _copy_file(source: Path, target: Path) -> None:
    handle = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        durable.copy_private(handle, target)
    finally:
        os.close(handle)
    if durable.digest_of(target) != durable.digest_of(source):
        raise BadInput(f"{source}: the copy differs from the file.", "Check the drive and try again.")


def _discard(temp: Path) -> None:
    if temp.is_dir():
        shutil.rmtree(temp, ignore_errors=True)
    else:
        durable.remove(temp)


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.json")


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
