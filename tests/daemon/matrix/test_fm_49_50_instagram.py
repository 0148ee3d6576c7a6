"""FM-49 and FM-50: what Instagram may answer, and a crash at any moment of a post. The real client, the real ledger, a stand-in.

The long form is `tests/soak/instagram.py`.
"""

from __future__ import annotations

import datetime as dt

import pytest

from tests.instagram.conftest import shop, standin, unofficial  # noqa: F401
from tests.instagram.sends import Campaign

HOUR = 3600.0


@pytest.mark.parametrize("step", ["upload", "configure"])
@pytest.mark.parametrize(
    "fault", [("429", HOUR), ("wait", HOUR), ("rate", HOUR), ("feedback", 24 * HOUR), ("sentry", 24 * HOUR)]
)
def test_fm_49_too_much_means_rest_and_later_it_is_posted_once(shop, standin, unofficial, step, fault):  # noqa: F811
    word, rest_s = fault
    shop.post("ring")
    standin.plant(step, word)
    publishing = shop.publishing(unofficial())
    publishing.step(shop.now)
    assert shop.ledger.gate.until - shop.now.timestamp() == rest_s
    publishing.step(shop.now + dt.timedelta(seconds=rest_s - 60))
    assert standin.posts == []
    assert standin.steps[step] == 1
    publishing.step(shop.now + dt.timedelta(seconds=rest_s + 60))
    assert standin.texts() == ["This is ring.\n\n#ring"]
    assert shop.states() == {"ring": "posted"}


def test_fm_49_a_post_that_went_out_though_it_was_refused_is_found_before_the_second_try(
    shop,  # noqa: F811
    standin,  # noqa: F811
    unofficial,  # noqa: F811
):
    shop.post("ring")
    standin.plant("configure", "feedback-after")
    shop.run(shop.publishing(unofficial()))
    assert len(standin.posts) == 1
    assert shop.states() == {"ring": "posted"}
    assert standin.steps["configure"] == 1


def test_fm_49_the_rest_doubles_up_to_a_day(shop, standin, unofficial):  # noqa: F811
    shop.post("ring")
    standin.plant("upload", *["429"] * 7)
    publishing = shop.publishing(unofficial())
    rests = []
    for _ in range(7):
        publishing.step(shop.now)
        rests.append((shop.ledger.gate.until - shop.now.timestamp()) / HOUR)
        shop.now = dt.datetime.fromtimestamp(shop.ledger.gate.until + 1, dt.UTC)
    assert rests == [1, 2, 4, 8, 16, 24, 24]
    publishing.step(shop.now)
    assert len(standin.posts) == 1


@pytest.mark.parametrize("fault", ["challenge", "suspended", "two-factor", "password"])
def test_fm_49_what_only_a_person_can_do_halts_everything(shop, standin, unofficial, fault):  # noqa: F811
    shop.post("one")
    shop.post("two")
    standin.plant("configure", fault)
    publishing = shop.publishing(unofficial())
    for hours in range(60):
        publishing.step(shop.now + dt.timedelta(hours=hours))
    assert standin.steps["configure"] == 1
    assert "vitrine publish --resume" in shop.ledger.gate.halted
    shop.ledger.resume()
    shop.run(publishing)
    assert sorted(standin.texts()) == ["This is one.\n\n#ring", "This is two.\n\n#ring"]


def test_fm_49_a_session_that_ended_is_begun_anew_once_a_day(shop, standin, unofficial):  # noqa: F811
    for name in ("one", "two", "three"):
        shop.post(name)
    publishing = shop.publishing(unofficial())
    publishing.step(shop.now)
    standin.session += 1  # Instagram ends it
    shop.run(publishing, steps=2)
    assert (standin.steps["login"], len(standin.posts), shop.ledger.gate.halted) == (2, 2, "")
    standin.session += 1
    shop.run(publishing, steps=9)
    assert standin.steps["login"] == 2
    assert "session" in shop.ledger.gate.halted


def test_fm_49_a_post_that_instagram_refuses_is_shown_and_the_others_go_on(shop, standin, unofficial):  # noqa: F811
    shop.post("bad", order=-1.0)
    shop.post("good")
    standin.plant("configure", "bad-media")
    shop.run(shop.publishing(unofficial()))
    assert shop.states() == {"bad": "refused", "good": "posted"}
    assert "refused by Instagram" in shop.history("bad")[-1]


@pytest.mark.parametrize("fault", ["cut-after", "html-after", "cut-before", "500", "408"])
def test_fm_49_a_lost_answer_is_looked_for_and_never_sent_again(shop, standin, unofficial, fault):  # noqa: F811
    shop.post("ring")
    standin.plant("configure", fault)
    shop.run(shop.publishing(unofficial()))
    there = fault in {"cut-after", "html-after"}
    assert len(standin.posts) == there
    assert shop.states() == {"ring": "posted" if there else "person"}
    assert standin.steps["configure"] == 1
    if not there:
        assert "vitrine queue retry ring" in shop.history("ring")[-1]


@pytest.mark.parametrize(
    ("when", "there"),
    [
        ("upload", "before"),
        ("upload", "after"),
        ("configure", "before"),
        ("configure", "after"),
        ("feed", "before"),
    ],
)
def test_fm_50_killed_at_a_request_never_posts_twice(tmp_path, standin, when, there):  # noqa: F811
    campaign = Campaign(tmp_path / "studio", standin, posts=2)
    if when == "feed":  # killed a second time, while it looks
        campaign.kill("configure", "after")
    campaign.kill(when, there)
    campaign.work()
    assert campaign.killed == 1 + (when == "feed")
    assert campaign.account() == {"double": 0, "lost": 0, "unheld": 0}
    held = (when, there) == ("configure", "before")
    assert (len(standin.posts), campaign.held) == ((1, 1) if held else (2, 0))


@pytest.mark.parametrize("point", ["after-begin", "after-mark", "after-posted"])
def test_fm_50_killed_between_two_writes_never_posts_twice(tmp_path, standin, point):  # noqa: F811
    campaign = Campaign(tmp_path / "studio", standin, posts=2)
    campaign.fail_at(point)
    campaign.work()
    assert campaign.killed == 1
    assert campaign.account() == {"double": 0, "lost": 0, "unheld": 0}
    held = point == "after-mark"
    assert (len(standin.posts), campaign.held) == ((1, 1) if held else (2, 0))


def test_fm_50_where_the_account_cannot_be_read_nothing_is_sent_again(shop, standin, unofficial):  # noqa: F811
    shop.post("ring")
    standin.plant("configure", "cut-after")
    standin.plant("feed", *["500"] * 9)
    publishing = shop.publishing(unofficial())
    shop.run(publishing)
    assert shop.states() == {"ring": "person"}
    assert standin.steps["configure"] == 1
