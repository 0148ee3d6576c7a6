"""Every row of the failure matrix has a test of its own name, so that a row without one is seen."""

from __future__ import annotations

import re
from pathlib import Path

ROWS = range(1, 51)


def test_no_row_is_without_a_test():
    here = Path(__file__).parents[1]
    named = {
        int(number)
        for path in here.rglob("test_*.py")
        for number in re.findall(r"^def test_fm_(\d\d)_", path.read_text(), re.MULTILINE)
    }
    assert sorted(set(ROWS) - named) == []
