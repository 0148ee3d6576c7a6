"""The small models, built once for all tests that need them."""

from __future__ import annotations

import socket
import warnings

import pytest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folder with `diffusion/` sd, sdxl and sdxl-turbo as folders and as files, and with their control and lora."""
    pytest.importorskip("diffusers", reason="the extra diffusion is not installed: make test-diffusion")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tests.pipeline.diffusion.tiny_shelf import furnish

        return furnish(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def no_network(monkeypatch):
    """Whatever asks for the network fails."""

    def refuse(*_, **__):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
