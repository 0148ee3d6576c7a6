"""Proof that disks may be full or read-only at any write: nothing is lost, work pauses and resumes by itself."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from daemon import durable
from tests.daemon import verify
from tests.daemon.drives import Drives, Refusing, fill
from tests.daemon.studios import HERE, SETTINGS, Daemon, Hall, jpeg, until
from tests.soak.proof import Row, Say, share_of, studio_folder

PAUSE_S, RESUME_S, TIMES = 1.0, 30.0, 5
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
PLACES = (
    "export",
    "watermark",
    "instagram-queue",
    ".vitrine/staging",
    ".vitrine/verdicts",
    "originals",
    ".vitrine/ledger",
)
PAUSED = "Until then nothing is taken"
_DONE = "SELECT count(*) FROM drops WHERE state = 'done'"
_OPEN = "SELECT count(*) FROM drops WHERE state IN ('settling', 'open')"


def disk(share: float, say: Say) -> Iterator[Row]:
    """Each call refused in turn, in every manner; then real drives that are full or read-only, with a real daemon."""
    sys.path.insert(0, str(HERE))
    with studio_folder("refusing") as place:
        os.environ["VITRINE_TEST_FLAGS"] = str(place)
        tried, wrong = 0, []
        for number in REFUSALS:
            for at, ill in _refused(place, number):
                tried += 1
                wrong += [f"{errno.errorcode[number]} at {at}: {ill}"] if ill else []
            say(f"disk: {errno.errorcode[number]} at every call: {tried} runs, {wrong}")
        yield Row(
            "each call refused in turn", "0 lost or partial", f"{len(wrong)} of {tried} runs", met=not wrong
        )
    yield from _drives(share_of(TIMES, share), say)


def _refused(place: Path, number: int) -> Iterator[tuple[int, str]]:
    """Run a job on a disk that refuses the n-th call, for every n; what is wrong after it is mended, "" if nothing."""
    real, at, refused = durable.disk, 0, 1
    while refused:
        top, photo = place / "studio", {"ring.jpg": jpeg(1)}
        hall = Hall(top, place)
        durable.disk = ill = Refusing(at, number)
        durable._on_disk.clear()
        try:
            hall.drop("ring.jpg", photo["ring.jpg"])
            _work(hall)
            refused = ill.refused
            wrong = verify.lost(hall.studio, photo) + verify.partial(hall.studio)
            ill.mend()
            hall.now += 60
            _work(hall)
            wrong += (
                verify.missing(hall.studio, photo)
                + verify.twice(hall.studio, photo)
                + hall.files("inbox/rings")
            )
        finally:
            durable.disk = real
            hall.ledger.close()
        shutil.rmtree(top)
        yield at, ", ".join(map(str, wrong))
        at += 1


def _work(hall: Hall) -> None:
    hall.pass_time()
    for _ in range(2):
        hall.work()
        hall.arrivals.put_away_the_rest()


def _drives(times: int, say: Say) -> Iterator[Row]:
    ill: list[str] = []
    paused: list[float] = [0.0]
    resumed: list[float] = [0.0]
    drives = Drives()
    try:
        for place, guarded in itertools.product(PLACES, (True, False)):
            with studio_folder("room") as folder:
                trial = Trial(folder, place, drives, guarded=guarded)
                ill += trial.run(times)
                drives.release()
            paused += trial.paused_s
            resumed += trial.resumed_s
            say(f"disk: {place}, {'seen before' if guarded else 'found out by writing'}: {ill or 'well'}")
    except PermissionError as error:
        yield Row("real drives", "mounted", f"not here: {error}", met=False)
        return
    finally:
        drives.release()
    bad, good = max(paused), max(resumed)
    yield Row("photos lost or rendered twice, real drives", "0", f"{len(ill)}", met=not ill)
    yield Row("paused, worst of all drives", f"<= {PAUSE_S:g} s", f"{bad:.2f} s", met=0 < bad <= PAUSE_S)
    yield Row("resumed by itself, worst", f"<= {RESUME_S:g} s", f"{good:.1f} s", met=0 < good <= RESUME_S)


class Trial:
    """One folder of a studio on a drive of its own, which is full, and read-only, and well again, several times.

    guarded: whether the daemon may see it before (min_free_mb) or finds out by a write that fails.
    """

    def __init__(self, folder: Path, place: str, drives: Drives, *, guarded: bool) -> None:
        (folder / "flags").mkdir()
        self.daemon = Daemon(folder / "studio", folder / "flags")
        self.place, self.guarded, self.drives = place, guarded, drives
        self.drive = drives.small(folder / "studio" / place, 24)
        self.daemon.studio.create()
        settings = SETTINGS + f"min_free_mb = {8 if guarded else 0}\n"
        (self.daemon.studio.root / "vitrine.toml").write_text(settings)
        self.photos: dict[str, bytes] = {}
        self.paused_s: list[float] = []
        self.resumed_s: list[float] = []

    def run(self, times: int) -> list[str]:
        """What went wrong; nothing, one hopes."""
        self.daemon.start()
        try:
            for number in range(times):
                self._once(number, readonly=number % 2 == 1 and self.place != ".vitrine/ledger")
            self.daemon.stop()
        finally:
            self.daemon.end()
        studio, photos = self.daemon.studio, self.photos
        found = verify.lost(studio, photos) + verify.twice(studio, photos) + verify.missing(studio, photos)
        return [f"{self.place}: {one}" for one in (*found, *verify.partial(studio))]

    def _once(self, number: int, *, readonly: bool) -> None:
        (self.daemon.flags / "stderr").write_text("")
        heal = self._read_only() if readonly else self._full()
        ill = time.monotonic()
        if self.guarded or readonly:  # seen without a write
            until(lambda: PAUSED in self.daemon.said(), 30.0, "the pause")
            self.paused_s.append(time.monotonic() - ill)
        self.photos[f"p{number}.jpg"] = jpeg(number)
        self.daemon.drop(f"p{number}.jpg", jpeg(number))
        if not self.guarded and not readonly:  # found out by the first write that needs the drive
            until(self._noticed, 30.0, "the trouble")
        heal()
        well = time.monotonic()
        until(lambda: self.daemon.rows(_DONE) == [(number + 1,)], 60.0, "the end")
        self.resumed_s.append(time.monotonic() - well)

    def _noticed(self) -> bool:
        """It is paused, or the photo needed no room there (a move on the same drive) and is done."""
        said = self.daemon.said()
        return PAUSED in said or "cannot be" in said or self.daemon.rows(_OPEN) == [(0,)]

    def _full(self) -> Callable[[], None]:
        return fill(self.drive, leave_kb=4096 if self.guarded else 0).unlink

    def _read_only(self) -> Callable[[], None]:
        self.drives.remount(self.drive, "ro")
        return lambda: self.drives.remount(self.drive, "rw")


PROOFS = {"disk": disk}
