"""The library of painted backgrounds: which one a picture gets, what is kept, and what an owner's word does. Needs no torch.

The painting process is played by `Brushwork`, which answers with a picture that the seed decides; the files are real.
"""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image

from daemon.background_files import BackgroundFiles
from daemon.backgrounds import NEXT_SEED, Library
from daemon.digests import Digests
from pipeline.backdrop.diffused import NotAgain, NotPainted
from pipeline.backdrop.stage import Stage
from pipeline.diffusion.painter import Painted
from pipeline.diffusion.shelf import Shelf
from pipeline.errors import Busy, Misconfigured
from pipeline.recipe import Worn
from pipeline.values import Ground
from presets.library import recipe
from presets.painting import Brush, Commission, Upscaling
from tests.pipeline.diffusion.test_files import model, tensors, written


@dataclass
class Brushwork:
    """Stands in for the painting process."""

    timeout_s: float = 5.0
    took_s: float = 0.0
    asked: list[tuple[str, int]] = field(default_factory=list)
    level: int = 0

    def __call__(self, order, sheets):
        time.sleep(self.took_s)
        self.asked += [(order.digest, sheet.seed) for sheet in sheets]
        return Painted(tuple(self._png(sheet.seed) for sheet in sheets), 0.1, 1, 100.0, 0.0)

    def _png(self, seed):
        pixels = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels if not self.level else np.full_like(pixels, self.level)).save(stream, "PNG")
        return stream.getvalue()


@pytest.fixture
def library(tmp_path):
    model(tmp_path / "weights/diffusion/any")
    return Library(
        BackgroundFiles(tmp_path / "backgrounds"),
        Shelf(tmp_path / "weights"),
        Digests(tmp_path / "private/digests.json"),
        Brushwork(),
        tmp_path / "private/painting.lock",
    )


def wanted(take=0, seed=0, count=3, upscaler="", **more):
    """A stage and its painting."""
    brush = Brush(backgrounds=count, **more)
    made = recipe(
        "velvet-navy-moody",
        "ring",
        seed=seed,
        backdrop="diffusion",
        commission=Commission(brush=brush, take=take, upscaling=Upscaling(background=upscaler)),
    )
    ground = Ground(30.0, 600.0, (540.0, 756.0))
    return Stage(made.surface, made.rig, "table", 1080, 1080, seed, ground), made.painting


def test_a_background_is_painted_once_and_then_taken_from_the_disk(library):
    first = library(*wanted())
    again = library(*wanted())
    assert first.name == again.name
    assert np.array_equal(first.srgb, again.srgb)
    assert [seed for _, seed in library.painter.asked] == [0]
    stage, painting = wanted()
    smaller = Ground(30.0, 300.0, (400.0, 800.0))  # another piece
    assert (
        library(Stage(stage.surface, stage.rig, "table", 1080, 1080, 0, smaller), painting).name == first.name
    )


def test_photos_are_spread_over_as_many_backgrounds_as_the_settings_say(library):
    names = [library(*wanted(take)).name for take in (0, 1, 2, 3, 4, 5)]
    assert len(set(names)) == 3
    assert names[:3] == names[3:]
    assert [seed for _, seed in library.painter.asked] == [0, NEXT_SEED, 2 * NEXT_SEED]


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"steps": 7}, {"guidance": 3.0}, {"negative": "dust"}, {"side_px": 256}]
)
def test_whatever_decides_the_picture_gives_another_one(library, change):
    assert library(*wanted()).name != library(*wanted(**change)).name


def test_other_weights_give_another_one(library, tmp_path):
    first = library(*wanted())
    tensors(tmp_path / "weights/diffusion/any/unet/model.safetensors", {"a": [2, 3]})
    assert library(*wanted()).name != first.name


def test_a_banned_one_is_never_used_again_and_another_takes_its_place(library):
    first = library(*wanted())
    (entry,) = library.files.all()
    library.files.mark(entry.model_copy(update={"banned": True}))
    assert not (library.files.folder / f"{entry.name}.png").exists()
    names = {library(*wanted(take)).name for take in range(6)}
    assert first.name not in names
    assert len(names) == 3
    assert sum(seed == 0 for _, seed in library.painter.asked) == 1


