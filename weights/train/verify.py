"""`make dataset-check`: whether samples keep their promises. Owns the promises; refuses to mend what breaks them.

Each promise is a property of the data that training relies on; a broken one is printed with the sample's name.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from weights.train import samples
from weights.train.catalogue import PARTS
from weights.train.develop import develop
from weights.train.spec import draw

Layers = dict[str, NDArray[np.float32]]
JPEG_ERROR: Final = 9.0
"""Mean difference, in levels, that JPEG and half floats may put between the photo and the layers developed again."""


def _alpha(layers: Layers, png: NDArray[np.uint8]) -> list[str]:
    a, light = layers["alpha"], layers["piece"].sum(-1)
    if a.shape != png.shape:
        return ["the alpha picture has another size than the layer"]
    return [
        why
        for bad, why in (
            (a.min() < 0 or a.max() > 1, "alpha leaves 0…1"),
            (np.abs(a - png / 255).max() > 0.003, "the alpha picture is not the layer"),
            ((light[a == 0] > 1e-3).any(), "the piece shines where alpha is 0"),
            (not (a > 0.5).any(), "there is no piece"),
            (float((a > 0.5).mean()) > 0.95, "there is no ground"),
        )
        if bad
    ]


def _geometry(layers: Layers) -> list[str]:
    on, solid = layers["alpha"] > 0, layers["alpha"] > 0.5
    length = np.linalg.norm(layers["normal"], axis=-1)
    part = layers["part"]
    return [
        why
        for bad, why in (
            (
                any(
                    layers[k].min() < 0 or not np.isfinite(layers[k]).all()
                    for k in ("height_px", "height_mm")
                ),
                "height below the ground",
            ),
            ((layers["height_px"][~on] > 0).any(), "height outside the piece"),
            ((np.abs(length[solid] - 1) > 0.01).mean() > 0.002, "normals are not of unit length"),
            ((length[~on] > 1e-3).any(), "normals outside the piece"),
            (not np.isin(part, range(len(PARTS))).all(), "unknown parts"),
            ((part[solid] == 0).mean() > 0.02, "piece without a part"),
            ((part[~on] > 0).any(), "parts outside the piece"),
        )
        if bad
    ]


def broken(folder: Path, seed: int) -> list[str]:
    """The promises the sample breaks, in words; an empty list is a good sample."""
    where = samples.stem(folder, seed)
    record: dict[str, Any] = json.loads(where.with_suffix(".json").read_text(encoding="utf-8"))
    layers = samples.read_layers(Path(f"{where}.layers.exr"))
    photo = np.asarray(Image.open(where.with_suffix(".jpg")), np.float32)
    png = np.asarray(Image.open(f"{where}.alpha.png"))
    spec = draw(seed, record["split"])
    said = (
        []
        if json.loads(json.dumps(spec.as_json())).items() <= record.items()
        else ["the record is not the seed's"]
    )
    mixed = layers["piece"] + (1 - layers["alpha"][..., None]) * layers["shadowed"]
    again = develop(mixed, layers["ground"], layers["alpha"], spec.shot, seed).astype(np.float32)
    if float(np.abs(again - photo).mean()) > JPEG_ERROR:
        said.append("the layers do not make the photo")
    return said + _alpha(layers, png) + _geometry(layers)


def main() -> int:
    """Command line."""
    cli = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    cli.add_argument("folder", type=Path)
    folder = cli.parse_args().folder
    seeds = sorted(int(p.stem) for p in folder.glob("*.json"))
    wrong = {s: why for s in seeds if (why := broken(folder, s))}
    for seed, why in wrong.items():
        print(f"{seed:06d}: {'; '.join(why)}")
    print(f"{len(seeds) - len(wrong)} of {len(seeds)} samples keep every promise")
    return 1 if wrong or not seeds else 0


if __name__ == "__main__":
    sys.exit(main())
