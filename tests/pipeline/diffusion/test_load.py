"""Models, ControlNets and LoRAs from the disk, by diffusers itself, without a network. Run by `make test-diffusion`."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil

import numpy as np
import pytest

from pipeline.errors import Misconfigured

torch = pytest.importorskip("torch", reason="the extra diffusion is not installed: make test-diffusion")
pytest.importorskip("diffusers", reason="the extra diffusion is not installed: make test-diffusion")
pytestmark = [
    pytest.mark.diffusion,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.usefixtures("no_network"),
]

from PIL import Image  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from pipeline.diffusion.easel import Easel  # noqa: E402
from pipeline.diffusion.files import control_at, lora_at, model_at  # noqa: E402
from pipeline.diffusion.load import Machine, fits, open_model, under_control, wear, weights_of  # noqa: E402
from pipeline.diffusion.order import Held, Order, Sheet  # noqa: E402
from pipeline.diffusion.shelf import Shelf  # noqa: E402
from tests.pipeline.diffusion import tiny_diffusion  # noqa: E402
from tests.pipeline.diffusion.tiny_shelf import SORTS  # noqa: E402

FAMILIES = {"sd": "sd1", "sdxl": "sdxl", "sdxl-turbo": "sdxl-turbo"}
UNET = "unet/diffusion_pytorch_model.safetensors"


def painted(pipe, model, **more):
    steps, guidance = (2, 0.0) if model.few_steps else (3, 5.0)
    return pipe(
        prompt="velvet", num_inference_steps=steps, guidance_scale=guidance, width=64, height=64,
        generator=[torch.Generator().manual_seed(3)], output_type="np", **more,
    ).images[0]  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
def test_a_folder_and_its_single_file_paint_the_same(tiny, sort):
    folder = model_at(tiny / "diffusion" / f"tiny-{sort}")
    file = model_at(tiny / "diffusion" / f"file-{sort}.safetensors")
    assert folder.family == file.family == FAMILIES[sort]
    assert (folder.cross, folder.side_px, folder.is_file) == (file.cross, 64, False)
    one, two, again = (painted(open_model(model), model) for model in (folder, file, folder))
    assert one.std() > 0.05
    assert np.array_equal(one, again)
    assert np.abs(one - two).max() < 1e-5


@pytest.mark.parametrize("sort", SORTS)
def test_a_controlnet_steers_and_a_lora_is_put_on_and_taken_off(tiny, sort):
    model = model_at(tiny / "diffusion" / f"tiny-{sort}")
    pipe = open_model(model)
    plain = painted(pipe, model)
    lora = lora_at(tiny / "lora" / f"house-{sort}")
    wear(pipe, [(lora, 1.0)], model)
    worn = painted(pipe, model)
    wear(pipe, [(lora, 0.3)], model)
    half = painted(pipe, model)
    wear(pipe, [], model)
    assert np.array_equal(painted(pipe, model), plain)
    assert 0 < np.abs(half - plain).mean() < np.abs(worn - plain).mean()
    control = control_at(tiny / "control" / f"depth-{sort}")
    assert control.kind == "depth"
    held = under_control(pipe, control, Machine(), model)
    rows = np.tile(np.arange(0, 256, 4, dtype=np.uint8)[:, None, None], (1, 64, 3))
    down, up = (painted(held, model, image=Image.fromarray(shown)) for shown in (rows, rows[::-1].copy()))
    assert np.abs(down - plain).mean() > 0.01
    assert np.abs(down - up).mean() > 0.001


@pytest.mark.parametrize("schnell", [True, False])
def test_a_flux_folder_paints_too(tmp_path, schnell):
    model = model_at(tiny_diffusion.flux(tmp_path / "flux", schnell=schnell))
    assert (model.family, model.few_steps) == (("flux-schnell", True) if schnell else ("flux", False))
    pipe = open_model(model)
    one, again = painted(pipe, model), painted(pipe, model)
    assert one.std() > 0.05
    assert np.array_equal(one, again)


def test_pictures_that_do_not_fit_a_card_together_are_painted_one_by_one(tiny):
    class Small(Easel):
        def _painted(self, order, sheets, model):
            if len(sheets) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super()._painted(order, sheets, model)

    order, sheets = Order("tiny-sd", "", "velvet", "", (64, 64), 1, 5.0), [Sheet(1), Sheet(2)]
    one_by_one = list(Easel(Shelf(tiny), batch=1).paint(order, sheets))
    assert list(Small(Shelf(tiny), batch=2).paint(order, sheets)) == one_by_one


def test_weights_of_another_family_are_refused(tiny):
    model = model_at(tiny / "diffusion" / "tiny-sd")
    pipe = open_model(model)
    with pytest.raises(Misconfigured, match="words 80 wide, and tiny-sd has 32"):
        wear(pipe, [(lora_at(tiny / "lora" / "house-sdxl"), 1.0)], model)
    with pytest.raises(Misconfigured, match="words 80 wide, and tiny-sd has 32"):
        under_control(pipe, control_at(tiny / "control" / "depth-sdxl"), Machine(), model)


@pytest.fixture
def broken(tiny, tmp_path):
    """A copy to break."""
    return shutil.copytree(tiny / "diffusion" / "tiny-sd", tmp_path / "broken")


def test_a_file_that_lacks_weights_is_not_filled_with_random_ones(broken):
    tensors = load_file(broken / UNET)
    tensors.pop("mid_block.resnets.0.conv1.weight")
    save_file(tensors, broken / UNET)
    with pytest.raises(
        Misconfigured, match=r"unet: 1 of its weights are missing, such as mid_block.resnets.0.conv1"
    ):
        open_model(model_at(broken))


def test_a_single_file_that_lacks_weights_is_refused(tiny, tmp_path):
    file = tmp_path / "broken.safetensors"
    shutil.copytree(tiny / "diffusion" / "file-sd.config", tmp_path / "broken.config")
    tensors = load_file(tiny / "diffusion" / "file-sd.safetensors")
    save_file({name: value for name, value in tensors.items() if "middle_block" not in name}, file)
    with pytest.raises(Misconfigured, match=r"broken.safetensors"):
        open_model(model_at(file))


def test_weights_that_fit_no_network_are_refused(broken):
    config = json.loads((broken / "unet/config.json").read_text())
    (broken / "unet/config.json").write_text(json.dumps(config | {"block_out_channels": [32, 96]}))
    with pytest.raises(Misconfigured, match="cannot be loaded"):
        open_model(model_at(broken))


def test_a_card_that_is_not_there_is_said(tiny):
    if torch.cuda.is_available():
        pytest.skip("there is a card")
    with pytest.raises(Misconfigured, match="torch finds none"):
        open_model(model_at(tiny / "diffusion" / "tiny-sd"), Machine(device="cuda"))


def test_a_text_encoder_that_lacks_weights_is_not_filled_with_random_ones(broken):
    path = broken / "text_encoder/model.safetensors"
    tensors = load_file(path)
    tensors.pop(next(name for name in tensors if name.endswith("mlp.fc1.weight")))
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(Misconfigured, match=r"text_encoder: 1 of its weights are missing, such as .*fc1"):
        open_model(model_at(broken))


def test_a_lora_of_which_nothing_fits_is_named(tiny, tmp_path):
    model = model_at(tiny / "diffusion" / "tiny-sd")
    layer = "transformer.single_transformer_blocks.0.attn.to_q"
    save_file(
        {f"{layer}.lora_A.weight": torch.zeros(4, 32), f"{layer}.lora_B.weight": torch.zeros(32, 4)},
        tmp_path / "other.safetensors",
    )
    pipe = open_model(model)
    plain = painted(pipe, model)
    with pytest.raises(Misconfigured, match=r"other\.safetensors: nothing of this LoRA belongs to tiny-sd"):
        wear(pipe, [(lora_at(tmp_path / "other.safetensors"), 1.0)], model)
    wear(pipe, [], model)
    assert np.array_equal(painted(pipe, model), plain)


@pytest.mark.parametrize("sort", ["sd", "sdxl"])
def test_half_precision_paints_and_leaves_the_weights_fit_for_loras(tiny, sort):
    """SDXL's decoder is brought to full precision and back for each picture."""
    easel = Easel(Shelf(tiny), Machine(dtype="float16"))
    order = Order(f"tiny-{sort}", "", "velvet", "text", (64, 64), 2, 5.0)
    worn = Order(f"tiny-{sort}", "", "velvet", "text", (64, 64), 2, 5.0, ((f"house-{sort}", "", 1.0),))
    (plain,), (other,) = (list(easel.paint(one, [Sheet(1)])) for one in (order, worn))
    assert plain != other
    parts = [part for part in easel._plain.components.values() if hasattr(part, "parameters")]
    weights = [weight for part in parts for weight in part.parameters()]
    assert not any(weight.is_inference() for weight in weights)
    assert {weight.dtype for weight in easel._plain.vae.parameters()} == {torch.float16}


