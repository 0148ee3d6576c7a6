"""The shipped networks: what the manifest promises, and that nothing else is opened."""

import json
import shutil

import pytest

from weights.store import FOLDER, NETWORKS, Damaged, digest, manifest, network


@pytest.fixture
def shelf(tmp_path):
    shutil.copy(FOLDER / NETWORKS, tmp_path)
    for entry in manifest().values():
        shutil.copy(FOLDER / entry["file"], tmp_path)
    return tmp_path


def test_what_ships_is_what_the_manifest_says():
    for name, entry in manifest().items():
        assert len(network(name)) == entry["bytes"] <= 12e6
        assert digest(FOLDER / entry["file"]) == entry["sha256"]


@pytest.mark.parametrize("harm", ["one byte", "half", "gone"])
def test_a_file_that_is_not_the_released_one_is_refused(shelf, harm):
    path = shelf / manifest(shelf)["piece"]["file"]
    content = path.read_bytes()
    if harm == "one byte":
        path.write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
    elif harm == "half":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
    with pytest.raises(Damaged, match=r"piece\.onnx"):
        network("piece", shelf)


def test_a_network_that_does_not_ship_is_named(shelf):
    with pytest.raises(Damaged, match="knows no network 'other'"):
        network("other", shelf)


def test_a_broken_manifest_is_named(shelf):
    (shelf / NETWORKS).write_text(json.dumps({})[:-1])
    with pytest.raises(Damaged, match=NETWORKS):
        network("piece", shelf)
