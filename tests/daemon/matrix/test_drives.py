"""FM-11: a drive that goes away takes nothing with it. Real mounts, in a namespace of the test's own."""

from __future__ import annotations

import pytest

from daemon.roots import Known, Seen, Standing, judge
from tests.daemon.matrix.namespace import namespace_or_skip
from tests.daemon.studios import jpeg, until

SETTINGS = "settle_s = 0.05\nscan_s = 0.5\nincomplete_after_s = 600\nmin_free_mb = 1\n"


@pytest.fixture
def namespace():
    made = namespace_or_skip()
    yield made
    made.end()


@pytest.fixture
def drives(daemon, namespace, tmp_path):
    """The daemon inside the namespace, and a drive of which a folder can be connected to one of the studio's."""
    (tmp_path / "drive").mkdir()
    namespace.mount_tmpfs(tmp_path / "drive")
    (daemon.studio.root / "vitrine.toml").write_text(SETTINGS)
    daemon.within = namespace.within
    daemon.namespace = namespace
    daemon.drive = namespace.inside(tmp_path / "drive")

    def connect(folder, name="a"):
        (daemon.drive / name).mkdir(exist_ok=True)
        namespace.run("mount", "--bind", tmp_path / "drive" / name, folder)

    daemon.connect = connect
    return daemon


