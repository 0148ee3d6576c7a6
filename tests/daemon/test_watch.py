"""The hint: real inotify on a real folder, and what happens when the folder itself changes."""

from __future__ import annotations

import logging
import shutil
import threading

import pytest

from daemon.watch import Watch


@pytest.fixture
def watch(tmp_path):
    root = tmp_path / "inbox"
    root.mkdir()
    bell = threading.Event()
    made = Watch(root, bell.set)
    made.bell, made.root = bell, root
    assert made.supervise()
    yield made
    made.stop()


def _heard(watch, wait_until, path):
    seen = set()

    def named():
        seen.update(watch.take()[0])
        return path in seen

    wait_until(named, 5, f"a hint at {path}")


def test_a_file_that_is_closed_wakes_and_is_named(watch, wait_until):
    (watch.root / "ring.jpg").write_bytes(b"x")
    assert watch.bell.wait(5)
    _heard(watch, wait_until, watch.root / "ring.jpg")


def test_a_tree_that_is_moved_in_is_named(watch, wait_until, tmp_path):
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree").rename(watch.root / "tree")
    _heard(watch, wait_until, watch.root / "tree")


def test_names_that_are_not_utf_8_do_not_end_the_watch(watch, wait_until):
    (watch.root / "ring_\udcff.jpg").write_bytes(b"x")
    _heard(watch, wait_until, watch.root / "ring_\udcff.jpg")
    assert not watch.supervise()


def test_a_root_that_was_made_anew_is_watched_anew(watch, wait_until):
    assert not watch.supervise()
    shutil.rmtree(watch.root)
    assert not watch.supervise()
    assert "not there" in watch.degraded
    watch.root.mkdir()
    assert watch.supervise()
    assert watch.degraded == ""
    watch.take()
    (watch.root / "ring.jpg").write_bytes(b"x")
    _heard(watch, wait_until, watch.root / "ring.jpg")


def test_a_watch_that_died_is_replaced(watch):
    watch._observer.stop()
    watch._observer.join(5)
    assert watch.supervise()


def test_lost_events_ask_for_a_full_scan(watch):
    watch.take()
    logging.getLogger("watchdog.observers.inotify_c").warning(
        "Inotify queue overflowed; filesystem events were lost"
    )
    assert watch.take() == (set(), True)
