"""Where the piece stands in frames of every shape."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.backdrop.plate import safe_area
from pipeline.format import FORMATS
from pipeline.layout import LARGEST_SET, LONGEST_SHARE, free_frame, lay_out, stands_safely
from pipeline.values import Box, Cutout
from presets.library import recipe


def cutout(width, height):
    """A piece that fills a crop of that size."""
    alpha = np.ones((height, width), np.float32)
    rgb = np.full((height, width, 3), 0.5, np.float32)
    return Cutout(rgb, alpha, Box(0, 0, width, height), 1.0, 1.0, np.ones(3, np.float32))


PIECES = {"round": (600, 600), "wide": (900, 200), "tall": (200, 900)}
KINDS = {"ring": "table", "earrings": "flat"}


@pytest.mark.parametrize("shape", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("piece", PIECES)
def test_the_piece_lies_in_the_free_frame_and_in_the_middle_of_its_width(shape, kind, piece):
    made = recipe("velvet-navy-moody", kind, format=shape)
    laid = lay_out(cutout(*PIECES[piece]), made)
    free = free_frame(made)
    assert laid.alpha.shape == (made.height_px, made.width_px)
    assert free.y0 + 0.09 * free.height <= laid.box.y0
    assert laid.box.y1 <= free.y1 - 0.09 * free.height
    assert abs(laid.box.x0 + laid.box.x1 - made.width_px) <= 1
    share = max(laid.box.width / free.width, laid.box.height / free.height)
    assert made.fill - 0.01 <= share <= LONGEST_SHARE + 0.01


def test_a_tall_piece_grows_with_the_frame_and_a_wide_one_keeps_its_size():
    heights, widths = [], []
    for shape in ("square", "portrait", "story"):
        made = recipe("velvet-navy-moody", "earrings", format=shape)
        heights.append(lay_out(cutout(*PIECES["tall"]), made).box.height)
        widths.append(lay_out(cutout(*PIECES["wide"]), made).box.width)
    assert heights[0] < heights[1]
    assert heights[0] < heights[2]
    assert len(set(widths)) == 1


def test_nothing_of_instagram_lies_over_a_square():
    made = recipe("velvet-navy-moody", "ring")
    assert free_frame(made) == Box(0, 0, 1080, 1080)
    story = free_frame(recipe("velvet-navy-moody", "ring", format="story"))
    assert (story.y0, 1920 - story.y1) == (250, 340)


def test_the_mark_of_a_story_is_not_hidden():
    from pathlib import Path

    from daemon.darkroom import print_pictures
    from pipeline.finish.encode import encode_jpeg
    from pipeline.values import Render, Verdict
    from rules.plan import Watermark

    srgb = np.full((1920, 1080, 3), 40, np.uint8)
    render = Render(srgb, Verdict("pass", (), {}), {})
    for position, rows in (("bottom", slice(1400, 1580)), ("top", slice(250, 400))):
        marked = print_pictures(render, Watermark(text="Rao", position=position), Path(), "story").marked
        assert marked != encode_jpeg(srgb)
        changed = np.flatnonzero(_decoded(marked).max((1, 2)) > 90)
        assert changed.size
        assert rows.start <= changed.min()
        assert changed.max() < rows.stop


def _decoded(data):
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize(("kind", "piece"), [("ring", "tall"), ("ring", "wide"), ("earrings", "round")])
def test_the_set_is_taken_larger_until_the_piece_stands_in_its_safe_area(kind, piece):
    made = recipe("velvet-navy-moody", kind)
    narrow = (-0.4, -0.8, 0.4, 0.4)
    plain, laid = (
        lay_out(cutout(*PIECES[piece]), made),
        lay_out(cutout(*PIECES[piece]), made, safe_area=lambda *_: narrow),
    )
    assert laid.box == plain.box
    assert plain.ground.unit_px < laid.ground.unit_px <= LARGEST_SET * plain.ground.unit_px
    assert [note.code for note in stands_safely(plain, narrow)] == ["beyond-set"]
    assert not stands_safely(laid, narrow)
    assert not stands_safely(plain, None)


def test_a_set_without_room_for_the_piece_is_told():
    made = recipe("velvet-navy-moody", "ring")
    laid = lay_out(cutout(*PIECES["round"]), made, safe_area=lambda *_: (-0.2, -0.3, 0.2, 0.1))
    assert [note.code for note in stands_safely(laid, (-0.2, -0.3, 0.2, 0.1))] == ["beyond-set"]


@pytest.mark.parametrize("kind", KINDS)
def test_on_the_plates_that_ship_every_piece_has_room(kind):
    made = recipe("velvet-navy-moody", kind)
    for piece in PIECES.values():
        laid = lay_out(cutout(*piece), made, safe_area=safe_area)
        assert laid.ground.unit_px == max(laid.box.width, laid.box.height)
        assert not stands_safely(laid, safe_area(made.surface, laid.view, 0))
