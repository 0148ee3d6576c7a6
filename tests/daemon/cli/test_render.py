"""`vitrine render` as a process: files in, pictures out, and every mistake told without costing the others."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLES = Path(__file__).parents[3] / "presets" / "samples"
RING = SAMPLES / "ring_solitaire.jpg"
QUICK = ("--draft", "--size", "256")


def vitrine(*words, cwd):
    program = [sys.executable, "-c", "from daemon.cli import main; main()", *map(str, words)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    return subprocess.run(
        program,
        cwd=cwd,
        env=clean | {"NO_COLOR": "1", "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_good_photo_is_rendered_though_others_are_not(tmp_path):
    (tmp_path / "letter.jpg").write_text("dear madam, " * 20)
    done = vitrine("render", "letter.jpg", RING, "nowhere.jpg", *QUICK, "-t", "marble-black", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    assert "renders/ring_solitaire.jpg" in lines[0]
    assert "letter.jpg is a text file. Save the picture as JPEG" in done.stderr
    assert "nowhere.jpg: No such file" in done.stderr
    assert "Traceback" not in done.stderr
    with Image.open(tmp_path / "renders" / "ring_solitaire.jpg") as image:
        assert image.size == (256, 256)
    verdict = json.loads((tmp_path / "renders" / "ring_solitaire.json").read_text())
    assert verdict["template"].startswith("marble-black")
    assert verdict["figures"]["growth_px"] == 0
    assert {path.name for path in (tmp_path / "renders").iterdir()} == {
        "ring_solitaire.jpg",
        "ring_solitaire.json",
    }


def test_layers_put_together_are_the_picture_before_its_grade(tmp_path):
    done = vitrine("render", RING, *QUICK, "--layers", "--out", "o", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["outcome"] in {"pass", "review"}
    assert [Path(one).name for one in result["outputs"]] == [
        "ring_solitaire.jpg",
        "ring_solitaire.json",
        "ring_solitaire-piece.png",
        "ring_solitaire-ground.png",
        "ring_solitaire-set.png",
    ]
    jpeg, _, piece, ground, bare = (
        _pixels(tmp_path / one) if one.endswith("g") else None for one in result["outputs"]
    )
    assert piece.shape == (256, 256, 4)
    alpha = piece[..., 3:] / 255
    together = piece[..., :3] * alpha + ground * (1 - alpha)
    assert np.corrcoef(together.mean(-1).ravel(), jpeg.mean(-1).ravel())[0, 1] > 0.9
    assert (ground.astype(int) - bare).min() < -10  # the shadow
    assert np.abs(ground.astype(int) - bare)[:20].max() <= 6  # none far from the piece


def _pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_no_photo_is_ever_overwritten_and_equal_names_do_not_meet(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        stream = io.BytesIO()
        with Image.open(RING) as image:
            image.resize((400, 320)).save(stream, "JPEG", quality=90 if folder == "a" else 80)
        (tmp_path / folder / "ring.jpg").write_bytes(stream.getvalue())
    before = hashlib.sha256((tmp_path / "a" / "ring.jpg").read_bytes()).hexdigest()
    done = vitrine("render", "a/ring.jpg", *QUICK, "--out", "a", cwd=tmp_path)
    assert done.returncode == 1
    assert "would be overwritten" in done.stderr
    assert hashlib.sha256((tmp_path / "a" / "ring.jpg").read_bytes()).hexdigest() == before
    done = vitrine("render", "a/ring.jpg", "b/ring.jpg", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "renders").glob("*.jpg")} == {"ring.jpg", "ring-2.jpg"}


def test_mistakes_in_the_call_are_told_before_any_work(tmp_path):
    for words, code, said in (
        (["-t", "marbel"], 78, 'did you mean "marble"?'),
        (["--lighting", "moodie"], 78, 'did you mean "moody"?'),
        (["--size", "9"], 2, "1080x1350"),
        (["--type", "rng"], 2, 'did you mean "ring"?'),
    ):
        done = vitrine("render", RING, *words, cwd=tmp_path)
        assert done.returncode == code
        assert said in done.stderr
        assert not (tmp_path / "renders").exists()


def test_a_picture_may_be_wider_and_its_piece_enlarged_only_by_what_is_there(tmp_path):
    words = ("render", RING, "--size", "1500x256", "--enlarge", "no-such-net", "--studio", "shop", "--json")
    done = vitrine(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "renders" / "ring_solitaire.jpg") as image:
        assert image.size == (1500, 256)
    small = tmp_path / "small.png"
    with Image.open(RING) as image:
        image.resize((240, 240)).save(small)
    vitrine("render", small, "--size", "512", "--enlarge", "no-such-net", "--studio", "shop", cwd=tmp_path)
    notes = json.loads((tmp_path / "renders" / "small.json").read_text())["notes"]
    (told,) = [note["text"] for note in notes if note["code"] == "not-upscaled"]
    assert "shop/weights/upscale/no-such-net.pth: the upscaler is not there" in told
