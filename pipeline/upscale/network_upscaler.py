"""An upscaling network from a file of the owner's. The one door to torch here; it is imported when a picture is to be enlarged.

Nothing is fetched, and of a pickled file only tensors are read. On a graphics card the network works with half the digits,
as it was made to; where that is not enough for a picture, with all of them.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import Busy, Misconfigured
from pipeline.machine_code import settle_torch
from pipeline.upscale.family import MILD, STRONG, Family, family_of, names_of_today
from pipeline.upscale.tiles import tiled
from pipeline.upscale.upscaler import resized
from pipeline.values import F32

SUFFIXES = (".safetensors", ".pth")
ROOTS = ("params_ema", "params")  # where Real-ESRGAN's files keep the tensors; the first that is there
CPU_TILE_PX, GPU_TILE_PX, LEAST_TILE_PX = 192, 512, 64
_ADVICE = "Put a file of Real-ESRGAN's there, or take its name out of what asks for it."


def find_upscaler(folder: Path, name: str, device: str = "") -> NetworkUpscaler:
    """The network in `folder`/`name`.pth or .safetensors; the file is looked for at once. See NetworkUpscaler.

    name: may end in the share of denoising, as in "realesr-general-x4v3:0.5".
    Raises Misconfigured when it is not there, or torch is not installed.
    """
    name, _, share = name.partition(":")
    denoise = float(share or 1)
    path = _find(folder, name)
    mild = _find(folder, name.replace(STRONG, MILD)) if denoise < 1 and STRONG in name else None
    if importlib.util.find_spec("torch") is None:
        raise Misconfigured(
            f"{path}: upscaling needs torch, which is not installed.",
            "Install it with: pip install 'vitrine[diffusion]'.",
        )
    return NetworkUpscaler(path, mild, denoise, device)


def _find(folder: Path, name: str) -> Path:
    found = next((path for end in SUFFIXES if (path := folder / f"{name}{end}").is_file()), None)
    if found is None:
        raise Misconfigured(f"{folder / name}.pth: the upscaler is not there.", _ADVICE)
    return found


class NetworkUpscaler:
    """An `Upscaler` (see there). path: of the weights. Safe to share between threads.

    mild, denoise: a second file of the same network that leaves the noise in, and the share of the first in the mixture.
    device: "cuda", "cpu", or "" for a graphics card where there is one.
    """

    def __init__(self, path: Path, mild: Path | None = None, denoise: float = 1.0, device: str = "") -> None:
        self.path = path
        self._mild, self._denoise, self._device = mild, denoise, device
        self._lock = threading.Lock()
        self._engine: _Engine | None = None

    def __call__(self, srgb: F32, size_px: tuple[int, int]) -> F32:
        """See Upscaler. One pass of the network; what is missing beyond its scale is interpolated."""
        if size_px[0] <= srgb.shape[1] and size_px[1] <= srgb.shape[0]:
            return resized(srgb, size_px)
        return resized(self.enlarged(srgb), size_px)

    def enlarged(self, srgb: F32, tile_px: int = 0) -> F32:
        """(scale h, scale w, 3) 0..1; tile_px: 0 is what suits the device. Raises as the call does."""
        with self._lock:
            if self._engine is None:
                self._engine = _load(self.path, self._mild, self._denoise, self._device)
            return self._engine.enlarged(srgb, tile_px)

    def release(self) -> None:
        """Free the network's memory; the next picture loads it anew."""
        with self._lock:
            self._engine = None


