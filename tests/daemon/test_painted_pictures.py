"""From the inbox to a picture on a painted set, by the real daemon and a real model, no process able to reach a network.

Run by `make test-diffusion`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("diffusers", reason="the extra diffusion is not installed: make test-diffusion")
pytestmark = [pytest.mark.diffusion, pytest.mark.filterwarnings("ignore")]

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "presets" / "samples"
PROGRAM = [sys.executable, "-c", "from daemon.cli import main; main()"]
GUARD = """
import os, socket, sys
NOTES = os.environ["VITRINE_TEST_NOTES"]
def refuse(event, arguments):
    outward = event in ("socket.connect", "socket.sendto") and arguments[0].family != socket.AF_UNIX
    if outward or event in ("socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.path.join(NOTES, "asked"), "a") as stream:
            stream.write(f"{sys.orig_argv} {event} {arguments}\\n")
        raise OSError("no network in this test")
sys.addaudithook(refuse)
with open(os.path.join(NOTES, "guarded"), "a") as stream:
    stream.write(" ".join(sys.orig_argv) + "\\n")
"""
SETTINGS = """
settle_s = 0.05
scan_s = 0.5
size_px = 256
worker_threads = 1
outputs = ["export"]
[diffusion]
model = "tiny-sdxl-turbo"
backgrounds = 1
steps = 3
[[rule]]
match = "earrings"
template = "marble-black-studio"
backdrop = "diffusion"
diffusion_model = "file-sd"
lora = ["house-sd:0.7"]
draft = true
[[rule]]
match = "pendants"
backdrop = "diffusion"
template = "velvet-navy-moody"
diffusion_model = "no-such-model"
draft = true
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tests.pipeline.diffusion.tiny_shelf import furnish

        return furnish(tmp_path_factory.mktemp("weights"), ("sd", "sdxl-turbo"))


@pytest.fixture
def guarded(tmp_path):
    """The environment, and the folder in which each guarded process and each try is noted."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "sitecustomize.py").write_text(GUARD)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VITRINE_", "HF_"))}
    return notes, clean | {"PYTHONPATH": f"{notes}:{ROOT}", "VITRINE_TEST_NOTES": str(notes), "NO_COLOR": "1"}


def vitrine(environment, *words):
    done = subprocess.run(
        [*PROGRAM, *map(str, words)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def verdicts(studio):
    found = [json.loads(path.read_text()) for path in (studio / ".vitrine/verdicts").glob("*.json")]
    return {verdict["folder"]: verdict for verdict in found}


def test_photos_in_the_inbox_become_pictures_on_painted_sets(tiny, tmp_path, guarded):
    notes, environment = guarded
    studio = tmp_path / "studio"
    for folder in ("rings--velvet-navy-moody--diffusion--draft", "earrings", "pendants"):
        (studio / "inbox" / folder).mkdir(parents=True)
    (studio / "weights").symlink_to(tiny)
    (studio / "vitrine.toml").write_text(SETTINGS)
    for number, folder in enumerate((studio / "inbox").iterdir()):
        shutil.copy(SAMPLES / "ring_solitaire.jpg", folder / f"{number}.jpg")
    done = vitrine(environment, "run", "--studio", studio, "--until-idle")
    assert done.returncode == 0, done.stderr
    found = verdicts(studio)
    codes = {folder: [note["code"] for note in verdict["notes"]] for folder, verdict in found.items()}
    assert "background" in codes["rings--velvet-navy-moody--diffusion--draft"]
    assert "background" in codes["earrings"]
    assert "not-painted" in codes["pendants"]
    (why,) = [note["text"] for note in found["pendants"]["notes"] if note["code"] == "not-painted"]
    assert f"the diffusion model no-such-model is not in {studio}/weights/diffusion" in why
    told = [json.loads(path.read_text()) for path in (studio / "backgrounds").glob("*.json")]
    assert {one["told"]["model"] for one in told} == {"tiny-sdxl-turbo", "file-sd"}
    assert {one["told"]["control"]["kind"] for one in told} == {"depth"}
    ((lora, _, strength),) = next(one["told"]["loras"] for one in told if one["told"]["model"] == "file-sd")
    assert (lora, strength) == ("house-sd", 0.7)
    assert [path for path in notes.iterdir() if path.name == "asked"] == []
    guarded_too = (notes / "guarded").read_text()
    assert "daemon.worker" in guarded_too
    assert "pipeline.diffusion.easel" in guarded_too


def test_the_command_line_paints_lists_bans_and_renders(tiny, tmp_path, guarded):
    notes, environment = guarded
    studio = tmp_path / "studio"
    studio.mkdir()
    (studio / "weights").symlink_to(tiny)
    (studio / "vitrine.toml").write_text('worker_threads = 1\n[diffusion]\nmodel = "tiny-sdxl-turbo"\n')
    at = ("--studio", studio)
    done = vitrine(environment, "backgrounds", "paint", "velvet-navy-moody", "--count", "2", *at)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    again = vitrine(environment, "backgrounds", "paint", "velvet-navy-moody", "--count", "2", *at)
    assert "all are there" in again.stdout
    names = [entry["name"] for entry in json.loads(vitrine(environment, "backgrounds", "--json", *at).stdout)]
    with Image.open(studio / "backgrounds" / f"{names[0]}.png") as image:
        assert image.size == (64, 64)
    assert "is banned" in vitrine(environment, "backgrounds", "ban", names[0], *at).stdout
    assert "is pinned" in vitrine(environment, "backgrounds", "pin", f"{names[1]}.png", *at).stdout
    ring = SAMPLES / "ring_solitaire.jpg"
    words = ("-t", "velvet-navy-moody", "--diffusion", "--draft", "--size", "256", *at)
    made = [vitrine(environment, "render", ring, "-o", tmp_path / out, *words) for out in ("one", "two")]
    assert [one.returncode for one in made] == [0, 0]
    pictures = [(tmp_path / out / "ring_solitaire.jpg").read_bytes() for out in ("one", "two")]
    assert pictures[0] == pictures[1]
    told = json.loads((tmp_path / "one/ring_solitaire.json").read_text())
    assert [
        note["text"].split()[3].rstrip(";") for note in told["notes"] if note["code"] == "background"
    ] == [names[1]]
    assert not (notes / "asked").exists()


def test_the_guard_of_these_tests_stops_what_asks_for_the_network(guarded):
    notes, environment = guarded
    code = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "no network in this test" in done.stderr
    assert (notes / "asked").exists()