def test_pinned_ones_are_preferred(library):
    library.fill(*wanted())
    two = library.files.all()[1:]
    for entry in two:
        library.files.mark(entry.model_copy(update={"pinned": True}))
    assert {library(*wanted(take)).name for take in range(6)} == {entry.name for entry in two}
    assert library(*wanted(seed=5)).name in {entry.name for entry in two}  # a variant, too
    assert len(library.painter.asked) == 3


def test_all_can_be_painted_before_the_night(library):
    assert len(library.fill(*wanted(count=4))) == 4
    assert library.fill(*wanted(count=4)) == []
    for take in range(4):
        library(*wanted(take, count=4))
    assert len(library.painter.asked) == 4


@pytest.mark.parametrize("damage", ["cut", "gone", "json"])
def test_a_damaged_one_is_painted_anew(library, damage):
    first = library(*wanted())
    png = library.files.folder / f"{first.name}.png"
    if damage == "cut":
        png.write_bytes(png.read_bytes()[:-50])
    elif damage == "gone":
        png.unlink()
    else:
        png.with_suffix(".json").write_text("{")
    again = library(*wanted())
    assert np.array_equal(again.srgb, first.srgb)
    assert len(library.painter.asked) == 2


def test_a_damaged_pinned_one_does_not_stand_in_the_way(library):
    first = library(*wanted())
    (entry,) = library.files.all()
    library.files.mark(entry.model_copy(update={"pinned": True}))
    (library.files.folder / f"{entry.name}.png").unlink()
    other = library(*wanted(take=1))
    assert other.name != first.name


def test_what_was_unused_for_longest_makes_room_but_pinned_ones_stay(library, monkeypatch):
    names = [library(*wanted(take)).name for take in range(3)]
    sizes = sum((library.files.folder / f"{name}.png").stat().st_size for name in names)
    pinned = next(entry for entry in library.files.all() if entry.name == names[0])
    library.files.mark(pinned.model_copy(update={"pinned": True}))
    small = Library(
        BackgroundFiles(library.files.folder, keep_mb=0),
        library.shelf,
        library.digests,
        library.painter,
        library.lock,
    )
    assert sizes > 0
    last = small(*wanted(steps=9))
    assert {entry.name for entry in small.files.all()} == {names[0], last.name}
    assert {path.stem for path in small.files.folder.glob("*.png")} == {names[0], last.name}


