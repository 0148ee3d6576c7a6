"""FM-18 and FM-22 to FM-26: files that cannot be read, meet, change, go away, or are none."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
from pathlib import Path

import pytest

from daemon import durable
from tests.daemon.studios import jpeg, until


def _without_privilege(daemon):
    """Let permissions count for the daemon, as they do for any user but root."""
    if os.geteuid() != 0:
        return
    if shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and there is no setpriv to give that right up")
    daemon.within = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]


def _drop_with(daemon, name, data, folder="rings", *, mode=0o644, owner=None):
    """Renamed in, so that it never has another mode or owner in the inbox."""
    path, draft = daemon.studio.inbox / folder / name, daemon.flags / name
    path.parent.mkdir(exist_ok=True)
    draft.write_bytes(data)
    draft.chmod(mode)
    if owner is not None and os.geteuid() == 0:
        os.chown(draft, owner, owner)
    draft.rename(path)
    return path


def test_fm_18_an_unreadable_photo_waits_is_told_of_once_and_goes_on_when_it_can_be_read(daemon):
    _without_privilege(daemon)
    daemon.start()  # incomplete_after_s = 1
    locked = _drop_with(daemon, "locked.jpg", jpeg(1), mode=0)
    foreign = _drop_with(daemon, "foreign.jpg", jpeg(2), mode=0, owner=65534)  # another user's
    _drop_with(daemon, "good.jpg", jpeg(3))
    until(lambda: "locked.jpg cannot be read: check its permissions" in daemon.said())
    until(lambda: "foreign.jpg cannot be read" in daemon.said())
    before = _ticks(daemon.process.pid)
    daemon.settled(done=1, settling=2)
    assert _ticks(daemon.process.pid) - before < 100  # a second of processor time: it does not spin
    locked.chmod(0o644)
    foreign.chmod(0o644)
    daemon.settled(done=3)
    assert daemon.said().count("locked.jpg cannot be read") == 1


def _ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_fm_18_a_folder_that_cannot_be_read_loses_nothing_of_what_is_in_it(daemon):
    _without_privilege(daemon)
    daemon.start()
    toml = daemon.studio.root / "vitrine.toml"
    toml.write_text(toml.read_text().replace("incomplete_after_s = 1.0", "incomplete_after_s = 600"))
    until(lambda: "new settings" in daemon.said())
    half = _drop_with(daemon, "half.jpg", jpeg(1)[:500], "closed")
    daemon.settled(settling=1)
    for mode in (0, 0o444):  # 0444: its names can be read, its files not even looked at
        half.parent.chmod(mode)
        _drop_with(daemon, f"good{mode}.jpg", jpeg(10 + mode))
        until(lambda mode=mode: daemon.states() == {"settling": 1, "done": 1 + bool(mode)})
        until(lambda: "closed cannot be looked at" in daemon.said())
    half.parent.chmod(0o755)
    half.write_bytes(jpeg(1))
    daemon.settled(done=3)


def test_fm_22_the_same_name_twice_with_other_content_gives_two_pictures(hall):
    hall.drop("ring.jpg", jpeg(1))
    hall.pass_time()
    hall.drop("ring.jpg", jpeg(2))  # over the first one, while its job waits
    hall.pass_time()
    hall.work()
    hall.drop("ring.jpg", jpeg(3))  # after it is done
    hall.pass_time()
    hall.work()
    hall.account(done=3)
    made = hall.files("export")
    assert len(made) == len(hall.files("originals")) == 3
    keys = dict(hall.ledger.connection.execute("SELECT drop_id, key FROM jobs").fetchall())
    assert set(made) == {
        "rings/ring.jpg",
        f"rings/ring-{keys[2][:8]}.jpg",
        f"rings/ring-{keys[3][:8]}.jpg",
    }
    originals = {(hall.studio.originals / name).read_bytes() for name in hall.files("originals")}
    assert originals == {jpeg(1), jpeg(2), jpeg(3)}


def test_fm_23_a_hundred_copies_at_once_with_four_workers_are_one_render(daemon):
    toml = daemon.studio.root / "vitrine.toml"
    toml.write_text(toml.read_text() + "workers = 4\n")
    for number in range(100):
        daemon.drop(f"copy{number}.jpg", jpeg(1), ("rings", "earrings/lot 7")[number % 2])
    daemon.start()
    until(lambda: sum(daemon.states().values()) == 100 and daemon.states().keys() <= {"done", "duplicate"})
    assert daemon.states()["done"] == len((daemon.flags / "calls").read_text().split()) == 2
    assert len(list(daemon.studio.originals.rglob("*.jpg"))) == 1
    assert len(list(daemon.studio.export.rglob("*.jpg"))) == 2  # a ring and earrings: two recipes


def test_fm_23_another_preset_is_a_job_of_its_own(hall):
    hall.drop("ring.jpg", jpeg(1), "rings--velvet")
    hall.drop("ring.jpg", jpeg(1), "rings--marble")
    hall.drop("again.jpg", jpeg(1), "rings--marble")
    hall.pass_time()
    assert hall.work() == 2
    hall.account(done=2, duplicate=1)


def test_fm_24_a_photo_replaced_while_it_is_rendered_gives_both_and_mixes_none(daemon):
    (daemon.flags / "behave").write_text("hang")
    daemon.start()
    photo = daemon.drop("ring.jpg", jpeg(1))
    until((daemon.flags / "hanging").exists)
    photo.write_bytes(jpeg(2))  # truncated and written anew, the same inode
    until(lambda: sum(daemon.states().values()) == 2)
    (daemon.flags / "behave").write_text("")
    daemon.settled(done=2)
    originals = {path.stem: path.read_bytes() for path in daemon.studio.originals.rglob("*.jpg")}
    assert set(originals.values()) == {jpeg(1), jpeg(2)}
    jobs = daemon.rows("SELECT d.digest, j.outputs FROM jobs j JOIN drops d ON d.id = j.drop_id")
    assert {digest for digest, _ in jobs} == set(originals)
    assert len(list(daemon.studio.export.rglob("*.jpg"))) == 2
    assert list(daemon.studio.staging.iterdir()) == []


def test_fm_24_a_photo_replaced_while_it_is_copied_is_copied_anew(hall, monkeypatch):
    photo = hall.drop("ring.jpg", jpeg(1))

    class Meddler(durable.Disk):
        """Somebody writes to the photo after the first bytes of its copy."""

        def clone(self, handle, source):
            return False

        def write(self, handle, data):
            super().write(handle, data)
            if data.startswith(b"\xff\xd8") and photo.read_bytes() == jpeg(1):
                photo.write_bytes(jpeg(2))

    monkeypatch.setattr(durable, "disk", Meddler())
    hall.pass_time()
    hall.pass_time()
    hall.work()
    hall.account(done=1)
    assert [(hall.studio.originals / name).read_bytes() for name in hall.files("originals")] == [jpeg(2)]
    assert hall.files(".vitrine/staging") == []


def test_fm_24_a_photo_rewritten_all_the_time_is_never_taken_torn(hall):
    """Each copy that was accepted is one of the contents in full."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # as the daemon does: by it the kernel asks for a lease back
    contents = [jpeg(number, (400, 300)) for number in range(4)]
    path = hall.drop("ring.jpg", contents[0])
    stop = threading.Event()

    def rewrite():
        number = 0
        while not stop.is_set():
            number += 1
            path.write_bytes(contents[number % 4])

    writing = threading.Thread(target=rewrite)
    writing.start()
    for _ in range(60):
        hall.pass_time(0.3)
    stop.set()
    writing.join()
    hall.pass_time()
    hall.work()
    hall.arrivals.put_away_the_rest()
    kept = {(hall.studio.originals / name).read_bytes() for name in hall.files("originals")}
    assert kept
    assert kept <= set(contents)
    account = hall.drops.account()
    assert account["done"] >= 1
    assert account["rejected"] == account["unexplained"] == account["waiting"] == 0


