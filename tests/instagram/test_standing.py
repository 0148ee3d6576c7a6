"""What `vitrine status` tells of the posts."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from daemon.cli import main
from daemon.cli.status import look
from daemon.instagram.settings import InstagramSettings
from daemon.instagram.standing import standing, words
from daemon.ledger import Ledger
from daemon.settings import Settings
from tests.instagram.shop import ALWAYS, picture


@pytest.fixture
def settings():
    return Settings(time_zone="UTC", instagram=InstagramSettings(publish=True, cadence=ALWAYS))


def test_posts_are_told_by_what_is_to_be_done_about_them(shop, standin, unofficial, settings):
    now = dt.datetime.now(dt.UTC)
    shop.now = now
    shop.post("out", order=-9.0)
    publishing = shop.publishing(unofficial())
    publishing.step(now)
    shop.post("unsure")
    standin.plant("configure", "cut-before")
    publishing.step(now + dt.timedelta(minutes=2))
    shop.post("bad", data=picture(1, (1000, 1000)))
    publishing.step(now + dt.timedelta(minutes=4))
    shop.post("later", when="2099-01-01 10:00")
    shop.post("soon")
    shop.post("held", state="held")
    found = standing(shop.studio, settings, now + dt.timedelta(minutes=5))
    shown = {key: found[key] for key in ("waiting", "approved", "next_post", "person", "refused", "stopped")}
    assert shown == {
        "waiting": 1, "approved": 2, "next_post": "soon", "person": ["unsure"], "refused": ["bad"], "stopped": "",
    }  # fmt: skip
    assert found["posted_today"] == 1 or now.hour == 23
    assert dt.datetime.fromisoformat(found["next"]) >= now
    text = "\n".join(words(found))
    assert "1 wait for you" in text
    assert "2 approved, next" in text
    assert "whether unsure went out" in text
    assert standing(shop.studio, settings, now + dt.timedelta(days=3))["posted_today"] == 0


def test_a_halt_and_a_dry_run_are_told(shop):
    shop.post("ring")
    shop.ledger.halt("Instagram wants a person to look")
    text = "\n".join(words(standing(shop.studio, Settings(), shop.now)))
    assert "halted: Instagram wants a person to look" in text
    assert "publish = false" in text


def test_status_tells_it_in_text_and_json_and_says_nothing_where_there_are_no_posts(shop, capsys):
    Ledger(shop.studio.ledger).close()
    root = str(shop.studio.root)
    assert _status(capsys, root).count("Instagram") == 0
    shop.post("ring", state="held")
    assert "Instagram: 1 wait for you (`vitrine queue`)" in _status(capsys, root)
    assert json.loads(_status(capsys, root, "--json"))["posts"]["waiting"] == 1
    (shop.studio.root / "vitrine.toml").write_text("[instagram]\npublish = 3\n")
    assert look(shop.studio)["posts"] is None


def test_looking_makes_nothing(tmp_path):
    from daemon.studio import Studio

    studio = Studio(tmp_path)
    studio.create()
    before = sorted(tmp_path.rglob("*"))
    assert words(standing(studio, Settings(), dt.datetime.now(dt.UTC))) == []
    assert sorted(tmp_path.rglob("*")) == before


def _status(capsys, root, *more):
    with pytest.raises(SystemExit) as end:
        main(["status", "--studio", root, *more])
    assert not end.value.code
    return capsys.readouterr().out
