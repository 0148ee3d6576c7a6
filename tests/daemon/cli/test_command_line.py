"""The `vitrine` program as a process of its own: words, exit codes, and that help is quick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from presets.library import library


def vitrine(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    program = [sys.executable, "-c", "from daemon.cli import main; main()"]
    return subprocess.run(
        [*program, *arguments],
        cwd=cwd,
        env={**clean, **environment, "NO_COLOR": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    (tmp_path / "studio" / "inbox").mkdir(parents=True)
    return tmp_path / "studio"


def test_help_lists_the_commands_and_loads_none():
    done = vitrine("--help")
    assert done.returncode == 0
    for command in ("plan", "check", "templates"):
        assert command in done.stdout
    code = (
        "import sys\nfrom daemon.cli.app import application\napplication(['--help'])\n"
        "print(sorted(name for name in sys.modules if name.startswith('daemon.cli.') or name in {'numpy', 'cv2'}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "['daemon.cli.app']"


@pytest.mark.parametrize("arguments", [("plam",), ("plan",), ("plan", "x", "--nope"), ("templates", "extra")])
def test_a_wrong_call_ends_with_2(arguments: tuple[str, ...]):
    done = vitrine(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_plan_says_which_rule_and_why_for_a_path_that_does_not_exist(studio: Path):
    (studio / "vitrine.toml").write_text(
        '[[rule]]\nmatch = "bangles-*"\ntemplate = "marble-black-studio"\n', "utf-8"
    )
    done = vitrine("plan", "bangles--overnigth/kada.jpg", "--studio", str(studio))
    assert done.returncode == 0, done.stderr
    assert 'Rule 1 (match = "bangles-*") applies to bangles--overnigth.' in done.stdout
    assert "Template marble-black-studio: from rule 1." in done.stdout
    assert 'Did you mean "overnight"?' in done.stdout


@pytest.mark.parametrize("form", ["relative", "absolute", "from inside", "folder"])
def test_plan_finds_the_folder_however_the_path_is_written(studio: Path, form: str):
    folder = studio / "inbox" / "rings--studio"
    folder.mkdir()
    (folder / "a.jpg").touch()
    path, cwd = {
        "relative": ("rings--studio/a.jpg", None),
        "absolute": (str(folder / "a.jpg"), None),
        "from inside": ("a.jpg", folder),
        "folder": (str(folder), None),
    }[form]
    done = vitrine("plan", path, "--json", "--studio", str(studio), cwd=cwd)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert (plan["jewelry_type"], plan["recipes"][0]["rig"]["name"]) == ("ring", "studio")


def test_plan_reads_the_sidecar_and_tells_its_mistakes(studio: Path):
    folder = studio / "inbox" / "rings"
    folder.mkdir()
    (folder / "a.toml").write_text('template = "festive"', "utf-8")
    done = vitrine("plan", "rings/a.jpg", "--studio", str(studio))
    assert "left open by the sidecar a.toml" in done.stdout
    (folder / "a.toml").write_text('\ntemplate = "festve"', "utf-8")
    done = vitrine("plan", "rings/a.jpg", "--studio", str(studio))
    assert done.returncode == 1
    assert 'a.toml, line 2, template: there is no template "festve"; did you mean "festive"?' in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_refuses_a_path_outside(studio: Path):
    done = vitrine("plan", "/etc/hosts", "--studio", str(studio))
    assert done.returncode == 1
    assert "is not in the inbox" in done.stderr


def test_wrong_settings_end_with_78_and_tell_all(studio: Path):
    (studio / "vitrine.toml").write_text("workers = 0\nscn_s = 3\n", "utf-8")
    for command in (["plan", "rings"], ["check"]):
        done = vitrine(*command, "--studio", str(studio))
        assert done.returncode == 78
        assert (
            "vitrine.toml, line 1, workers: 0 does not fit (accepted: a whole number from 1 to 64)"
            in done.stderr
        )
        assert "vitrine.toml, line 2, scn_s" in done.stderr
        assert "Traceback" not in done.stderr


def test_check_tells_what_is_in_order(studio: Path):
    done = vitrine("check", "--studio", str(studio))
    assert done.returncode == 0, done.stderr
    assert "installation: all packages are loaded from" in done.stdout
    assert f"{len(library().templates)} templates" in done.stdout
    assert "the defaults are used" in done.stdout


def test_check_misses_blender_only_where_it_is_asked_for(studio: Path, tmp_path: Path):
    nowhere = {"VITRINE_RAYTRACING__BLENDER": str(tmp_path / "python")}
    done = vitrine("check", "--studio", str(studio), **nowhere)
    assert done.returncode == 78
    assert f"there is no Blender in {tmp_path / 'python'}" in done.stderr
    assert "`make blender` installs it" in done.stderr
    (studio / "vitrine.toml").write_text("workers = 0\n", "utf-8")
    broken = vitrine("check", "--studio", str(studio), **nowhere)
    assert broken.stderr.count("workers") == 1
    assert "raytracing: not looked at" in broken.stdout


def test_check_misses_the_logo(studio: Path):
    (studio / "vitrine.toml").write_text('[watermark]\nlogo = "logo.png"', "utf-8")
    done = vitrine("check", "--studio", str(studio))
    assert done.returncode == 78
    assert "logo.png" in done.stderr
    (studio / "logo.png").touch()
    assert vitrine("check", "--studio", str(studio)).returncode == 0


@pytest.mark.parametrize("package", ["rules", "weights"])
def test_check_finds_a_stranger_in_our_place(tmp_path: Path, studio: Path, package: str):
    """Another program's package of the same name, found first, as python-daemon's `daemon` would be."""
    stranger = tmp_path / "elsewhere" / package
    stranger.mkdir(parents=True)
    (stranger / "__init__.py").write_text("", "utf-8")
    code = (
        "import sys, daemon.cli.check as check\nfrom pipeline.errors import Misconfigured\n"
        f"sys.path.insert(0, {str(stranger.parent)!r})\n"
        f"[sys.modules.pop(name) for name in list(sys.modules) if name.split('.')[0] == {package!r}]\n"
        "sys.meta_path[:] = [one for one in sys.meta_path if 'ditable' not in str(one)]\n"
        "try:\n    check.installation()\nexcept Misconfigured as error:\n    print(error, error.advice)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert f'the package "{package}" is loaded from {stranger}' in done.stdout
    assert "venv" in done.stdout


def test_check_finds_another_distribution_that_brings_daemon(tmp_path: Path, studio: Path):
    (tmp_path / "python_daemon-3.dist-info").mkdir()
    (tmp_path / "python_daemon-3.dist-info" / "METADATA").write_text(
        "Name: python-daemon\nVersion: 3\n", "utf-8"
    )
    (tmp_path / "python_daemon-3.dist-info" / "top_level.txt").write_text("daemon\n", "utf-8")
    done = vitrine("check", "--studio", str(studio), PYTHONPATH=str(tmp_path))
    assert done.returncode == 78
    assert 'the package "daemon" also comes with python-daemon' in done.stderr


def test_templates_for_people_and_for_machines():
    text = vitrine("templates").stdout
    data = json.loads(vitrine("templates", "--json").stdout)
    assert [one["name"] for one in data] == list(library().templates)
    assert all(one["name"] in text and one["title"] in text for one in data)
    assert next(one for one in data if "ring" in one["default_for"])["surface"] == "velvet"


def test_a_reader_who_leaves_early_is_no_error():
    program = f"{sys.executable} -c 'from daemon.cli import main; main()'"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program} templates --json | head -c 9"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == "[\n  {\n   "


def test_check_misses_the_alert_command_and_finds_one_in_the_studio(studio: Path):
    (studio / "vitrine.toml").write_text('[alerts]\ncommand = ["./alert.sh"]\n', "utf-8")
    done = vitrine("check", "--studio", str(studio))
    assert done.returncode == 78
    assert "alerts.command: there is no program ./alert.sh" in done.stderr
    (studio / "alert.sh").write_text("#!/bin/sh\n")
    (studio / "alert.sh").chmod(0o755)
    assert vitrine("check", "--studio", str(studio)).returncode == 0
