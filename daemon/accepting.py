"""Bridge until rules.accept stands."""

from __future__ import annotations

from typing import Any


def decide(verdict: Any) -> tuple[bool, list[str]]:
    """Whether to publish, and the reasons if not."""
    return verdict.outcome == "pass", [note.text for note in verdict.reasons]
