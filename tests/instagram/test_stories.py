"""Stories and portraits: made, queued, sent, looked for; and never sent twice."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from daemon.instagram.preflight import problems
from pipeline.errors import BadInput
from tests.daemon.conftest import daemon, flags  # noqa: F401
from tests.daemon.studios import HERE, SETTINGS, jpeg
from tests.instagram.shop import picture

RULE = """
[[rule]]
match = "rings"
formats = ["square", "portrait", "story"]
approval = "auto"
"""


def test_a_story_goes_out_without_words_and_byte_for_byte(shop, standin, unofficial):
    entry = shop.story()
    assert problems(entry, 5) == []
    shop.run(shop.publishing(unofficial()))
    assert (standin.posts, shop.states()) == ([], {"story": "posted"})
    (story,) = standin.stories
    assert story["pictures"] == [hashlib.sha256(picture(2, (1080, 1920))).hexdigest()]
    assert "caption" not in story["asked"]
    assert story["asked"]["extra"] == {"source_width": 1080, "source_height": 1920}


def test_a_story_whose_answer_was_lost_is_found_by_its_upload(shop, standin, unofficial):
    shop.story()
    standin.plant("configure", "cut-after")
    shop.run(shop.publishing(unofficial()))
    assert (len(standin.stories), shop.states()) == (1, {"story": "posted"})


@pytest.mark.parametrize("done", ["before", "after"])
def test_a_story_of_which_nobody_can_tell_waits_for_a_person(shop, standin, unofficial, done):
    standin.name_uploads = False
    shop.story()
    standin.plant("configure", f"cut-{done}")
    publishing = shop.publishing(unofficial())
    shop.run(publishing)
    shop.run(publishing)
    assert shop.states() == {"story": "person"}
    assert standin.steps["configure"] == 1


@pytest.mark.parametrize(
    ("done", "states"),
    [(False, {"first": "posted", "story": "posted"}), (True, {"first": "posted", "story": "person"})],
)
def test_before_a_second_try_a_story_that_is_nobodys_may_be_it(shop, standin, unofficial, done, states):
    """Instagram refuses in words and may do it all the same; the one that is known is not taken for it."""
    standin.name_uploads = False
    shop.story("first", order=-1.0)
    publishing = shop.publishing(unofficial())
    shop.run(publishing)
    shop.story()
    standin.plant("configure", "feedback-after" if done else "wait")
    shop.run(publishing)
    assert shop.states() == states
    assert len(standin.stories) == 2


def test_a_story_that_was_tried_yesterday_is_not_sent_again(shop, standin, unofficial):
    shop.story()
    standin.plant("configure", "feedback-after")  # a day's rest
    publishing = shop.publishing(unofficial())
    publishing.step(shop.now)
    standin.stories.clear()  # they are shown for a day
    shop.now += dt.timedelta(hours=25)
    publishing.step(shop.now)
    assert shop.states() == {"story": "person"}
    assert standin.steps["configure"] == 1
    assert "shown for a day" in shop.history("story")[-1]


def test_a_story_cannot_be_part_of_a_carousel(shop):
    queue = shop.publishing(None).queue
    with pytest.raises(BadInput, match="a story has one picture"):
        queue.join([shop.post("a"), shop.story()], shop.now)


def test_one_photo_becomes_a_square_a_portrait_and_a_story(daemon, flags, tmp_path):  # noqa: F811
    root = daemon.studio.root
    (root / "vitrine.toml").write_text(SETTINGS + RULE)
    daemon._environment |= {
        "VITRINE_RENDERER": "full_size:render",
        "PYTHONPATH": f"{HERE}{os.pathsep}{Path(__file__).parent}",
    }
    daemon.start()
    photo = jpeg(1)
    daemon.drop("aurora.jpg", photo, "rings")
    daemon.settled(done=1)
    sizes = {}
    for path in (root / "export" / "rings").glob("*.jpg"):
        with Image.open(path) as image:
            sizes[path.stem] = image.size
    assert sizes == {"aurora": (1080, 1080), "aurora-portrait": (1080, 1350), "aurora-story": (1080, 1920)}
    queue = root / "instagram-queue"
    posts = {path.stem: json.loads(path.read_text()) for path in queue.glob("*.json")}
    assert {name: post["kind"] for name, post in posts.items()} == {
        "aurora-portrait": "feed",
        "aurora-story": "story",
    }
    assert posts["aurora-story"]["caption"] == ""
    assert "Aurora" in posts["aurora-portrait"]["caption"]
    assert (posts["aurora-portrait"]["of"], posts["aurora-portrait"]["variant"]) == (1, 0)
    before = sorted(path.name for path in root.rglob("*.jpg"))
    daemon.drop("aurora.jpg", photo, "rings")
    daemon.settled(done=1, duplicate=1)
    assert sorted(path.name for path in root.rglob("*.jpg")) == before
