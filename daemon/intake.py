"""From a complete file in the inbox to a durable drop with jobs. Owns the private copy and the job key.

Refuses to wait (that is `daemon.settle`) and to put anything away (that is `daemon.putaway`).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import os
import secrets
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from daemon import durable, names
from daemon.drops import Drop, Drops, Taken
from daemon.failpoint import reach
from daemon.jobstore import JobSpec, Offer
from daemon.ledger import Ledger
from daemon.scan import Stamp
from daemon.studio import Studio
from pipeline.errors import BadInput
from pipeline.photo.sniff import HEAD_BYTES, sniff
from rules.facts import Facts
from rules.plan import Plan
from rules.route import route
from rules.ruleset import Rules

SIDECAR_MAX_BYTES = 64 * 1024
SIDECAR_HOLD_S = 1.0  # a photo without sidecar waits this long for one that is copied just after it


class Changed(Exception):  # noqa: N818 - an outcome: look again later
    """The file changed while it was being copied."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that was taken. offers: what became of each of its jobs."""

    drop_id: int
    plan: Plan
    offers: tuple[Offer, ...]


@cache
def version() -> str:
    """The code's version: part of each job's key, so that a new version may render an old photo again."""
    return importlib.metadata.version("vitrine")


def job_key(digest: str, plan: Plan, variant: int, sidecar: str | None) -> str:
    """SHA-256 over everything that decides the effect of a job: photo, recipe, outputs, mark, sidecar, version."""
    decides = {
        "photo": digest,
        "recipe": plan.recipes[variant].digest,
        "outputs": sorted(plan.outputs_of(variant)),
        "watermark": plan.watermark.model_dump(mode="json") if plan.watermark else None,
        "sidecar": sidecar,
        "version": version(),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def keys_of(drop: Drop) -> list[str]:
    """The keys of the jobs that a drop's plan asks for, whoever's jobs they are."""
    plan = Plan.model_validate_json(drop.plan)
    return [job_key(drop.digest, plan, variant, drop.sidecar) for variant in range(len(plan.recipes))]


def sidecar_path(photo: Path) -> Path:
    """`ring.toml` for `ring.jpg`."""
    return photo.with_suffix(".toml")


def read_sidecar(photo: Path) -> str | None:
    """Text of the photo's sidecar, None if it has none. Raises BadInput if it is no readable text file."""
    path = sidecar_path(photo)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise BadInput(
            f"{names.readable(path.name)} beside the photo cannot be read: {error.strerror}."
        ) from error
    with os.fdopen(handle, "rb") as stream:
        data = stream.read(SIDECAR_MAX_BYTES)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{names.readable(path.name)} beside the photo is not a text file ({error}).",
            "Save it as plain text (UTF-8), or remove it, and drop the photo again.",
        ) from error


