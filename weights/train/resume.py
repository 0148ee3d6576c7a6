"""A shipped network back in a form that can learn. Owns the undoing of `export`; refuses data and schedule.

`export` folds each normalisation into the convolution before it. The fold cannot be undone exactly, and need not be: with the
folded weights W and bias b any mean m and variance v answer alike, if scale = sqrt(v + eps) and offset = b + m. Taken from
pictures, they are also what the next training step will see.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Final

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from weights.train.network import PieceNet

FOLDED: Final = "onnx::Conv_"
OWN: Final = "net."
"""How `export` names what keeps its name."""


def rebuild(path: Path) -> PieceNet:
    """The network of an exported file, in evaluation mode; it answers as the file does. Raises ValueError for a foreign one."""
    stored = onnx.load(str(path)).graph
    arrays = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in stored.initializer}
    net = PieceNet()
    net.eval()
    state = net.state_dict()
    state |= {name.removeprefix(OWN): value for name, value in arrays.items() if name.startswith(OWN)}
    folded = [
        node.input[1:] for node in stored.node if node.op_type == "Conv" and node.input[1].startswith(FOLDED)
    ]
    pairs = _normalised(net)
    if len(folded) != len(pairs):
        raise ValueError(
            f"{path} holds {len(folded)} folded convolutions; this network has {len(pairs)}: not exported from it"
        )
    for (conv, norm), (weight, bias) in zip(pairs, folded, strict=True):
        state[f"{conv}.weight"], state[f"{norm}.bias"] = arrays[weight], arrays[bias]
        variance = state[f"{norm}.running_var"]
        state[f"{norm}.weight"] = torch.sqrt(variance + _norm(net, norm).eps)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{path} was not exported from this network: {error}") from error
    return net


def calibrate(net: PieceNet, batches: Iterable[Tensor]) -> None:
    """Give a rebuilt `net` the statistics of `batches` (each (n, 6, h, w) features); its answers stay the same.

    One pass does for all layers, because none of them changes what the next one sees.
    """
    norms = [_norm(net, norm) for _, norm in _normalised(net)]
    sums = {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in norms}

    def note(norm: nn.BatchNorm2d, seen: tuple[Tensor, ...], _: Tensor) -> None:
        values = seen[0].detach().double()
        count = torch.full_like(sums[norm][0], values[:, 0].numel())
        sums[norm] += torch.stack([count, values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])

    hooks = [norm.register_forward_hook(note) for norm in norms]
    net.eval()
    with torch.no_grad():
        for batch in batches:
            net(batch)
        for hook in hooks:
            hook.remove()
        for norm, (count, total, squares) in sums.items():
            mean = total / count
            variance = (squares / count - mean.square()).clamp(min=0)
            norm.bias += mean.float() - norm.running_mean
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps))


def _normalised(net: PieceNet) -> list[tuple[str, str]]:
    """Names of each convolution and the normalisation after it, in the order they run and `export` writes them."""
    kinds = [(name, module) for name, module in net.named_modules() if not list(module.children())]
    return [
        (one[0], other[0])
        for one, other in pairwise(kinds)
        if isinstance(one[1], nn.Conv2d) and isinstance(other[1], nn.BatchNorm2d)
    ]


def _norm(net: PieceNet, name: str) -> nn.BatchNorm2d:
    module = net.get_submodule(name)
    assert isinstance(module, nn.BatchNorm2d)  # noqa: S101 - `_normalised` has looked
    return module
