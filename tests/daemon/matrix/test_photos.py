"""FM-28 to FM-33: photos of every kind through the daemon's workers, with the pipeline's real decoder.

`tests/pipeline/photo` looks at the decoder itself; here it is the fate of the file that counts: a picture, or a reason.
"""

from __future__ import annotations

import io
import os
import sqlite3
import struct
import zlib

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from pipeline.photo.decode import decode
from tests.daemon.studios import jpeg, until

pillow_heif.register_heif_opener()


@pytest.fixture
def lab(hall):
    """A hall whose workers decode for real."""
    hall.renderer = "decoding"
    return hall


def chart(side=(300, 200)):
    """Four patches of known colour."""
    pixels = np.zeros((side[1], side[0], 3), dtype=np.uint8)
    height, width = side[1] // 2, side[0] // 2
    pixels[:height, :width], pixels[:height, width:] = (200, 60, 50), (70, 160, 90)
    pixels[height:, :width], pixels[height:, width:] = (50, 80, 190), (230, 190, 90)
    return Image.fromarray(pixels)


def noise(seed=1, side=(260, 200)):
    pixels = np.random.Generator(np.random.PCG64(seed)).integers(
        30, 250, (side[1], side[0], 3), dtype=np.uint8
    )
    return Image.fromarray(pixels)


