"""FM-44: the configuration is wrong, a preset is missing, a folder has no rule."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from daemon.cli import main
from tests.daemon.test_settings import BAD

MORE = [
    ("workers = ", 1, "", []),
    ('[alerts]\ncommand = "curl"', 2, "alerts.command", ["a list of"]),
    ("[alerts]\ntimeout_s = 0", 2, "alerts.timeout_s", ["a number from 0.1 to 600"]),
    ("[alerts]\ncomand = []", 2, "alerts.comand", ['mean "command"']),
]


@pytest.mark.parametrize("bad", [*BAD, *MORE], ids=[f"{one[2]}-{at}" for at, one in enumerate([*BAD, *MORE])])
def test_fm_44_a_mistake_ends_with_78_and_names_file_line_and_key(tmp_path, capfd, monkeypatch, bad):
    text, line, key, words = bad
    for name in [name for name in os.environ if name.startswith("VITRINE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "vitrine.toml").write_text(text)
    with pytest.raises(SystemExit) as end:
        main(["run", "--studio", str(tmp_path)])
    assert end.value.code == 78
    told = capfd.readouterr().err
    assert f"{tmp_path / 'vitrine.toml'}, line {line}" + (f", {key}: " if key else "") in told
    assert all(word in told for word in words)
    assert not (tmp_path / "inbox").exists()


def test_fm_44_the_process_itself_ends_with_78_and_without_a_traceback(tmp_path):
    (tmp_path / "vitrine.toml").write_text('[[rule]]\nmatch = "rings"\ntemplate = "velvett"\n')
    command = [sys.executable, "-c", "from daemon.cli import main; main()", "run", "--studio", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 78
    assert "line 3, rule[1].template" in done.stderr
    assert "Traceback" not in done.stderr


def test_fm_44_a_mistake_while_it_runs_is_shown_everywhere_and_the_last_good_settings_stay(
    daemon, sight, make_jpeg, wait_until
):
    toml = daemon.studio.root / "vitrine.toml"
    good = toml.read_text()
    daemon.start()
    toml.write_text(good + "wokers = 2\n")
    wait_until(lambda: sight.everywhere("settings"), 10, "the word of the mistake in all places")
    assert f"{toml}, line {1 + good.count(chr(10))}, wokers: is not a known key" in sight.ear.status()
    daemon.drop("ring.jpg", make_jpeg(1))
    daemon.settled(done=1)
    toml.write_text(good)
    wait_until(lambda: sight.nowhere("settings"), 10, "the end of the state")


def test_fm_44_a_folder_without_a_rule_is_rendered_with_the_defaults_and_reported_once(
    daemon, sight, make_jpeg
):
    daemon.start()
    for number in range(5):
        daemon.drop(f"{number}.jpg", make_jpeg(number), "earings")
        daemon.drop(f"{number}.jpg", make_jpeg(10 + number), "grandmother's box")
    daemon.settled(done=10)
    said = [line["message"] for line in sight.logged()]
    assert len([text for text in said if '"earings"' in text and 'Did you mean "earrings"?' in text]) == 1
    assert len([text for text in said if "grandmother's-box" in text and "Types are ring" in text]) == 1
