"""A diffusion model, a ControlNet, a LoRA on the disk: is it whole, safe, of which family? Refuses to import torch.

A model is a folder as diffusers saves it, or one .safetensors file in the original layout beside which (or in `config/`)
lie the small files of such a folder. Pickled weights run code when they are read, so they are refused everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.errors import Misconfigured
from weights.store import Damaged
from weights.tensors import Head, read_head

Family = Literal["sd1", "sd2", "sdxl", "sdxl-turbo", "flux", "flux-schnell"]
Kind = Literal["depth", "normal", "edges"]
INDEX: Final = "model_index.json"
WEIGHTS: Final = ".safetensors"
PICKLES: Final = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
LORA_FILE: Final = f"pytorch_lora_weights{WEIGHTS}"
_SAFE_LIBRARIES = {"diffusers", "transformers", "stable_diffusion"}
_NETWORKS = {"unet", "transformer", "vae", "text_encoder", "text_encoder_2"}  # components that have weights
_PIPELINES: Mapping[str, Family] = {
    "StableDiffusionPipeline": "sd1", "StableDiffusionXLPipeline": "sdxl", "FluxPipeline": "flux",
}  # fmt: skip
_ORIGINAL: tuple[tuple[str, Family], ...] = (  # tensors that only one family's single file has
    ("conditioner.embedders.1.", "sdxl"),
    ("cond_stage_model.model.", "sd2"),
    ("cond_stage_model.transformer.", "sd1"),
)
_KINDS: Mapping[Kind, str] = {
    "depth": "depth|midas|zoe", "normal": "normal|bae", "edges": "canny|edge|lineart|hed|scribble",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be loaded. path: its folder or file; config: the folder with the small files; cross: width of its words.

    side_px: of the square pictures it was trained on. variant: of the file names, such as "fp16". size: bytes of the weights.
    """

    name: str
    path: Path
    config: Path
    family: Family
    cross: int
    side_px: int
    variant: str = ""
    size: int = 0

    @property
    def is_file(self) -> bool:
        """Whether it is one file in the original layout."""
        return self.path.suffix == WEIGHTS

    @property
    def few_steps(self) -> bool:
        """Whether it was distilled to paint in one to four steps, without guidance."""
        return self.family in {"sdxl-turbo", "flux-schnell"}


