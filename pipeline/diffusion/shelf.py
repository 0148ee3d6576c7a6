"""The weights folder of a studio: which models, ControlNets and LoRAs lie where, and which fits. Refuses to load any.

diffusion/<name>/ or <name>.safetensors   models
control/<name>/                           ControlNets
lora/<name>/ or <name>.safetensors        LoRAs
config/<family>/                          small files for models in one file
upscale/                                  upscalers
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pipeline.diffusion.files import WEIGHTS, Control, Kind, Lora, Model, control_at, lora_at, model_at
from pipeline.errors import Misconfigured

MODELS, CONTROLS, LORAS, CONFIGS, UPSCALERS = "diffusion", "control", "lora", "config", "upscale"
ROOMS: Final = (MODELS, CONTROLS, LORAS, CONFIGS, UPSCALERS)
KINDS: Final[tuple[Kind, ...]] = ("depth", "normal", "edges")
Found = TypeVar("Found", Model, Control, Lora)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder. Everything is looked up anew: what is put there is there."""

    folder: Path

    def model(self, name: str = "") -> Model:
        """The model of that name, or the first. Raises Misconfigured that says where it was looked for and what to put there."""
        path = self._path(MODELS, name) if name else next(self.paths(MODELS), None)
        if path is None:
            what = f"the diffusion model {name} is not in {self.folder / MODELS}"
            raise Misconfigured(
                f"{what if name else f'there is no diffusion model in {self.folder / MODELS}'}",
                "Put a model's folder, as diffusers saves it, or its one .safetensors file there (`vitrine weights import`).",
            )
        return model_at(path, self.folder / CONFIGS)

    def control(self, wanted: str, model: Model) -> Control | None:
        """The ControlNet for the model: of the wanted kind; for `auto` the first of any kind, or None.

        Raises Misconfigured when the wanted one is not there.
        """
        if wanted == "none":
            return None
        fitting = [one for one in self._sound(CONTROLS, control_at) if one.kind and one.cross == model.cross]
        for kind in KINDS if wanted == "auto" else (wanted,):
            for one in fitting:
                if one.kind == kind:
                    return one
        if wanted == "auto":
            return None
        raise Misconfigured(
            f"there is no ControlNet for {wanted} in {self.folder / CONTROLS} that fits {model.name}",
            f'Put its folder, as diffusers saves it, there, with "{wanted}" in its name, or set control = "auto".',
        )

    def lora(self, name: str) -> Lora:
        """The LoRA of that name. Raises Misconfigured that says where it was looked for."""
        path = self._path(LORAS, name)
        if path is None:
            raise Misconfigured(
                f"the LoRA {name} is not in {self.folder / LORAS}",
                "Put its .safetensors file, or the folder of that name, there (`vitrine weights import`).",
            )
        return lora_at(path)

    def paths(self, room: str) -> Iterator[Path]:
        """What lies in one room: folders and .safetensors files, by name; not the small files beside a single file."""
        home = self.folder / room
        for path in sorted(home.iterdir()) if home.is_dir() else ():
            hidden = path.name.startswith(".") or path.suffix == ".config"
            if not hidden and (path.is_dir() or path.suffix == WEIGHTS):
                yield path

    def _path(self, room: str, name: str) -> Path | None:
        return next(
            (path for path in self.paths(room) if name in {path.name, path.name.removesuffix(WEIGHTS)}), None
        )

    def _sound(self, room: str, read: Callable[[Path], Found]) -> Iterator[Found]:
        for path in self.paths(room):
            try:
                yield read(path)
            except Misconfigured:  # `vitrine weights check` tells
                continue