class Intake:
    """Takes files. rules: the owner's; hold_s: how long a job waits for a late sidecar. Both may be replaced."""

    def __init__(self, studio: Studio, ledger: Ledger, rules: Rules, hold_s: float = SIDECAR_HOLD_S) -> None:
        self.rules = rules
        self.hold_s = hold_s
        self._studio = studio
        self._ledger = ledger
        self._drops = Drops(ledger)

    def take(self, drop_id: int, path: Path, stamp: Stamp) -> Accepted:
        """Copy, decide, and make both durable. The file itself stays where it is.

        Raises Changed or FileNotFoundError (nothing happened), OSError (disk full, ...), BadInput (sidecar).
        """
        copy, digest, kind = self._copy(path, stamp)
        try:
            sidecar = read_sidecar(path)
            plan = self._route(path, stamp, digest, kind, sidecar)
            taken = Taken(digest, kind, self._studio.relative(copy), sidecar, plan.model_dump_json())
            jobs = self.jobs(drop_id, digest, plan, sidecar)
            for job in jobs:
                self._free_if_without_effect(job.key)
            offers = self._drops.take(drop_id, stamp, taken, jobs)
            reach("after-take")
        except BaseException:
            durable.remove(copy)
            raise
        return Accepted(drop_id, plan, tuple(offers))

    def again(self, drop: Drop) -> int:
        """Decide anew about a drop that has ended; how many of its jobs wait now. Raises OSError."""
        path = self._studio.inbox / os.fsdecode(drop.path)
        plan = self._route(path, drop.stamp, drop.digest, drop.kind, drop.sidecar)
        taken = Taken(drop.digest, drop.kind, drop.source, drop.sidecar, plan.model_dump_json())
        jobs = [replace(job, not_before=0.0) for job in self.jobs(drop.id, drop.digest, plan, drop.sidecar)]
        offers = self._drops.take(drop.id, drop.stamp, taken, jobs)
        return sum(offer is not Offer.DUPLICATE for offer in offers)

    def reconsider(self, drop_id: int, path: Path) -> bool:
        """Decide anew with the sidecar that is there now; False if the work had begun and nothing was changed."""
        drop, sidecar = self._drops.get(drop_id), read_sidecar(path)
        if sidecar == drop.sidecar:
            return True
        plan = self._route(path, drop.stamp, drop.digest, drop.kind, sidecar)
        taken = Taken(drop.digest, drop.kind, drop.source, sidecar, plan.model_dump_json())
        return self._drops.retake(drop_id, taken, self.jobs(drop_id, drop.digest, plan, sidecar))

    def jobs(self, drop_id: int, digest: str, plan: Plan, sidecar: str | None) -> list[JobSpec]:
        """One job per recipe of the plan."""
        hold = time.time() + self.hold_s if sidecar is None and plan.urgency != "urgent" else 0.0
        return [
            JobSpec(job_key(digest, plan, variant, sidecar), drop_id, variant, plan.urgency, hold)
            for variant in range(len(plan.recipes))
        ]

    def refuse(self, drop_id: int, path: Path, stamp: Stamp, reason: str) -> None:
        """Take a file that will not be rendered: no plan, no jobs; `daemon.putaway` puts it into rejected/."""
        copy, digest, kind = self._copy(path, stamp)
        sidecar = None
        with contextlib.suppress(BadInput):
            sidecar = read_sidecar(path)
        taken = Taken(digest, kind, self._studio.relative(copy), sidecar, "", reason)
        self._drops.take(drop_id, stamp, taken, ())

    def _route(self, path: Path, stamp: Stamp, digest: str, kind: str, sidecar: str | None) -> Plan:
        folder = path.parent.relative_to(self._studio.inbox).as_posix()
        facts = Facts(
            folder="" if folder == "." else folder, name=path.name, size=stamp.size, digest=digest, kind=kind
        )
        return route(facts, self.rules, sidecar)

    def _copy(self, path: Path, stamp: Stamp) -> tuple[Path, str, str]:
        """Private copy, its digest, its kind. What is rendered cannot change any more, whatever happens outside."""
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        copy = self._studio.staging / f"{secrets.token_hex(12)}{names.safe_suffix(path.name)}"
        try:
            if Stamp.of(os.fstat(handle)) != stamp:
                raise Changed(path)
            durable.make_folders(copy.parent)
            digest = durable.copy_private(handle, copy)
            if Stamp.of(os.fstat(handle)) != stamp:
                durable.remove(copy)
                raise Changed(path)
            durable.secure(handle, path, self._studio.inbox)
        finally:
            os.close(handle)
        reach("after-copy")
        with copy.open("rb") as stream:
            kind = sniff(stream.read(HEAD_BYTES)) or ""
        return copy, digest, kind

    def _free_if_without_effect(self, key: str) -> None:
        """Let a known job be done again if it has, or will have, no effect.

        That is: the owner removed its pictures since, or moved the photo to another folder before its turn.
        """
        run = self._ledger.connection.execute
        row = run("SELECT drop_id, state, outputs FROM jobs WHERE key = ?", (key,)).fetchone()
        if row is None:
            return
        if row["state"] == "review":  # decided anew, perhaps by other rules: the old verdict must not end it
            durable.remove(self._studio.verdicts / f"{key}.json")
        shown = [
            item["path"] for item in json.loads(row["outputs"]) if item["kind"] in {"export", "watermark"}
        ]
        removed = row["state"] == "done" and any(not (self._studio.root / path).exists() for path in shown)
        drop = self._drops.get(row["drop_id"])
        path = self._studio.inbox / os.fsdecode(drop.path)
        moved = row["state"] == "waiting" and not drop.archived and not os.path.lexists(path)
        if removed or moved:
            with self._ledger.writing():
                run("UPDATE jobs SET state = 'vanished' WHERE key = ? AND state = ?", (key, row["state"]))
