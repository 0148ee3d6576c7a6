"""The studio folder and its lock."""

from __future__ import annotations

import os

import pytest

from daemon.settings import load_settings
from daemon.studio import Studio
from daemon.studio_lock import StudioLock, holder
from pipeline.errors import Busy, Misconfigured
from pipeline.recipe import JEWELRY_TYPES


def test_a_new_studio_explains_itself_and_has_a_folder_per_type(tmp_path):
    studio = Studio(tmp_path / "studio")
    studio.create()
    folders = [path for path in studio.inbox.iterdir() if path.is_dir()]
    assert len(folders) == len(JEWELRY_TYPES)
    assert "Drop product photos" in (studio.inbox / "README.txt").read_text()


def test_what_the_owner_changed_stays(tmp_path):
    studio = Studio(tmp_path)
    studio.create()
    (studio.inbox / "README.txt").write_text("mine")
    (studio.inbox / "rings").rmdir()
    studio.create()
    assert (studio.inbox / "README.txt").read_text() == "mine"
    assert not (studio.inbox / "rings").exists()


@pytest.mark.parametrize("name", ["export", "rejected", ".vitrine"])
def test_results_inside_the_inbox_are_refused(tmp_path, name):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "out").mkdir()
    (tmp_path / name).symlink_to(inbox / "out")
    with pytest.raises(Misconfigured, match="inside each other"):
        Studio(tmp_path).create()


def test_one_daemon_at_a_time(tmp_path):
    studio = Studio(tmp_path)
    studio.create()
    first = StudioLock(studio)
    first.acquire()
    assert holder(studio).pid == os.getpid()
    assert holder(studio).working
    with pytest.raises(Busy, match=str(os.getpid())):
        StudioLock(studio).acquire()
    first.release()
    assert not holder(studio).working
    assert holder(studio).ended
    second = StudioLock(studio)
    second.acquire()
    second.release()


def test_a_new_studio_gets_settings_that_load_and_an_old_one_keeps_its_own(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    old.mkdir()
    (old / "vitrine.toml").write_text("workers = 2\n")
    for root in (new, old):
        Studio(root).create()
    assert load_settings(new).size_px == load_settings(tmp_path / "none").size_px
    assert (old / "vitrine.toml").read_text() == "workers = 2\n"
