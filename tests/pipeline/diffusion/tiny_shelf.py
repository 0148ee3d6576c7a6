"""A studio's weights folder full of small models."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.diffusion import tiny_diffusion as tiny

SORTS = ("sd", "sdxl", "sdxl-turbo")


def furnish(weights: Path, sorts: tuple[str, ...] = SORTS) -> Path:
    """Each sort as the folder `tiny-SORT` and the file `file-SORT`, with `depth-SORT`, `edges-SORT` and the LoRA `house-SORT`."""
    for sort in sorts:
        folder = weights / "diffusion" / f"tiny-{sort}"
        tiny.sd(folder) if sort == "sd" else tiny.sdxl(folder, turbo=sort == "sdxl-turbo")
        tiny.single_file(weights / "diffusion" / f"file-{sort}.safetensors", folder)
        for kind in ("depth", "edges"):
            tiny.controlnet(weights / "control" / f"{kind}-{sort}", folder)
        tiny.lora(weights / "lora" / f"house-{sort}", folder)
    return weights
