"""Shadow figures on a real picture: what touches is not called floating, whatever the floor mirrors."""

from pathlib import Path

import pytest

import presets.library
from pipeline.photo.decode import decode
from pipeline.render import render

RING = Path(__file__).parents[3] / "presets" / "samples" / "ring_solitaire.jpg"


@pytest.mark.parametrize("template", ["marble-black-studio", "velvet-navy-moody"])
def test_a_standing_ring_touches_its_ground(template):
    verdict = render(decode(RING), presets.library.recipe(template, "ring")).verdict
    assert verdict.figures["contact_gap_px"] < 10
    assert "floating" not in {reason.code for reason in verdict.reasons}
