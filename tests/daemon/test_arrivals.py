"""From the inbox to the ledger, with the clock in hand: what is taken, when, and what is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest


def test_a_complete_photo_is_taken_at_once_and_leaves_the_inbox_only_when_all_is_done(hall, make_jpeg):
    data = make_jpeg(1)
    photo = hall.drop("ring.jpg", data)
    hall.arrivals.look_everywhere(hall.now)
    assert (
        len(hall.arrivals.advance(hall.now)) == 1
    )  # no quiet time needed: nobody writes and the end mark stands
    assert photo.exists()
    hall.account(waiting=1)
    assert hall.work() == 1
    assert not photo.exists()
    (original,) = hall.files("originals")
    assert (hall.studio.originals / original).read_bytes() == data
    assert hall.files("export") == ["rings/ring.jpg"]
    assert hall.files("watermark") == ["rings/ring.jpg"]
    assert hall.files("instagram-queue") == ["ring.jpg", "ring.json"]
    assert hall.files(".vitrine/staging") == []
    hall.account(done=1)


def test_an_open_file_is_not_taken_until_its_writer_closes_it(hall, make_jpeg):
    data = make_jpeg(1)
    path = hall.studio.inbox / "rings" / "slow.jpg"
    with path.open("wb") as writer:
        writer.write(data)  # all of it: size and content are final, yet the writer is still there
        writer.flush()
        assert hall.pass_time(30.0) == []
        assert hall.pass_time(3000.0) == []
    assert len(hall.pass_time(1.0)) == 1


def test_a_copy_that_pauses_between_chunks_is_waited_for(hall, make_jpeg):
    data = make_jpeg(1)
    photo = hall.drop("chunks.jpg", data[:100])  # written and closed, like a scanner does
    assert hall.pass_time(20.0) == []
    with photo.open("ab") as writer:
        writer.write(data[100:-10])
    assert hall.pass_time(50.0) == []
    with photo.open("ab") as writer:
        writer.write(data[-10:])
    assert len(hall.pass_time()) == 1


def test_a_preallocated_file_is_not_complete_before_it_is_filled(hall, make_jpeg):
    data = make_jpeg(1, (400, 300))
    photo = hall.drop("preallocated.jpg", data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    assert hall.pass_time(30.0) == []
    photo.write_bytes(data)
    assert len(hall.pass_time()) == 1


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_file_that_never_becomes_complete_is_rejected_in_the_end(hall, make_jpeg, share):
    data = make_jpeg(1, (400, 300))
    hall.drop("cut.jpg", data[: int(len(data) * share)])
    assert hall.pass_time(59.0) == []
    hall.account(waiting=1)
    hall.pass_time(2.0)
    hall.account(rejected=1)
    assert hall.files("inbox/rings") == []
    assert hall.files("rejected") == ["rings/cut.jpg", "rings/cut.jpg.reason.txt"]
    reason = (hall.studio.rejected / "rings/cut.jpg.reason.txt").read_text()
    assert ("empty" if share == 0 else "incomplete") in reason


def test_temporary_names_wait_for_their_final_name(hall, make_jpeg):
    data = make_jpeg(1)
    for name in (
        ".ring.jpg.AbC123",
        "ring.jpg.part",
        "ring.crdownload",
        "~syncthing~ring.jpg.tmp",
        "~$ring.jpg",
    ):
        path = hall.drop(name, data)
        assert hall.pass_time() == []
        path.rename(path.with_name("ring.jpg"))
        assert len(hall.pass_time()) == 1
        hall.work()
    assert hall.drops.account()["seen"] == 5


def test_what_is_no_photo_is_named_and_never_opened(hall, make_jpeg, tmp_path):
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(make_jpeg(1))
    rings = hall.studio.inbox / "rings"
    (rings / "link.jpg").symlink_to(outside)
    (rings / "loop").symlink_to(rings)
    os.mkfifo(rings / "pipe.jpg")
    hall.drop("README.md", b"x")
    hall.drop("Thumbs.db", b"x")
    assert hall.pass_time(100.0) == []
    hall.account(ignored=3)
    assert outside.exists()


def test_a_photo_that_is_taken_away_before_it_is_complete_is_accounted_for(hall, make_jpeg):
    photo = hall.drop("gone.jpg", make_jpeg(1)[:50])
    hall.pass_time()
    photo.unlink()
    hall.pass_time()
    hall.account(vanished=1)


def test_a_photo_that_is_taken_away_before_its_turn_is_not_rendered_and_not_lost(hall, make_jpeg):
    photo = hall.drop("gone.jpg", make_jpeg(1))
    hall.pass_time()
    photo.unlink()
    hall.work()
    hall.account(vanished=1)
    assert hall.files("export") == []
    assert len(hall.files("originals")) == 1


def test_a_folder_renamed_while_it_waits_is_done_under_its_new_name(hall, make_jpeg):
    photo = hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    photo.parent.rename(hall.studio.inbox / "rings--velvet")
    hall.pass_time()
    hall.work()
    hall.pass_time()
    hall.work()
    hall.arrivals.put_away_the_rest()
    account = hall.drops.account()
    assert account["done"] + account["duplicate"] + account["vanished"] == 2
    assert account["unexplained"] == account["waiting"] == 0
    assert len(hall.files("originals")) == 1
    assert hall.files("export") == ["rings--velvet/ring.jpg"]


def test_a_plugged_out_inbox_takes_nothing_away(hall, make_jpeg):
    hall.drop("cut.jpg", make_jpeg(1)[:50])
    hall.pass_time()
    hall.studio.inbox.rename(hall.studio.root / "elsewhere")
    hall.pass_time(1000.0)
    hall.account(waiting=1)


@pytest.mark.parametrize(
    "name",
    [
        b"ring_\xff.jpg",
        "e\u0301.jpg".encode(),
        "💍 ring.jpg".encode(),
        b"-rf.jpg",
        b"new\nline.jpg",
        b"x" * 251 + b".jpg",
    ],
)
def test_any_name_goes_through(hall, make_jpeg, name):
    path = hall.drop(os.fsdecode(name), make_jpeg(1))
    assert len(hall.pass_time()) == 1
    hall.work()
    hall.account(done=1)
    (made,) = hall.files("export")
    assert len(os.fsencode(made.removeprefix("rings/"))) <= 210
    made.encode("utf-8")
    assert not os.path.lexists(path)


def test_an_unreadable_file_waits_and_is_done_once_it_can_be_read(hall, make_jpeg):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    photo = hall.drop("locked.jpg", make_jpeg(1))
    photo.chmod(0)
    assert hall.pass_time(100.0) == []
    photo.chmod(0o644)
    assert len(hall.pass_time(10.0)) == 1


def test_a_sidecar_that_comes_just_after_its_photo_still_counts(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.drop("ring.toml", b'title = "Emerald ring"\n')
    hall.pass_time()
    assert hall.work() == 1
    hall.account(done=1)
    assert json.loads((hall.studio.instagram / "ring.json").read_text())["title"] == "Emerald ring"
    assert hall.files("inbox/rings") == []


def test_a_photo_with_a_mistake_in_its_sidecar_is_refused_together_with_it(hall, make_jpeg):
    hall.drop("ring.toml", b'titel = "Emerald ring"\n')
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.account(rejected=1)
    assert hall.files("rejected") == ["rings/ring.jpg", "rings/ring.jpg.reason.txt", "rings/ring.toml"]
    assert "titel" in (hall.studio.rejected / "rings/ring.jpg.reason.txt").read_text()


def test_a_sidecar_goes_with_its_photo(hall, make_jpeg):
    hall.drop("ring.toml", b'title = "Emerald ring"\n')
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    assert hall.files("inbox/rings") == []
    assert sorted(Path(name).suffix for name in hall.files("originals")) == [".jpg", ".toml"]


def test_what_has_left_the_inbox_is_remembered_no_longer(hall, make_jpeg):
    hall.drop("ring.toml", b'title = "Ring"\n')
    os.mkfifo(hall.studio.inbox / "pipe")
    for number in range(20):
        hall.drop(f"p{number}.jpg", make_jpeg(number))
    hall.drop("letter.jpg", b"dear madam")
    taken = [one for _ in range(3) for one in hall.pass_time()]
    again = hall.drop("again.jpg", make_jpeg(1))
    hall.arrivals.look_into([again], hall.now)
    taken += hall.arrivals.advance(hall.now)
    assert not again.exists()
    assert len(hall.arrivals._taken) == 21, "the duplicate is put away at once"
    hall.work()
    for one in taken:
        hall.arrivals.left(one.drop_id)
    hall.arrivals.came_back(hall.now + 2)
    assert hall.arrivals._taken == {}
    assert hall.arrivals._companions._sidecars
    assert hall.arrivals._companions._ignored
    (hall.studio.inbox / "rings" / "ring.toml").unlink()
    (hall.studio.inbox / "pipe").unlink()
    hall.pass_time()
    assert not hall.arrivals._companions._sidecars
    assert not hall.arrivals._companions._ignored
    assert len(hall.arrivals._settle) == 0


def test_a_photo_that_waits_for_its_turn_is_remembered_whatever_a_worker_says(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1), "rings--overnight")
    (one,) = hall.pass_time()
    hall.arrivals.left(one.drop_id)
    hall.arrivals.came_back(hall.now + 2)
    hall.arrivals.look_into([hall.studio.inbox / "rings--overnight" / "ring.jpg"], hall.now)
    hall.account(waiting=1)
