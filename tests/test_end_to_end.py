"""The whole program as its owner meets it: a photo is dropped, the real daemon renders it with the real pipeline."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

ROOT = Path(__file__).parents[1]
RING = ROOT / "presets" / "samples" / "ring_solitaire.jpg"
PROGRAM = [sys.executable, "-c", "from daemon.cli import main; main()"]
SETTINGS = "settle_s = 0.05\nscan_s = 0.5\nincomplete_after_s = 1.0\n"
GUARD = """
import os, socket, sys
NOTES = os.environ["VITRINE_TEST_NOTES"]
def note(name, words):
    with open(os.path.join(NOTES, name), "a") as stream:
        stream.write(words + "\\n")
def refuse(event, arguments):
    if event == "socket.__new__" and arguments[1] != socket.AF_UNIX or event == "socket.getaddrinfo":
        note("sockets", f"{sys.argv} {event}")
        raise OSError("no network in this test")
sys.addaudithook(refuse)
note("guarded", " ".join(sys.orig_argv))
"""


@pytest.fixture
def studio(tmp_path):
    root = tmp_path / "studio"
    (root / "inbox").mkdir(parents=True)
    (root / "vitrine.toml").write_text(SETTINGS)
    return root


@pytest.fixture
def guarded(tmp_path):
    """Environment in which no Python process can open a network socket; what tried is noted in the folder."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "sitecustomize.py").write_text(GUARD)
    return notes, _clean() | {"PYTHONPATH": str(notes), "VITRINE_TEST_NOTES": str(notes)}


def _clean():
    return {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}


