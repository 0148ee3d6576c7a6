"""What must be true of a studio after whatever happened to its daemon (I1 to I6), read from the disk and the ledger alone."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections import Counter
from pathlib import Path

from PIL import Image

SINKS = ("export", "watermark", "instagram-queue")


def lost(studio, photos):
    """Photos (name -> bytes) of which no byte-for-byte copy is left."""
    kept = {hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(studio.root, *_KEPT)}
    return [name for name, data in photos.items() if hashlib.sha256(data).hexdigest() not in kept]


_KEPT = ("inbox", "originals", "rejected", ".vitrine/staging")


def partial(studio):
    """Files in the sinks that have their name and not their whole content."""
    return [path for path in _files(studio.root, *SINKS) if not _whole(path)]


def twice(studio, photos):
    """Photos (their names without a dash) of which a sink has more than one picture, and pictures of no photo."""
    found = []
    for sink in SINKS:
        made = Counter(path.stem.split("-")[0] for path in _files(studio.root, sink, suffix=".jpg"))
        stems = {Path(name).stem for name in photos}
        found += [f"{sink}/{stem}" for stem, count in made.items() if stem in stems and count > 1]
        found += [f"{sink}/{stem}" for stem in made if stem not in stems]
    return found


def missing(studio, names):
    """Pictures that are not in a sink though their photo is done."""
    wanted = {Path(name).stem for name in names}
    return [
        f"{sink}/{stem}"
        for sink in SINKS
        for stem in wanted - {path.stem for path in _files(studio.root, sink, suffix=".jpg")}
    ]


def unsound(studio):
    """What SQLite finds wrong with the ledger; "" if nothing."""
    connection = sqlite3.connect(studio.ledger, timeout=10)
    try:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        connection.close()
    return "" if said == "ok" else said


def _files(root, *folders, suffix=""):
    for folder in folders:
        for path in (root / folder).rglob(f"*{suffix}"):
            if path.is_file() and not path.name.startswith("."):
                yield path


def _whole(path):
    data = path.read_bytes()
    if path.suffix == ".json":
        return bool(json.loads(data))
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    return data.endswith(b"\xff\xd9")
