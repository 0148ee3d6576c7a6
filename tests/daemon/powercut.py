"""What may be on a disk after the power fails. `kill -9` does not test this: the system still writes what it was given.

POSIX promises only what was synced. A file's bytes are there after its fsync, a name after the fsync of its folder; until
then each of them may be there or not, in any combination, and unsynced bytes may be missing, cut off, or zeros. Real
file systems are kinder, each in another way; what survives every state of this model survives all of them.
SQLite's commits (write-ahead log, synchronous=FULL) are taken for barriers of the ledger alone: SQLite tests that itself.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from daemon import durable
from daemon.ledger import Ledger


@dataclass(frozen=True)
class Op:
    """One change. kind: add, remove (names), mkdir, data, sync, sync_folder, commit; node: which file."""

    kind: str
    path: Path | None = None
    node: int = 0
    data: object = None


@dataclass(frozen=True)
class State:
    """What a power cut left. names: path -> node; data: node -> bytes; ledger: file name -> bytes; at: operations done."""

    names: dict
    data: dict
    folders: frozenset
    ledger: dict
    at: int

    @property
    def key(self):
        return (
            tuple(sorted((str(path), self.data[node]) for path, node in self.names.items())),
            self.folders,
            id(self.ledger),
        )


class Recorder(durable.Disk):
    """The real disk, with a diary. root: all that happens is below it."""

    def __init__(self, root):
        self.root = root
        self.ops = []
        self.names = {}
        self.bytes = {}
        self.start_folders = frozenset(path for path in root.rglob("*") if path.is_dir())
        for path in root.rglob("*"):
            if path.is_file() and ".vitrine/ledger" not in str(path):
                self._new(path, path.read_bytes())
        self.start_names = dict(self.names)
        self.start_bytes = dict(self.bytes)
        self.note_commit()

    def _new(self, path, data):
        node = len(self.bytes) + 1
        self.names[path], self.bytes[node] = node, data
        return node

    def foreign(self, path):
        """Somebody else wrote a file, without syncing anything."""
        node = self._new(path, path.read_bytes())
        self.ops += [Op("add", path, node), Op("data", node=node, data=self.bytes[node])]

    def note_commit(self):
        folder = self.root / ".vitrine/ledger"
        files = ("ledger.sqlite", "ledger.sqlite-wal")
        self.ops.append(
            Op("commit", data={f: (folder / f).read_bytes() for f in files if (folder / f).exists()})
        )

    def _node(self, handle):
        return self.names[Path(f"/proc/self/fd/{handle}").readlink()]

    def create(self, path):
        handle = super().create(path)
        self.ops.append(Op("add", path, self._new(path, b"")))
        return handle

    def write(self, handle, data):
        super().write(handle, data)
        node = self._node(handle)
        self.bytes[node] += bytes(data)
        self.ops.append(Op("data", node=node, data=self.bytes[node]))

    def clone(self, handle, source):
        return False  # so that each byte is seen

    def sync(self, handle):
        super().sync(handle)
        self.ops.append(Op("sync", node=self._node(handle)))

    def link(self, source, target):
        super().link(source, target)
        self.names[target] = self.names[source]
        self.ops.append(Op("add", target, self.names[target]))

    def rename(self, source, target):
        assert source.parent == target.parent
        super().rename(source, target)
        self.names[target] = self.names.pop(source)
        self.ops.append(Op("rename", target, self.names[target], source))

    def unlink(self, path):
        super().unlink(path)
        self.ops.append(Op("remove", path, self.names.pop(path, 0)))

    def make_folder(self, path):
        super().make_folder(path)
        self.ops.append(Op("mkdir", path))

    def sync_folder(self, path):
        super().sync_folder(path)
        self.ops.append(Op("sync_folder", path))


@contextlib.contextmanager
def recorded(root):
    """Record all that the daemon's code in this process does to the disk and commits to the ledger."""
    recorder, disk, writing = Recorder(root), durable.disk, Ledger.writing

    @contextlib.contextmanager
    def noting(self):
        with writing(self) as connection:
            yield connection
        recorder.note_commit()

    durable.disk, Ledger.writing = recorder, noting
    durable._on_disk.clear()
    try:
        yield recorder
    finally:
        durable.disk, Ledger.writing = disk, writing
        durable._on_disk.clear()


@dataclass
class _Model:
    names: dict
    data: dict  # node -> bytes on the disk
    folders: set
    pending: list = field(default_factory=list)
    unsynced: dict = field(default_factory=dict)  # node -> bytes in memory
    ledger: dict | None = None

    def apply(self, op):
        if op.kind in {"add", "remove", "rename", "mkdir"}:
            self.pending.append(op)
            if op.kind == "add":
                self.data.setdefault(op.node, b"")
        elif op.kind == "data":
            self.unsynced[op.node] = op.data
        elif op.kind == "sync":
            if op.node in self.unsynced:
                self.data[op.node] = self.unsynced.pop(op.node)
        elif op.kind == "sync_folder":
            here = [one for one in self.pending if one.path.parent == op.path]
            self.pending = [one for one in self.pending if one.path.parent != op.path]
            for one in here:
                _name(one, self.names, self.folders)
        else:
            self.ledger = op.data

    def states(self, at):
        """All that may be there if the power fails now."""
        torn = sorted(self.unsynced)
        choices = [_torn(self.data[node], self.unsynced[node]) for node in torn]
        for chosen in itertools.product((False, True), repeat=len(self.pending)):
            names, folders = dict(self.names), set(self.folders)
            for op, there in zip(self.pending, chosen, strict=True):
                if there:
                    _name(op, names, folders)
            names = {path: node for path, node in names.items() if _reachable(path, folders)}
            for contents in itertools.product(*choices):
                data = self.data | dict(zip(torn, contents, strict=True))
                yield State(names, data, frozenset(folders), self.ledger, at)


def _name(op, names, folders):
    if op.kind == "mkdir":
        folders.add(op.path)
    elif op.kind == "remove":
        names.pop(op.path, None)
    else:
        if op.kind == "rename":
            names.pop(op.data, None)
        names[op.path] = op.node


def _reachable(path, folders):
    return path.parent in folders


def _torn(old, new):
    half = len(new) // 2
    return list(dict.fromkeys((old, new[:half], new[:half] + bytes(len(new) - half), bytes(len(new)), new)))


def states(recorder):
    """Every different state that a power cut may leave, whenever it comes."""
    folders = set(recorder.start_folders) | {recorder.root}
    model = _Model(dict(recorder.start_names), dict(recorder.start_bytes), folders)
    seen = set()
    for at, op in enumerate(recorder.ops):
        model.apply(op)
        for state in model.states(at):
            if state.key not in seen:
                seen.add(state.key)
                yield state


def materialise(state, root, kept):
    """Put the state onto the real disk. kept: node -> a file that keeps the inode of the photo, by which it is known."""
    shutil.rmtree(root)
    root.mkdir()
    for folder in sorted(state.folders):
        folder.mkdir(exist_ok=True)
    made = {
        node: path
        for node, path in kept.items()
        if node in state.data and path.read_bytes() == state.data[node]
    }
    for path, node in state.names.items():
        if node in made:
            os.link(made[node], path)
        else:
            path.write_bytes(state.data[node])
            made[node] = path
    for name, data in state.ledger.items():
        (root / ".vitrine/ledger" / name).write_bytes(data)
