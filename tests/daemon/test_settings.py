"""`vitrine.toml`: defaults, environment, and that every mistake is told with file, line, key and what is accepted."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from daemon.settings import SETTINGS_NAME, Settings, load_settings, starter_toml
from pipeline.errors import Misconfigured
from rules.plan import Window


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch):
    for name in list(os.environ):
        if name.startswith("VITRINE_"):
            monkeypatch.delenv(name)


def write(studio: Path, text: str) -> Path:
    path = studio / SETTINGS_NAME
    path.write_text(text, "utf-8")
    return path


def test_a_studio_without_settings_works(tmp_path: Path):
    settings = load_settings(tmp_path)
    assert settings == Settings()
    assert settings.rules.outputs == ("export", "watermark", "instagram")


def test_the_starter_says_only_the_defaults(tmp_path: Path):
    write(tmp_path, starter_toml())
    assert load_settings(tmp_path) == Settings()


def test_every_example_in_the_starter_is_right(tmp_path: Path):
    """The lines behind a # that look like settings, taken at their word."""
    lines = []
    for line in starter_toml().splitlines():
        bare = line.removeprefix("# ")
        is_example = line.startswith("# ") and (" = " in bare or bare.startswith("[["))
        lines.append(bare if is_example and bare.split()[0].strip("[]").isidentifier() else line)
    write(tmp_path, "\n".join(lines))
    settings = load_settings(tmp_path)
    assert settings.rule[0].match == "bangles-*"
    assert settings.watermark.logo == "logo.png"
    assert settings.defaults.template == "velvet-navy-moody"


def test_slow_pictures_get_the_time_that_the_slow_things_in_them_may_take():
    settings = Settings(job_deadline_s=10, raytracing={"timeout_s": 100}, diffusion={"timeout_s": 1000})
    assert settings.deadline_s(raytraced=False, painted=False) == 10
    assert settings.deadline_s(raytraced=True, painted=False) == 110
    assert settings.deadline_s(raytraced=False, painted=True) == 2010
    assert settings.longest_job_s == 2110
    touched = Settings(job_deadline_s=10, diffusion={"timeout_s": 1000, "settle": 0.3})
    assert touched.deadline_s(raytraced=False, painted=True) == 4010


def test_everything_can_be_set(tmp_path: Path):
    write(
        tmp_path,
        """
workers = 3
size_px = [1080, 1350]
outputs = ["export"]
time_zone = "Asia/Kolkata"
[watermark]
logo = "logo.png"
position = "top-left"
[overnight]
start = "23:30"
end = 05:00:00
[accept]
allow = ["low-resolution"]
[defaults]
template = "Velvet Moody"
lighting = "soft_glow"
[[rule]]
match = "rings*"
variants = 2
""",
    )
    settings = load_settings(tmp_path)
    assert (settings.workers, settings.size_px, settings.outputs) == (3, (1080, 1350), ("export",))
    assert settings.overnight == Window(start=dt.time(23, 30), end=dt.time(5))
    assert settings.defaults.template == "velvet-moody"
    assert settings.defaults.lighting == "soft-glow"
    assert settings.rules.rule[0].variants == 2
    assert settings.rules.accept.allow == ("low-resolution",)
    assert settings.rules.watermark.logo == "logo.png"


def test_settings_are_read_anew_at_every_call(tmp_path: Path):
    write(tmp_path, "workers = 2")
    assert load_settings(tmp_path).workers == 2
    write(tmp_path, "workers = 4")
    assert load_settings(tmp_path).workers == 4
    write(tmp_path, "workers = 'many'")
    with pytest.raises(Misconfigured):
        load_settings(tmp_path)
    (tmp_path / SETTINGS_NAME).unlink()
    assert load_settings(tmp_path).workers == 1


BAD = [
    ("wrokers = 3", 1, "wrokers", ['did you mean "workers"?', "scan_s"]),
    ("# hello\n\nworkers = 0", 3, "workers", ["0 does not fit", "a whole number from 1 to 64"]),
    ('workers = "two"', 1, "workers", ['"two"', "a whole number from 1 to 64"]),
    ("workers = true\nscan_s = 0", 2, "scan_s", ["a number from 0.05 to 3600"]),
    ("size_px = [1080]", 1, "size_px[2]", ["a whole number from 256 to 4096"]),
    ("size_px = 100", 1, "size_px[1]", ["100 does not fit", "from 256 to 4096"]),
    (
        'outputs = [\n  "export",\n  "instgram",\n]',
        1,
        "outputs[2]",
        ['mean "instagram"', '"export", "watermark"'],
    ),
    ("outputs = []", 1, "outputs", ["a list of"]),
    ('time_zone = "Mars/Base"', 1, "time_zone", ['"Mars/Base"', "Asia/Kolkata"]),
    ('[watermark]\ntext = "x"\nopacity = 2', 3, "watermark.opacity", ["a number from 0 to 1"]),
    ('[watermark]\nposition = "bottom"\nopacty = 1', 3, "watermark.opacty", ['mean "opacity"', "position"]),
    (
        'watermark = { position = "botom-right" }',
        1,
        "watermark.position",
        ['mean "bottom-right"', '"top-left"'],
    ),
    ('[watermark]\ntext = ""', 1, "watermark", ["needs a text or a logo"]),
    ("[overnight]\nstart = 22", 2, "overnight.start", ['"22:00"']),
    ('[overnight]\nstart = "25:00"', 2, "overnight.start", ['"25:00"', '"22:00"']),
    ('[overnight]\nstart = "06:00"', 1, "overnight", ["never open"]),
    ('[defaults]\ntemplate = "velvett"', 2, "defaults.template", ['mean "velvet"', '"marble"']),
    ('[defaults]\nlook = "golden"', 2, "defaults.look", ['"warm-gold"']),
    (
        '[[rule]]\nmatch = "a"\n\n[[rule]]\ntype = "ring"',
        4,
        "rule[2].match",
        ["is missing", "text in quotes"],
    ),
    ('[[rule]]\nmatch = "a"\ntype = "rings"', 3, "rule[1].type", ['mean "ring"', '"brooch"']),
    ('[[rule]]\nmatch = "a"\nlighting = "mody"', 3, "rule[1].lighting", ['mean "moody"', '"studio"']),
    ('[[rule]]\nmatch = "a"\nvariants = 99', 3, "rule[1].variants", ["a whole number from 1 to 12"]),
    ('[[rule]]\nmatch = "a"\novernight = "perhaps"', 3, "rule[1].overnight", ["true or false"]),
    (
        '[[rule]]\nmatch = "a"\novernight = { start = "20:00", ende = "05:00" }',
        3,
        "rule[1].overnight.ende",
        ['mean "end"'],
    ),
    ('[[rule]]\nmatch = "a"\novernight = { start = "06:00" }', 3, "rule[1].overnight", ["never open"]),
    ('[rules]\nmatch = "a"', 1, "rules", ['mean "rule"']),
    ('[accept]\nallow = "halo"', 2, "accept.allow", ["a list of text in quotes"]),
    ("_env_file = 3", 1, "_env_file", ["is not a known key"]),
]


