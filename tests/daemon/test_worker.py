"""How each outcome of a render ends: real ledger, real files, the worker's own code in this process."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import Misconfigured


def test_a_verdict_in_doubt_goes_to_review_and_nowhere_else(hall, make_jpeg):
    hall.behave("unsure")
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    hall.account(review=1)
    assert hall.files("review") == ["rings/ring.jpg", "rings/ring.json", "rings/ring.txt"]
    assert hall.files("export") == hall.files("watermark") == hall.files("instagram-queue") == []
    text = (hall.studio.review / "rings/ring.txt").read_text()
    assert "The chain has holes." in text
    assert "vitrine retry 1 " in text
    assert len(hall.files("originals")) == 1


def test_no_usable_piece_leaves_only_the_reason(hall, make_jpeg):
    hall.behave("unfit")
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    hall.account(review=1)
    assert [name.rpartition(".")[2] for name in hall.files("review")] == ["json", "txt"]


def test_what_is_no_picture_is_rejected_unaltered_and_the_rest_goes_on(hall, make_jpeg):
    hall.drop("text.jpg", b"this is a letter, not a picture")
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    hall.account(done=1, rejected=1)
    assert (hall.studio.rejected / "rings/text.jpg").read_bytes() == b"this is a letter, not a picture"
    assert "not a picture" in (hall.studio.rejected / "rings/text.jpg.reason.txt").read_text()
    assert len(hall.files("originals")) == 1


def test_a_passing_trouble_is_tried_again_for_ever(hall, make_jpeg):
    hall.behave("busy")
    photo = hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    for _ in range(5):
        hall.ready()
        assert hall.worker().work_once(("normal",))
    assert photo.exists()
    hall.account(waiting=1)
    hall.behave("")
    hall.work()
    hall.account(done=1)


@pytest.mark.parametrize("order", ["defect", "memory"])
def test_a_defect_costs_three_tries_and_one_photo(hall, make_jpeg, order, capfd):
    hall.behave(order)
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    for _ in range(5):
        hall.work()
    hall.account(rejected=1)
    assert len((hall.flags / "calls").read_text().split()) == 3


def test_wrong_settings_stop_the_worker_and_give_the_job_back(hall, make_jpeg):
    hall.behave("misconfigured")
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.ready()
    with pytest.raises(Misconfigured):
        hall.worker().work_once(("normal",))
    hall.account(waiting=1)
    assert hall.ledger.connection.execute("SELECT attempts FROM jobs").fetchone()[0] == 0


def test_the_verdict_tells_the_whole_story_in_sorted_json(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    (name,) = hall.files(".vitrine/verdicts")
    text = (hall.studio.verdicts / name).read_text()
    verdict = json.loads(text)
    assert list(verdict) == sorted(verdict)
    assert verdict["outputs"] == [
        "export/rings/ring.jpg",
        "watermark/rings/ring.jpg",
        "instagram-queue/ring.jpg",
        "instagram-queue/ring.json",
    ]
    assert verdict["figures"] == {"identity": 1.0}


def test_the_same_name_twice_gives_two_pictures(hall, make_jpeg):
    for seed in (1, 2):
        hall.drop("ring.jpg", make_jpeg(seed))
        hall.pass_time()
        hall.work()
    hall.account(done=2)
    assert len(hall.files("export")) == len(hall.files("watermark")) == len(hall.files("originals")) == 2


def test_the_same_photo_a_hundred_times_is_rendered_once(hall, make_jpeg):
    for number in range(100):
        hall.drop(f"copy-{number}.jpg", make_jpeg(1))
    while hall.pass_time():
        pass
    hall.work()
    hall.arrivals.put_away_the_rest()
    hall.account(done=1, duplicate=99)
    assert len((hall.flags / "calls").read_text().split()) == 1
    assert len(hall.files("originals")) == 1
    assert hall.files("inbox/rings") == []


def test_a_photo_replaced_while_it_is_rendered_counts_as_two(hall, make_jpeg):
    photo = hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    photo.write_bytes(make_jpeg(2))
    hall.work()
    assert photo.read_bytes() == make_jpeg(2)
    hall.pass_time(1.0)
    hall.work()
    hall.account(done=2)
    kept = {(hall.studio.originals / name).read_bytes() for name in hall.files("originals")}
    assert kept == {make_jpeg(1), make_jpeg(2)}


def test_pictures_that_were_removed_are_made_again_when_the_photo_is_dropped_again(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    (hall.studio.export / "rings/ring.jpg").unlink()
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    hall.account(done=2)
    assert hall.files("export") == ["rings/ring.jpg"]
    assert hall.files("watermark") == ["rings/ring.jpg"]


def test_a_lost_lease_delivers_nothing(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.ready()
    worker = hall.worker()
    bump = "CREATE TEMP TRIGGER steal AFTER UPDATE OF attempts ON jobs BEGIN UPDATE jobs SET token = token + 1; END"
    hall.ledger.connection.execute(bump)
    assert worker.work_once(("normal",))
    assert hall.files("export") == []


def test_a_damaged_private_copy_is_taken_anew(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    (copy,) = hall.files(".vitrine/staging")
    (hall.studio.staging / copy).write_bytes(b"")
    hall.work()
    hall.account(done=1)


def test_a_full_disk_at_delivery_keeps_the_photo_waiting(hall, make_jpeg):
    photo = hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.studio.export.rename(hall.studio.root / "away")
    hall.studio.export.symlink_to("/proc/nonexistent")  # no folder can be made here, also not by root
    hall.work()
    assert photo.exists()
    assert hall.drops.account()["done"] == 0


def test_variants_get_numbers_and_folders_do_not_mix(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1), "rings--x3")
    hall.drop("ring.jpg", make_jpeg(2), "earrings")
    hall.pass_time()
    assert hall.work() == 4
    hall.account(done=2)
    assert hall.files("export") == [
        "earrings/ring.jpg",
        "rings--x3/ring-2.jpg",
        "rings--x3/ring-3.jpg",
        "rings--x3/ring.jpg",
    ]
    assert len([name for name in hall.files("instagram-queue") if name.endswith(".jpg")]) == 4
    assert len(hall.files("originals")) == 2


def test_a_post_that_the_owner_edited_is_left_alone(hall, make_jpeg):
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    note = hall.studio.instagram / "ring.json"
    note.write_text('{"state": "approved"}\n')
    (hall.studio.export / "rings/ring.jpg").unlink()
    hall.drop("ring.jpg", make_jpeg(1))
    hall.pass_time()
    hall.work()
    assert hall.files("instagram-queue") == ["ring.jpg", "ring.json"]
    assert "approved" in note.read_text()
