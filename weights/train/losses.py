"""How wrong the network's maps are. Owns the weights of the losses; refuses to know where samples come from."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from weights.train.network import HEIGHT_PX

EDGE_WEIGHT: Final = 4.0
THIN_WEIGHT: Final = 4.0
"""Extra weight of pixels at the outline, and of chains and holes under about 5 px."""
SHARES: Final = {
    "alpha": 1.0,
    "area": 0.5,
    "height": 0.3,
    "normal": 0.3,
    "part": 0.2,
    "shade": 0.2,
    "type": 0.05,
}
LEAST_HEIGHT_PX: Final = 8.0


def _grown(x: Tensor, size: int) -> Tensor:
    return F.max_pool2d(x, size, 1, size // 2)


def _shrunk(x: Tensor, size: int) -> Tensor:
    return -F.max_pool2d(-x, size, 1, size // 2)


def importance(alpha: Tensor) -> Tensor:
    """(n, 1, h, w): 1, more at the outline, and more where an opening or a closing changes the piece."""
    edge = _grown(alpha, 5) - _shrunk(alpha, 5)
    chains = alpha - _grown(_shrunk(alpha, 5), 5)
    holes = _shrunk(_grown(alpha, 5), 5) - alpha
    return 1 + EDGE_WEIGHT * edge + THIN_WEIGHT * (chains + _grown(holes, 3)).clamp(0, 1)


def losses(said: dict[str, Tensor], true: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each loss by name, one number; maps at half size are compared at half size. `true` as `fit` batches it."""
    alpha = true["alpha"]
    weight = importance(alpha)
    wrong = F.binary_cross_entropy_with_logits(said["alpha"], alpha, reduction="none")
    opacity = torch.sigmoid(said["alpha"])
    out = {"alpha": (weight * (wrong + 0.5 * (opacity - alpha).abs())).mean() / weight.mean()}
    both = (opacity * alpha).sum((1, 2, 3))
    either = (opacity + alpha - opacity * alpha).sum((1, 2, 3))
    out["area"] = (1 - (both + 50) / (either + 50)).mean()

    half = F.avg_pool2d(alpha, 2)
    on = (half > 0.5).float()
    count = on.sum().clamp(min=1)
    height = F.avg_pool2d(true["height"] * (alpha > 0.5), 2) / F.avg_pool2d((alpha > 0.5).float(), 2).clamp(
        min=0.25
    )
    tallest = (height * on).amax((1, 2, 3), keepdim=True).clamp(min=LEAST_HEIGHT_PX)
    out["height"] = (on * (said["height"] * HEIGHT_PX - height).abs() / tallest).sum() / count
    normal = F.normalize(F.avg_pool2d(true["normal"], 2), dim=1)
    out["normal"] = (
        on * (1 - (F.normalize(said["normal"], dim=1) * normal).sum(1, keepdim=True))
    ).sum() / count
    part = true["part"][:, ::2, ::2]
    known = (part >= 0).sum().clamp(min=1)
    out["part"] = F.cross_entropy(said["part"], part, ignore_index=-1, reduction="sum") / known
    bare = (half < 0.3).float()
    shade = (said["shade"] - F.avg_pool2d(true["shade"], 2)).abs()
    out["shade"] = (bare * shade).sum() / bare.sum().clamp(min=1)
    out["type"] = F.cross_entropy(said["type"], true["type"])
    return out


def total(parts: dict[str, Tensor]) -> Tensor:
    """The losses weighed against each other."""
    return torch.stack([SHARES[name] * value for name, value in parts.items()]).sum()