@pytest.mark.parametrize(
    ("text", "line", "key", "words"), BAD, ids=[f"{one[2]}-{at}" for at, one in enumerate(BAD)]
)
def test_a_mistake_names_file_line_key_and_what_is_accepted(tmp_path: Path, text, line, key, words):
    path = write(tmp_path, text)
    with pytest.raises(Misconfigured) as caught:
        load_settings(tmp_path)
    told = [one for one in str(caught.value).splitlines() if one.startswith(f"{path}, line {line}, {key}: ")]
    assert told, str(caught.value)
    assert all(word in told[0] for word in words), told[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nworkers = two", 2),
        ("workers = 1\nworkers = 2", 2),
        ('a = "open\nb = 1', 1),
        ("[watermark\ntext = 1", 1),
    ],
)
def test_a_broken_file_names_the_line(tmp_path: Path, text: str, line: int):
    path = write(tmp_path, text)
    with pytest.raises(Misconfigured) as caught:
        load_settings(tmp_path)
    assert f"{path}, line {line}: cannot be read" in str(caught.value)
    assert "accepted: key = value" in str(caught.value)


def test_a_file_that_is_not_text_is_told(tmp_path: Path):
    (tmp_path / SETTINGS_NAME).write_bytes(b"workers = 1 # caf\xe9")
    with pytest.raises(Misconfigured, match="cannot be read") as caught:
        load_settings(tmp_path)
    assert "UTF-8" in caught.value.advice


def test_all_mistakes_are_told_at_once(tmp_path: Path):
    write(tmp_path, 'workers = 0\nscn_s = 1\n[defaults]\ntemplate = "velvett"\n[[rule]]\ntype = "x"\n')
    with pytest.raises(Misconfigured) as caught:
        load_settings(tmp_path)
    lines = str(caught.value).splitlines()
    assert [one.split(", ")[2].split(":")[0] for one in lines] == [
        "workers",
        "scn_s",
        "defaults.template",
        "rule[1].match",
        "rule[1].type",
    ]
    assert "5 mistakes" in caught.value.advice


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, 'workers = 2\n[watermark]\ntext = "File"\nopacity = 0.3')
    monkeypatch.setenv("VITRINE_WORKERS", "5")
    monkeypatch.setenv("VITRINE_WATERMARK__TEXT", "Environment")
    monkeypatch.setenv("VITRINE_SIZE_PX", "[600, 700]")
    settings = load_settings(tmp_path)
    assert settings.workers == 5
    assert (settings.watermark.text, settings.watermark.opacity) == ("Environment", 0.3)
    assert settings.size_px == (600, 700)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("VITRINE_SCAN_S", "soon", "a number from 0.05 to 3600"),
        ("VITRINE_WATERMARK__OPACITY", "7", "a number from 0 to 1"),
        ("VITRINE_SIZE_PX", "big", "JSON"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(tmp_path: Path, monkeypatch, name, value, accepted):
    write(tmp_path, "workers = 1")
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as caught:
        load_settings(tmp_path)
    assert f"environment variable {name}, " in str(caught.value)
    assert accepted in str(caught.value)


@pytest.mark.parametrize(
    ("now", "inside"), [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("06:00", False)]
)
def test_the_window_may_pass_midnight(now: str, inside: bool):
    assert Window().holds(dt.time.fromisoformat(now)) is inside


def test_settings_travel_to_a_worker():
    assert Settings.model_validate_json(Settings(workers=3).model_dump_json()) == Settings(workers=3)


def test_larger_pictures_get_more_memory_and_time(tmp_path):
    usual = load_settings(tmp_path)
    ordinary = {"raytraced": False, "painted": False}
    assert (usual.worker_memory_mb, usual.deadline_s(**ordinary)) == (usual.memory_mb, usual.job_deadline_s)
    (tmp_path / "vitrine.toml").write_text("size_px = 4096\n[defaults]\nenlarge = 'realesr-general-x4v3'\n")
    large = load_settings(tmp_path)
    assert large.worker_memory_mb > 5000
    assert large.deadline_s(**ordinary) > 240
    assert large.longest_job_s > usual.longest_job_s + 100
    assert large.defaults.enlarge == "realesr-general-x4v3"
    (tmp_path / "vitrine.toml").write_text("[defaults]\nenlarge = '../net'\n")
    with pytest.raises(Misconfigured, match="enlarge"):
        load_settings(tmp_path)
