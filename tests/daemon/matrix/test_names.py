"""FM-19 to FM-21 and FM-27: whatever a file or a folder is called, it is accounted for and its results stay in the studio."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.names import MAX_BYTES, safe_folder, safe_stem
from pipeline.errors import BadInput, Misconfigured, Unfit
from rules.facts import Facts
from rules.route import route
from rules.ruleset import Rules
from tests.daemon.studios import jpeg, until

UNICODE = [
    "bague e\u0301meraude.jpg",  # NFD
    "bague émeraude.jpg",  # NFC: another file on Linux
    "💍👩‍❤️‍👨 ring.jpg",
    "خاتم ذهب.jpg",
    "\u202egpj.gnir.jpg",  # right-to-left override
    "new\nline.jpg",
    "tab\tand\x07bell.jpg",
    "-rf.jpg",
    "--help.jpg",
    "$(reboot).jpg",
    "trailing dot..jpg",
    "trailing space .jpg",
    "ring.jpg.",
    " ring .jpg ",
    "con.jpg",
    "अंगूठी.JPG",
    "quote'\"`.jpg",
    "back\\slash.jpg",
    "no suffix",
    "{0} %s %(x)s.jpg",
]


def _goes_through(daemon, names):
    for number, name in enumerate(names):
        daemon.drop(os.fsdecode(name), jpeg(number, (24, 16)))
    daemon.start()
    until(lambda: daemon.states() == {"done": len(names)}, 20, f"{len(names)} done; {daemon.states()}")
    rings = daemon.studio.inbox / "rings"
    assert list(rings.iterdir()) == []
    made = [path.name for path in (daemon.studio.export / "rings").iterdir()]
    assert len(made) == len(names)
    for name in made:
        name.encode("utf-8")
        assert len(name.encode()) <= 255
        assert name[0] not in ".-~ "
        assert not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name)
    log = (daemon.studio.logs / os.listdir(daemon.studio.logs)[0]).read_text("utf-8")  # noqa: PTH208
    assert "Traceback" not in log
    return made


def test_fm_19_letters_of_all_scripts_controls_and_marks_go_through(daemon):
    made = _goes_through(daemon, UNICODE)
    assert sum("émeraude" in name for name in made) == 2  # both kinds of é, one of them marked
    assert "अंगूठी.jpg" in made


def test_fm_20_names_that_are_no_utf_8_go_through(daemon):
    made = _goes_through(
        daemon, [b"ring_\xff.jpg", b"ring_\xfe.jpg", b"\xc3(.jpg", b"\xed\xa0\x80.jpg", b"\x80"]
    )
    assert "ring_.jpg" in made
    known = daemon.rows("SELECT path FROM drops")
    assert (b"rings/ring_\xff.jpg",) in known  # the ledger has the disk's own bytes
    post = json.loads((daemon.studio.instagram / "ring_.json").read_text("utf-8"))
    post["title"].encode("utf-8")


def test_fm_21_names_of_255_bytes_go_through_and_do_not_meet(daemon):
    made = _goes_through(
        daemon,
        [
            b"x" * 251 + b".jpg",
            b"x" * 250 + b"y.jpg",  # differs only in what is cut off
            ("é" * 125 + "x.jpg").encode(),
            ("💍" * 62 + "abc.jpg").encode(),
            b"\xff" * 251 + b".jpg",
            b"z" * 255,
        ],
    )
    assert max(len(name.encode()) for name in made) <= MAX_BYTES + 64 + len("-.jpg")


def test_fm_21_a_refused_photo_with_a_long_name_gets_its_reason(hall):
    hall.drop("x" * 251 + ".jpg", b"no picture at all")
    hall.drop("x" * 250 + "y.jpg", b"no picture either")
    hall.pass_time()
    hall.work()
    hall.pass_time()
    hall.account(rejected=2)
    assert len(hall.files("rejected")) == 4


def test_fm_21_folders_as_deep_as_a_path_may_be_go_through(hall):
    deep = hall.studio.inbox
    while len(os.fsencode(deep)) < 4096 - 250:
        deep = deep / ("d" * 20 + "é")
    deep.mkdir(parents=True)
    (deep / ("x" * 190 + ".jpg")).write_bytes(jpeg(1))
    hall.pass_time()
    hall.work()
    hall.account(done=1)
    assert len(hall.files("export")) == 1


PART = st.one_of(
    st.sampled_from(
        ["..", ".", "...", "~", "-", "\\", "C:", "con", "\u2025", "\uff0e\uff0e", "\u2025/..", "a" * 300]
    ),
    st.text(min_size=1, max_size=40),
    st.binary(min_size=1, max_size=255).map(os.fsdecode),
)
FOLDER = st.lists(PART, max_size=6).map("/".join)


@given(folder=FOLDER, absolute=st.booleans())
def test_fm_27_no_folder_name_leads_out_of_the_output_folder(folder, absolute):
    path = safe_folder(f"/{folder}" if absolute else folder)
    sink = Path("/studio/export")
    assert not path.is_absolute()
    assert os.path.normpath(sink / path).startswith("/studio/export")
    assert "\0" not in str(path)
    assert all(part not in {".", ".."} and len(part.encode()) <= 255 for part in path.parts)
    assert len(str(path).encode()) <= 1100


@given(stem=PART)
def test_fm_27_no_file_name_leads_out_of_its_folder(stem):
    safe = safe_stem(stem)
    assert not set(safe) & set('/\\\0:*?"<>|')
    assert safe not in {".", ".."}
    assert safe[0] not in ".-~ "
    assert safe[-1] not in ". "
    assert unicodedata.normalize("NFC", safe) == safe
    safe.encode("utf-8")


WORD = st.one_of(
    PART, st.sampled_from(["/etc/passwd", "../../x", "velvet/../..", "velvet\0", "file:///x", "%2e%2e/"])
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    folder=FOLDER,
    name=PART,
    said=st.dictionaries(st.sampled_from(["template", "lighting", "title", "sku"]), WORD),
)
def test_fm_27_no_sidecar_and_no_folder_rule_names_a_file(folder, name, said):
    """Templates, lights and outputs are words out of closed lists; texts stay texts."""
    sidecar = "".join(
        f"{key} = {json.dumps(value.encode('utf-8', 'replace').decode())}\n" for key, value in said.items()
    )
    facts = Facts(folder=folder, name=name, digest="0" * 64, kind="jpeg")
    try:
        plan = route(facts, Rules(), sidecar)
    except (Unfit, BadInput, Misconfigured):
        plan = route(facts, Rules(), None)
    assert set(plan.outputs) <= {"export", "watermark", "instagram"}
    for recipe in plan.recipes:
        assert "/" not in recipe.template
        assert ".." not in recipe.template


@pytest.mark.parametrize("logo", ["/etc/hostname", "../outside.png", "a/../../outside.png", "link.png"])
def test_fm_27_a_logo_outside_the_studio_is_refused(hall, logo, tmp_path):
    (tmp_path / "outside.png").write_bytes(jpeg(1))
    (hall.studio.root / "link.png").symlink_to(tmp_path / "outside.png")
    hall.drop("ring.jpg", jpeg(1))
    rules = Rules(watermark={"text": "", "logo": logo})
    hall.intake.rules = rules
    hall.pass_time()
    hall.ready()
    with pytest.raises(Misconfigured, match="studio folder"):
        hall.worker().work_once(("urgent", "normal"))
    assert hall.files("export") == []


def test_fm_27_a_caption_and_a_title_are_only_text(hall):
    text = "../../../etc/passwd\n{title} $(reboot)"
    hall.drop("ring.toml", f"title = {json.dumps(text)}\ncaption = {json.dumps(text)}\n".encode())
    hall.drop("ring.jpg", jpeg(1))
    hall.pass_time()
    hall.work()
    hall.account(done=1)
    assert hall.files("instagram-queue") == ["ring.jpg", "ring.json"]
    post = json.loads((hall.studio.instagram / "ring.json").read_text())
    assert post["title"] == post["caption"] == text
    assert post["picture"] == "ring.jpg"


def test_fm_27_a_sidecar_that_is_a_link_is_not_followed(hall, tmp_path):
    (tmp_path / "secret").write_text('title = "secret"\n')
    (hall.studio.inbox / "rings" / "ring.toml").symlink_to(tmp_path / "secret")
    hall.drop("ring.jpg", jpeg(1))
    hall.pass_time()
    hall.work()
    assert all("secret" not in path.read_text() for path in hall.studio.instagram.glob("*.json"))
    assert (tmp_path / "secret").exists()
    assert hall.drops.account()["unexplained"] == hall.drops.account()["waiting"] == 0
