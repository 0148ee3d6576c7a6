"""FM-01 to FM-04: files that are not complete yet, as real programs write them, in front of the running daemon."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import threading

import numpy as np
import pytest
from PIL import Image

from tests.daemon.studios import jpeg, until

SLOW = "settle_s = 0.05\nscan_s = 0.1\nincomplete_after_s = 600\n"


@pytest.fixture
def patient(daemon):
    """A daemon that never gives an unfinished file up within a test."""
    (daemon.studio.root / "vitrine.toml").write_text(SLOW)
    return daemon.start()


def photo(kind, seed=0, side=220):
    """A whole file of the format, of noise (so that no stretch of it is zeros)."""
    pixels = np.random.Generator(np.random.PCG64(seed)).integers(30, 250, (side, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def _looked_at(daemon):
    """A marker file of the test's own goes through: everything that was there before it has been looked at."""
    number = getattr(daemon, "probes", 0) + 1
    daemon.probes = number
    daemon.drop(f"probe{number}.jpg", jpeg(1000 + number), "probes")
    until(lambda: _taken(daemon, f"probe{number}.jpg"))


def _taken(daemon, name):
    return daemon.rows("SELECT count(*) FROM drops WHERE name = ? AND digest IS NOT NULL", name)[0][0]


def test_fm_01_no_job_while_a_writer_has_the_file_open_and_one_within_a_second_after(patient):
    data = jpeg(1)
    path = patient.studio.inbox / "rings" / "slow.jpg"
    with path.open("wb") as writer:
        for part in (data[: len(data) // 2], data[len(data) // 2 :]):  # the second: whole, yet still open
            writer.write(part)
            writer.flush()
            for _ in range(4):
                _looked_at(patient)  # scans go on meanwhile: no event tells of what is written
            assert _taken(patient, "slow.jpg") == 0
    until(lambda: _taken(patient, "slow.jpg"), 1.0, "the job after the file was closed")


@pytest.mark.parametrize("way", ["scanner", "rsync", "rsync --inplace", "cp", "dd conv=notrunc"])
def test_fm_02_a_copy_that_stalls_is_taken_once_and_whole(patient, tmp_path, way):
    data = photo("JPEG", 2, 1500)
    source, target = tmp_path / "camera.jpg", patient.studio.inbox / "rings" / "stalls.jpg"
    source.write_bytes(data)
    program = way.split()[0]
    if program != "scanner" and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if program == "scanner":  # opens and closes the file for every piece
        for start in range(0, len(data), len(data) // 4):
            with target.open("ab") as writer:
                writer.write(data[start : start + len(data) // 4])
            _looked_at(patient)
    elif program == "dd":
        for start in range(4):
            piece = len(data) // 4 + 1
            subprocess.run(
                f"dd if={source} of={target} bs={piece} count=1 skip={start} seek={start}"
                " conv=notrunc status=none".split(),
                check=True,
            )
            _looked_at(patient)
    else:  # the source is a pipe or a slow link: the copy starts, stalls, goes on
        words = {"cp": ["cp", source, target], "rsync": [*way.split(), "--bwlimit=1500", source, target]}[
            program
        ]
        with subprocess.Popen(words) as copying:
            _looked_at(patient)
            assert copying.wait(20) == 0
    until(lambda: _taken(patient, "stalls.jpg"))
    until(lambda: patient.states().get("done") == 1 + patient.probes)
    assert set(patient.states()) == {"done"}
    originals = [path.read_bytes() for path in patient.studio.originals.rglob("*.jpg")]
    assert originals.count(data) == 1
    assert len(originals) == 1 + patient.probes


@pytest.mark.parametrize("way", ["fallocate", "zero tail"])
def test_fm_03_a_file_with_its_final_size_is_not_taken_before_its_end_is_written(patient, way):
    whole = {f"final.{kind.lower()}": photo(kind, 3) for kind in ("JPEG", "WEBP", "TIFF", "PNG")}
    for name, data in whole.items():
        path = patient.studio.inbox / "rings" / name
        if way == "fallocate":
            handle = os.open(path, os.O_CREAT | os.O_WRONLY)
            os.posix_fallocate(handle, 0, len(data))
            os.write(handle, data[: len(data) // 2])
            os.close(handle)  # closed for now: nobody writes, the size is final
        else:
            path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    _looked_at(patient)
    _looked_at(patient)
    assert [_taken(patient, name) for name in whole] == [0, 0, 0, 0]
    for name, data in whole.items():
        with (patient.studio.inbox / "rings" / name).open("r+b") as writer:
            writer.seek(len(data) // 2)
            writer.write(data[len(data) // 2 :])
    until(lambda: patient.states() == {"done": len(whole) + patient.probes})
    originals = [original.read_bytes() for original in patient.studio.originals.rglob("*.*")]
    assert all(data in originals for data in whole.values())


def test_fm_04_a_temporary_name_is_no_photo_and_the_final_name_is_one_job(patient, tmp_path):
    data = [jpeg(number) for number in range(9)]
    rings = patient.studio.inbox / "rings"
    temporary = [
        ".ring.jpg.AbC123",
        "ring.jpg.part",
        "ring.jpg.crdownload",
        "~syncthing~ring.jpg.tmp",
        "~$ring.jpg",
        "ring.jpg~",
    ]
    for number, name in enumerate(temporary):
        (rings / name).write_bytes(data[number])
    _looked_at(patient)
    assert patient.rows("SELECT count(*) FROM drops WHERE folder = 'rings'") == [(0,)]
    for number, name in enumerate(temporary):
        (rings / name).rename(rings / f"ring{number}.jpg")
    if shutil.which("rsync"):
        (tmp_path / "sync").mkdir()
        (tmp_path / "sync" / "r.jpg").write_bytes(data[6])
        subprocess.run(["rsync", "-a", f"{tmp_path}/sync/", f"{rings}/"], check=True)
    if shutil.which("curl"):
        (tmp_path / "c.jpg").write_bytes(data[7])
        subprocess.run(["curl", "-s", f"file://{tmp_path}/c.jpg", "-o", f"{rings}/c.jpg.part"], check=True)
        (rings / "c.jpg.part").rename(rings / "c.jpg")
    (tmp_path / "m.jpg").write_bytes(data[8])
    subprocess.run(["mv", tmp_path / "m.jpg", rings / "m.jpg"], check=True)
    names = [path.name for path in rings.iterdir()]
    count = 7 + bool(shutil.which("rsync")) + bool(shutil.which("curl")) + 1
    until(lambda: patient.states() == {"done": count}, 15, f"{count} done, of {names}; {patient.states()}")
    assert patient.rows("SELECT count(*), count(DISTINCT drop_id) FROM jobs") == [(count, count)]


def test_fm_02_a_writer_that_comes_back_while_the_copy_is_taken_waits_or_is_seen(patient):
    """Appending again and again to a whole photo: never a torn copy; the last content is what counts in the end."""
    data = jpeg(4)
    path = patient.studio.inbox / "rings" / "again.jpg"
    stop = threading.Event()

    def append():
        while not stop.is_set():
            with path.open("ab") as writer:
                writer.write(b"x" * 100)

    path.write_bytes(data)
    writing = threading.Thread(target=append)
    writing.start()
    _looked_at(patient)
    stop.set()
    writing.join()
    until(lambda: not path.exists())
    until(lambda: patient.states().keys() <= {"done", "duplicate"})
    originals = [original.read_bytes() for original in patient.studio.originals.rglob("*.jpg")]
    for original in originals:
        if original.startswith(data):
            assert set(original[len(data) :]) <= {ord("x")}
            assert len(original[len(data) :]) % 100 == 0
