"""`make export-solid`: the shape network of a run as ONNX in `weights/`, checked against the original. Owns the file's form."""

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
import torch

from weights.outline import CHANNELS, SIDE_PX
from weights.store import FOLDER
from weights.train.export import enter
from weights.train.solid.network import SolidNet

NAME: Final = "solid"
OUTPUTS: Final = ("top", "low", "normal")
LARGEST_DIFFERENCE: Final = 1e-3
"""Between torch's answer and onnxruntime's, in long sides (heights) or of a unit (normal)."""


class Plain(SolidNet):
    """The network with its answers in a row."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]
        """(1, CHANNELS, SIDE_PX, SIDE_PX) features to the maps of `OUTPUTS`, at half size."""
        said = super().forward(x)
        return tuple(said[name] for name in OUTPUTS)


def load(checkpoint: Path) -> Plain:
    """The running mean of a run's weights, ready to answer."""
    net = Plain()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["mean"])
    net.eval()
    return net


def export(net: Plain, path: Path) -> None:
    """Write `net` to `path`."""
    sample = torch.zeros(1, CHANNELS, SIDE_PX, SIDE_PX)
    with torch.no_grad():
        torch.onnx.export(
            net,
            (sample,),
            str(path),
            input_names=["features"],
            output_names=list(OUTPUTS),
            opset_version=17,
            dynamo=False,
        )


def difference(net: Plain, path: Path) -> float:
    """Largest difference between torch and onnxruntime over all maps, on noise."""
    x = np.random.default_rng(0).uniform(0, 1, (1, CHANNELS, SIDE_PX, SIDE_PX)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    theirs = session.run(list(OUTPUTS), {"features": x})
    with torch.no_grad():
        ours = [value.numpy() for value in net(torch.from_numpy(x))]
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(prog="make export-solid", description=(__doc__ or "").splitlines()[0])
    cli.add_argument("--run", type=Path, required=True)
    cli.add_argument("--to", type=Path, default=FOLDER)
    args = cli.parse_args()
    net = load(args.run / "last.pt")
    path = args.to / f"{NAME}.onnx"
    export(net, path)
    return enter(NAME, path, difference(net, path), LARGEST_DIFFERENCE)


if __name__ == "__main__":
    sys.exit(main())
