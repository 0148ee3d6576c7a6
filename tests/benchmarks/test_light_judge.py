"""Each fault of light, planted into one real render, is found as what it is; the render as it was passes."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from pipeline.develop import develop
from pipeline.judge.judge import judge
from presets.library import recipe
from rules.accept import accept
from tests.benchmarks import light_judge
from tests.benchmarks.exact import exact_pieces
from tests.benchmarks.faults import FAULTS, take_exact
from tests.benchmarks.light_judge import again, kept, report, verdict

FOUND_AS = {  # fault -> strength, code
    "floating": (12, "floating"),
    "light turned": (120, "light-turned"),
    "shadow missing": (0, "shadow-missing"),
    "shadow doubled": (3, "shadow-too-dark"),
    "reflection missing": (0, "mirror-missing"),
    "reflection on cloth": (0.4, "mirror-in-cloth"),
    "halo of paper": (1, "halo"),  # of the small picture; between two and three pixels of the photo
    "hole filled": (0.05, "filled-hole"),
    "light under the piece": (16, "floating"),
    "hue drift": (20, "hue-drift"),
    "piece too bright": (1.2, "other-exposure"),
    "piece too blue": (0.6, "other-tint"),
}


@pytest.fixture(scope="module")
def taken():
    """The sample ring on velvet, and on marble."""
    ring = next(one for one in exact_pieces(None, 9) if one.kind == "ring")
    sets = {"cloth": "velvet-navy-moody", "polished": "marble-white-studio"}
    return {
        name: take_exact(ring, recipe(template, "ring", lighting="moody", size_px=(540, 540)))
        for name, template in sets.items()
    }


@pytest.mark.parametrize("ground", ["cloth", "polished"])
def test_a_render_without_a_fault_passes(taken, ground):
    assert verdict(taken[ground])["codes"] == []


@pytest.mark.parametrize("name", FOUND_AS)
def test_a_planted_fault_is_found_as_what_it_is(taken, name):
    strength, code = FOUND_AS[name]
    ground = "polished" if name == "reflection missing" else "cloth"
    broken = FAULTS[name][0](taken[ground], strength)
    assert code in verdict(broken)["codes"]


def test_a_fault_of_light_goes_to_review_with_a_reason(taken):
    one = taken["cloth"]
    broken = FAULTS["shadow missing"][0](one, 0)
    srgb = develop(broken.composite.frame, broken.piece, one.recipe)
    found = judge(
        broken.cutout,
        broken.piece,
        broken.solid,
        broken.composite,
        broken.scene,
        recipe=one.recipe,
        srgb=srgb,
    )
    decision = accept(found)
    assert found.outcome == "review"
    assert not decision.publish
    assert any("shadow" in reason for reason in decision.reasons)


def test_what_cannot_be_told_is_no_fault_and_no_number(taken):
    one = taken["cloth"]
    bare = one.composite.bare
    no_light = {name: np.zeros_like(group) for name, group in one.scene.groups.items()}
    dark = dataclasses.replace(
        one,
        scene=dataclasses.replace(one.scene, groups=no_light),
        composite=dataclasses.replace(one.composite, bare=bare * 0, shaded=bare * 0, ground=bare * 0),
    )
    found = verdict(dark)
    assert found["figures"]["azimuth_margin"] is None
    assert found["figures"]["shadow_strength"] is None
    assert not {"light-turned", "shadow-missing", "shadow-too-dark"} & set(found["codes"])


def test_kept_figures_are_judged_by_todays_thresholds(taken, tmp_path, monkeypatch):
    about = {"piece": "ring", "fault": "", "strength": 0, "seen": True}
    rows = list(kept(iter([about | verdict(taken["cloth"])]), tmp_path / "rows.jsonl"))
    assert json.loads((tmp_path / "rows.jsonl").read_text()) == json.loads(json.dumps(rows[0]))
    assert again(tmp_path / "rows.jsonl")[0]["codes"] == []
    monkeypatch.setattr("pipeline.judge.light.LEAST_STRENGTH", 50.0)
    strict = again(tmp_path / "rows.jsonl")
    assert strict[0]["codes"] == ["shadow-missing"]
    assert report(strict, "").row_count == 2
    assert light_judge.spreads(strict).row_count > len(light_judge.FIGURES)
