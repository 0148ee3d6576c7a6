"""Proof that the power may fail after any step of a whole job. See `tests/daemon/powercut.py` for what that means."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.daemon import powercut
from tests.daemon.rerun import Power
from tests.daemon.studios import HERE, jpeg
from tests.soak.proof import Row, Say, studio_folder

OUTCOMES = {
    "done": ("", jpeg(1)),
    "review": ("unsure", jpeg(1)),
    "rejected": ("", b"a letter, not a picture"),
}


def power(share: float, say: Say) -> Iterator[Row]:
    """Every legal state that a power cut may leave, for each way in which a job may end."""
    sys.path.insert(0, str(HERE))
    with studio_folder("power") as place:
        for outcome in OUTCOMES:
            yield _one(place / outcome, outcome, share, say)


def _one(place: Path, outcome: str, share: float, say: Say) -> Row:
    behave, photo = OUTCOMES[outcome]
    flags = place / "flags"
    flags.mkdir(parents=True)
    os.environ["VITRINE_TEST_FLAGS"] = str(flags)
    (flags / "behave").write_text(behave)
    proof = Power(place, flags, photo, outcome)
    legal = list(powercut.states(proof.record()))
    stride = max(1, round(1 / share))
    wrong = [state.at for state in legal[::stride] if proof.wrong(state)]
    say(f"power: {outcome}: {len(proof.recorder.ops)} steps, {len(legal)} states, wrong after {wrong}")
    what = f"states after a power cut, job comes to {outcome}"
    return Row(what, "0 wrong", f"{len(wrong)} wrong of {len(legal[::stride])}", met=not wrong)


PROOFS = {"power": power}
