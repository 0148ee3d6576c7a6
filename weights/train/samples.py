"""A sample on disk: names, encodings, and whether it is complete. Owns the files; refuses what is in them.

`NNNNNN.jpg` photo · `.alpha.png` exact alpha, 8 bit · `.layers.exr` everything else, half floats · `.json` the record,
written last: a sample without it was never made.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating]
COLOURS: Final = ("piece", "ground", "shadowed")
"""Layers of light, linear Rec.709; `piece` is premultiplied. Stored with a lossy wavelet of at most a level of error."""
MAPS: Final = ("alpha", "normal_x", "normal_y", "normal_z", "height_px", "height_mm", "part")
"""Layers of geometry, stored without loss."""


def stem(folder: Path, seed: int) -> Path:
    """Where the sample of a seed lives, without its ending."""
    return folder / f"{seed:06d}"


def made(folder: Path, seed: int) -> bool:
    """Whether the sample is there, whole."""
    return stem(folder, seed).with_suffix(".json").is_file()


def _replaced(path: Path, temporary: Path) -> None:
    temporary.replace(path)


def _channels(layers: dict[str, Floats]) -> dict[str, Any]:
    out: dict[str, Any] = {
        f"{name}.{band}": np.ascontiguousarray(layers[name][..., k].astype(np.float16))
        for name in COLOURS
        for k, band in enumerate("RGB")
    }
    for k, axis in enumerate("xyz"):
        out[f"normal_{axis}"] = np.ascontiguousarray(layers["normal"][..., k].astype(np.float16))
    for name in ("height_px", "height_mm", "alpha", "part"):
        out[name] = np.ascontiguousarray(layers[name].astype(np.float16))
    return out


def write(
    folder: Path,
    seed: int,
    photo: NDArray[np.uint8],
    layers: dict[str, Floats],
    record: dict[str, Any],
    *,
    slim: bool = False,
) -> None:
    """All files of a sample, each moved into place whole, the record last. `slim` leaves the layers out."""
    import OpenEXR  # noqa: PLC0415  only where samples are made or trained on

    where = stem(folder, seed)
    part = Path(f"{where}.part")
    shot = record["shot"]
    Image.fromarray(photo).save(part, "JPEG", quality=shot["quality"], subsampling=shot["chroma"])
    _replaced(where.with_suffix(".jpg"), part)
    Image.fromarray(np.rint(layers["alpha"] * 255).astype(np.uint8)).save(part, "PNG")
    _replaced(Path(f"{where}.alpha.png"), part)
    if not slim:
        header = {
            "compression": OpenEXR.DWAA_COMPRESSION,
            "type": OpenEXR.scanlineimage,
            "dwaCompressionLevel": 30.0,
        }
        scratch = Path(f"{where}.part.exr")
        with OpenEXR.File(header, _channels(layers)) as exr:
            exr.write(str(scratch))
        _replaced(Path(f"{where}.layers.exr"), scratch)
    with part.open("w", encoding="utf-8") as file:
        json.dump(record, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    _replaced(where.with_suffix(".json"), part)


def read_layers(path: Path) -> dict[str, NDArray[np.float32]]:
    """The layers of an `.exr` back: colours (H, W, 3), normal (H, W, 3), maps (H, W)."""
    import OpenEXR  # noqa: PLC0415

    with OpenEXR.File(str(path), separate_channels=True) as exr:
        raw = {k: np.asarray(v.pixels, np.float32) for k, v in exr.channels().items()}
    out = {name: np.stack([raw[f"{name}.{b}"] for b in "RGB"], -1) for name in COLOURS}
    out["normal"] = np.stack([raw[f"normal_{a}"] for a in "xyz"], -1)
    return out | {name: raw[name] for name in ("height_px", "height_mm", "alpha", "part")}
