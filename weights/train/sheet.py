"""`make dataset-sheet`: samples side by side for the eye. Owns one picture; refuses to judge.

A row is one sample: the photo, the piece on magenta, the photo's ground with its shadow, normals, height, parts.
"""

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from weights.train import samples

PART_COLOURS: Final = np.array(
    [(40, 40, 40), (220, 180, 60), (200, 230, 255), (200, 30, 90), (250, 235, 220), (60, 140, 90)], np.uint8
)


def _shown(linear: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(linear, 0, 1) ** (1 / 2.2) * 255, np.uint8)


def row(folder: Path, seed: int) -> list[NDArray[np.uint8]]:
    """The views of one sample, each (H, W, 3). Without layers: photo and cut-out only."""
    where = samples.stem(folder, seed)
    photo = np.asarray(Image.open(where.with_suffix(".jpg")).convert("RGB"))
    a = np.asarray(Image.open(f"{where}.alpha.png"), np.float32)[..., None] / 255
    cut = (a * photo + (1 - a) * np.array([255, 0, 255])).astype(np.uint8)
    exr = Path(f"{where}.layers.exr")
    if not exr.exists():
        return [photo, cut]
    layers = samples.read_layers(exr)
    bright = max(float(np.median(layers["ground"])), 0.05)
    height = layers["height_px"] / max(float(layers["height_px"].max()), 1e-3)
    return [
        photo,
        cut,
        _shown(layers["shadowed"] * 0.75 / bright),
        ((layers["normal"] * 0.5 + 0.5) * 255).astype(np.uint8),
        _shown(height[..., None].repeat(3, 2)),
        PART_COLOURS[layers["part"].astype(int)],
    ]


def _fitted(view: NDArray[np.uint8], cell: int) -> Image.Image:
    image = Image.fromarray(view)
    image.thumbnail((cell, cell), Image.Resampling.LANCZOS)
    return image


def main() -> None:
    """Command line."""
    cli = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    cli.add_argument("folder", type=Path)
    cli.add_argument("picture", type=Path)
    cli.add_argument("--first", type=int, default=0, help="how many samples to pass over")
    cli.add_argument("--count", type=int, default=12)
    cli.add_argument("--cell", type=int, default=320, help="px")
    cli.add_argument("--columns", type=int, default=1, help="samples in a row")
    cli.add_argument("--views", type=int, default=6)
    args = cli.parse_args()
    records = sorted(args.folder.glob("*.json"))[args.first : args.first + args.count]
    cell, wide = args.cell, args.columns * args.views
    sheet = Image.new("RGB", (wide * cell, -(-len(records) // args.columns) * cell), (90, 90, 90))
    pen = ImageDraw.Draw(sheet)
    for i, path in enumerate(records):
        x, y = (i % args.columns) * args.views * cell, (i // args.columns) * cell
        for k, view in enumerate(row(args.folder, int(path.stem))[: args.views]):
            sheet.paste(_fitted(view, cell), (x + k * cell, y))
        r = json.loads(path.read_text(encoding="utf-8"))
        words = f"{path.stem} {r['family']} {r['lie']} {r['metal']} {r['stone']} {r['ground']} {r['light']}"
        pen.text((x + 3, y + cell - 13), words, fill=(255, 60, 60))
    sheet.save(args.picture)


if __name__ == "__main__":
    main()
