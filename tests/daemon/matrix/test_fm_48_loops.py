"""FM-48: results that would land in the inbox, and be rendered again for ever, are refused at the start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from daemon.loops import overlap
from daemon.studio import Studio
from pipeline.errors import Misconfigured

RESULTS = ["export", "watermark", "instagram-queue", "review", "rejected", "originals", ".vitrine"]


@pytest.mark.parametrize("name", RESULTS)
def test_fm_48_results_that_a_link_leads_into_the_inbox_are_refused(tmp_path, name):
    (tmp_path / "inbox" / "deep" / "out").mkdir(parents=True)
    (tmp_path / name).symlink_to(tmp_path / "inbox" / "deep" / "out")
    with pytest.raises(Misconfigured, match="inside each other"):
        Studio(tmp_path).create()


def test_fm_48_an_inbox_that_a_link_leads_into_the_results_is_refused_by_the_process_with_78(tmp_path):
    (tmp_path / "export" / "new").mkdir(parents=True)
    (tmp_path / "inbox").symlink_to(tmp_path / "export" / "new")
    command = [sys.executable, "-c", "from daemon.cli import main; main()", "run", "--studio", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 78
    assert "export and" in done.stderr
    assert "inside each other" in done.stderr


def test_fm_48_neighbours_with_like_names_are_no_loop(tmp_path):
    (tmp_path / "inbox-old").mkdir()
    (tmp_path / "export").symlink_to(tmp_path / "inbox-old")
    Studio(tmp_path).create()


MOUNTS = {
    "the results shown below the inbox": "mkdir -p inbox/x && mount --bind export inbox/x",
    "the whole studio shown below the inbox": "mkdir -p inbox/x && mount --bind . inbox/x",
    "the inbox shown below the results": "mkdir -p export/x && mount --bind inbox export/x",
    "both on one place of a drive": "mkdir d && mount -t tmpfs t d && mount --bind d inbox && mount --bind d export",
    "a blank in a name": "mkdir -p 'inbox/a b' && mount --bind export 'inbox/a b'",
}
APART = {
    "two places of one drive": "mkdir d && mount -t tmpfs t d && mkdir d/i d/e && mount --bind d/i inbox"
    " && mount --bind d/e export",
    "two drives": "mount -t tmpfs a inbox && mount -t tmpfs b export",
}


@pytest.mark.parametrize(
    ("mount", "refused"),
    [*((order, "True") for order in MOUNTS.values()), *((order, "False") for order in APART.values())],
    ids=[*MOUNTS, *APART],
)
def test_fm_48_a_loop_through_a_mount_is_refused_and_drives_of_their_own_are_not(tmp_path, mount, refused):
    """Real mounts, in a mount namespace that ends with the process that asks."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "export").mkdir()
    ask = "from pathlib import Path; from daemon.loops import overlap; print(overlap(Path('export'), Path('inbox')))"
    order = f'{mount} && cd "$PWD" && exec "$0" -c "$1"'
    command = ["unshare", "--mount", "sh", "-c", order, sys.executable, ask]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=30, check=False
    )
    if "ermission" in done.stderr or "not permitted" in done.stderr:
        pytest.skip("mounting needs root")
    assert done.stdout.strip() == refused, done.stderr


def test_fm_48_a_folder_that_is_not_there_yet_is_judged_too(tmp_path):
    assert overlap(tmp_path / "inbox" / "out", tmp_path / "inbox")
    assert not overlap(tmp_path / "out", tmp_path / "inbox")
