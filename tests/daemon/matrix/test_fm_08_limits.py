"""FM-08: the system's limits of inotify are reached. The limits are the kernel's own, in a user namespace."""

from __future__ import annotations


def test_fm_08_no_watcher_is_left_so_the_inbox_is_polled_said_everywhere_and_watched_again(
    daemon, sight, limits, make_jpeg, wait_until
):
    limits.lower("instances", 0)
    daemon.start()
    wait_until(lambda: sight.everywhere("polling"), 10, "the word of the limit in all places")
    assert "sudo sysctl -w fs.inotify.max_user_instances=512" in sight.ear.status()
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.settled(done=1)
    limits.set("instances", 16)
    wait_until(lambda: sight.nowhere("polling"), 10, "the end of the state")
    daemon.drop("second.jpg", make_jpeg(2))
    daemon.settled(done=2)


def test_fm_08_too_many_folders_to_watch_are_not_passed_over_in_silence(
    daemon, sight, limits, make_jpeg, wait_until
):
    """The root and some folders are watched, the others are refused: watchdog itself would say nothing."""
    limits.lower("watches", 4)
    daemon.start()
    wait_until(lambda: sight.everywhere("polling"), 10, "the word of the limit in all places")
    assert "fs.inotify.max_user_watches" in sight.ear.status()
    for number, folder in enumerate(
        sorted(path.name for path in daemon.studio.inbox.iterdir() if path.is_dir())
    ):
        daemon.drop("ring.jpg", make_jpeg(number), folder)
    daemon.settled(done=number + 1)
    limits.set("watches", 1000)
    wait_until(lambda: sight.nowhere("polling"), 10, "the end of the state")


def test_fm_08_a_folder_that_comes_when_the_limit_is_reached_is_noticed(
    daemon, sight, limits, make_jpeg, wait_until
):
    limits.lower("watches", 1 + sum(path.is_dir() for path in daemon.studio.inbox.iterdir()))
    daemon.start()
    wait_until(sight.ear.status, what="a first word")
    assert sight.nowhere("polling")
    daemon.drop("ring.jpg", make_jpeg(1), "one/folder/too/many")
    daemon.settled(done=1)
    wait_until(lambda: sight.everywhere("polling"), 10, "the word of the limit in all places")
