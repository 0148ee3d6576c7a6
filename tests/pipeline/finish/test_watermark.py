"""The mark: legible on any ground, inside the picture, never both text and logo."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from pipeline.color import LUMA
from pipeline.finish import Watermark, stamp
from pipeline.finish.watermark import missing_letters

TEXT = Watermark(text="MAISON AURELIA")


def _ground(value: float, side: int = 540) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.clip(rng.normal(value, 3, (side, side, 3)), 0, 255).astype(np.uint8)


def _logo() -> bytes:
    pixels = np.zeros((40, 120, 4), dtype=np.uint8)
    pixels[10:30, 10:110] = (200, 30, 40, 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("value", [6, 60, 128, 190, 245])
def test_text_is_legible(value: float) -> None:
    ground = _ground(value)
    marked = stamp(ground, TEXT)
    changed = np.abs(marked.astype(int) - ground).max(axis=-1) > 30
    assert changed.sum() > 200
    luma = (marked.astype(np.float32) @ LUMA)[changed]
    contrast = np.abs(luma - value)
    assert np.percentile(contrast, 75) > 55  # strokes stand clearly off their ground


def test_the_input_is_not_changed_and_bytes_repeat() -> None:
    ground = _ground(30)
    kept = ground.copy()
    assert np.array_equal(stamp(ground, TEXT), stamp(ground, TEXT))
    assert np.array_equal(ground, kept)


@pytest.mark.parametrize(
    ("position", "rows", "columns"),
    [
        ("bottom", slice(440, 540), slice(100, 440)),
        ("top-left", slice(0, 100), slice(0, 380)),
        ("bottom-right", slice(440, 540), slice(160, 540)),
        ("center", slice(220, 320), slice(100, 440)),
    ],
)
def test_position(position: str, rows: slice, columns: slice) -> None:
    ground = _ground(30)
    changed = np.any(stamp(ground, TEXT.model_copy(update={"position": position})) != ground, axis=-1)
    outside = changed.copy()
    outside[rows, columns] = False
    assert changed.any()
    assert not outside.any()


def test_a_long_text_shrinks_into_the_picture() -> None:
    ground = _ground(30, 256)
    changed = np.any(stamp(ground, Watermark(text="W" * 80)) != ground, axis=-1)
    assert changed.any()
    assert not changed[:, :2].any()
    assert not changed[:, -2:].any()


def test_a_logo_keeps_its_colour() -> None:
    marked = stamp(_ground(30), Watermark(logo=_logo(), opacity=1.0, position="center"))
    assert marked[270, 270] == pytest.approx(np.array([200, 30, 40]), abs=3)


def test_opacity_zero_shows_nothing() -> None:
    ground = _ground(30)
    assert np.array_equal(stamp(ground, TEXT.model_copy(update={"opacity": 0.0})), ground)


def test_exactly_one_of_text_and_logo() -> None:
    for wrong in ({}, {"text": "   "}, {"text": "A", "logo": _logo()}):
        with pytest.raises(ValidationError, match="text or a logo"):
            Watermark(**wrong)


def test_a_broken_logo_says_so() -> None:
    with pytest.raises(ValueError, match="PNG"):
        stamp(_ground(30), Watermark(logo=b"not a picture"))


def test_letters_that_the_face_lacks_are_named_and_simplified() -> None:
    accented = Watermark(text="AURÉLIA 金")
    assert "金" in missing_letters(accented)
    marked = stamp(_ground(30), Watermark(text="AURELIA"))
    if "É" in missing_letters(accented):
        assert np.array_equal(stamp(_ground(30), Watermark(text="AURÉLIA")), marked)
    assert missing_letters(TEXT) == ""
