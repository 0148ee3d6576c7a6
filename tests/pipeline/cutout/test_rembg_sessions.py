"""A real ONNX network in rembg's layout, run through the adapter with all sockets closed."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.cutout.rembg_sessions import LOCAL_NETWORKS, RembgSegmenter, find_network
from pipeline.cutout.segmenter import Segmenter
from pipeline.errors import Misconfigured

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("pooch")  # comes with rembg, whose own import compiles for a minute

PAPER, PIECE = 240, 40


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def _network(path: Path, *, side: int = 320, steep: float = 6.0, logits: bool = False) -> Path:
    """Dark is piece: sigmoid(-steep * (mean of the normalised channels)), with u2net's names and shapes."""
    from onnx import TensorProto, helper

    steps = [
        helper.make_node("ReduceMean", ["input.1", "axes"], ["grey"], keepdims=1),
        helper.make_node("Mul", ["grey", "slope"], ["raw"]),
        helper.make_node("Identity" if logits else "Sigmoid", ["raw"], ["1959"]),
        helper.make_node("Identity", ["1959"], ["1960"]),
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
        helper.make_tensor("slope", TensorProto.FLOAT, [], [-steep]),
    ]
    graph = helper.make_graph(
        steps,
        "dark",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, side, side])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, side, side])
            for name in ("1959", "1960")
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path


def _ring(h: int = 300, w: int = 420) -> np.ndarray:
    y, x = np.mgrid[:h, :w]
    r = np.hypot(x - w / 2, y - h / 2)
    photo = np.full((h, w, 3), PAPER, np.uint8)
    photo[(r > 60) & (r < 100)] = PIECE
    return photo


def test_finds_the_piece_and_keeps_its_hole(tmp_path: Path) -> None:
    _network(tmp_path / "u2net.onnx")
    segmenter: Segmenter = RembgSegmenter("u2net", tmp_path)
    mask = segmenter.segment(_ring())
    assert mask.shape == (300, 420)
    assert mask.dtype == np.float32
    assert segmenter.name == "u2net"
    truth = (_ring() == PIECE)[..., 0]
    found = mask > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.97
    assert mask[150, 210] < 0.1


def test_empty_paper_gives_no_mask(tmp_path: Path) -> None:
    """rembg would stretch the paper's noise to a full mask."""
    _network(tmp_path / "u2net.onnx")
    rng = np.random.Generator(np.random.PCG64(3))
    noise = rng.normal(PAPER, 3, (200, 300, 3)).clip(0, 255).astype(np.uint8)
    flat = np.full((200, 300, 3), PAPER, np.uint8)
    segmenter = RembgSegmenter("u2net", tmp_path)
    for empty in (noise, flat):
        assert segmenter.segment(empty).max() < 0.05


def test_a_faint_answer_stays_faint(tmp_path: Path) -> None:
    """The mask is what the network said, not its rank: a network that says 0.6 is not quoted as sure."""
    _network(tmp_path / "u2net.onnx", steep=0.25)
    mask = RembgSegmenter("u2net", tmp_path).segment(_ring())
    said = 1 / (
        1
        + np.exp(
            0.25 * np.mean((np.array([PIECE / PAPER] * 3) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])
        )
    )
    assert mask.max() == pytest.approx(said, abs=0.05)


@pytest.mark.parametrize("name", ["birefnet-general", "isnet-general-use"])
def test_logits_become_probabilities(tmp_path: Path, name: str) -> None:
    """rembg puts some networks through a sigmoid and not others; both end as what the network said."""
    _network(tmp_path / f"{name}.onnx", side=1024, logits=True)
    segmenter = RembgSegmenter(name, tmp_path)
    mask = segmenter.segment(_ring())
    assert mask[150, 130] > 0.85
    assert mask[150, 210] < 0.1
    assert segmenter.segment(np.full((64, 64, 3), PAPER, np.uint8)).max() < 0.1


def test_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    _network(tmp_path / "u2net.onnx")
    answers = {RembgSegmenter("u2net", tmp_path, threads=n).segment(_ring()).tobytes() for n in (1, 2, 4)}
    assert len(answers) == 1


def test_rembgs_own_folder_layout_is_found(tmp_path: Path) -> None:
    path = _network(tmp_path / "models" / "silueta" / "silueta.onnx")
    assert find_network("silueta", tmp_path) == path
    assert RembgSegmenter("silueta", tmp_path).segment(_ring()).max() > 0.9


def test_missing_file_says_which_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        RembgSegmenter("isnet-general-use", tmp_path)
    assert "isnet-general-use.onnx" in str(caught.value)
    assert str(tmp_path / "isnet-general-use.onnx") in str(caught.value)
    assert str(tmp_path) in caught.value.advice
    assert "classical" in caught.value.advice


@pytest.mark.parametrize("name", ["withoutbg", "atlascloud", "u2net_cloth_seg", "../u2net", ""])
def test_networks_of_web_services_and_unknown_ones_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured, match="not one that can run on this machine") as caught:
        RembgSegmenter(name, tmp_path)
    assert "u2net" in caught.value.advice


def test_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "u2netp.onnx").write_bytes(b"not a network")
    with pytest.raises(Misconfigured, match=r"u2netp\.onnx cannot be opened"):
        RembgSegmenter("u2netp", tmp_path).segment(_ring())


def test_every_allowed_name_is_known_to_rembg() -> None:
    from pipeline.cutout.rembg_sessions import _import_rembg

    assert set(LOCAL_NETWORKS) <= set(_import_rembg())


def test_importing_the_adapter_loads_neither_rembg_nor_pymatting(tmp_path: Path) -> None:
    """In a process of its own; pymatting must not be loaded even after a picture was cut."""
    _network(tmp_path / "u2net.onnx")
    program = (
        "import sys, pathlib, numpy as np\n"
        "from pipeline.cutout.rembg_sessions import RembgSegmenter\n"
        "assert not {'rembg', 'onnxruntime'} & set(sys.modules)\n"
        "sys.addaudithook(lambda e, a: (_ for _ in ()).throw(AssertionError(e)) if e in ('socket.connect', 'socket.getaddrinfo') else None)\n"
        f"s = RembgSegmenter('u2net', pathlib.Path({str(tmp_path)!r}))\n"
        "s.segment(np.full((40, 40, 3), 200, np.uint8))\n"
        "assert not {'pymatting', 'numba', 'rembg'} & set(sys.modules), 'heavy'\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=120)
