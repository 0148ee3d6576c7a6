"""What a model gets to see of the shop's pictures, and which of them. Needs no torch."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from daemon.cli.train import _write as write
from pipeline.cutout.network import NetworkSegmenter
from pipeline.diffusion.finetune import words
from pipeline.diffusion.finetune.curve import curve, smoothed
from pipeline.diffusion.finetune.dataset import LEAST_PHOTOS, Item, Preparation, gather, photos_in
from pipeline.diffusion.finetune.plan import Turns, Wish
from pipeline.diffusion.finetune.prepared import bucket, difference, prepared, spread_over
from pipeline.errors import BadInput, Misconfigured
from pipeline.photo.decode import decode
from tests.pipeline.diffusion.finetune.shop_pictures import ground, pictures, put

WORDS = "plaster wall"


def preparation(folder, side=64):
    return Preparation(folder, NetworkSegmenter(), WORDS, side, write, 10**8)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("shop"))


def two_pieces(tmp_path):
    """The same ground with a piece, and with the piece's pixels in other colours."""
    rng = np.random.default_rng(1)
    plain = ground((360, 360), rng)
    one = plain.copy()
    put(one, "bangle_stones", np.random.default_rng(2))
    piece = np.abs(one.astype(int) - plain).max(2) > 0
    other = one.copy()
    other[piece] = np.roll(one[piece], 1, axis=-1)
    for name, srgb in (("one", one), ("other", other)):
        Image.fromarray(srgb).save(tmp_path / f"{name}.png")
    return [decode(tmp_path / f"{name}.png") for name in ("one", "other")], piece


def half_clear(path):
    image = Image.new("RGBA", (200, 200), (90, 60, 30, 255))
    image.paste((0, 0, 0, 0), (0, 0, 200, 60))
    image.save(path)


class Known:
    """Answers with the truth, so that two pictures of one outline are cut alike."""

    soft, overview_px = True, 448

    def __init__(self, piece):
        self.piece = piece

    def segment(self, srgb):
        import cv2

        return cv2.resize(
            self.piece.astype(np.float32), (srgb.shape[1], srgb.shape[0]), interpolation=cv2.INTER_AREA
        )


def test_no_pixel_of_the_piece_is_left(tmp_path):
    photos, piece = two_pieces(tmp_path)
    assert not np.array_equal(photos[0].srgb, photos[1].srgb)
    made = [prepared(photo, Known(piece), WORDS, 256) for photo in photos]
    assert np.array_equal(made[0].srgb, made[1].srgb)
    assert np.array_equal(made[0].weight, made[1].weight)
    assert 0.02 < (made[0].weight == 0).mean() < 0.7
    assert made[0].caption == made[1].caption


def test_the_networks_own_cut_takes_the_piece_out(tmp_path):
    photos, piece = two_pieces(tmp_path)
    made = prepared(photos[0], NetworkSegmenter(), WORDS, 360)
    assert made.weight[piece].max() == 0
    assert np.abs(made.srgb.astype(int) - np.median(made.srgb, axis=(0, 1))).max() < 90


def test_spreading_uses_only_what_is_kept():
    rng = np.random.default_rng(3)
    rgb, gone = rng.random((40, 50, 3), np.float32), np.zeros((40, 50), np.bool_)
    gone[5:30, 10:45] = True
    other = np.where(gone[..., None], np.float32(9), rgb)
    assert np.array_equal(spread_over(rgb, gone), spread_over(other, gone))
    assert np.array_equal(spread_over(rgb, gone)[~gone], rgb[~gone])
    filled = spread_over(rgb, gone)[gone]
    assert rgb.min() <= filled.min() <= filled.max() <= rgb.max() + 1e-5
    flat = np.full((40, 50, 3), 0.3, np.float32)
    assert np.allclose(spread_over(flat, gone), 0.3, atol=1e-5)
    assert np.isfinite(spread_over(rgb, np.ones_like(gone))).all()


def test_buckets_have_as_many_pixels_and_nearly_the_shape():
    for width, height in ((1000, 1000), (4000, 3000), (1080, 1920), (900, 1100), (3000, 1000)):
        w, h = bucket(width, height, 512)
        assert w % 64 == h % 64 == 0
        assert 0.8 < w * h / 512**2 < 1.25
        assert 0.5 < (w / h) / (width / height) < 1.3


def test_words_are_measured():
    def of(colour):
        flat = np.full((8, 8, 3), colour, np.float32)
        return words.caption(WORDS, flat, np.ones((8, 8), np.bool_))

    assert of(0.97).startswith("plaster wall, white, bright, high key")
    assert of((0.05, 0.09, 0.21)).startswith("plaster wall, midnight navy, dark, low key")
    assert "soft even light" in of(0.5)
    assert of(0.5).endswith(words.ENDING)
    split = np.zeros((8, 8, 3), np.float32)
    split[:4] = 0.9
    assert "deep shadows" in words.light(split.reshape(-1, 3))
    assert "warm" in words.tone(np.full((9, 3), (0.6, 0.57, 0.52), np.float32))
    assert "cool" in words.tone(np.full((9, 3), (0.52, 0.55, 0.6), np.float32))


