"""What became of every photo, read back from ledger and verdicts."""

from __future__ import annotations

from daemon.fates import fates
from daemon.studio import Studio


def test_each_file_is_told_with_its_picture_its_verdict_and_its_original(hall, make_jpeg):
    data = make_jpeg(1)
    hall.drop("ring.jpg", data)
    hall.drop("letter.jpg", b"dear madam")
    hall.pass_time()
    hall.work()
    hall.drop("again.jpg", data)
    hall.pass_time()
    told = {fate.name: fate for fate in fates(hall.studio)}
    assert {name: fate.state for name, fate in told.items()} == {
        "ring.jpg": "done",
        "letter.jpg": "rejected",
        "again.jpg": "duplicate",
    }
    (picture,) = told["ring.jpg"].pictures
    assert picture.clean == hall.studio.export / "rings" / "ring.jpg"
    assert all(path.exists() for path in picture.outputs)
    assert picture.verdict["figures"] == {"identity": 1.0}
    assert told["ring.jpg"].original.read_bytes() == data
    assert told["letter.jpg"].original.read_bytes() == b"dear madam"
    (nothing,) = told["letter.jpg"].pictures
    assert (nothing.state, nothing.clean, nothing.outputs) == ("rejected", None, ())
    assert "not a picture" in nothing.reason


def test_a_studio_that_never_ran_has_no_fates(tmp_path):
    assert fates(Studio(tmp_path)) == []
