"""The first comment: once, whatever happens between the post and it."""

from __future__ import annotations

import pytest

from tests.instagram.sends import Campaign


@pytest.fixture
def one(tmp_path, standin):
    """A campaign of a single post with a first comment."""
    made = Campaign(tmp_path / "studio", standin, 1, timeout_s=2.0)
    path = made.studio.instagram / "post-000.json"
    path.write_text(path.read_text().replace('"first_comment": []', '"first_comment": ["#ring", "#gold"]'))
    return made


def said(standin):
    return [text for _, text in standin.comments]


@pytest.mark.parametrize("point", ["after-posted", "after-comment-mark", "after-comment"])
def test_a_publisher_that_dies_between_post_and_comment_makes_it_once(one, standin, point):
    one.fail_at(point)
    one.work()
    assert (one.killed, one.states) == (1, {"post-000": "posted"})
    assert said(standin) == ["#ring #gold"]
    assert len(standin.posts) == 1
    assert (standin.steps["comments"] > 0) == (point != "after-posted")


@pytest.mark.parametrize("there", ["before", "after"])
def test_one_that_dies_in_the_request_makes_it_once(one, standin, there):
    one.kill("comment", there)
    one.work()
    assert (one.killed, said(standin)) == (1, ["#ring #gold"])


@pytest.mark.parametrize(
    "fault", ["500", "cut-before", "cut-after", "html-after", "feedback-after", "wait", "login"]
)
def test_a_passing_trouble_costs_no_comment_and_doubles_none(one, standin, fault):
    standin.plant("comment", fault)
    one.work()
    assert (one.states, said(standin)) == ({"post-000": "posted"}, ["#ring #gold"])


def test_one_that_can_never_be_made_is_told_and_the_post_is_put_away(one, standin):
    standin.plant("comment", *["500"] * 20)
    one.work()
    assert (one.states, said(standin)) == ({"post-000": "posted"}, [])
    assert len(one.comments()[1]) == 1
    assert standin.steps["comment"] <= 6


@pytest.mark.parametrize(("comment", "state"), [(False, "posted"), (True, "approved")])
def test_in_a_dry_run_what_is_out_is_put_away_unless_its_comment_waits(shop, comment, state):
    entry = shop.post("ring", first_comment=["#a"] if comment else [], hashtags=[])
    shop.ledger.begin(entry.id, "t", "ring", entry.post.text, 1.0)
    shop.ledger.posted(entry.id, "m1", "", 2.0, comment=comment)
    publishing = shop.publishing(None)
    publishing.recover(shop.now)
    assert shop.states() == {"ring": state}
    assert publishing.due == []
