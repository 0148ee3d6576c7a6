"""The one door to onnxruntime. Owns how a network is opened and run on the CPU; never touches the network outside."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import cv2

from pipeline.errors import Misconfigured


def runtime() -> Any:
    """The module, without a word from it on the terminal. Raises `Misconfigured` when it is not installed."""
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise Misconfigured(
            "Networks for cut-outs need onnxruntime, which cannot be imported.",
            "Install Vitrine again; its lock file names onnxruntime.",
        ) from error


def options(threads: int = 0) -> Any:
    """Session options: same answer on any number of threads. threads: 0 takes as many as OpenCV does."""
    chosen = runtime().SessionOptions()
    chosen.intra_op_num_threads = threads or cv2.getNumThreads()
    chosen.inter_op_num_threads = 1
    chosen.use_deterministic_compute = True
    chosen.log_severity_level = 4
    return chosen


def open_network(network: bytes | Path, threads: int = 0) -> Any:
    """A session for an ONNX file or its bytes. Raises `Misconfigured` for what is none."""
    source = network if isinstance(network, bytes) else str(network)
    try:
        return runtime().InferenceSession(source, options(threads), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base but this one
        raise Misconfigured(
            f"The network {'' if isinstance(network, bytes) else network} cannot be opened: {error}",
            "The file is damaged or incomplete; copy it there again.",
        ) from error