def test_two_workers_do_not_paint_the_same_picture_twice(library):
    library.painter.took_s = 0.5
    made = []
    workers = [threading.Thread(target=lambda: made.append(library(*wanted()).name)) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert len(made) == 3
    assert len(set(made)) == 1
    assert len(library.painter.asked) == 1


def test_a_worker_that_waits_too_long_says_so(library):
    library.painter.took_s, library.painter.timeout_s = 2.0, 0.3
    other = threading.Thread(target=lambda: library(*wanted()))
    other.start()
    time.sleep(0.5)
    with pytest.raises(NotPainted, match="another worker paints"):
        library(*wanted(take=1))
    other.join()


def test_an_upscaler_enlarges_small_pictures_once(library):
    asked = []

    def upscalers(name):
        def twice(srgb, size_px):
            asked.append((name, size_px))
            return np.repeat(np.repeat(srgb, 2, 0), 2, 1)

        return twice

    plain = library(*wanted())
    library.upscalers = upscalers
    large, again = (library(*wanted(upscaler="net")) for _ in range(2))
    assert asked == [("net", (1080, 1080))]
    assert np.array_equal(large.srgb[::2, ::2], plain.srgb)
    assert np.array_equal(large.srgb, again.srgb)
    assert large.name == plain.name
    library(*wanted(upscaler="other"))
    assert [name for name, _ in asked] == ["net", "other"]


@pytest.mark.parametrize(
    "trouble",
    [Misconfigured("net.pth: the upscaler is not there.", "Put it."), Busy("net.pth: no memory.", "Wait.")],
)
def test_an_upscaler_that_cannot_be_used_costs_a_note_and_not_the_picture(library, trouble):
    def upscalers(_name):
        def one(_srgb, _size_px):
            raise trouble

        return one

    library.upscalers = upscalers
    made = library(*wanted(upscaler="net"))
    assert made.srgb.shape == (64, 64, 3)
    (note,) = made.notes
    assert (note.code, str(trouble) in note.text) == ("not-upscaled", True)


def test_an_empty_picture_is_not_kept(library):
    library.painter.level = 3
    with pytest.raises(NotPainted, match="empty picture"):
        library(*wanted())
    assert library.files.all() == []
    with pytest.raises(NotPainted, match="empty picture"):
        library(*wanted())
    assert len(library.painter.asked) == 1  # not again for every photo of the night
    library.painter.level = 0
    library(*wanted(take=1))
    assert len(library.painter.asked) == 2


def test_what_is_missing_is_said_with_its_place(library, tmp_path):
    with pytest.raises(
        NotPainted, match=f"the diffusion model xl is not in {tmp_path}/weights/diffusion. Put a model"
    ):
        library(*wanted(model="xl"))
    with pytest.raises(NotPainted, match=f"the LoRA ours is not in {tmp_path}/weights/lora"):
        library(*wanted(lora=("ours",)))
    with pytest.raises(
        NotPainted, match=f"no ControlNet for depth in {tmp_path}/weights/control that fits any"
    ):
        library(*wanted(control="depth"))
    tensors(tmp_path / "weights/diffusion/any/vae/model.safetensors", {"a": [9]}, cut=1)
    with pytest.raises(NotPainted, match=r"vae/model.safetensors: it is damaged"):
        library(*wanted())


def test_loras_and_a_controlnet_are_part_of_the_order(library, tmp_path):
    key = "unet.down.attentions.0.transformer_blocks.0.attn2.to_k"
    tensors(tmp_path / "weights/lora/ours.safetensors", {f"{key}.lora_A.weight": [4, 768]})
    home = tmp_path / "weights/control/sd15-depth"
    written(home / "config.json", {"_class_name": "ControlNetModel", "cross_attention_dim": 768})
    tensors(home / "model.safetensors", {"a": [2]})
    stage, painting = wanted(lora=("ours:0.5",))
    assert painting.loras == (Worn(name="ours", strength=0.5),)
    order = library.order(stage, painting)
    assert order.loras[0][0] == "ours"
    assert (order.control.name, order.control.kind) == ("sd15-depth", "depth")
    assert library.order(*wanted(control="none")).control is None


def test_a_finished_picture_is_painted_over_by_the_model_of_its_background(library):
    assert library(*wanted()).settle is None
    background = library(*wanted(settle=0.3))
    assert background.name == library(*wanted()).name  # the background itself is the same
    srgb, where = np.full((90, 90, 3), 7, np.uint8), np.zeros((90, 90), np.float32)
    where[60:] = 0.5
    sheets = []

    def painter(order, given):
        sheets.extend((order.digest, sheet) for sheet in given)
        return Painted((library.painter._png(1),), 0.1, 1, 100.0, 0.0)

    painter._png = library.painter._png
    painter.timeout_s = 5.0
    library.painter = painter
    assert background.settle(srgb, where).shape == srgb.shape
    ((_, sheet),) = sheets
    assert (sheet.seed, sheet.freedom) == (0, 0.3)
    over, mask = (Image.open(io.BytesIO(one)) for one in (sheet.over, sheet.mask))
    assert over.size == mask.size == (512, 512)
    assert (np.asarray(mask)[-100:] == 255).all()
    assert not np.asarray(mask)[:300].any()


def test_a_last_touch_that_takes_too_long_is_not_tried_for_every_photo(library):
    background = library(*wanted(settle=0.3))
    asked = []

    def painter(_order, sheets):
        asked.extend(sheets)
        raise NotAgain("painting took longer than 900 s")

    painter.timeout_s = 5.0
    library.painter = painter
    for _ in range(2):
        with pytest.raises(NotPainted, match="took longer"):
            background.settle(np.zeros((90, 90, 3), np.uint8), np.ones((90, 90), np.float32))
    assert len(asked) == 1
