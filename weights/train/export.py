"""`make export`: a training run's network as ONNX in `weights/`, checked against the original. Owns the file's form.

Normalisation is folded into the convolutions, and each map comes out ready for use: alpha and parts as shares, height
in pixels of the input, normals of length one.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from weights.features import CHANNELS, STRIDE
from weights.store import FOLDER, NETWORKS, digest, manifest
from weights.train.network import HEIGHT_PX, PieceNet

NAME: Final = "piece"
OUTPUTS: Final = ("alpha", "height", "normal", "part", "type")
LARGEST_DIFFERENCE: Final = 2e-3
"""Between torch's answer and onnxruntime's, as a share (alpha, part, type), of a unit (normal), or of 100 px."""


class Ready(nn.Module):
    """The network with its answers in the units of `OUTPUTS`."""

    def __init__(self, net: PieceNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(1, 6, h, w) features to alpha (1, 1, h, w), and at half size height, normal, part; type (1, 9)."""
        said = self.net(x)
        return (
            torch.sigmoid(said["alpha"]),
            said["height"] * HEIGHT_PX,
            F.normalize(said["normal"], dim=1),
            torch.softmax(said["part"], 1),
            torch.softmax(said["type"], 1),
        )


def load(checkpoint: Path) -> PieceNet:
    """The running mean of a run's weights, ready to answer."""
    net = PieceNet()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["mean"])
    net.eval()
    return net


def export(net: PieceNet, path: Path) -> None:
    """Write `net` to `path`; height and width stay free."""
    sample = torch.zeros(1, CHANNELS, 4 * STRIDE, 6 * STRIDE)
    sides = {2: "height", 3: "width"}
    with torch.no_grad():
        torch.onnx.export(
            Ready(net).eval(),
            (sample,),
            str(path),
            input_names=["features"],
            output_names=list(OUTPUTS),
            dynamic_axes={"features": sides, **dict.fromkeys(OUTPUTS[:-1], sides)},
            opset_version=17,
            dynamo=False,
        )


def difference(net: PieceNet, path: Path) -> float:
    """Largest difference between torch and onnxruntime over all maps, on noise of a size that the export never saw."""
    x = np.random.default_rng(0).uniform(-1, 1, (1, CHANNELS, 8 * STRIDE, 5 * STRIDE)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    theirs = session.run(list(OUTPUTS), {"features": x})
    with torch.no_grad():
        ours = [value.numpy() for value in Ready(net).eval()(torch.from_numpy(x))]
    units = [HEIGHT_PX if name == "height" else 1.0 for name in OUTPUTS]
    return max(float(np.abs(a - b).max()) / unit for a, b, unit in zip(ours, theirs, units, strict=True))


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(prog="make export", description=(__doc__ or "").splitlines()[0])
    cli.add_argument("--run", type=Path, required=True)
    cli.add_argument("--to", type=Path, default=FOLDER)
    args = cli.parse_args()
    net = load(args.run / "last.pt")
    path = args.to / f"{NAME}.onnx"
    export(net, path)
    return enter(NAME, path, difference(net, path), LARGEST_DIFFERENCE)


def enter(name: str, path: Path, largest: float, allowed: float) -> int:
    """Put an exported file into the manifest beside it if it answers as the original does; 1 if it does not."""
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, differs from torch by at most {largest:.1e}")
    if largest > allowed:
        print("that is too much; the file is not entered into the manifest", file=sys.stderr)
        return 1
    folder = path.parent
    known = manifest(folder) if (folder / NETWORKS).exists() else {}
    entry = known.get(name, {}) | {"file": path.name, "sha256": digest(path), "bytes": path.stat().st_size}
    (folder / NETWORKS).write_text(json.dumps(known | {name: entry}, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
