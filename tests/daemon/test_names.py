"""Names that we make: safe everywhere, whatever was dropped."""

from __future__ import annotations

import os
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from daemon.names import MAX_BYTES, readable, safe_folder, safe_stem, safe_suffix

DISK_NAMES = st.binary(min_size=1, max_size=255).filter(lambda name: b"/" not in name and b"\0" not in name)


@given(DISK_NAMES)
def test_a_stem_is_valid_short_and_cannot_climb(raw):
    stem = safe_stem(os.fsdecode(raw))
    assert 1 <= len(stem.encode("utf-8")) <= MAX_BYTES
    assert not set(stem) & set('/\\:*?"<>|\0\n')
    assert stem[0] not in ".-~ "
    assert stem[-1] not in ". "
    assert unicodedata.normalize("NFC", stem) == stem


@given(st.lists(DISK_NAMES, max_size=5))
def test_a_folder_stays_below_its_parent(parts):
    folder = safe_folder(os.fsdecode(b"/".join(parts)))
    assert not folder.is_absolute()
    assert ".." not in folder.parts


@given(DISK_NAMES)
def test_every_name_can_be_shown_and_stored(raw):
    readable(os.fsdecode(raw)).encode("utf-8")
    assert len(safe_suffix(readable(raw))) <= 8


def test_letters_of_all_scripts_stay():
    assert safe_stem("अंगूठी कंगन") == "अंगूठी कंगन"
    assert safe_stem("bague e\u0301meraude") == "bague émeraude"
    assert safe_stem(os.fsdecode(b"ring_\xff")) == "ring_"
    assert safe_stem("...") == "photo"
    assert safe_suffix("a.JPG") == ".jpg"
    assert safe_suffix("a.jpg\n") == ""
