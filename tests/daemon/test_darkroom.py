"""The daemon's door to pixels, with the path tracer of the settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from daemon.darkroom import load_renderer
from daemon.settings import Settings
from presets.library import recipe

RING = Path(__file__).parents[2] / "presets" / "samples" / "ring_solitaire.jpg"


def test_without_blender_a_path_traced_picture_is_the_ordinary_one_and_says_so(monkeypatch, tmp_path):
    monkeypatch.delenv("VITRINE_RENDERER", raising=False)
    renderer = load_renderer(Settings(raytracing={"blender": str(tmp_path / "python")}))
    wanted = recipe("gradient-rose-soft-glow", "ring", size_px=(256, 256), draft=True, renderer="blender")
    picture = renderer(RING, wanted, 10**8, "ring.jpg")
    told = {note.code: note.text for note in picture.notes}
    assert str(tmp_path / "python") in told["not-raytraced"]
    plain = renderer(RING, wanted.model_copy(update={"renderer": "fast"}), 10**8, "ring.jpg")
    assert "not-raytraced" not in {note.code for note in plain.notes}
    np.testing.assert_array_equal(picture.srgb, plain.srgb)
