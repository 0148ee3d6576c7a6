"""A thousand names that no owner would choose: every file is accounted for and delivered under a safe name (FM-19 to FM-21)."""

from __future__ import annotations

import hashlib
import json
import os
import random
import unicodedata
from collections.abc import Iterator

from daemon.durable import digest_of
from daemon.scan import is_companion, is_temporary
from tests.daemon.studios import Daemon, jpeg
from tests.soak._dropping import running, wait_for
from tests.soak.proof import Proof, Row, Say, share_of

NAMES = 1000
SETTINGS = "settle_s = 0.1\nworkers = 2\n"
ALPHABETS = [
    [chr(code) for code in range(1, 128) if chr(code) != "/"],
    list("éèüßñøþ\u0301\u0308\u0327\u200d\u200b\ufeff\u2028"),
    list("خاتمذهب\u202e\u202d\u200f\u200e"),
    list("अंगूठीकंगन"),
    list("戒指金镶玉指輪"),
    list("💍💎👑👩‍❤️‍👨🏽\U0001f1ee\U0001f1f3"),
    list("\n\t\r\x07\x1b[31m"),
    list(" .-~"),
]


def fuzzed(count: int, seed: int = 1) -> list[bytes]:
    """File names as the disk has them, all different, none of which says "temporary" or "sidecar"."""
    rng = random.Random(seed)
    names: set[bytes] = set()
    while len(names) < count:
        name = _bytes(rng) if rng.random() < 0.25 else _letters(rng)
        name = (name + rng.choice([b".jpg", b".JPG", b".jpeg", b"", b"."]))[: rng.choice([255, 255, 60])]
        shown = os.fsdecode(name)
        if name and name not in {b".", b".."} and not is_temporary(shown) and not is_companion(shown):
            names.add(name)
    return sorted(names)


def _bytes(rng: random.Random) -> bytes:
    return bytes(rng.choice(range(1, 256)) for _ in range(rng.choice([1, 5, 20, 251]))).replace(b"/", b"\xff")


def _letters(rng: random.Random) -> bytes:
    length = rng.choice([1, 3, 12, 40, 251])
    alphabets = rng.sample(ALPHABETS, rng.choice([1, 2, 3]))
    text = "".join(rng.choice(rng.choice(alphabets)) for _ in range(length))
    return text.encode()[:251].decode("utf-8", "ignore").encode()


def names(share: float, say: Say) -> Iterator[Row]:
    """All at once into a few folders, through the running daemon."""
    wanted = share_of(NAMES, share, 20)
    with running("names", SETTINGS) as daemon:
        photos: dict[str, bytes] = {}
        for number, name in enumerate(fuzzed(wanted)):
            data = jpeg(number, (24, 16))
            photos[hashlib.sha256(data).hexdigest()] = name
            daemon.drop(os.fsdecode(name), data, ("rings", "earrings", "sets--velvet")[number % 3])
        wait_for(lambda: daemon.states() == {"done": wanted}, 60 + wanted)
        say(f"names: {daemon.states()}")
        rows = daemon.rows("SELECT state, digest, path FROM drops")
        done = {digest: path for state, digest, path in rows if state == "done"}
        accounted = sum(path.rpartition(b"/")[2] == photos.get(digest) for digest, path in done.items())
        kept = len(
            {digest_of(path) for path in daemon.studio.originals.rglob("*") if path.is_file()} & photos.keys()
        )
        yield Row(
            "fuzzed names accounted for, under the disk's own bytes",
            str(wanted),
            str(accounted),
            met=accounted == wanted,
        )
        yield Row("originals kept", str(wanted), str(kept), met=kept == wanted)
        delivered, unsafe = _delivered(daemon)
        yield Row(
            "delivered, each under a name of its own", str(wanted), str(delivered), met=delivered == wanted
        )
        yield Row("unsafe names among all results", "0", str(unsafe), met=unsafe == 0)
        inbox = daemon.studio.inbox
        left = sum(
            path.is_file() for folder in inbox.iterdir() if folder.is_dir() for path in folder.rglob("*")
        )
        yield Row("left in the inbox", "0", str(left), met=left == 0)


def _delivered(daemon: Daemon) -> tuple[int, int]:
    """Different export files that the ledger names and the disk has; names of results that are not safe."""
    made = [
        item
        for (outputs,) in daemon.rows("SELECT outputs FROM jobs WHERE state = 'done'")
        for item in json.loads(outputs)
    ]
    exports = {item["path"] for item in made if item["kind"] == "export"}
    there = sum((daemon.studio.root / path).is_file() for path in exports)
    return there, sum(not _safe(item["path"].rpartition("/")[2]) for item in made)


def _safe(name: str) -> bool:
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    controls = any(unicodedata.category(letter)[0] == "C" and letter != "\u200d" for letter in name)
    return 0 < size <= 255 and not controls and not set(name) & set('/\\:*?"<>|') and name[0] not in ".-~ "


PROOFS: dict[str, Proof] = {"names": names}
