"""A shipped network rebuilt for training answers as the file does, before and after it has learnt what it sees.

Run by `make test-diffusion`, which has torch.
"""

import onnx
import pytest

from pipeline.onnx import open_network
from weights.features import CHANNELS
from weights.store import FOLDER

torch = pytest.importorskip("torch", reason="torch is not installed: make test-diffusion")
pytestmark = [pytest.mark.diffusion, pytest.mark.filterwarnings("ignore")]

SHIPPED = FOLDER / "piece.onnx"


@pytest.fixture
def pictures():
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(2, CHANNELS, 96, 64, generator=generator) * 2 - 1 for _ in range(3)]


def differs(net, picture):
    """Largest difference of alpha between torch and the shipped file."""
    session = open_network(SHIPPED)
    theirs = session.run(["alpha"], {"features": picture[:1].numpy()})[0]
    with torch.no_grad():
        return float((torch.sigmoid(net(picture[:1])["alpha"]) - torch.from_numpy(theirs)).abs().max())


def test_rebuilt_and_calibrated_it_answers_as_the_file(pictures):
    from weights.train.resume import calibrate, rebuild

    net = rebuild(SHIPPED)
    assert differs(net, pictures[0]) < 1e-4
    calibrate(net, pictures)
    assert differs(net, pictures[0]) < 1e-3


def test_a_step_of_training_sees_the_calibrated_statistics(pictures):
    from weights.train.resume import calibrate, rebuild

    net = rebuild(SHIPPED)
    calibrate(net, [pictures[0]])
    norm = net.down[0][0][1]
    before = norm.running_mean.clone(), norm.running_var.clone()
    norm.momentum = 1.0
    net.train()
    net(pictures[0])
    assert torch.allclose(norm.running_mean, before[0], atol=1e-4)
    assert torch.allclose(norm.running_var, before[1], rtol=1e-2)


def test_another_network_is_refused(tmp_path):
    from weights.train.resume import rebuild

    foreign = onnx.load(str(SHIPPED))
    foreign.graph.initializer[-1].CopyFrom(
        onnx.numpy_helper.from_array(torch.zeros(3).numpy(), foreign.graph.initializer[-1].name)
    )
    onnx.save(foreign, str(tmp_path / "foreign.onnx"))
    with pytest.raises(ValueError, match="not exported from this network"):
        rebuild(tmp_path / "foreign.onnx")


@pytest.mark.parametrize(("capability", "pays"), [("avx512_bf16", True), ("amx_bf16", True), ("avx2", False)])
def test_bfloat16_only_where_the_processor_has_it(monkeypatch, capability, pays):
    from weights.train import fit

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})
    assert fit.bfloat16_pays("cpu") is pays