def as_file(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def fates(lab):
    """Name -> (state, reason)."""
    rows = lab.ledger.connection.execute("SELECT name, state, reason FROM drops").fetchall()
    return {row["name"]: (row["state"], row["reason"]) for row in rows}


def through(lab, files):
    """Drop files, let time pass (also the patience with unfinished ones), do all work; what became of each."""
    for name, data in files.items():
        lab.drop(name, data)
    for _ in range(3 + len(files) // 16):
        lab.pass_time(61.0)
    lab.work()
    lab.pass_time(61.0)
    lab.arrivals.put_away_the_rest()
    found = fates(lab)
    assert set(found) == set(files)
    assert lab.drops.account()["unexplained"] == lab.drops.account()["waiting"] == 0
    for name, (state, _) in found.items():  # not a byte is lost, whatever became of it
        folder = "rejected" if state == "rejected" else "originals"
        kept = [(lab.studio.root / folder / path).read_bytes() for path in lab.files(folder)]
        assert files[name] in kept
    return found


def refused(found, name, words):
    state, reason = found[name]
    assert state == "rejected", (name, state)
    assert words in reason, (name, reason)


def bomb(width, height):
    """A PNG whose header asks for far more than its bytes hold."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_chunk(png, name, body):
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return png[:33] + chunk + png[33:]


def test_fm_28_bombs_are_refused_in_a_capped_process_and_the_next_photo_is_done(daemon):
    """Through real workers of 300 MB: what a bomb would take is never there to be taken."""
    daemon._environment = {"VITRINE_RENDERER": "quick:decoding", "VITRINE_MEMORY_MB": "300"}
    png = as_file(noise(), "PNG")
    files = {
        "sides.png": bomb(30_000, 30_000),
        "just-over.png": bomb(12_000, 10_100),
        "profile.png": with_chunk(png, b"iCCP", b"x\x00\x00" + zlib.compress(bytes(200_000_000), 9)),
        "text.png": with_chunk(png, b"zTXt", b"x\x00\x00" + zlib.compress(bytes(200_000_000), 9)),
        "flat.png": as_file(
            Image.new("1", (10_000, 9_000)), "PNG"
        ),  # 90 megapixels in 12 kB: too much for 300 MB
        "good.jpg": as_file(noise(2), "JPEG"),
    }
    for name, data in files.items():
        daemon.drop(name, data)
    daemon.start()
    until(lambda: _no_patience(daemon) and _ended(daemon) == len(files), 25)
    found = {
        name: (state, reason) for name, state, reason in daemon.rows("SELECT name, state, reason FROM drops")
    }
    refused(found, "sides.png", "900 megapixels")
    refused(found, "just-over.png", "megapixels")
    refused(found, "flat.png", "not enough memory")
    assert found["profile.png"][0] == found["text.png"][0] == "rejected"
    assert found["good.jpg"][0] == "done"
    assert daemon.rows("SELECT max(attempts) FROM jobs") == [(3,)]
    assert daemon.rows(
        "SELECT attempts FROM jobs j JOIN drops d ON d.id = drop_id WHERE name = 'good.jpg'"
    ) == [(1,)]
    assert daemon.process.poll() is None


def _ended(daemon):
    return sum(daemon.states().get(state, 0) for state in ("done", "rejected"))


def _no_patience(daemon):
    """Let the next try of a failed job be due at once."""
    with sqlite3.connect(daemon.studio.ledger, timeout=10) as ledger:
        ledger.execute("UPDATE jobs SET not_before = 0 WHERE state = 'waiting' AND not_before > 0")
    ledger.close()
    return True


def test_fm_29_damaged_files_end_in_rejected_or_done_and_the_batch_goes_on(lab):
    rng = np.random.default_rng(9)
    files = {}
    for number in range(60):
        kind = ("JPEG", "PNG", "WEBP", "TIFF")[number % 4]
        data = bytearray(as_file(noise(number, (220, 200)), kind))
        if number % 10 == 9:
            del data[int(len(data) * rng.uniform(0.05, 0.95)) :]
        else:
            for at in rng.integers(0, min(len(data), 3000), 1 + number % 5):
                data[at] ^= 1 << rng.integers(8)
        files[f"damaged{number}.{kind.lower()}"] = bytes(data)
    files |= {f"good{number}.jpg": as_file(noise(1000 + number), "JPEG") for number in range(5)}
    found = through(lab, files)
    assert all(found[f"good{number}.jpg"][0] == "done" for number in range(5))
    assert {state for state, _ in found.values()} == {"done", "rejected"}
    bad = [name for name, (state, _) in found.items() if state == "rejected"]
    assert all(found[name][1] for name in bad)
    assert all(
        f"damaged{number}.{('jpeg', 'png', 'webp', 'tiff')[number % 4]}" in bad for number in range(9, 60, 10)
    )
    # a bad photo costs one attempt: it is not tried again
    assert lab.ledger.connection.execute("SELECT max(attempts) FROM jobs").fetchone()[0] == 1


def test_fm_30_every_mode_becomes_srgb_and_keeps_its_colours(lab):
    picture = chart()
    grey = picture.convert("L")
    done, deep = cv2.imencode(".png", np.asarray(picture)[..., ::-1].astype(np.uint16) * 257)
    assert done
    files = {
        "cmyk.jpg": as_file(picture.convert("CMYK"), "JPEG", quality=98),
        "ycck.tif": as_file(picture.convert("CMYK"), "TIFF"),
        "deep.png": deep.tobytes(),
        "gray.jpg": as_file(grey, "JPEG", quality=95),
        "la.png": as_file(Image.merge("LA", [grey, Image.new("L", grey.size, 255)]), "PNG"),
        "rgba.png": as_file(picture.convert("RGBA"), "PNG"),
        "palette.png": as_file(picture.quantize(16), "PNG"),
        "bilevel.png": as_file(picture.convert("1"), "PNG"),
        "plain.jpg": as_file(picture, "JPEG", quality=98, subsampling=0),
    }
    found = through(lab, files)
    assert {name: state for name, (state, _) in found.items()} == dict.fromkeys(files, "done")
    reference = delivered(lab, "plain")
    grey_reference = np.asarray(Image.fromarray(reference.astype(np.uint8)).convert("L")).astype(int)
    for name in ("cmyk", "ycck", "deep", "rgba", "palette"):
        assert np.abs(patches(delivered(lab, name)) - patches(reference)).max() < 12, name
    for name in ("gray", "la"):
        levels = delivered(lab, name)
        assert np.ptp(levels, axis=2).max() <= 6
        assert np.abs(patches(levels[..., 0]) - patches(grey_reference)).max() < 8, name


def delivered(lab, stem):
    with Image.open(lab.studio.export / "rings" / f"{stem}.jpg") as image:
        assert image.mode == "RGB"
        return np.asarray(image).astype(int)


def patches(pixels):
    return np.array([pixels[y - 6 : y + 6, x - 6 : x + 6].mean((0, 1)) for y in (16, 48) for x in (16, 48)])


def test_fm_31_orientation_and_profiles_give_the_same_picture(lab):
    upright = np.asarray(chart())
    files = {}
    turns = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: a.transpose(1, 0, 2)[::-1],
        7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda a: a.transpose(1, 0, 2)[:, ::-1],
    }
    for number, turn in turns.items():
        exif = Image.Exif()
        exif[0x0112] = number
        stored = Image.fromarray(np.ascontiguousarray(turn(upright)))
        files[f"turn{number}.jpg"] = as_file(stored, "JPEG", quality=98, subsampling=0, exif=exif.tobytes())
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    files["srgb.jpg"] = as_file(chart(), "JPEG", quality=97, subsampling=0, icc_profile=srgb)
    files["wrong.jpg"] = as_file(chart(), "JPEG", quality=96, subsampling=0, icc_profile=b"rubbish" * 40)
    found = through(lab, files)
    assert {state for state, _ in found.values()} == {"done"}
    reference = patches(delivered(lab, "turn1"))
    for name in files:
        shown = patches(delivered(lab, name.removesuffix(".jpg")))
        assert np.abs(shown - reference).max() < 8, name


def test_fm_32_other_formats_are_done_or_told_why_not(lab):
    frames = [Image.new("RGB", (300, 300), (80 * number, 0, 0)) for number in range(1, 4)]
    moving = {"save_all": True, "append_images": frames[1:], "duration": 100}
    raw = b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(range(256)) * 8
    files = {
        "phone.heic": as_file(noise(1), "HEIF", quality=90),
        "web.avif": as_file(noise(2), "AVIF", quality=90),
        "still.webp": as_file(noise(3), "WEBP"),
        "pair.mpo": as_file(noise(4), "MPO", save_all=True, append_images=[noise(5)]),
        "live.jpg": as_file(noise(6), "JPEG") + b"MotionPhoto_Data" + os.urandom(3000),
        "pages.tif": as_file(noise(7), "TIFF", save_all=True, append_images=[noise(8)]),
        "moving.gif": as_file(frames[0], "GIF", **moving),
        "moving.webp": as_file(frames[0], "WEBP", **moving),
        "moving.png": as_file(frames[0], "PNG", **moving),
        "camera.cr2": raw,
        "live.mov": b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + b"x" * 400,
    }
    found = through(lab, files)
    done = {"phone.heic", "web.avif", "still.webp", "pair.mpo", "live.jpg", "pages.tif"}
    assert {name for name, (state, _) in found.items() if state == "done"} == done
    refused(found, "moving.gif", "GIF")
    refused(found, "moving.webp", "animation with 3 frames")
    refused(found, "moving.png", "animation with 3 frames")
    refused(found, "camera.cr2", "RAW file (CR2)")
    refused(found, "live.mov", "video")


def test_fm_33_what_is_no_photo_is_rejected_with_a_reason_and_an_empty_file_only_after_a_while(lab):
    files = {
        "empty.jpg": b"",
        "one.jpg": b"\xff",
        "letter.jpg": b"Dear jeweller, here is my photo.\n" * 9,
        "page.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
        "paper.jpg": b"%PDF-1.7\n%rest",
        "archive.jpg": b"PK\x03\x04" + b"x" * 100,
        "good.jpg": as_file(noise(1), "JPEG"),
    }
    lab.drop("empty.jpg", b"")
    lab.pass_time(59.0)
    assert fates(lab) == {"empty.jpg": ("settling", "")}
    found = through(lab, files)
    refused(found, "empty.jpg", "empty (0 bytes)")
    refused(found, "one.jpg", "not a picture")
    refused(found, "letter.jpg", "text file")
    refused(found, "page.jpg", "web page")
    refused(found, "paper.jpg", "PDF")
    refused(found, "archive.jpg", "ZIP")
    assert found["good.jpg"][0] == "done"
    for name in files:
        if name != "good.jpg":
            note = (lab.studio.rejected / "rings" / f"{name}.reason.txt").read_text()
            assert name in note
            assert "vitrine retry" in note


def test_fm_33_an_empty_file_that_is_filled_in_time_is_done(lab):
    lab.drop("slow.jpg", b"")
    lab.pass_time(50.0)
    lab.drop("slow.jpg", as_file(noise(1), "JPEG"))
    lab.pass_time(20.0)
    lab.work()
    lab.account(done=1)


def test_fm_29_the_decoder_behind_these_tests_is_the_pipelines(tmp_path):
    """Quick workers decode with `pipeline.photo.decode`: a photo that it refuses is refused in all rows above."""
    import quick

    path = tmp_path / "x.jpg"
    path.write_bytes(jpeg(1, (96, 64)))  # too small for the pipeline, fine for the plain quick renderer
    with pytest.raises(Exception, match="too small"):
        quick.decoding(path, None, 10**8, "x.jpg")
    with pytest.raises(Exception, match="too small"):
        decode(path)
