"""One job from private copy to recorded result: the happy path. Raises what `daemon.worker` turns into outcomes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import durable
from daemon import receipt as receipts
from daemon.darkroom import Renderer, print_pictures
from daemon.deliver import Delivery, as_json
from daemon.drops import Drop, Drops
from daemon.failpoint import reach
from daemon.intake import keys_of
from daemon.jobstore import Claim, JobStore, LeaseLost, Outcome
from daemon.receipt import Receipt
from daemon.roots import Roots
from daemon.settings import Settings
from daemon.studio import Studio
from pipeline.errors import BadInput
from rules.accept import Decision, accept
from rules.plan import Plan

if TYPE_CHECKING:
    from pipeline.values import Render

TAKEN_AWAY = "it was taken out of the inbox before its turn"


@dataclass(frozen=True, slots=True)
class Bench:
    """What every task needs."""

    studio: Studio
    settings: Settings
    renderer: Renderer
    store: JobStore
    lease_s: float


@dataclass(frozen=True, slots=True)
class Task:
    """A claim at work."""

    bench: Bench
    claim: Claim
    drop: Drop
    drops: Drops

    @property
    def plan(self) -> Plan:
        """The decision, as it was frozen when the photo was taken."""
        return Plan.model_validate_json(self.drop.plan)

    def do(self) -> tuple[str, str]:
        """Render, deliver, record; the outcome and its reason. LeaseLost if another worker took over.

        A job whose pictures stand already (the process ended before the ledger knew) is only recorded.
        """
        if (known := receipts.read(self._verdict_path)) and known[1].holds(self.bench.studio.root):
            return self._finish(known[1])
        if self._taken_away():
            with (
                self.drops.ledger.writing()
            ):  # no other drop of the photo may come to rely on this job in between
                if not any(self.claim.key in keys_of(later) for later in self.drops.again_since(self.drop)):
                    self.bench.store.cancel(self.claim, TAKEN_AWAY)
                    return "vanished", TAKEN_AWAY
        plan = self.plan
        outputs = plan.outputs_of(self.claim.variant)
        self._require(outputs)  # no render for a drive that is not there
        recipe = plan.recipes[self.claim.variant]
        render = self.bench.renderer(self._source(), recipe, self.bench.settings.max_pixels, self.drop.name)
        plan = plan.settled(self.claim.variant, render.recipe, render.why)
        decision = accept(render.verdict, plan.policy)
        mark = plan.watermark if decision.publish and "watermark" in outputs else None
        reach("after-render")
        pictures = print_pictures(render, mark, self.bench.studio.root, recipe.format)
        if not self.bench.store.beat(self.claim, self.bench.lease_s):
            raise LeaseLost(self.claim.key)
        self._require(outputs if decision.publish else ("review",))
        delivery = Delivery(self.bench.studio, self.drop, plan, self.claim)
        verdict = self._verdict(plan, render, decision)
        outcome: Outcome
        if decision.publish:
            outcome, reason, made = "done", "", delivery.publish(pictures)
        else:
            outcome, reason = "review", "; ".join(decision.reasons)
            made = delivery.hold(pictures.clean, decision.reasons, verdict)
        return self._record(verdict, Receipt(outcome, reason, self.claim.variant, tuple(made)))

    def hold(self, reason: str) -> None:
        """The photo gave no picture worth looking at: only the reason goes to review/."""
        self._require(("review",))
        verdict = {"outcome": "fail", "published": False, "reasons": [{"code": "unfit", "text": reason}]}
        delivery = Delivery(self.bench.studio, self.drop, self.plan, self.claim)
        made = delivery.hold(None, [reason], verdict)
        drop = {"photo": self.drop.digest, "name": self.drop.name, "folder": self.drop.folder}
        self._record(verdict | drop, Receipt("review", reason, self.claim.variant, tuple(made)))

    @property
    def _verdict_path(self) -> Path:
        return self.bench.studio.verdicts / f"{self.claim.key}.json"

    def _record(self, verdict: dict[str, Any], receipt: Receipt) -> tuple[str, str]:
        """Outputs are on the disk: first the verdict says so, then the ledger."""
        verdict |= {"outputs": [item.path for item in receipt.outputs], "receipt": receipt.as_dict()}
        durable.write_atomic(self._verdict_path, as_json(verdict))
        reach("after-verdict")
        return self._finish(receipt)

    def _finish(self, receipt: Receipt) -> tuple[str, str]:
        self.bench.store.finish(self.claim, receipt.outputs, receipt.outcome, receipt.reason)
        reach("after-finish")
        return receipt.outcome, receipt.reason

    def _verdict(self, plan: Plan, render: Render, decision: Decision) -> dict[str, Any]:
        recipe = plan.recipes[self.claim.variant]
        return {
            "outcome": render.verdict.outcome,
            "published": decision.publish,
            "decided": list(decision.reasons),
            "reasons": [{"code": note.code, "text": note.text} for note in render.verdict.reasons],
            "figures": dict(render.verdict.figures),
            "notes": [{"code": note.code, "text": note.text} for note in render.notes],
            "seconds": dict(render.seconds),
            "photo": self.drop.digest,
            "name": self.drop.name,
            "folder": self.drop.folder,
            "template": recipe.template,
            "format": recipe.format,
            "recipe": recipe.digest,
            "why": list(plan.reasons),
        }

    def _taken_away(self) -> bool:
        """Whether the owner removed the photo before its turn. A drive that went away is no such wish."""
        studio = self.bench.studio
        if self.drop.archived or os.path.lexists(studio.inbox / os.fsdecode(self.drop.path)):
            return False
        self.roots.require(studio.inbox)
        return True

    @property
    def roots(self) -> Roots:
        """The folders as they are now."""
        return Roots(self.bench.studio, self.drops.ledger)

    def _require(self, outputs: Iterable[str]) -> None:
        """Raise Away if a result would land in a bare mount point."""
        studio = self.bench.studio
        places = {"instagram": studio.instagram, "review": studio.review}
        self.roots.require(*(places.get(output, studio.root / output) for output in outputs))

    def _source(self) -> Path:
        """The private copy, whole. A crash of the machine may have damaged it: then it is taken anew."""
        studio, drop = self.bench.studio, self.drop
        source = studio.absolute(drop.source)
        if source.exists() and durable.digest_of(source) == drop.digest:
            return source
        inbox = studio.inbox / os.fsdecode(drop.path)
        if not (source.is_relative_to(studio.staging) and _holds(inbox, drop.digest)):
            raise BadInput("The stored copy of the photo is damaged.", "Drop the photo again.")
        durable.remove(source)
        handle = os.open(inbox, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            durable.copy_private(handle, source)
        finally:
            os.close(handle)
        return source


def _holds(path: Path, digest: str) -> bool:
    return path.is_file() and durable.digest_of(path) == digest
