"""A shop's pictures, prepared once for all tests that learn from them."""

from __future__ import annotations

import pytest

from daemon.cli.train import _write
from tests.pipeline.diffusion.finetune.shop_pictures import pictures


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """Photos of a shop."""
    return pictures(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def data(shop, tmp_path_factory):
    """The same, prepared at 64 px."""
    from pipeline.cutout.network import NetworkSegmenter
    from pipeline.diffusion.finetune.dataset import Preparation, gather

    folder = tmp_path_factory.mktemp("prepared")
    return gather(shop, Preparation(folder, NetworkSegmenter(), "plaster wall", 64, _write, 10**8))
