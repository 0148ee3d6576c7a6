"""What is asked of a training run, and what follows from it for each step. Owns the numbers; refuses torch.

Everything that chance decides in a step is drawn from the seed and the step's number alone. So a run that was killed goes on from
its last checkpoint as if nothing had been, to the last bit.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

import numpy as np

from pipeline.diffusion.finetune.dataset import Item

WARM_UP: Final = 0.05  # share of the steps in which the rate rises
LAST_RATE: Final = 0.1  # of the rate, at the end of the cosine
Precision = Literal["auto", "float32", "float16", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What decides the weights, beside pictures and model. Hu et al. 2021 (LoRA): rank; rate: of AdamW, at its highest.

    batch: pictures at a time; accumulate: batches for each step. unworded: share of pictures shown without words, so that guidance
    keeps working (Ho and Salimans 2022). snr_gamma: of Min-SNR weighting (Hang et al. 2023), 0 for none. decay: of AdamW.
    """

    steps: int = 2000
    rank: int = 16
    rate: float = 1e-4
    batch: int = 1
    accumulate: int = 4
    seed: int = 0
    unworded: float = 0.1
    snr_gamma: float = 5.0
    decay: float = 1e-2
    precision: Precision = "auto"
    eight_bit: bool = False

    @property
    def digest(self) -> str:
        """Hex."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def rate_at(self, step: int) -> float:
        """Rises evenly, then falls along a cosine. step: counted from 0."""
        warm = max(1, round(WARM_UP * self.steps))
        if step < warm:
            return self.rate * (step + 1) / warm
        through = (step - warm) / max(1, self.steps - warm)
        return self.rate * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * through)))

    def chance(self, *what: int) -> np.random.Generator:
        """A source of chance for that step, epoch, or whatever."""
        return np.random.default_rng((self.seed, *what))


class Turns:
    """Which pictures each batch has: every picture once in an epoch, those of one batch of one size."""

    def __init__(self, items: Sequence[Item], wish: Wish) -> None:
        self._items = items
        self._wish = wish
        self._epoch = -1
        self._batches: list[list[int]] = []

    def batch(self, number: int) -> list[int]:
        """Indices of the items of batch `number` of the whole run, counted from 0."""
        if not self._batches:
            self._deal(0)
        epoch, at = divmod(number, len(self._batches))
        self._deal(epoch)
        return self._batches[at]

    def _deal(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        chance, size = self._wish.chance(1, epoch), self._wish.batch
        buckets: dict[tuple[int, int], list[int]] = {}
        for at in chance.permutation(len(self._items)):
            buckets.setdefault(self._items[at].size_px, []).append(int(at))
        dealt = [
            bucket[start : start + size]
            for _, bucket in sorted(buckets.items())
            for start in range(0, len(bucket), size)
        ]
        self._batches = [dealt[at] for at in chance.permutation(len(dealt))]
        self._epoch = epoch