def test_the_set_is_the_same_in_any_order_and_is_not_prepared_twice(shop, tmp_path):
    data = gather(shop, preparation(tmp_path))
    assert len(data.train) + len(data.held) == len(shop)
    assert len(data.held) == 1
    assert not set(data.train) & set(data.held)
    assert {one.size_px for one in data.train} > {(64, 64)}
    assert all(one.caption.startswith(WORDS) for one in data.train)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = gather(shop[::-1], preparation(tmp_path))
    assert (again.train, again.held, again.digest) == (data.train, data.held, data.digest)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    item = data.train[0]
    assert data.picture(item).shape == (item.size_px[1], item.size_px[0], 3)
    assert set(np.unique(data.weight(item))) == {0.0, 1.0}


def test_twins_and_what_is_no_photo_are_left_out(shop, tmp_path):
    twin = tmp_path / "twin.jpg"
    with Image.open(shop[0]) as image:
        image.resize((300, 300)).save(twin, quality=70)
    letter = tmp_path / "letter.jpg"
    letter.write_text("dear madam")
    clear = tmp_path / "clear.png"
    half_clear(clear)
    data = gather([*shop, twin, letter, clear, tmp_path / "gone.jpg"], preparation(tmp_path / "work"))
    why = dict(data.dropped)
    pair = {"twin.jpg": "it looks like shop-00.png", "shop-00.png": "it looks like twin.jpg"}
    assert len(pair.items() & why.items()) == 1
    again = gather([twin, *shop[::-1]], preparation(tmp_path / "work"))
    assert again.digest == data.digest  # which of the two stays does not hang on the order either
    assert "text file" in why["letter.jpg"]
    assert "transparent" in why["clear.png"]
    assert "No such file" in why["gone.jpg"]
    assert len(data.train) + len(data.held) == len(shop)


def test_too_few_are_counted_and_named(shop, tmp_path):
    few = [*shop[:3], tmp_path / "gone.jpg"]
    with pytest.raises(
        Misconfigured, match=rf"3 of 4 photos .*gone.jpg: .*at least {LEAST_PHOTOS} are needed"
    ):
        gather(few, preparation(tmp_path / "work"))


def test_a_ground_that_is_not_there_is_refused(tmp_path):
    half_clear(tmp_path / "clear.png")
    with pytest.raises(BadInput, match="transparent"):
        prepared(decode(tmp_path / "clear.png"), NetworkSegmenter(), WORDS, 64)


def test_no_room_is_no_photos_fault(shop, tmp_path):
    def full(path, data):
        raise OSError(28, "No space left on device", str(path))

    with pytest.raises(OSError, match="No space left"):
        gather(shop, Preparation(tmp_path, NetworkSegmenter(), WORDS, 64, full, 10**8))


def test_folders_are_unfolded(shop, tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    shutil.copy(shop[0], inner / "x.png")
    (inner / "notes.txt").write_text("")
    assert photos_in([tmp_path, inner / "x.png", shop[1]], frozenset({".png"})) == [inner / "x.png", shop[1]]


def test_looks_of_other_pictures_are_far_apart():
    one = np.random.default_rng(1).integers(0, 200, 1728).astype(np.uint8)
    brighter = (one * 1.2).astype(np.uint8)
    assert difference(one.tobytes(), one.tobytes()) == 0
    assert difference(one.tobytes(), brighter.tobytes()) < 1
    assert difference(one.tobytes(), np.roll(one, 300).tobytes()) > 40


def items(sizes):
    return [Item(str(at), str(at), "", size) for at, size in enumerate(sizes)]


def test_every_picture_has_its_turn_once_an_epoch_and_sizes_are_not_mixed():
    own = items([(64, 64)] * 5 + [(56, 72)] * 3)
    turns = Turns(own, Wish(batch=2))
    epochs = [[turns.batch(epoch * 5 + at) for at in range(5)] for epoch in range(3)]
    for epoch in epochs:
        assert sorted(at for batch in epoch for at in batch) == list(range(8))
        assert all(len({own[at].size_px for at in batch}) == 1 for batch in epoch)
    assert epochs[0] != epochs[1]
    fresh = Turns(own, Wish(batch=2))
    assert [fresh.batch(5 + at) for at in range(5)] == epochs[1]
    assert [fresh.batch(at) for at in range(5)] == epochs[0]


def test_the_rate_rises_and_falls():
    wish = Wish(steps=100, rate=1.0)
    rates = [wish.rate_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)
    assert rates[5:] == sorted(rates[5:], reverse=True)


def test_the_curve_is_drawn():
    falling = [1 / (1 + step / 50) for step in range(400)]
    made = curve(falling, [(0, 1.0), (200, 0.3), (400, float("nan"))], 400)
    assert made.shape == (540, 960, 3)
    blue = (made[..., 2].astype(int) - made[..., 0]) > 60
    columns = np.flatnonzero(blue[60:].any(0))
    left, right = (np.flatnonzero(blue[60:, column]).mean() for column in (columns[10], columns[-10]))
    assert left < right, "the loss falls from the upper left to the lower right"
    assert len(smoothed(falling)) == 40
    assert curve([], [], 10).shape == made.shape
