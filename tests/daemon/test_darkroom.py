"""The door to pixels: pictures of one photo share its cut-out, and nobody can see that they do."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from daemon import darkroom
from daemon.settings import Settings
from daemon.studio import Studio
from pipeline.photo.decode import decode
from pipeline.render import render
from presets.library import HOME, recipe
from tests.pipeline.diffusion.test_files import model

SAMPLE = next((HOME / "samples").glob("*ring*.jpg"))
OTHER = next(path for path in sorted((HOME / "samples").glob("*.jpg")) if path != SAMPLE)


def test_formats_of_one_photo_share_the_cut_out_and_come_out_the_same():
    darkroom._last.clear()
    wanted = [
        recipe("velvet-navy-moody", "ring", format=shape, draft=True) for shape in ("square", "portrait")
    ]
    made = [darkroom.develop(SAMPLE, one, 10**8, "ring.jpg") for one in wanted]
    (kept,) = darkroom._last.values()
    assert [one.srgb.shape[:2] for one in made] == [(1080, 1080), (1350, 1080)]
    assert np.array_equal(made[1].srgb, render(decode(SAMPLE), wanted[1]).srgb)
    assert made[1].verdict == render(decode(SAMPLE), wanted[1]).verdict
    darkroom.develop(SAMPLE, wanted[0], 10**8, "ring.jpg")
    assert next(iter(darkroom._last.values())) is kept
    darkroom.develop(OTHER, wanted[0], 10**8, "other.jpg")
    assert len(darkroom._last) == 1
    assert next(iter(darkroom._last.values())) is not kept


def test_without_blender_a_path_traced_picture_is_the_ordinary_one_and_says_so(monkeypatch, tmp_path):
    monkeypatch.delenv("VITRINE_RENDERER", raising=False)
    renderer = darkroom.load_renderer(Settings(raytracing={"blender": str(tmp_path / "python")}))
    wanted = recipe("gradient-rose-soft-glow", "ring", size_px=(256, 256), draft=True, renderer="blender")
    picture = renderer(SAMPLE, wanted, 10**8, "ring.jpg")
    told = {note.code: note.text for note in picture.notes}
    assert str(tmp_path / "python") in told["not-raytraced"]
    plain = renderer(SAMPLE, wanted.model_copy(update={"renderer": "fast"}), 10**8, "ring.jpg")
    assert "not-raytraced" not in {note.code for note in plain.notes}
    np.testing.assert_array_equal(picture.srgb, plain.srgb)


def test_without_a_model_a_painted_picture_is_the_ordinary_one_and_says_what_to_put_where(
    monkeypatch, tmp_path
):
    monkeypatch.delenv("VITRINE_RENDERER", raising=False)
    renderer = darkroom.load_renderer(Settings(), Studio(tmp_path))
    wanted = recipe("gradient-rose-soft-glow", "ring", size_px=(256, 256), draft=True, backdrop="diffusion")
    picture = renderer(SAMPLE, wanted, 10**8, "ring.jpg")
    told = {note.code: note.text for note in picture.notes}
    assert (
        f"there is no diffusion model in {tmp_path}/weights/diffusion. Put a model's folder"
        in told["not-painted"]
    )
    plain = renderer(SAMPLE, wanted.model_copy(update={"painting": None}), 10**8, "ring.jpg")
    np.testing.assert_array_equal(picture.srgb, plain.srgb)
    assert not (tmp_path / "backgrounds").exists()


@pytest.mark.skipif(find_spec("diffusers") is not None, reason="the extra diffusion is installed")
def test_without_the_extra_a_painted_picture_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.delenv("VITRINE_RENDERER", raising=False)
    model(tmp_path / "weights/diffusion/any")
    renderer = darkroom.load_renderer(Settings(), Studio(tmp_path))
    wanted = recipe("gradient-rose-soft-glow", "ring", size_px=(256, 256), draft=True, backdrop="diffusion")
    told = {note.code: note.text for note in renderer(SAMPLE, wanted, 10**8, "ring.jpg").notes}
    assert (
        "which are not installed. Install them with: pip install 'vitrine[diffusion]'" in told["not-painted"]
    )
