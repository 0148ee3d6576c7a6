"""From the judge's verdict to what may leave the house. Owns that decision; refuses to look at pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.rig import Frozen


class Reason(Protocol):
    """One finding of the judge (`pipeline.values.Note`)."""

    @property
    def code(self) -> str:
        """Stable, for machines."""
        ...

    @property
    def text(self) -> str:
        """For the shop owner."""
        ...


class Judged(Protocol):
    """What is read of a verdict (`pipeline.values.Verdict`, which this process must not import: it brings numpy)."""

    @property
    def outcome(self) -> str:
        """`pass`, `review` or `fail`."""
        ...

    @property
    def reasons(self) -> Sequence[Reason]:
        """Why."""
        ...


class Policy(Frozen):
    """How strict the shop is.

    publish_review: also deliver what the judge wants a person to see. allow: codes of reasons for review that do not
    count in this shop, such as "low-resolution".
    """

    publish_review: bool = False
    allow: tuple[str, ...] = ()


class Decision(Frozen):
    """Whether a render is delivered, and why (not)."""

    publish: bool
    reasons: tuple[str, ...]


def accept(verdict: Judged, policy: Policy | None = None) -> Decision:
    """Decide whether a render is delivered or goes to review. What fails, or is not understood, is never delivered."""
    rules = policy or Policy()
    texts = tuple(reason.text for reason in verdict.reasons)
    if verdict.outcome == "pass":
        return Decision(publish=True, reasons=texts)
    if verdict.outcome != "review":
        return Decision(publish=False, reasons=texts or ("The result did not pass the quality check.",))
    if rules.publish_review:
        return Decision(
            publish=True, reasons=(*texts, "Delivered, because the settings say publish_review = true.")
        )
    counted = tuple(reason.text for reason in verdict.reasons if reason.code not in rules.allow)
    if texts and not counted:
        return Decision(publish=True, reasons=(*texts, "Delivered, because the settings allow this."))
    return Decision(publish=False, reasons=counted or ("A person should look at this one.",))
