"""The demo's manners: it never empties a folder of somebody else, and its folders mean what they say."""

from __future__ import annotations

import pytest

from daemon.cli.demo import FOLDERS, MARK, dropped_photos, set_up
from daemon.settings import load_settings
from daemon.studio import Studio
from pipeline.errors import BadInput
from presets.library import HOME
from rules.facts import Facts
from rules.route import route


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path):
    keepsake = tmp_path / "demo" / "wedding.jpg"
    keepsake.parent.mkdir()
    keepsake.write_bytes(b"irreplaceable")
    with pytest.raises(BadInput, match="something else"):
        set_up(Studio(tmp_path / "demo"))
    assert keepsake.read_bytes() == b"irreplaceable"


def test_an_earlier_demo_makes_room(tmp_path):
    studio = Studio(tmp_path / "demo")
    set_up(studio)
    (studio.export / "old.jpg").write_bytes(b"old")
    set_up(studio)
    assert (studio.root / MARK).exists()
    assert not (studio.export / "old.jpg").exists()
    assert load_settings(studio.root).worker_threads == 1


def test_the_folders_show_every_material_and_many_lights(tmp_path):
    plans = [
        route(Facts(folder=folder, name="IMG_1.jpg"), load_settings(tmp_path).rules) for _, folder in FOLDERS
    ]
    assert not [finding for plan in plans for finding in plan.findings]
    assert {plan.recipes[0].surface.material for plan in plans} == {
        "velvet", "marble", "minimal", "gradient", "festive",
    }  # fmt: skip
    assert {"moody", "soft-glow", "spotlight", "studio"} <= {plan.recipes[0].rig.name for plan in plans}
    for (kind, folder), plan in zip(FOLDERS, plans, strict=True):
        assert plan.jewelry_type == ("auto" if folder.startswith("auto") else kind)


def test_all_samples_are_shown():
    shown = dropped_photos(HOME / "samples")
    assert {photo for photo, _ in shown} == set((HOME / "samples").glob("*.jpg"))
    assert [folder for _, folder in shown] == [folder for _, folder in FOLDERS]
