"""The sheet of templates: real renders of the sample photos, with their names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from daemon.cli.template_sheet import CELL_PX, GAP_PX, LABEL_PX, chosen, sample_photos, save_sheet
from pipeline.errors import BadInput, Misconfigured
from presets.library import HOME, library


def test_every_cell_is_another_picture_with_a_name_below(tmp_path: Path):
    target = tmp_path / "sheet.png"
    save_sheet(target, ["velvet-navy-moody", "marble-white-studio"])
    sheet = np.asarray(Image.open(target).convert("RGB"), np.float32)
    assert sheet.shape == (CELL_PX + LABEL_PX + 2 * GAP_PX, 2 * CELL_PX + 3 * GAP_PX, 3)
    dark = sheet[GAP_PX : GAP_PX + CELL_PX, GAP_PX : GAP_PX + CELL_PX]
    light = sheet[GAP_PX : GAP_PX + CELL_PX, 2 * GAP_PX + CELL_PX : 2 * GAP_PX + 2 * CELL_PX]
    assert dark.mean() < light.mean() - 50
    label = sheet[GAP_PX + CELL_PX : -GAP_PX, GAP_PX : GAP_PX + CELL_PX]
    assert label.min() < 100 < label.max()


def test_the_kinds_take_turns():
    samples = sample_photos(HOME / "samples")
    template = library().templates["velvet-navy-moody"]
    kinds = [chosen(template, samples, turn)[0] for turn in range(len(samples))]
    assert sorted(kinds) == sorted(samples)


def test_another_kind_of_file_is_refused_before_any_work(tmp_path: Path):
    with pytest.raises(BadInput, match=r"a \.jpg or a \.png file"):
        save_sheet(tmp_path / "sheet.gif")


def test_without_samples_it_says_so(tmp_path: Path):
    with pytest.raises(Misconfigured, match="no sample photos"):
        sample_photos(tmp_path)
