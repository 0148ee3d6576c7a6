"""Models, ControlNets and LoRAs from the disk, by diffusers itself, without a network. Run by `make test-diffusion`."""

from __future__ import annotations

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
from pipeline.diffusion.load import Machine, open_model, under_control, wear  # noqa: E402
from pipeline.diffusion.order import Order, Sheet  # noqa: E402
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
