"""The one door to diffusers, peft and torch: files become a pipeline that paints. They are imported when first needed.

Owns loading, the machine's choices and the dress of LoRAs. Nothing is fetched: the hub is switched off before it is imported,
files are taken from the disk alone, weights only as safetensors, and a single file never without its local small files.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.diffusion.files import Control, Lora, Model, wrong
from pipeline.errors import Misconfigured
from pipeline.machine_code import settle_torch
from pipeline.offline import hub_off
from weights.tensors import read_head

Device = Literal["auto", "cuda", "cpu"]
Dtype = Literal["auto", "float16", "bfloat16", "float32"]
Offload = Literal["auto", "none", "model", "sequential"]
Attention = Literal["auto", "sdpa", "sliced"]
LIBRARIES: Final = ("torch", "diffusers", "transformers", "peft", "accelerate")
ROOM: Final = (
    1.3  # of the weights' bytes, and this much more, must be free on a card that shall hold all of a model
)
SPARE: Final = 3 << 30
_ONLY_HERE: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}


@dataclass(frozen=True, slots=True)
class Machine:
    """What paints, and how. auto: by what is there.

    device: a card if there is one. dtype: half precision on a card. offload: parts wait in main memory where the card has
    no room for all. attention: torch's own; sliced takes less memory and more time.
    """

    device: Device = "auto"
    dtype: Dtype = "auto"
    offload: Offload = "auto"
    attention: Attention = "auto"


def require_libraries() -> None:
    """Raises Misconfigured when the extra is not installed; imports nothing."""
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise Misconfigured(
            f"Painting backgrounds needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            "Install them with: pip install 'vitrine[diffusion]'.",
        )


def diffusers() -> Any:
    """The library, silent and without the hub. Raises Misconfigured when the extra is not installed."""
    require_libraries()
    hub_off()
    library = importlib.import_module("diffusers")
    library.utils.logging.set_verbosity_error()
    library.utils.logging.disable_progress_bar()
    importlib.import_module("transformers").utils.logging.set_verbosity_error()
    importlib.import_module("transformers").utils.logging.disable_progress_bar()
    return library


def torch() -> Any:
    """The library. Raises Misconfigured when the extra is not installed."""
    require_libraries()
    library = importlib.import_module("torch")
    settle_torch(library)
    return library


def device_of(machine: Machine) -> str:
    """`cuda` or `cpu`. Raises Misconfigured when a card is asked for that is not there."""
    there = bool(torch().cuda.is_available())
    if machine.device == "cuda" and not there:
        raise Misconfigured(
            "[diffusion] device asks for a graphics card, and torch finds none.", 'Set device = "auto".'
        )
    return "cuda" if machine.device == "cuda" or (machine.device == "auto" and there) else "cpu"


def dtype_of(machine: Machine, model: Model) -> Any:
    """Torch's type of the weights in memory."""
    if machine.dtype != "auto":
        return getattr(torch(), machine.dtype)
    if device_of(machine) == "cpu":
        return torch().float32
    return torch().bfloat16 if model.family.startswith("flux") else torch().float16


def open_model(model: Model, machine: Machine = Machine(), *, placed: bool = True) -> Any:
    """A diffusers pipeline that paints from words: on its device, with a sampler that suits the family.

    placed: False leaves it in main memory with its own sampler, for training. Raises Misconfigured for files that do not
    make a whole model.
    """
    library, dtype = diffusers(), dtype_of(machine, model)
    plain = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    more: dict[str, Any] = plain if model.family in {"sd1", "sd2"} else {}
    with _told_as_ours(model.path):
        if model.is_file:
            sort = (
                library.StableDiffusionXLPipeline
                if model.family.startswith("sdxl")
                else library.StableDiffusionPipeline
            )
            more.pop("requires_safety_checker", None)
            pipe = sort.from_single_file(
                str(model.path), config=str(model.config), local_files_only=True, dtype=dtype, **more
            )
        else:
            pipe = library.AutoPipelineForText2Image.from_pretrained(
                model.path, dtype=dtype, variant=model.variant or None, **more, **_ONLY_HERE
            )
    for name, part in pipe.components.items():
        if hasattr(part, "state_dict"):
            _check_whole(part, model.path if model.is_file else model.path / name, model)
    pipe.set_progress_bar_config(disable=True)
    if not placed:
        return pipe
    if sampler := _sampler(library, pipe, model):
        pipe.scheduler = sampler
    return place(pipe, machine)


def place(pipe: Any, machine: Machine) -> Any:
    """The pipeline on its device."""
    device = device_of(machine)
    offload = _offload(machine, device, pipe)
    if offload == "model":
        pipe.enable_model_cpu_offload()
    elif offload == "sequential":
        pipe.enable_sequential_cpu_offload()
    else:
        pipe.to(device)
    if machine.attention == "sliced":
        pipe.enable_attention_slicing()
    if hasattr(pipe, "vae") and device == "cuda":
        pipe.vae.enable_slicing()
    return pipe


