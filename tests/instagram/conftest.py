"""Fixtures of the Instagram tests."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

from tests.instagram.shop import Shop


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path / "studio")
    yield made
    made.close()


@pytest.fixture
def standin():
    for module in ("instagrapi", "h2"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (the extra instagram)")
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here, which makes the stand-in's certificate")
    from tests.instagram.standin import StandIn

    made = StandIn()
    yield made
    made.close()


@pytest.fixture
def unofficial(shop, standin):
    """A back end that speaks to the stand-in, and how to make it anew, as after a restart."""
    from daemon.instagram.instagrapi_backend import InstagrapiPublisher
    from daemon.instagram.secrets import Secrets
    from daemon.instagram.settings import InstagramSettings

    def make(**more):
        settings = InstagramSettings(**standin.settings(**more))
        secrets = Secrets(standin.username, standin.password)
        return InstagrapiPublisher(settings, secrets, shop.studio.publisher / "session.json")

    return make
