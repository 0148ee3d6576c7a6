"""`vitrine templates`: filters, JSON, own templates, and a sheet of one's own photo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from daemon.cli.template_sheet import CELL_PX, GAP_PX
from presets.library import HOME, library

RING = HOME / "samples" / "ring_solitaire.jpg"


def templates(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = (sys.executable, "-c", "from daemon.cli import main; main()")
    return subprocess.run([*program, "templates", *arguments], capture_output=True, text=True, check=False)


def test_json_is_an_array_of_what_meets_the_filters():
    found = json.loads(templates("--json", "--style", "marble", "--metal", "pearl", "--type", "rings").stdout)
    assert found
    assert all(one["surface"] == "marble" and "pearl" in one["flatters"] for one in found)
    assert {"name", "title", "tags", "seasons", "suits", "flatters", "prompt", "change", "own"} <= set(
        found[0]
    )
    assert json.loads(templates("--json", "--own").stdout) == []


def test_every_template_says_in_words_what_it_is():
    for name, one in library().templates.items():
        assert one.tags, name
        assert len(one.prompt.split()) >= 6, name
        assert one.flatters, name


def test_a_word_that_no_filter_knows_is_a_usage_error_with_a_suggestion():
    done = templates("--tag", "brial")
    assert done.returncode == 2
    assert 'did you mean "bridal"' in " ".join(done.stderr.replace("│", " ").split())


def test_nothing_left_is_said():
    done = templates(
        "--style", "velvet", "--season", "summer", "--metal", "dark-metal", "--rig", "candlelight"
    )
    assert done.returncode == 1
    assert "No template meets all of that." in done.stderr


def test_own_templates_are_listed_first_and_marked(tmp_path: Path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.toml").write_text(
        '[our-stone]\ntitle = "Ours"\nsurface = "marble"\npalette = "verde"\nrig = "studio"\n', "utf-8"
    )
    lines = templates("--studio", str(tmp_path)).stdout.splitlines()
    assert lines[0] == "marble"
    assert lines[1].split() == ["our-stone", "Ours", "(yours)"]
    (tmp_path / "templates" / "a.toml").write_text("[our-stone]\n", "utf-8")
    done = templates("--studio", str(tmp_path))
    assert done.returncode == 78
    assert "a.toml, line 1, our-stone.palette: is missing" in done.stderr


def test_a_photo_of_ones_own_on_many_templates(tmp_path: Path):
    target = tmp_path / "tried.png"
    done = templates(
        "--try",
        str(RING),
        "--sheet",
        str(target),
        "--style",
        "marble",
        "--rig",
        "moody",
        "--metal",
        "yellow-gold",
    )
    assert done.returncode == 0, done.stderr
    count = int(done.stdout.split(": ")[1].split()[0])
    sheet = np.asarray(Image.open(target).convert("RGB"))
    assert count >= 2
    assert sheet.shape[1] == min(count, 6) * (CELL_PX + GAP_PX) + GAP_PX


def test_a_photo_that_is_none_is_refused(tmp_path: Path):
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    done = templates("--try", str(tmp_path / "x.jpg"), "--sheet", str(tmp_path / "s.png"))
    assert done.returncode == 1
    assert "x.jpg" in done.stderr
    assert "Traceback" not in done.stderr