@pytest.mark.parametrize("stage", ["incomplete", "waiting", "claimed", "rendering", "rendered"])
def test_fm_25_a_photo_deleted_at_any_stage_is_accounted_for_without_an_error(hall, stage, caplog):
    data = jpeg(1)
    photo = hall.drop("ring.jpg", data[:500] if stage == "incomplete" else data)
    hall.pass_time()
    if stage in {"incomplete", "waiting"}:
        photo.unlink()
        hall.pass_time()
    worker = hall.worker()
    real_claim, real_renderer = hall.store.claim, worker._bench.renderer
    if stage == "claimed":
        hall.store.claim = lambda *all_: (real_claim(*all_), photo.unlink(missing_ok=True))[0]
    if stage in {"rendering", "rendered"}:

        def render(*arguments):
            if stage == "rendering":
                photo.unlink()
            made = real_renderer(*arguments)
            photo.unlink(missing_ok=True)
            return made

        object.__setattr__(worker._bench, "renderer", render)
    hall.ready()
    while worker.work_once(("urgent", "normal")):
        hall.ready()
    hall.pass_time()
    begun = stage in {"rendering", "rendered"}
    hall.account(**{"done" if begun else "vanished": 1})
    assert len(hall.files("export")) == begun
    assert len(hall.files("originals")) == (stage != "incomplete")  # what was accepted is never lost
    assert hall.files(".vitrine/staging") == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_fm_25_a_hundred_photos_deleted_while_queued_are_no_storm(daemon):
    (daemon.flags / "behave").write_text("hang")
    daemon.start()
    for number in range(100):
        daemon.drop(f"{number}.jpg", jpeg(number, (16, 16)))
    until(lambda: daemon.rows("SELECT count(*) FROM jobs") == [(100,)], 20)
    until((daemon.flags / "hanging").exists)
    shutil.rmtree(daemon.studio.inbox / "rings")
    (daemon.flags / "behave").write_text("")
    until(lambda: daemon.states().get("vanished", 0) >= 99, 20)
    until(lambda: sum(daemon.states().get(state, 0) for state in ("vanished", "done")) == 100)
    assert "ERROR" not in daemon.said()
    assert daemon.rows("SELECT max(attempts) FROM jobs") == [(1,)]


