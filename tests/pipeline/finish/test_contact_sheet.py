"""The contact sheet: every entry is there, in its place, unharmed by odd sizes and long words."""

import numpy as np
import pytest

from pipeline.finish.contact_sheet import GAP_PX, ORIGINAL_PX, PAPER, RENDER_PX, Entry, contact_sheet


def flat(color, size=(60, 80)):
    return np.full((*size, 3), color, np.uint8)


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_every_entry_has_its_original_and_its_picture(count):
    colors = [(10 + 15 * at, 200 - 10 * at, 90) for at in range(count)]
    sheet = contact_sheet(
        [Entry(f"ring {at}", "published", flat((1, 2, 3)), flat(c)) for at, c in enumerate(colors)]
    )
    for color in colors:
        # 4:3 pictures fill their place across; nothing else on the sheet has this colour
        area = np.abs(sheet.astype(int) - color).max(-1) <= 1
        assert area.sum() == pytest.approx(RENDER_PX * RENDER_PX * 3 / 4, rel=0.02)
    originals = np.abs(sheet.astype(int) - (1, 2, 3)).max(-1) <= 1
    assert originals.sum() == pytest.approx(count * ORIGINAL_PX**2 * 3 / 4, rel=0.05)
    assert tuple(sheet[0, 0]) == PAPER
    assert max(sheet.shape[:2]) < 2.2 * min(sheet.shape[:2])


def test_a_photo_without_a_picture_shows_the_reason_and_long_words_stay_inside():
    reason = "rejected: " + "the file is cut off " * 30
    sheet = contact_sheet([Entry("x" * 400, reason, None, None)])
    place = sheet[GAP_PX : GAP_PX + RENDER_PX, 2 * GAP_PX + ORIGINAL_PX : -GAP_PX]
    assert place.min() < 80  # ink
    assert (sheet[:, -GAP_PX + 1 :] == PAPER).all()


def test_an_empty_sheet_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])
