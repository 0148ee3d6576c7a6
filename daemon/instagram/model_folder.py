"""The files of a language model, before any of it is loaded: is it whole, safe, and of which sort? Refuses to import torch.

A model is a folder as transformers saves it: config.json, a tokenizer, weights as safetensors. Pickled weights run code when
they are read, so they are refused.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from pipeline.errors import Misconfigured
from weights.store import Damaged
from weights.tensors import read_head

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
_INDEX = "model.safetensors.index.json"
_ADVICE = "Put the model's folder, as transformers saves it, on this machine, or take caption_model out of vitrine.toml."


def check_model(folder: Path) -> None:
    """Raises Misconfigured that says which file is missing or damaged, and when the extra is not installed."""
    if not folder.is_dir():
        raise _wrong(folder, "there is no such folder")
    _json(folder / "config.json")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise _wrong(folder, f"there is no tokenizer ({', '.join(_TOKENIZERS)})")
    for path in _weights(folder):
        _check_weights(path)
    if importlib.util.find_spec("transformers") is None or importlib.util.find_spec("torch") is None:
        raise Misconfigured(
            "[instagram] caption_model needs transformers and torch, which are not installed.",
            "Install them with: pip install 'vitrine[diffusion]', or take caption_model out of vitrine.toml.",
        )


def sees_pictures(folder: Path) -> bool:
    """Whether the model is given the picture, too. Raises Misconfigured."""
    return "vision_config" in _json(folder / "config.json")


def _weights(folder: Path) -> list[Path]:
    if (folder / _INDEX).is_file():
        names = set(_json(folder / _INDEX).get("weight_map", {}).values())
        return [folder / str(name) for name in sorted(names)]
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise _wrong(
            folder, "there are no weights as .safetensors" + (", only pickled ones" if pickled else "")
        )
    return found


def _check_weights(path: Path) -> None:
    """The head says how long the file must be; nothing else of it is read."""
    try:
        read_head(path)
    except FileNotFoundError:
        raise _wrong(path, "it is missing") from None
    except Damaged:
        raise _wrong(path, "it is damaged, or was not copied to its end") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise _wrong(path, "it is missing") from None
    except (OSError, ValueError) as error:
        raise _wrong(path, f"it cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise _wrong(path, "it is not what a model's file holds")
    return found


def _wrong(path: Path, what: str) -> Misconfigured:
    return Misconfigured(f"{path}, the language model for captions: {what}.", _ADVICE)
