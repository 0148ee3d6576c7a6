"""FM-15: a whole job, from the inbox to its end, with the power cut after every single step: see `powercut.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.daemon import powercut
from tests.daemon.rerun import Power


@pytest.fixture
def quick_disk(tmp_path):
    """A disk in memory, where a sync costs nothing: what is synced is in the diary."""
    memory = Path("/dev/shm")  # noqa: S108
    root = (memory if memory.is_dir() else tmp_path) / f"vitrine-power-{tmp_path.name}"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    yield root
    shutil.rmtree(root)


@pytest.mark.parametrize("outcome", ["done", "review", "rejected"])
def test_fm_15_every_legal_state_after_a_power_cut_keeps_the_photo_and_ends_with_one_result(
    quick_disk, flags, make_jpeg, outcome
):
    photo = b"this is a letter, not a picture" if outcome == "rejected" else make_jpeg(1)
    (flags / "behave").write_text("unsure" if outcome == "review" else "")
    power = Power(quick_disk, flags, photo, outcome)
    legal = list(powercut.states(power.record()))
    assert len(legal) > 40
    for state in legal:
        assert power.wrong(state) == [], (
            f"after operation {state.at}: {power.recorder.ops[: state.at + 1][-6:]}"
        )
    assert power.checked > 20  # in the rest the photo had not been taken, and its own copying was cut short


def test_fm_15_the_model_knows_that_unsynced_bytes_and_names_may_be_gone(tmp_path):
    studio = tmp_path / "studio"
    (studio / ".vitrine/ledger").mkdir(parents=True)
    with powercut.recorded(studio) as recorder:
        handle = recorder.create(studio / "a")
        recorder.write(handle, b"data")
        recorder.sync(handle)
        recorder.link(studio / "a", studio / "b")
        recorder.sync_folder(studio)
    left = {
        tuple(sorted((path.name, state.data[node]) for path, node in state.names.items()))
        for state in powercut.states(recorder)
    }
    alone = {((name, text),) for name in "ab" for text in (b"data",)}
    torn = {(("a", text),) for text in (b"", b"da", b"da\0\0", b"\0\0\0\0")}
    assert left == {(), (("a", b"data"), ("b", b"data"))} | alone | torn
