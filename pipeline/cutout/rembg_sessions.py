"""rembg's networks as segmenters. The one door to rembg; opens local files only, never a socket.

rembg fetches a missing network by itself and stretches every mask to 0..1, so that an empty photo gets a mask of
amplified noise. Both are undone here: the file must be there before rembg is even imported, and the stretch is
inverted with the network's own extremes.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from pipeline.errors import Misconfigured
from pipeline.onnx import options
from pipeline.values import F32, U8

LOCAL_NETWORKS = (
    "u2net",
    "u2netp",
    "silueta",
    "isnet-general-use",
    "bria-rmbg",
    "birefnet-general",
    "birefnet-general-lite",
    "birefnet-general-fp16",
    "birefnet-dis",
    "birefnet-hrsod",
    "birefnet-massive",
)
"""rembg's names of networks that run on this machine and return one mask of the salient thing.

Not here: its clients of paid web services, and networks for people, clothes or prompts.
"""

FLAT = 1 / 255  # a spread under one step of rembg's 8-bit mask carries no shape


class RembgSegmenter:
    """One of rembg's networks behind the `Segmenter` protocol.

    name: one of `LOCAL_NETWORKS`. folder: where `<name>.onnx` lies, or rembg's own `models/<name>/<name>.onnx`.
    threads: of the network on the CPU; 0 takes as many as OpenCV does. The file is looked for at once; it is loaded by the first
    picture. Safe to share between threads.
    Raises `Misconfigured` for an unknown name, a missing or damaged file, or when rembg is not installed.
    """

    soft = False
    overview_px = 640

    def __init__(self, name: str, folder: Path, *, threads: int = 0) -> None:
        self.name = name
        self._path = find_network(name, folder)
        self._threads = threads
        self._lock = threading.Lock()
        self._session: Any = None

    def segment(self, srgb: U8) -> F32:
        """Probability 0..1 that a pixel is the piece, (h, w) float32, from (h, w, 3) uint8 in sRGB encoding."""
        with self._lock:
            if self._session is None:
                self._session = _open(self.name, self._path, self._threads)
            network: _Extremes = self._session.inner_session
            # A flat output makes rembg divide by zero; its picture is then not used.
            with np.errstate(invalid="ignore", divide="ignore"):
                stretched = self._session.predict(Image.fromarray(np.ascontiguousarray(srgb)))[0]
            low, high = network.low, network.high
        share = np.asarray(stretched, np.float32) / np.float32(255)
        return _unstretch(share, low, high, logits=hasattr(self._session, "sigmoid"))


def find_network(name: str, folder: Path) -> Path:
    """Path of the network's file in `folder`; raises `Misconfigured` saying where it was looked for."""
    if name not in LOCAL_NETWORKS:
        raise Misconfigured(
            f"The cut-out network '{name}' is not one that can run on this machine.",
            f"Choose one of: {', '.join(LOCAL_NETWORKS)}.",
        )
    places = (folder / f"{name}.onnx", folder / "models" / name / f"{name}.onnx")
    for path in places:
        if path.is_file():
            return path
    raise Misconfigured(
        f"The cut-out network '{name}' needs the file {name}.onnx, and it is neither at {places[0]} nor at {places[1]}.",
        f"Copy {name}.onnx into {folder}, or choose the segmenter 'classical', which needs no file. "
        "Nothing is ever downloaded by itself.",
    )


class _Extremes:
    """Stands in for an onnxruntime session and remembers the extremes of the mask before rembg stretches it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.low = self.high = 0.0

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, names: Any, feed: Any) -> Any:
        outputs = self._session.run(names, feed)
        mask = outputs[0][:, 0, :, :]
        self.low, self.high = float(np.min(mask)), float(np.max(mask))
        return outputs


def _unstretch(share: F32, low: float, high: float, *, logits: bool) -> F32:
    """Invert `share = (p - low) / (high - low)`, where p is what the network said.

    logits: rembg put the output through a sigmoid before it stretched. An output that leaves 0..1 without that is
    made of logits too, stretched as they are.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise Misconfigured(
            "The cut-out network returned numbers that are not finite.",
            "Its file is damaged or is not a network for cut-outs; replace it.",
        )
    bare = not logits and (low < -FLAT or high > 1 + FLAT)
    if logits:
        low, high = float(_sigmoid(low)), float(_sigmoid(high))
    if high - low < FLAT:
        said = np.full_like(share, 0.5 * (low + high))
    else:
        said = np.float32(low) + share * np.float32(high - low)
    return np.clip(_sigmoid(said) if bare else said, 0, 1).astype(np.float32)


def _sigmoid(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x)))


def _open(name: str, path: Path, threads: int) -> Any:
    kinds = _import_rembg()
    # The only hook rembg has for "where is the file" is the method that would download it.
    local = type("Local", (kinds[name],), {"download_models": classmethod(lambda _cls, *_, **__: str(path))})
    try:
        session = local(name, options(threads), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base but this one
        raise Misconfigured(
            f"The cut-out network {path} cannot be opened: {error}",
            f"The file is damaged or incomplete. Copy {name}.onnx there again.",
        ) from error
    session.inner_session = _Extremes(session.inner_session)
    return session


def _import_rembg() -> dict[str, Any]:
    """Rembg's session classes by name.

    rembg's own package module imports pymatting, whose first import compiles for a minute, for a matting that is not
    used here. An empty package in its place lets `rembg.sessions` be imported alone.
    """
    spec = importlib.util.find_spec("rembg")
    if spec is None or spec.submodule_search_locations is None:
        raise Misconfigured(
            "rembg's cut-out networks were asked for, but rembg is not installed.",
            "Install it with: pip install 'vitrine[rembg]', or choose the segmenter 'classical'.",
        )
    standing_in = "rembg" not in sys.modules
    if standing_in:
        package = ModuleType("rembg")
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["rembg"] = package
    try:
        sessions: dict[str, Any] = importlib.import_module("rembg.sessions").sessions
        return sessions
    finally:
        if standing_in:
            del sys.modules["rembg"]