def _put(drives, name, data):
    path = drives.namespace.inside(drives.studio.inbox) / "rings" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def _hidden(drives, folder):
    """What lies in the bare mount point, under the drive."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_fm_11_an_inbox_whose_drive_goes_away_loses_nothing_and_goes_on_by_itself(drives):
    inbox = drives.studio.inbox
    bare = sorted(inbox.rglob("*"))
    drives.connect(inbox)
    (drives.drive / "a" / ".vitrine-here").touch()  # the owner: this drive is the inbox from now on
    (drives.flags / "behave").write_text("hang")
    drives.start()
    for number in range(2):
        _put(drives, f"{number}.jpg", jpeg(number))
    _put(drives, "half.jpg", jpeg(9)[:500])
    until(lambda: drives.states() == {"open": 2, "settling": 1})
    until((drives.flags / "hanging").exists)
    drives.namespace.unmount(inbox)
    until(lambda: "its drive is not there" in drives.said())
    (inbox / "rings" / "stray.jpg").write_bytes(jpeg(5))  # into the bare mount point
    (drives.flags / "behave").write_text("")
    until(lambda: drives.rows("SELECT count(*) FROM jobs WHERE excused > 0")[0][0] >= 1)
    assert drives.states() == {"open": 2, "settling": 1}
    assert drives.stop() == 0
    drives.start()  # and nothing is put into, or believed of, the bare mount point at a start
    until(lambda: drives.said().count("its drive is not there") >= 2)
    assert drives.states() == {"open": 2, "settling": 1}
    assert drives.rows("SELECT count(*) FROM drops") == [(3,)]
    (inbox / "rings" / "stray.jpg").unlink()
    assert sorted(inbox.rglob("*")) == bare
    drives.connect(inbox)
    _put(drives, "half.jpg", jpeg(9))
    until(lambda: drives.states() == {"done": 3}, 20)
    assert len(list(drives.studio.originals.rglob("*.jpg"))) == 3


@pytest.mark.parametrize("sink", ["export", "instagram-queue", "originals"])
def test_fm_11_nothing_is_written_into_a_bare_mount_point(drives, sink):
    folder = drives.studio.root / sink
    drives.connect(folder)
    drives.start()
    drives.drop("one.jpg", jpeg(1))
    until(lambda: drives.states() == {"done": 1})
    drives.namespace.unmount(folder)
    until(lambda: "its drive is not there" in drives.said())
    drives.drop("two.jpg", jpeg(2))
    if sink == "originals":  # the pictures are there; the original waits in the inbox
        until(lambda: drives.rows("SELECT count(*) FROM jobs WHERE state = 'done'") == [(2,)])
    else:
        until(lambda: drives.rows("SELECT count(*) FROM jobs WHERE excused > 0") == [(1,)])
    assert drives.states() == {"done": 1, "open": 1}
    assert (drives.studio.inbox / "rings/two.jpg").exists()
    assert _hidden(drives, folder) == []
    drives.connect(folder)
    until(lambda: drives.states() == {"done": 2}, 20)
    assert _hidden(drives, folder) == []
    kept = [path for path in (drives.drive / "a").rglob("*.jpg") if path.is_file()]
    assert len(kept) == 2


def test_fm_11_another_drive_in_the_inboxs_place_is_not_it_until_the_owner_says_so(drives):
    inbox = drives.studio.inbox
    drives.connect(inbox)
    (drives.drive / "a" / ".vitrine-here").touch()
    drives.start()
    _put(drives, "half.jpg", jpeg(1)[:500])
    until(lambda: drives.states() == {"settling": 1})
    drives.namespace.unmount(inbox)
    drives.namespace.mount_tmpfs(inbox)
    _put(drives, "stray.jpg", jpeg(2))
    until(lambda: "another one is in its place" in drives.said())
    assert drives.states() == {"settling": 1}
    (drives.namespace.inside(inbox) / ".vitrine-here").touch()
    until(lambda: drives.states() == {"vanished": 1, "done": 1}, 10)


def test_fm_11_a_wiped_drive_is_marked_again(drives):
    drives.connect(drives.studio.export)
    drives.start()
    marker = drives.drive / "a" / ".vitrine-here"
    mark = until(lambda: marker.exists() and marker.read_text())
    marker.unlink()
    until(lambda: marker.exists() and marker.read_text() not in {"", mark})
    drives.drop("one.jpg", jpeg(1))
    until(lambda: drives.states() == {"done": 1})


HERE, OTHER = Seen("m", 1, own=True), Seen("x", 2, own=True)
BARE, BARE_LOCAL = Seen(None, 9, own=False), Seen(None, 1, own=True)


@pytest.mark.parametrize(
    ("known", "seen", "of_inbox", "of_sink"),
    [
        (None, BARE, Standing.NEW, Standing.HERE),  # a new studio: a sink beside the ledger needs no marker
        (None, BARE_LOCAL, Standing.NEW, Standing.NEW),
        (None, HERE, Standing.NEW, Standing.NEW),  # the ledger is new, the drive is not
        (Known("m", 1, own=True), HERE, Standing.HERE, Standing.HERE),
        (Known("m", 7, own=True), HERE, Standing.HERE, Standing.HERE),  # device numbers change at each boot
        (Known("m", 1, own=True), BARE, Standing.AWAY, Standing.AWAY),
        (Known("m", 1, own=True), None, Standing.AWAY, Standing.AWAY),
        (Known("m", 1, own=True), OTHER, Standing.AWAY, Standing.AWAY),
        (Known("m", 1, own=True), BARE_LOCAL, Standing.NEW, Standing.NEW),  # wiped by the owner
        (Known("m", 2, own=True), BARE_LOCAL, Standing.AWAY, Standing.AWAY),
        (Known("m", 1, own=True), Seen("", 9, own=False), Standing.NEW, Standing.NEW),  # the owner's word
        (Known("m", 1, own=False), BARE, Standing.NEW, Standing.HERE),  # made anew beside the ledger
        (Known("m", 1, own=False), BARE_LOCAL, Standing.AWAY, Standing.NEW),  # a first drive over the folder
        (Known("", 1, own=False), BARE_LOCAL, Standing.AWAY, Standing.NEW),
    ],
)
def test_fm_11_the_decision(known, seen, of_inbox, of_sink):
    assert judge(known, seen, inbox=True) is of_inbox
    assert judge(known, seen, inbox=False) is of_sink


def test_fm_11_a_sink_that_the_owner_removed_is_made_again(hall):
    hall.studio.export.rmdir()
    hall.drop("ring.jpg", jpeg(1))
    hall.pass_time()
    hall.work()
    hall.account(done=1)
    assert hall.files("export") == ["rings/ring.jpg"]


def test_fm_11_a_drive_that_goes_between_two_looks_takes_nothing_with_it(hall):
    hall.drop("half.jpg", jpeg(1)[:500])
    hall.pass_time()
    hall.studio.inbox.rename(hall.studio.root / "away")
    hall.arrivals.advance(hall.now + 500.0)  # the file is due, and not there
    hall.arrivals.look_into([hall.studio.inbox / "rings" / "half.jpg"], hall.now)
    hall.account(waiting=1)


def test_fm_11_a_link_to_a_drive_that_is_not_there_waits(hall, tmp_path):
    inbox = hall.studio.inbox
    hall.drop("half.jpg", jpeg(1)[:500])
    hall.pass_time()
    inbox.rename(tmp_path / "drive")
    inbox.symlink_to(tmp_path / "drive")
    hall.pass_time()
    (tmp_path / "drive").rename(tmp_path / "away")
    hall.pass_time(10.0)
    assert "not there" in hall.arrivals.missing
    hall.studio.create()
    hall.account(waiting=1)
    (tmp_path / "away").rename(tmp_path / "drive")
    hall.now += 10
    assert hall.arrivals.came_back(hall.now)
    hall.drop("half.jpg", jpeg(1))
    hall.pass_time(10.0)
    hall.work()
    hall.account(done=1)