@dataclass(frozen=True, slots=True)
class Control:
    """A ControlNet. kind: what it is shown; None where neither its name nor its files say."""

    name: str
    path: Path
    kind: Kind | None
    cross: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA. cross: width of the words of the models that it was trained on, 0 where its file does not say."""

    name: str
    path: Path
    cross: int
    size: int = 0


def model_at(path: Path, configs: Path | None = None) -> Model:
    """The model at `path`; configs: folder with one folder of small files for each family.

    Raises Misconfigured that says which file is missing, damaged or unfit.
    """
    try:
        return _from_folder(path) if path.is_dir() else _from_file(path, configs)
    except (TypeError, AttributeError, KeyError, ValueError) as error:  # JSON of another shape than expected
        raise wrong(path, f"its small files are not what a model's files hold ({error})") from error


def control_at(path: Path) -> Control:
    """The ControlNet in the folder `path`. Raises Misconfigured."""
    told = _json(path / "config.json")
    if "ControlNet" not in str(told.get("_class_name")):
        raise wrong(path, "it is no ControlNet that diffusers saved")
    cross = told.get("cross_attention_dim")
    if not isinstance(cross, int):
        raise wrong(path / "config.json", "it does not say for which models it was made")
    size = _checked(_weights(path))
    name = f"{path.name} {told.get('vitrine_kind', '')} {told.get('_name_or_path', '')}".casefold()
    kinds = [kind for kind, words in _KINDS.items() if re.search(words, name)]
    return Control(path.name, path, kinds[0] if kinds else None, cross, size)


def lora_at(path: Path) -> Lora:
    """The LoRA at `path`: a .safetensors file, or a folder with one. Raises Misconfigured."""
    file = path
    if path.is_dir():
        found = sorted(path.glob(f"*{WEIGHTS}"))
        file = path / LORA_FILE if path / LORA_FILE in found else (found[0] if found else path / LORA_FILE)
    head = _head(file)
    if not any(".lora" in name or "lora_" in name for name in head.shapes):
        raise wrong(file, "there is no LoRA in it")
    # The first matrix of a cross-attention's keys is (rank, width of the words).
    widths = [
        shape[1]
        for name, shape in head.shapes.items()
        if re.search(r"attn2.to_k.*(lora_A|lora_down|lora\.down)", name) and len(shape) == 2
    ]
    return Lora(
        path.stem if path.is_file() else path.name, file, widths[0] if widths else 0, file.stat().st_size
    )


def wrong(path: Path, what: str, advice: str = "Copy the model there again, whole.") -> Misconfigured:
    """The refusal of a file."""
    return Misconfigured(f"{path}: {what}.", advice)


def _from_folder(path: Path) -> Model:
    index = _index(path)
    size, variant = 0, ""
    for name in sorted(_NETWORKS & _parts(index)):
        files = _weights(path / name)
        size += _checked(files)
        if name in {"unet", "transformer"}:
            variant = _variant(files)
    family, cross, side = _shape(path, index)
    return Model(path.name, path, path, family, cross, side, variant, size)


def _from_file(path: Path, configs: Path | None) -> Model:
    if path.suffix in PICKLES:
        raise wrong(
            path,
            "its weights are pickled and could run any program",
            f"Use the {WEIGHTS} file of that model.",
        )
    head = _head(path)
    family = _family_of(head)
    if family is None:
        raise wrong(
            path,
            "it is no Stable Diffusion or SDXL model in one file",
            "A LoRA belongs into lora/, a ControlNet into control/.",
        )
    if family == "sdxl" and _says_turbo(path.stem, head.metadata):
        family = "sdxl-turbo"
    config = _config_of(path, family, configs)
    found, cross, side = _shape(config, _index(config))
    if {found, family} != {"sdxl", "sdxl-turbo"} and found != family:
        raise wrong(
            config, f"these are the small files of the family {found}, but {path.name} is of {family}"
        )
    turbo: Family = "sdxl-turbo" if "sdxl-turbo" in {found, family} else family
    return Model(path.stem, path, config, turbo, cross, side, size=path.stat().st_size)


def _family_of(head: Head) -> Family | None:
    return next(
        (family for start, family in _ORIGINAL if any(name.startswith(start) for name in head.shapes)), None
    )


def _config_of(path: Path, family: Family, configs: Path | None) -> Path:
    """Beside the file, `<file's name>.config/`; else the family's in `configs`."""
    places = [path.with_suffix(".config")]
    if configs:
        places += [configs / family, *([configs / "sdxl"] if family == "sdxl-turbo" else [])]
    found = next((place for place in places if (place / INDEX).is_file()), None)
    if found is None:
        raise wrong(
            path,
            f"a model in one file needs the small files of its diffusers folder, and they are not in {' or '.join(map(str, places))}",
            f"Put {INDEX} and the folders scheduler, tokenizer, text_encoder, unet, vae there (their .json and .txt files, no weights).",
        )
    return found


