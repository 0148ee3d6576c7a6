"""What the daemon asks of a store of jobs. Owns the Protocol and its values, so that the engine can be another one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol

from daemon.owner import Owner

Queue = Literal["urgent", "normal", "overnight"]
JobState = Literal["waiting", "leased", "done", "review", "rejected", "vanished"]
Outcome = Literal["done", "review"]
MAX_ATTEMPTS = 3
BACKOFF_S = (2.0, 5.0, 15.0, 20.0)  # the last one repeats for ever: a full disk is emptied some day


class LeaseLost(Exception):  # noqa: N818 - an outcome: another worker owns the job by now
    """The claim's token is old: stop, deliver nothing."""


class Offer(Enum):
    """What became of an offered job."""

    NEW = "new"
    DUPLICATE = "duplicate"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One picture to make. key: job key; variant: which of the plan's recipes; not_before: Unix time."""

    key: str
    drop_id: int
    variant: int
    queue: Queue
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that one worker may work on. token: grows with each claim, so that an old holder is refused."""

    key: str
    drop_id: int
    variant: int
    token: int
    attempt: int
    queue: Queue


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a job made. path: below the studio."""

    kind: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a claim ended without pictures.

    lasting: no other try can help. excused: the photo has no part in it (disk full), so the try does not count.
    """

    reason: str
    lasting: bool = False
    excused: bool = False


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a failure: another try at Unix time `retry_at`, or None: no further try."""

    retry_at: float | None


class JobStore(Protocol):
    """A durable queue with leases. Work may happen more than once, its effect is recorded once."""

    def offer(self, job: JobSpec) -> Offer:
        """Add a job unless its key is known. RETRY: known, had ended without pictures, now waits again."""

    def claim(self, queues: Sequence[Queue], owner: Owner, lease_s: float) -> Claim | None:
        """Lease the next job; the attempt is counted now, so that a job that kills its worker is seen.

        Left alone are jobs of a paused folder, and overnight jobs whose batch does not run.
        """

    def beat(self, claim: Claim, lease_s: float) -> bool:
        """Prolong. False: the lease is lost, stop and discard."""

    def finish(self, claim: Claim, outputs: Sequence[Artifact], outcome: Outcome, reason: str = "") -> None:
        """Record the result. Raises LeaseLost."""

    def fail(self, claim: Claim, failure: Failure) -> Next:
        """Record a failure. Raises LeaseLost."""

    def cancel(self, claim: Claim, reason: str) -> None:
        """The photo was taken away before the work began. Raises LeaseLost."""

    def release(self, claim: Claim) -> None:
        """Give the job back as if it had not been claimed."""

    def recover(self, unburied: Collection[Owner] = ()) -> list[int]:
        """Free the jobs of dead owners and of ended leases; drops whose jobs ran out of attempts by it.

        unburied: owners left alone although they may be dead, since somebody has yet to say why (`blame`, `excuse`).
        """