def test_fm_26_what_is_no_plain_file_is_named_once_and_never_opened(hall, tmp_path):
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(jpeg(1))
    rings = hall.studio.inbox / "rings"
    (rings / "link.jpg").symlink_to(outside)
    (rings / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    (rings / "loop").symlink_to(rings)
    (rings / "out-of-tree").symlink_to(tmp_path)
    os.mkfifo(rings / "pipe.jpg")
    count = 5
    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind(str(rings / "socket.jpg"))
    count += 1
    if os.geteuid() == 0:
        os.mknod(rings / "device.jpg", 0o600 | 0o020000, os.makedev(1, 3))
        count += 1
    assert hall.pass_time(100.0) == []
    hall.pass_time(100.0)
    hall.arrivals.look_into(list(rings.iterdir()), hall.now)
    hall.account(ignored=count)
    assert outside.read_bytes() == jpeg(1)


def test_fm_26_a_hard_link_is_taken_and_its_other_name_stays(hall, tmp_path):
    mine = tmp_path / "mine.jpg"
    mine.write_bytes(jpeg(1))
    os.link(mine, hall.studio.inbox / "rings" / "ring.jpg")
    hall.pass_time()
    hall.work()
    hall.account(done=1)
    assert mine.read_bytes() == jpeg(1)
    mine.write_bytes(b"changed by its owner, through the name that was his all the time")
    (original,) = hall.files("originals")
    assert (hall.studio.originals / original).read_bytes() == jpeg(1)


def test_fm_26_a_link_put_in_the_place_of_a_photo_just_before_it_is_copied_is_not_followed(hall, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(jpeg(7))
    photo = hall.drop("ring.jpg", jpeg(1))
    hall.arrivals.look_everywhere(hall.now)
    photo.unlink()
    photo.symlink_to(secret)
    assert hall.arrivals.advance(hall.now) == []
    hall.pass_time(100.0)
    hall.account(vanished=1, ignored=1) if hall.drops.account()["ignored"] else hall.account(vanished=1)
    assert hall.files("originals") == hall.files(".vitrine/staging") == []