def _shape(config: Path, index: Mapping[str, Any]) -> tuple[Family, int, int]:
    """Family, width of the words, side of the pictures: from the small files."""
    family = _PIPELINES[index["_class_name"]]
    if family == "flux":
        told = _json(config / "transformer" / "config.json")
        guided = bool(told.get("guidance_embeds"))
        return ("flux" if guided else "flux-schnell"), int(told.get("joint_attention_dim", 4096)), 1024
    unet, vae = _json(config / "unet" / "config.json"), _json(config / "vae" / "config.json")
    cross, sample = unet.get("cross_attention_dim"), unet.get("sample_size", 64)
    if not (isinstance(cross, int) and isinstance(sample, int)):
        raise wrong(config / "unet" / "config.json", "it is not that of a Stable Diffusion or SDXL model")
    if unet.get("in_channels", 4) != 4:
        raise wrong(config, "it is made for inpainting, not for painting from words")
    side = sample * 2 ** (len(vae.get("block_out_channels", [0] * 4)) - 1)
    schedule = _json(config / "scheduler" / "scheduler_config.json")
    if family == "sdxl":
        trailing = schedule.get("timestep_spacing") == "trailing"
        turbo = trailing and "EulerAncestral" in str(schedule.get("_class_name"))
        return ("sdxl-turbo" if turbo or _says_turbo(config.name, index) else "sdxl"), cross, side
    second = cross == 1024 or schedule.get("prediction_type") == "v_prediction"
    return ("sd2" if second else "sd1"), cross, side


def _says_turbo(name: str, told: Mapping[str, Any]) -> bool:
    titles = [name, *(str(told.get(key, "")) for key in ("_name_or_path", "modelspec.title"))]
    return any("turbo" in title.casefold() for title in titles)


def _index(path: Path) -> Mapping[str, Any]:
    """`model_index.json`, if all that it names comes from the libraries themselves and is there."""
    index = _json(path / INDEX)
    if index.get("_class_name") not in _PIPELINES:
        known = ", ".join(_PIPELINES)
        raise wrong(path / INDEX, f"it is of the sort {index.get('_class_name')}; Vitrine knows {known}")
    for name in sorted(_parts(index)):
        if index[name][0] not in _SAFE_LIBRARIES:
            raise wrong(path / INDEX, f"its part {name} is a program of the model's own, which is not run")
        if name not in {"safety_checker", "feature_extractor"} and not (path / name).is_dir():
            raise wrong(path / name, "it is missing")
    return index


def _parts(index: Mapping[str, Any]) -> set[str]:
    return {name for name, of in index.items() if isinstance(of, list) and len(of) == 2 and of[0]}


def _weights(folder: Path) -> list[Path]:
    """The weights' files of one network, in one variant."""
    sharded = sorted(folder.glob(f"*{WEIGHTS}.index*.json"))
    if sharded:
        names = {str(name) for name in _json(sharded[0]).get("weight_map", {}).values()}
        if any(Path(name).name != name for name in names):
            raise wrong(sharded[0], "it names files outside its folder")
        return [folder / name for name in sorted(names)]
    found = sorted(folder.glob(f"*{WEIGHTS}"))
    if not found:
        pickled = any(file.suffix in PICKLES for file in folder.iterdir()) if folder.is_dir() else False
        more = ", only pickled ones, which could run any program" if pickled else ""
        raise wrong(folder, f"there are no weights as {WEIGHTS}{more}")
    plain = [file for file in found if not _variant([file])]
    return plain[:1] or found[:1]


def _variant(files: Iterable[Path]) -> str:
    """`fp16` of `diffusion_pytorch_model.fp16.safetensors`."""
    names = {file.name.removesuffix(WEIGHTS).split("-0")[0] for file in files}
    return next((name.rpartition(".")[2] for name in names if "." in name), "")


def _checked(files: Iterable[Path]) -> int:
    """Bytes of the files, all whole."""
    total = 0
    for file in files:
        _head(file)
        total += file.stat().st_size
    return total


def _head(path: Path) -> Head:
    try:
        return read_head(path)
    except FileNotFoundError:
        raise wrong(path, "it is missing") from None
    except (Damaged, NotADirectoryError):
        raise wrong(path, "it is damaged, or was not copied to its end") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise wrong(path, "it is missing") from None
    except (OSError, ValueError) as error:
        raise wrong(path, f"it cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise wrong(path, "it is not what a model's file holds")
    return found