def test_a_card_is_asked_only_for_what_is_not_there_yet(tiny):
    """A ControlNet comes to a model that is on the card already: the model's bytes are not needed twice."""
    gib = 1 << 30
    assert fits(size=10 * gib, waiting=10 * gib, free=17 * gib)
    assert not fits(size=10 * gib, waiting=10 * gib, free=15 * gib)
    assert fits(size=10 * gib, waiting=2 * gib, free=9 * gib)
    pipe = open_model(model_at(tiny / "diffusion" / "tiny-sd"), Machine(dtype="float16"))
    size, waiting = weights_of(pipe)
    parts = (pipe.unet, pipe.vae, pipe.text_encoder)
    assert size == waiting == sum(2 * one.numel() for part in parts for one in part.parameters())


def test_the_former_controlnet_is_let_go_before_the_next_one_comes(tiny, monkeypatch):
    from pipeline.diffusion import easel as module

    easel, held = Easel(Shelf(tiny)), []
    order = Order("tiny-sd", "", "velvet", "text", (64, 64), 1, 5.0)
    shown = Sheet(1, png())

    def under(plain, control, machine, model):
        held.append(easel._pipe is plain)
        return under_control(plain, control, machine, model)

    monkeypatch.setattr(module, "under_control", under)
    for kind in ("depth", "edges"):
        list(easel.paint(dataclasses.replace(order, control=Held(f"{kind}-sd", "", kind, 1.0, "")), [shown]))
    assert held == [True, True]


