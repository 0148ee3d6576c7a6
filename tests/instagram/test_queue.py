"""The queue: a folder that its owner edits by hand or by command."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest
from PIL import Image

from daemon.cli import main
from daemon.instagram import post_ledger
from daemon.instagram.preflight import problems
from pipeline.errors import BadInput
from tests.instagram.bad_posts import bad_posts
from tests.instagram.shop import picture


def run(shop, capsys, *words):
    try:
        main(["queue", *words, "--studio", str(shop.studio.root)])
        code = 0
    except SystemExit as end:
        code = end.code or 0
    out = capsys.readouterr()
    return code, out.out + out.err


def test_list_show_edit_approve_hold_drop(shop, capsys):
    shop.post("ring", state="held", sku="R-7")
    shop.post("watch", state="held")
    assert all(word in run(shop, capsys)[1] for word in ("ring", "watch", "held"))
    code, text = run(
        shop, capsys, "edit", "R-7", "caption=A new caption", "hashtags=#a #b", "when=2030-01-01 10:00"
    )
    assert code == 0, text
    assert run(shop, capsys, "approve", "ring")[0] == 0
    shown = run(shop, capsys, "show", "ring")[1]
    assert "A new caption\n\n#a #b" in shown
    assert "edited: caption, hashtags, when" in shown
    assert "2030-01-01 10:00" in run(shop, capsys, "calendar")[1]
    run(shop, capsys, "hold", "ring")
    assert "Nothing is approved" in run(shop, capsys, "calendar")[1]
    run(shop, capsys, "drop", "ring")
    assert shop.states() == {"watch": "held", "ring": "dropped"}
    assert (shop.studio.dropped / "ring.jpg").read_bytes() == picture(0)


def test_what_cannot_go_out_is_not_approved_and_the_rest_is(shop, capsys):
    shop.post("good", state="held")
    shop.post("bad", state="held", caption="a" * 2300)
    code, text = run(shop, capsys, "approve", "--all")
    assert code == 1
    assert "bad: cannot go out: the caption has 2307 characters" in text
    assert shop.states() == {"good": "approved", "bad": "held"}


def test_a_file_edited_by_hand_counts_and_its_own_keys_stay(shop):
    entry = shop.post("ring", state="held")
    fields = json.loads(entry.path.read_text()) | {"caption": "By hand", "mine": {"note": 1}}
    entry.path.write_text(json.dumps(fields))
    entry.told("held", shop.now)
    after = json.loads(entry.path.read_text())
    assert (after["caption"], after["mine"]) == ("By hand", {"note": 1})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read"),
        ('{"picture": "../../secret.jpg"}', "no file name in the queue"),
        ('{"picture": "/etc/passwd"}', "no file name in the queue"),
        ('{"picture": "a.jpg", "state": "aproved"}', "state:"),
        ('{"picture": "a.jpg", "when": "tomorrow"}', '"tomorrow" is not a time'),
        ("[]", ""),
    ],
)
def test_a_broken_file_is_told_and_the_others_go_on(shop, capsys, text, told):
    shop.post("good")
    (shop.studio.instagram / "broken.json").write_text(text)
    said = run(shop, capsys)[1]
    assert "broken.json" in said
    assert told in said
    assert [turn.id for turn in shop.publishing(None).calendar(shop.now)] == [shop.publishing(None).due[0].id]
    assert run(shop, capsys, "show", "broken")[0] == 1


def test_the_list_says_why_nothing_is_sent(shop, capsys):
    shop.ledger.halt("Instagram wants a person to look")
    assert "The publisher sends nothing: halted: Instagram wants a person" in run(shop, capsys)[1].replace(
        "\n", " "
    )


def test_a_ledger_of_an_earlier_version_is_carried_on(tmp_path):
    path = tmp_path / "posts.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(f"{post_ledger._SCHEMA}; PRAGMA user_version = 1")
        old.execute(
            "INSERT INTO posts (id, upload_id, step, template, type, text, begun_at, posted_at) VALUES"
            " ('a', '1', 'posted', 't', 'ring', 'said', 1.0, 2.0)"
        )
        old.commit()
    for _ in range(2):
        ledger = post_ledger.PostLedger(path)
        row = ledger.row("a")
        assert (row.text, row.handle, row.comment, row.comment_tries) == ("said", "", "", 0)
        assert [one.id for one in ledger.half_done()] == ["a"]
        ledger.close()


def test_reorder_puts_posts_first(shop, capsys):
    for name in "abc":
        shop.post(name)
    run(shop, capsys, "reorder", "c", "b")
    assert [entry.path.stem for entry in shop.publishing(None).queue.entries()] == ["c", "b", "a"]


def test_join_makes_a_carousel_and_variants_join_by_themselves(shop, capsys):
    shop.post("a")
    shop.post("b", data=picture(1))
    run(shop, capsys, "join", "a", "b")
    entry = shop.publishing(None).queue.find("a")
    assert entry.post.pictures == ["a.jpg", "b.jpg"]
    assert problems(entry, 5) == []
    for at in range(3):
        shop.post(f"v{at}", data=picture(at), carousel=True, of=3, variant=at, source="photo")
        if at == 1:
            shop.publishing(None).queue.join_variants(shop.now)  # the third is still being made
            assert shop.publishing(None).queue.find("v0").post.more == []
    publishing = shop.publishing(None, carousel=True)
    publishing.queue.join_variants(shop.now)
    assert publishing.queue.find("v0").post.pictures == ["v0.jpg", "v1.jpg", "v2.jpg"]
    assert sorted(shop.states()) == ["a", "v0"]


def test_posts_of_the_same_name_are_put_away_side_by_side(shop):
    for seed in (1, 2):
        entry = shop.post("ring", data=picture(seed), job=f"{seed}" * 64)
        shop.publishing(None).queue.put_away(entry, shop.studio.posted)
    kept = sorted(path.name for path in shop.studio.posted.iterdir())
    assert kept == ["ring-22222222.jpg", "ring-22222222.json", "ring.jpg", "ring.json"]
    assert (
        json.loads((shop.studio.posted / "ring-22222222.json").read_text())["picture"] == "ring-22222222.jpg"
    )
    assert (shop.studio.posted / "ring-22222222.jpg").read_bytes() == picture(2)


def test_nobody_knows_such_a_post(shop):
    with pytest.raises(BadInput, match="no such post"):
        shop.publishing(None).queue.find("nothing")


BAD = dict(bad_posts())


@pytest.mark.parametrize("kind", BAD)
def test_preflight_refuses(shop, kind):
    assert problems(shop.post("ring", **BAD[kind]), 5) != []


@pytest.mark.parametrize("size", [(1080, 1080), (1080, 1350), (1080, 566)])
def test_preflight_lets_pass_what_the_pipeline_makes(shop, size):
    assert problems(shop.post("ring", data=picture(3, size)), 5) == []


def test_preflight_lets_pass_a_carousel_of_one_size_only(shop):
    assert problems(shop.carousel("set", 10), 5) == []
    other = shop.studio.instagram / "other.jpg"
    Image.new("RGB", (1080, 1350)).save(other)
    entry = shop.publishing(None).queue.approve(shop.post("two", more=["other.jpg"]), shop.now)
    assert "all have the same size" in problems(entry, 5)[0]