@dataclass(slots=True)
class _Engine:
    """A loaded network. half: works with 16-bit numbers."""

    path: Path
    family: Family
    network: Any
    device: Any
    half: bool

    def enlarged(self, srgb: F32, tile_px: int) -> F32:
        tile_px = tile_px or (GPU_TILE_PX if self.device.type == "cuda" else CPU_TILE_PX)
        size = {
            "scale": self.family.scale,
            "context_px": self.family.context_px,
            "multiple_px": self.family.multiple_px,
        }
        tight = False
        try:
            return np.clip(tiled(srgb, self._run, tile_px=tile_px, **size), 0, 1)
        except RuntimeError as error:
            tight = "memory" in str(error).lower()
            if not tight:
                raise
            if tile_px <= LEAST_TILE_PX:
                raise _too_large(self.path) from error
        return self.enlarged(
            srgb, max(tile_px // 2, LEAST_TILE_PX)
        )  # outside: the failed try's tensors are free by now

    def _run(self, tile: F32) -> F32:
        import torch  # noqa: PLC0415

        given = torch.from_numpy(np.ascontiguousarray(tile.transpose(2, 0, 1)))[None].to(self.device)
        with torch.inference_mode():
            made = self._made(given)
            if self.half and not bool(torch.isfinite(made).all()):
                self.half = False
                made = self._made(given)
        result: F32 = made[0].permute(1, 2, 0).cpu().numpy()
        return result

    def _made(self, given: Any) -> Any:
        import torch  # noqa: PLC0415

        with torch.autocast(
            self.device.type, torch.float16, enabled=self.half
        ):  # the weights keep all their digits
            return self.network(given).float()


def _load(path: Path, mild: Path | None, denoise: float, device: str) -> _Engine:
    import torch  # noqa: PLC0415

    settle_torch(torch)
    from pipeline.upscale.networks import build  # noqa: PLC0415 - brings torch

    weights = _read(path)
    family = _family(path, weights)
    if mild is not None:
        weights = _mixed(path, weights, mild, _read(mild), denoise)
    if not all(bool(torch.isfinite(one).all()) for one in weights.values()):
        raise _unfit(path, "some of its weights are no numbers; the file is damaged")
    with torch.device("meta"):  # no random start for what is replaced at once
        network = build(family)
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise _unfit(path, f"it is not a whole network ({' '.join(str(error).split())[:200]})") from error
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        network = network.eval().to(where)
    except RuntimeError as error:
        if "memory" in str(error).lower():
            raise _too_large(path) from error
        raise
    return _Engine(path, family, network, where, half=where.type == "cuda")


def _family(path: Path, weights: Mapping[str, Any]) -> Family:
    try:
        return family_of({name: tuple(one.shape) for name, one in weights.items()})
    except ValueError as error:
        raise _unfit(path, str(error)) from error


def _read(path: Path) -> dict[str, Any]:
    """The file's tensors as float32, with today's names. Raises Misconfigured."""
    import torch  # noqa: PLC0415

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file  # noqa: PLC0415

            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as error:  # pickle, zipfile, struct and both libraries have errors of their own for damage
        raise _unfit(
            path, f"it cannot be read: damaged, cut short, or more than weights ({type(error).__name__})"
        ) from error
    found = next((found[root] for root in ROOTS if isinstance(found, dict) and root in found), found)
    if not isinstance(found, dict) or not all(isinstance(one, torch.Tensor) for one in found.values()):
        raise _unfit(path, "it holds something else than the weights of a network")
    names = names_of_today(found)
    return {names[name]: tensor.float() for name, tensor in found.items()}


def _mixed(
    path: Path, strong: dict[str, Any], mild: Path, weak: dict[str, Any], share: float
) -> dict[str, Any]:
    """Deep network interpolation (Wang et al. 2019): the weights are mixed, not the pictures."""
    if {name: one.shape for name, one in strong.items()} != {name: one.shape for name, one in weak.items()}:
        raise _unfit(mild, f"it is not the same network as {path.name}, so they cannot be mixed")
    return {name: share * one + (1 - share) * weak[name] for name, one in strong.items()}


def _too_large(path: Path) -> Busy:
    advice = "Close what else uses it, or raise memory_mb in vitrine.toml."
    return Busy(f"{path}: there is not enough memory to enlarge a picture.", advice)


def _unfit(path: Path, what: str) -> Misconfigured:
    return Misconfigured(f"{path}, an upscaler: {what}.", _ADVICE)
