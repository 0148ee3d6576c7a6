"""A studio's own templates: read, checked, named everywhere, followed while the daemon runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.intake import job_key
from daemon.reload import SettingsFile
from daemon.settings import load_settings
from daemon.studio import TEMPLATES_README, Studio
from pipeline.errors import Misconfigured
from presets.library import adopting, library, shipped
from rules.facts import Facts
from rules.plan import Plan
from rules.route import route
from rules.ruleset import Rules

OWN = """\
[our-velvet]
title = "Our velvet"
surface = "velvet"
palette = "navy"
rig = "moody"
change = { base = "#14082a", relief = 0.5 }
"""


@pytest.fixture(autouse=True)
def _ours_again() -> Iterator[None]:
    yield
    with adopting(shipped()):
        pass


def put(studio: Path, text: str, name: str = "ours.toml") -> Path:
    (studio / "templates").mkdir(exist_ok=True)
    path = studio / "templates" / name
    path.write_text(text, "utf-8")
    return path


def plan(folder: str, rules: Rules, sidecar: str | None = None) -> Plan:
    return route(Facts(folder=folder, name="IMG_1.jpg", digest="ab"), rules, sidecar)


def test_it_may_be_named_in_folders_rules_defaults_and_sidecars(tmp_path: Path):
    put(tmp_path, OWN)
    (tmp_path / "vitrine.toml").write_text('[[rule]]\nmatch = "bangles"\ntemplate = "our-velvet"\n', "utf-8")
    rules = load_settings(tmp_path).rules
    for made in (
        plan("rings--our-velvet", rules),
        plan("Rings - Our Velvet", rules),
        plan("bangles", rules),
        plan("sets", rules, 'template = "our-velvet"'),
    ):
        (recipe,) = made.recipes
        assert (recipe.template, recipe.surface.base, recipe.surface.relief) == ("our-velvet", "#14082a", 0.5)
        assert not made.findings
    assert next(iter(library().templates)) == "our-velvet"
    assert library().own == {"our-velvet"}
    assert set(shipped().templates) | {"our-velvet"} == set(library().templates)


def test_an_edited_template_is_another_job(tmp_path: Path):
    keys = []
    for base in ("#14082a", "#14082b"):
        put(tmp_path, OWN.replace("#14082a", base))
        made = plan("rings--our-velvet", load_settings(tmp_path).rules)
        keys.append(job_key("ab", made, 0, None))
    assert keys[0] != keys[1]


BAD = [
    ("title = 3", ["line 2, our-velvet.title", "text in quotes"]),
    ('surface = "velvt"', ["our-velvet.surface", 'did you mean "velvet"', '"marble"']),
    ('palette = "nvay"', ["our-velvet.palette", 'did you mean "navy"', '"emerald"']),
    ('rig = "mody"', ["our-velvet.rig", 'did you mean "moody"', '"studio"']),
    ('look = "warm"', ["our-velvet.look", '"warm-gold"']),
    ("fil = 0.5", ["our-velvet.fil", 'did you mean "fill"']),
    ("fill = 3", ["our-velvet.fill", "a number from 0.2 to 0.9"]),
    ('suits = ["rings"]', ["our-velvet.suits[1]", 'did you mean "ring"']),
    ('flatters = ["gold"]', ["our-velvet.flatters[1]", '"yellow-gold"']),
    ('change = { base = "navy" }', ["our-velvet.change.base", 'a colour such as "#0b1a3f"']),
    (
        'change = { pattern = "onyx" }',
        ["our-velvet.change", 'velvet has no pattern "onyx"', "plain, pleats, tufted"],
    ),
    (
        'change = { plate = "velvet", relief = 0.5 }',
        ["our-velvet.change.relief", 'no effect on the plate "velvet"', "plate or relief, not both"],
    ),
]


@pytest.mark.parametrize(("line", "words"), BAD, ids=[line for line, _ in BAD])
def test_a_mistake_names_file_line_key_and_what_is_accepted(tmp_path: Path, line: str, words: list[str]):
    key = line.split(" ", maxsplit=1)[0]
    kept = [one for one in OWN.splitlines() if not one.startswith(f"{key} ")]
    text = "\n".join([kept[0], line, *kept[1:]])
    path = put(tmp_path, text)
    with pytest.raises(Misconfigured) as caught:
        load_settings(tmp_path)
    told = str(caught.value)
    assert told.startswith(f"{path}, line 2, ")
    assert all(word in told for word in words), told


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("velvet-navy-moody", "a template that comes with Vitrine"),
        ("velvet", "a surface"),
        ("moody", "a light"),
        ("diwali", "an occasion"),
        ("rings", "a word of folder names"),
        ("overnight", "a word of folder names"),
    ],
)
def test_a_name_that_means_something_else_is_refused(tmp_path: Path, name: str, words: str):
    put(tmp_path, OWN.replace("our-velvet", name))
    with pytest.raises(Misconfigured, match=f"line 1, {name}: the name is taken: it is {words}"):
        load_settings(tmp_path)


def test_a_name_that_no_folder_could_say_is_refused(tmp_path: Path):
    put(tmp_path, OWN.replace("our-velvet", '"Our Velvet"'))
    with pytest.raises(Misconfigured, match="small letters, digits and hyphens"):
        load_settings(tmp_path)


def test_two_files_cannot_have_the_same_name(tmp_path: Path):
    put(tmp_path, OWN)
    put(tmp_path, OWN, "zz.toml")
    with pytest.raises(
        Misconfigured, match=r"zz.toml, line 1, our-velvet: the name is taken: it is a template in ours.toml"
    ):
        load_settings(tmp_path)


def touch(path: Path, text: str) -> None:
    """Write, with another time stamp whatever the clock's steps are."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, "utf-8")
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def test_a_change_is_followed_and_a_mistake_keeps_the_last_good(tmp_path: Path):
    (tmp_path / "vitrine.toml").write_text("", "utf-8")
    file = SettingsFile(tmp_path)
    assert not file.changed(asked=False)
    path = put(tmp_path, OWN)
    assert file.changed(asked=False)
    assert "our-velvet" in library().templates
    touch(path, OWN.replace("navy", "nvay"))
    assert not file.changed(asked=False)
    assert "ours.toml, line 4" in file.trouble
    assert "from before stay in force" in file.trouble
    assert library().templates["our-velvet"].palette == "navy"
    touch(path, OWN.replace("navy", "plum"))
    assert file.changed(asked=False)
    assert (file.trouble, library().templates["our-velvet"].palette) == ("", "plum")
    path.unlink()
    assert file.changed(asked=False)
    assert "our-velvet" not in library().templates


def test_a_template_that_a_rule_still_names_stays_in_force_when_it_is_deleted(tmp_path: Path):
    path = put(tmp_path, OWN)
    (tmp_path / "vitrine.toml").write_text('[defaults]\ntemplate = "our-velvet"\n', "utf-8")
    file = SettingsFile(tmp_path)
    path.unlink()
    assert not file.changed(asked=False)
    assert 'there is no template "our-velvet"' in file.trouble
    assert plan("rings", file.settings.rules).recipes[0].template == "our-velvet"


def test_a_new_studio_explains_its_templates_folder_and_the_example_there_is_right(tmp_path: Path):
    studio = Studio(tmp_path / "studio")
    studio.create()
    assert (studio.templates / "README.txt").read_text("utf-8") == TEMPLATES_README
    example = "\n".join(line[2:] for line in TEMPLATES_README.splitlines() if line.startswith("  "))
    put(studio.root, example)
    load_settings(studio.root)
    assert library().own == {"our-velvet"}
