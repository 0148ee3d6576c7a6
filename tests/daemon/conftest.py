"""Fixtures of the daemon's tests; `studios.py` says what they are."""

from __future__ import annotations

import pytest

from daemon.studio import Studio
from tests.daemon.studios import HERE, SETTINGS, Daemon, Hall, jpeg, until


@pytest.fixture
def flags(tmp_path, monkeypatch):
    folder = tmp_path / "flags"
    folder.mkdir()
    monkeypatch.setenv("VITRINE_TEST_FLAGS", str(folder))
    monkeypatch.syspath_prepend(str(HERE))
    return folder


@pytest.fixture
def hall(tmp_path, flags):
    made = Hall(tmp_path / "studio", flags)
    yield made
    made.ledger.close()


@pytest.fixture
def daemon(tmp_path, flags):
    root = tmp_path / "studio"
    Studio(root).create()
    (root / "vitrine.toml").write_text(SETTINGS)
    made = Daemon(root, flags)
    yield made
    made.end()


@pytest.fixture
def make_jpeg():
    return jpeg


@pytest.fixture
def wait_until():
    return until