def under_control(pipe: Any, control: Control, machine: Machine, model: Model) -> Any:
    """The same model, its picture held by a ControlNet; the parts are shared. Raises Misconfigured for one of another family."""
    if control.cross != model.cross:
        raise wrong(
            control.path,
            f"this ControlNet was made for models with words {control.cross} wide, and {model.name} has {model.cross}",
            "Use one of the model's family.",
        )
    library = diffusers()
    with _told_as_ours(control.path):
        net = library.ControlNetModel.from_pretrained(
            control.path, dtype=dtype_of(machine, model), **_ONLY_HERE
        )
        _check_whole(net, control.path, model)
        held = library.AutoPipelineForText2Image.from_pipe(pipe, controlnet=net)
    held.set_progress_bar_config(disable=True)
    return place(held, machine)


def painting_over(pipe: Any) -> Any:
    """The same model as one that paints over a part of a picture; the parts are shared, and lie where they lay."""
    over = diffusers().AutoPipelineForInpainting.from_pipe(pipe)
    over.set_progress_bar_config(disable=True)
    return over


def wear(pipe: Any, loras: Sequence[tuple[Lora, float]], model: Model) -> None:
    """Put these LoRAs on, at these strengths, in place of all others. Raises Misconfigured for one of another family."""
    for lora, _ in loras:
        if lora.cross not in {0, model.cross}:
            raise wrong(
                lora.path,
                f"this LoRA was trained on models with words {lora.cross} wide, and {model.name} has {model.cross}",
                "Use one of the model's family.",
            )
    pipe.unload_lora_weights()
    names = []
    for number, (lora, _) in enumerate(loras):
        names.append(f"worn{number}")
        with _told_as_ours(lora.path):
            pipe.load_lora_weights(
                lora.path.parent, weight_name=lora.path.name, adapter_name=names[-1], **_ONLY_HERE
            )
        if not any(
            names[-1] in worn for worn in pipe.get_list_adapters().values()
        ):  # diffusers passes over what it does not know, with a line in its log
            raise wrong(
                lora.path, f"nothing of this LoRA belongs to {model.name}", "Use one of the model's family."
            )
    if names:
        pipe.set_adapters(names, adapter_weights=[strength for _, strength in loras])


def lacks_memory(error: BaseException) -> bool:
    """Whether it says that the card's or the machine's memory ran out."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said


def _sampler(library: Any, pipe: Any, model: Model) -> Any:
    """Few-step models: Euler ancestral over trailing steps; the others: DPM-Solver++ (Lu 2022) at Karras' noise levels."""
    if model.family.startswith("flux"):
        return None
    if model.few_steps:
        return library.EulerAncestralDiscreteScheduler.from_config(
            pipe.scheduler.config, timestep_spacing="trailing"
        )
    return library.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config, use_karras_sigmas=True)


def _offload(machine: Machine, device: str, pipe: Any) -> str:
    if device == "cpu":
        return "none"
    if machine.offload != "auto":
        return machine.offload
    free, _ = torch().cuda.mem_get_info()
    return "none" if fits(*weights_of(pipe), free) else "model"


def weights_of(pipe: Any) -> tuple[int, int]:
    """Bytes of a pipeline's weights as they are in memory, and of those that are not on a card yet."""
    parts = [part for part in pipe.components.values() if hasattr(part, "parameters")]
    weights = {id(one): one for part in parts for one in part.parameters()}.values()
    sizes = [(one.numel() * one.element_size(), one.is_cuda) for one in weights]
    return sum(size for size, _ in sizes), sum(size for size, there in sizes if not there)


def fits(size: int, waiting: int, free: int) -> bool:
    """Whether a card with so many free bytes holds weights of `size` bytes, `waiting` of which are not there yet, and works."""
    return free > waiting + size * (ROOM - 1) + SPARE


def _check_whole(part: Any, path: Path, model: Model) -> None:
    """The libraries fill what a file lacks with random numbers and go on; that is no model."""
    tensors = dict(part.state_dict())
    missing = {name for name, tensor in tensors.items() if tensor.is_meta}
    if not (missing or model.is_file):
        stored = [read_head(file).shapes for file in path.glob("*.safetensors")]
        if hasattr(part, "load_config"):  # diffusers' own keep the names of their tensors
            missing = set(tensors).difference(*stored)
        else:
            missing = _not_stored(tensors, stored)
    if missing:
        raise wrong(path, f"{len(missing)} of its weights are missing, such as {min(missing)}")


def _not_stored(tensors: Mapping[str, Any], stored: Sequence[Mapping[str, tuple[int, ...]]]) -> set[str]:
    """Tensors that the files have none for. Transformers renames as it loads, so they are counted by their shapes.

    Tensors that share their memory are stored once.
    """
    there = Counter(shape for shapes in stored for shape in shapes.values())
    missing, seen = set(), set()
    for name, tensor in tensors.items():
        if tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        there[tuple(tensor.shape)] -= 1
        if there[tuple(tensor.shape)] < 0:
            missing.add(name)
    return missing


@contextmanager
def _told_as_ours(path: Path) -> Iterator[None]:
    """Whatever the libraries raise about files means that these are no good. Lack of memory says so itself."""
    try:
        yield
    except Misconfigured:
        raise
    except Exception as error:
        if lacks_memory(error):
            raise
        logging.getLogger("vitrine.diffusion").debug("cannot load %s", path, exc_info=error)
        said = " ".join(str(error).split())[:300]
        raise wrong(path, f"it cannot be loaded ({type(error).__name__}: {said})") from error
