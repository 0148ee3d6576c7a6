"""instagrapi as Vitrine drives it, against a stand-in that speaks Instagram's private interface over real TLS and HTTP/2."""

from __future__ import annotations

import hashlib
import json
import time

import pytest

from daemon.instagram.post_ledger import upload_id
from daemon.instagram.publisher import (
    LoggedOut,
    NeedsPerson,
    NotSent,
    Outcome,
    Outgoing,
    Throttled,
    Unknown,
)
from tests.instagram.shop import picture
from tests.instagram.standin import TROUBLES


def outgoing(tmp_path, name="one", count=1):
    paths = []
    for seed in range(count):
        paths.append(tmp_path / f"{name}-{seed}.jpg")
        paths[-1].write_bytes(picture(seed))
    return Outgoing(name, upload_id(name), tuple(paths), f"This is {name}.", "A ring", "", time.time())


def nothing(_):
    pass


def test_bytes_words_and_description_arrive_as_they_are(unofficial, standin, tmp_path):
    post = outgoing(tmp_path)
    marks = []
    receipt = unofficial().publish(
        post, lambda _: marks.append((standin.steps["upload"], standin.steps["configure"]))
    )
    assert marks == [(1, 0)]  # before the one request that publishes, and after all others
    assert standin.uploads[post.upload_id] == post.pictures[0].read_bytes()
    assert standin.texts() == [post.text]
    assert standin.posts[0]["accessibility_caption"] == "A ring"
    assert receipt.address == "https://www.instagram.com/p/C1/"


def test_a_carousel_is_one_post_with_its_pictures_in_order(unofficial, standin, tmp_path):
    post = outgoing(tmp_path, count=3)
    unofficial().publish(post, nothing)
    assert len(standin.posts) == 1
    assert standin.posts[0]["pictures"] == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in post.pictures
    ]


def test_an_earlier_post_is_found_by_its_words_and_only_if_it_is_new(unofficial, standin, tmp_path):
    publisher, post = unofficial(), outgoing(tmp_path)
    assert publisher.find(post) is None
    publisher.publish(post, nothing)
    assert publisher.find(post).media == standin.posts[0]["id"]
    standin.posts[0]["taken_at"] -= 3600  # the same words, an hour before the first try
    assert publisher.find(post) is None


def test_a_post_is_found_behind_many_newer_ones_and_a_search_without_end_is_no_leave_to_send(
    unofficial, standin, tmp_path
):
    publisher, post = unofficial(), outgoing(tmp_path)
    publisher.publish(post, nothing)
    old = standin.posts[0]
    other = old | {"caption": {"text": "Another"}}
    standin.posts += [other] * 70
    assert publisher.find(post).media == old["id"]
    standin.posts += [other] * 400
    with pytest.raises(Unknown, match="more has been posted"):
        publisher.find(post)


@pytest.mark.parametrize("step", ["upload", "configure"])
def test_no_request_is_ever_sent_twice(unofficial, standin, tmp_path, step):
    publisher = unofficial()
    publisher.log_in()
    lost = {"cut-before", "cut-after", "html-after", "408", "500", "503-html"}
    for fault in [*TROUBLES, "cut-before", "cut-after", "html-after"]:
        standin.plant(step, fault)
        before = dict(standin.steps) | {"posts": len(standin.posts)}
        post = outgoing(tmp_path, f"{step} {fault}")
        if (step, fault) == ("upload", "html-after"):  # what an upload answers says nothing
            publisher.publish(post, nothing)
        else:
            with pytest.raises(Outcome) as caught:
                publisher.publish(post, nothing)
            assert isinstance(caught.value, Unknown) == (step == "configure" and fault in lost), fault
        assert standin.steps["upload"] - before.get("upload", 0) == 1, fault
        assert standin.steps["configure"] - before.get("configure", 0) <= 1, fault
        assert len(standin.posts) - before["posts"] == (
            fault in {"cut-after", "html-after"} and step == "configure"
        ) + ((step, fault) == ("upload", "html-after")), fault


def test_a_kept_connection_that_is_cut_makes_no_second_post(unofficial, standin, tmp_path):
    """libcurl sends a request again when a kept connection ends without an answer; so no connection is kept."""
    publisher = unofficial()
    publisher.publish(outgoing(tmp_path, "one"), nothing)
    standin.plant("configure", "cut-after")
    with pytest.raises(Unknown):
        publisher.publish(outgoing(tmp_path, "two"), nothing)
    assert standin.texts() == ["This is one.", "This is two."]
    assert max(standin.connections.values()) == 1


def test_an_answer_that_never_comes_ends_at_the_time_limit(unofficial, standin, tmp_path):
    publisher = unofficial(timeout_s=0.5)
    publisher.log_in()
    standin.plant("configure", "hang-after")
    started = time.monotonic()
    with pytest.raises(Unknown):
        publisher.publish(outgoing(tmp_path), nothing)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("challenge", NeedsPerson), ("suspended", NeedsPerson), ("two-factor", NeedsPerson), ("password", NeedsPerson),
     ("login", LoggedOut), ("429", Throttled), ("wait", Throttled), ("500", NotSent)],
)  # fmt: skip
def test_login_troubles_ask_nobody_on_the_terminal(unofficial, standin, fault, outcome, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked on the terminal"))
    standin.plant("login", fault)
    with pytest.raises(outcome):
        unofficial().log_in()
    assert standin.steps["login"] == 1


def test_the_device_stays_the_same_and_its_file_is_for_nobody_else(unofficial, standin, shop, tmp_path):
    session = shop.studio.publisher / "session.json"
    unofficial().publish(outgoing(tmp_path, "one"), nothing)
    first = json.loads(session.read_text())
    unofficial().publish(outgoing(tmp_path, "two"), nothing)  # as after a restart
    again = unofficial()
    again.log_in_again()
    after = json.loads(session.read_text())
    assert standin.steps["login"] == 2  # the second process used the session
    for key in ("uuids", "device_settings", "user_agent"):
        assert {**first[key]} == {**after[key]} if isinstance(first[key], dict) else first[key] == after[key]
    assert session.stat().st_mode & 0o777 == 0o600


def test_the_password_is_never_sent_plain_nor_kept(unofficial, standin, shop, tmp_path):
    unofficial().publish(outgoing(tmp_path), nothing)
    assert all(standin.password not in body for body in standin.bodies)
    for path in shop.studio.root.rglob("*"):
        assert not path.is_file() or standin.password.encode() not in path.read_bytes()