def png():
    stream = io.BytesIO()
    Image.fromarray(np.tile(np.arange(0, 256, 4, dtype=np.uint8)[:, None, None], (1, 64, 3))).save(
        stream, "PNG"
    )
    return stream.getvalue()


@pytest.mark.parametrize("sort", SORTS)
def test_a_picture_is_painted_over_where_the_mask_says_by_the_same_parts(tiny, sort):
    easel = Easel(Shelf(tiny))
    order = Order(f"tiny-{sort}", "", "velvet", "text", (64, 64), 3, 0.0 if sort == "sdxl-turbo" else 5.0)
    ground = np.random.default_rng(1).integers(60, 200, (64, 64, 3), np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[32:] = 255
    files = [io.BytesIO(), io.BytesIO()]
    for stream, pixels in zip(files, (ground, mask), strict=True):
        Image.fromarray(pixels).save(stream, "PNG")
    over, shape = (stream.getvalue() for stream in files)
    one, again, free = (
        next(easel.paint(order, [Sheet(1, None, over, shape, freedom)])) for freedom in (0.4, 0.4, 0.8)
    )
    assert one == again != free
    assert np.asarray(Image.open(io.BytesIO(one))).shape == (64, 64, 3)
    assert easel.loads == 1
    (anew,) = easel.paint(order, [Sheet(1)])  # and it paints new ones as before
    assert list(Easel(Shelf(tiny)).paint(order, [Sheet(1)])) == [anew]