def drop(studio, folder, name, data):
    path = studio / "inbox" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def run_until_idle(studio, environment, prefix=()):
    return subprocess.run(
        [*prefix, *PROGRAM, "run", "--until-idle", "--studio", studio],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_dropped_ring_becomes_three_finished_pictures_and_no_socket_is_opened(studio, guarded):
    notes, environment = guarded
    dropped = drop(studio, "rings--velvet-navy-moody", "gold-ring.jpg", RING.read_bytes())
    done = run_until_idle(studio, environment)
    assert done.returncode == 0, done.stderr

    _check_pictures(studio)
    (verdict_file,) = (studio / ".vitrine" / "verdicts").glob("*.json")
    verdict = json.loads(verdict_file.read_text())
    assert verdict["published"]
    assert verdict["template"] == "velvet-navy-moody"
    assert verdict["figures"]["growth_px"] == 0
    assert verdict["figures"]["psnr_db"] >= 45
    assert set(verdict["outputs"]) >= {
        "export/rings--velvet-navy-moody/gold-ring.jpg",
        "instagram-queue/gold-ring.jpg",
    }

    digest = hashlib.sha256(RING.read_bytes()).hexdigest()
    assert (studio / "originals" / digest[:2] / f"{digest}.jpg").read_bytes() == RING.read_bytes()
    assert not dropped.exists()

    processes = (notes / "guarded").read_text()
    assert "daemon.worker" in processes
    assert "--until-idle" in processes
    assert not (notes / "sockets").exists(), (notes / "sockets").read_text()


def test_a_piece_for_which_nobody_names_a_template_gets_one_that_flatters_it(studio):
    (studio / "vitrine.toml").write_text(SETTINGS + "size_px = 400\n")
    (studio / "templates").mkdir()
    (studio / "templates" / "ours.toml").write_text(
        '[our-velvet]\ntitle = "Ours"\nsurface = "velvet"\npalette = "plum"\nrig = "studio"\n'
    )
    drop(studio, "rings--draft", "gold-ring.jpg", RING.read_bytes())
    drop(studio, "rings--our-velvet--draft", "other.jpg", RING.read_bytes() + b" ")
    told = subprocess.run(
        [*PROGRAM, "plan", "rings--draft/gold-ring.jpg", "--studio", studio],
        env=_clean(), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    done = run_until_idle(studio, _clean())
    assert done.returncode == 0, done.stderr
    verdicts = {
        verdict["name"]: verdict
        for verdict in (
            json.loads(path.read_text()) for path in (studio / ".vitrine" / "verdicts").glob("*.json")
        )
    }
    assert verdicts["other.jpg"]["template"] == "our-velvet"
    chosen = verdicts["gold-ring.jpg"]
    assert (
        f"Template {chosen['template']}: chosen by the piece, which looks like yellow gold"
        in chosen["why"][-1]
    )
    assert chosen["why"][-1] in told, "vitrine plan said so before"
    post = json.loads((studio / "instagram-queue" / "gold-ring.json").read_text())
    assert post["template"] == chosen["template"]


def _check_pictures(studio):
    clean = studio / "export" / "rings--velvet-navy-moody" / "gold-ring.jpg"
    marked = studio / "watermark" / "rings--velvet-navy-moody" / "gold-ring.jpg"
    queued = studio / "instagram-queue" / "gold-ring.jpg"
    for path in (clean, marked, queued):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (1080, 1080))
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
            assert "sRGB" in ImageCms.getProfileDescription(profile)
            assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # 4:4:4
    assert clean.read_bytes() == queued.read_bytes() != marked.read_bytes()
    post = json.loads(queued.with_suffix(".json").read_text())
    assert post["state"] == "held"
    assert post["title"] == "Gold ring"


def test_the_guard_itself_works(guarded):
    notes, environment = guarded
    script = "import socket; socket.socket(socket.AF_UNIX).close(); socket.socket(socket.AF_INET)"
    tried = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert "no network in this test" in tried.stderr
    assert "socket.__new__" in (notes / "sockets").read_text()
    (notes / "sockets").unlink()
    subprocess.run(
        [sys.executable, "-c", "import socket; socket.socket(socket.AF_UNIX).close()"],
        env=environment,
        check=True,
    )
    assert not (notes / "sockets").exists()


def test_a_whole_run_where_there_is_no_network_at_all(studio):
    prefix = ["unshare", "--map-root-user", "--net"]
    try:
        may = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("unshare(1) is not installed")
    if may.returncode:
        pytest.skip(f"this machine allows no network namespaces: {may.stderr.strip()}")
    (studio / "vitrine.toml").write_text(SETTINGS + "size_px = 256\n")
    drop(studio, "rings--draft", "ring.jpg", RING.read_bytes())
    done = run_until_idle(studio, _clean(), prefix)
    assert done.returncode == 0, done.stderr
    assert (studio / "export" / "rings--draft" / "ring.jpg").exists()


RENDER = """
import hashlib, sys
from pathlib import Path
import cv2
cv2.setNumThreads(int(sys.argv[1]))
from pipeline.finish.encode import encode_jpeg
from pipeline.photo.decode import decode
from pipeline.render import render
from presets.library import recipe
wanted = recipe("velvet-navy-moody", "ring", seed=7)
picture = render(decode(Path(sys.argv[2])), wanted)
print(wanted.digest, hashlib.sha256(encode_jpeg(picture.srgb)).hexdigest(), picture.verdict.figures["psnr_db"])
"""


def test_the_same_photo_recipe_and_seed_give_the_same_bytes_on_1_2_and_4_threads():
    told = set()
    for threads in ("1", "2", "4"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
        done = subprocess.run(
            [sys.executable, "-c", RENDER, threads, str(RING)],
            env=_clean() | dict.fromkeys(names, threads) | {"PYTHONHASHSEED": threads},
            capture_output=True,
            text=True,
            check=True,
        )
        told.add(done.stdout)
    assert len(told) == 1, told


def _large_png():
    """A sound PNG of 30,000 x 30,000 pixels, 1 bit each."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    side = 30_000
    packer, row = zlib.compressobj(1), bytes(1 + side // 8)
    data = b"".join([packer.compress(row * 1000) for _ in range(side // 1000)] + [packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _animation():
    frames = [Image.new("P", (300, 300), color) for color in (1, 2, 3)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return stream.getvalue()


def bad_files():
    """Name -> (content, what its owner is told)."""
    good = RING.read_bytes()
    half = len(good) // 2
    raw = b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(4) + bytes(6000)
    return {
        "empty.jpg": (b"", "empty (0 bytes)"),
        "half.jpg": (good[:half], "its end is missing"),
        "zeros.jpg": (good[:half] + bytes(len(good) - half), "Copy the photo"),
        "text.jpg": (b"Dear madam, the ring is ready.\n" * 40, "a text file"),
        "huge.png": (_large_png(), "900 megapixels; the limit is 120"),
        "camera.cr2": (raw, "camera RAW file"),
        "moving.gif": (_animation(), "GIF"),
    }


def _states(studio):
    connection = sqlite3.connect(studio / ".vitrine" / "ledger" / "ledger.sqlite", timeout=10)
    try:
        return dict(connection.execute("SELECT name, state FROM drops").fetchall())
    except sqlite3.OperationalError:
        return {}
    finally:
        connection.close()


def _wait_for(condition, process, said, timeout_s=90):
    end = time.monotonic() + timeout_s
    while not condition():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.05)


def test_bad_files_are_rejected_with_a_reason_and_the_daemon_goes_on(studio, tmp_path):
    (studio / "vitrine.toml").write_text(SETTINGS + "size_px = 256\n")
    said = tmp_path / "said"
    with said.open("wb") as stream:
        process = subprocess.Popen([*PROGRAM, "run", "--studio", studio], env=_clean(), stderr=stream)
    try:
        _wait_for(lambda: b"watching" in said.read_bytes(), process, said)
        bad = bad_files()
        for name, (data, _) in bad.items():
            drop(studio, "rings", name, data)
        _wait_for(lambda: list(_states(studio).values()) == ["rejected"] * len(bad), process, said)
        drop(studio, "rings--draft", "good.jpg", RING.read_bytes())
        _wait_for(lambda: _states(studio).get("good.jpg") == "done", process, said)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert (studio / "export" / "rings--draft" / "good.jpg").exists()
    for name, (data, words) in bad.items():
        assert (studio / "rejected" / "rings" / name).read_bytes() == data
        reason = (studio / "rejected" / "rings" / f"{name}.reason.txt").read_text()
        assert words in reason, reason
        assert "Traceback" not in reason
    assert {
        path.name for path in (studio / "inbox").rglob("*") if path.suffix in {".jpg", ".png", ".gif"}
    } == set()
