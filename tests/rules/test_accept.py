"""What leaves the house: only what passed, unless the owner's policy says otherwise."""

from __future__ import annotations

import pytest

from pipeline.values import Note, Verdict
from rules.accept import Policy, accept

SMALL = Note("low-resolution", "The photo is small.")
HALO = Note("halo", "There is a bright edge.")


@pytest.mark.parametrize(
    ("outcome", "notes", "policy", "publish"),
    [
        ("pass", (), Policy(), True),
        ("review", (SMALL,), Policy(), False),
        ("review", (), Policy(allow=("halo",)), False),
        ("review", (SMALL,), Policy(allow=("low-resolution",)), True),
        ("review", (SMALL, HALO), Policy(allow=("low-resolution",)), False),
        ("review", (HALO,), Policy(publish_review=True), True),
        ("fail", (HALO,), Policy(publish_review=True, allow=("halo",)), False),
        ("something new", (), Policy(publish_review=True), False),
    ],
)
def test_decision(outcome: str, notes: tuple[Note, ...], policy: Policy, publish: bool):
    decision = accept(Verdict(outcome, notes, {}), policy)
    assert decision.publish is publish
    assert publish or decision.reasons


def test_only_the_reasons_that_count_are_given():
    decision = accept(Verdict("review", (SMALL, HALO), {}), Policy(allow=("low-resolution",)))
    assert decision.reasons == ("There is a bright edge.",)
