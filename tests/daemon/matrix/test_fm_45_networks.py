"""FM-45: a network's file that is absent or half downloaded is nobody's photo's fault, and is told once."""

from __future__ import annotations

import pytest

from tests.daemon.studios import jpeg

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def _network():
    import onnx

    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["in"], ["out"])],
        "whole",
        [onnx.helper.make_tensor_value_info("in", onnx.TensorProto.FLOAT, [1, 3, 320, 320])],
        [onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [1, 3, 320, 320])],
    )
    return onnx.helper.make_model(graph).SerializeToString()


@pytest.mark.parametrize("state", ["absent", "cut off", "empty"])
def test_fm_45_a_missing_or_truncated_network_stops_with_78_names_the_file_and_loses_no_photo(daemon, state):
    networks = daemon.flags / "networks"
    networks.mkdir()
    data = _network()
    if state != "absent":
        (networks / "u2netp.onnx").write_bytes(data[: len(data) // 2] if state == "cut off" else b"")
    daemon._environment = {"VITRINE_RENDERER": "quick:with_network", "VITRINE_TEST_NETWORKS": str(networks)}
    photos = [daemon.drop(f"p{number}.jpg", jpeg(number)) for number in range(3)]
    daemon.start(wait=False)
    assert daemon.process.wait(20) == 78
    said = daemon.said()
    assert str(networks / "u2netp.onnx") in said
    assert "Copy u2netp.onnx" in said
    assert said.count("u2netp.onnx") < 8, "no storm"
    assert all(path.read_bytes() == jpeg(number) for number, path in enumerate(photos))
    assert daemon.rows("SELECT DISTINCT state, attempts FROM jobs") == [("waiting", 0)]
    calls = len((daemon.flags / "calls").read_text().split())
    assert calls == 1, "tried once, not once per photo"
    daemon._environment = {}
    daemon.start("--until-idle", wait=False)
    assert daemon.process.wait(20) == 0
    assert daemon.states() == {"done": 3}
