"""The plates that ship: `python -m tests.benchmarks.plates [--fresh velvet.flat ...]`. Prints figures, never fails on one.

For each plate: megabytes; milliseconds to load what its slowest lighting needs, and to load and light it at 1080 x 1080 on two
threads, with nothing kept but the disk's own cache, so as for the first picture of a set; the same in processor time, summed
over threads; banding and added clipping of the finished picture. With `--fresh`, Blender path-traces the same set once more,
whole: all lamps of a rig at once, their colours and strengths changed, the cloth in the colours of its first palette and of its
palest, and once in the neutral grey it was baked in. Against that the lit plate is measured: PSNR of the log-encoded radiance
(10 stops), mean CIEDE2000.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from skimage.color import deltaE_ciede2000, rgb2lab

from pipeline.backdrop import interreflection, pile, plate_file
from pipeline.backdrop import plate as plate_backdrop
from pipeline.backdrop.plate import plated
from pipeline.backdrop.stage import Stage, srgb_to_rgb
from pipeline.color import srgb_from_linear
from pipeline.finish.quantize import quantize
from pipeline.grade import grade
from pipeline.judge.technical import technical_figures
from pipeline.layout import CONTACT_AT, MIDDLE_AT
from pipeline.memory import keep_big_blocks
from pipeline.recipe import Surface
from pipeline.rig import Rig
from pipeline.values import F32, Ground
from presets.bake.make import ROOT, run_blender
from presets.bake.order import order
from presets.bake.pack import exposure
from presets.bake.queue import QUEUE, Bake
from presets.library import library

SIDE, FILL = 1080, 0.62
ASKED = "load <= 60 ms, load and light <= 150 ms, PSNR >= 40 dB, dE <= 2, no banding, clipping <= 0.5 %"
STOPS = (-9.0, 1.0)
CHANGES = ((1.3, (1.1, 0.9, 0.8)), (0.6, (0.8, 1.0, 1.3)), (1.7, (1.0, 1.1, 0.7)), (0.9, (1.2, 1.0, 1.0)))


def shelved() -> Iterator[tuple[Path, plate_file.Plate]]:
    """All plates that ship, and where they lie."""
    for header in sorted(plate_file.FOLDER.glob(f"*/{plate_file.HEADER}")):
        yield header.parent, plate_file.read_plate(header.parent)


def ground(view: str) -> Ground:
    """A piece of the usual size where pieces usually are."""
    at = CONTACT_AT if view == "table" else MIDDLE_AT
    return Ground(30.0 if view == "table" else 90.0, FILL * SIDE, (SIDE / 2, at * SIDE))


def surfaces_of(plate: str) -> list[Surface]:
    """All palettes that show the plate."""
    every = (file.surface(palette) for file in library().surfaces.values() for palette in file.palettes)
    shown = [surface for surface in every if surface.plate == plate]
    if not shown:
        raise SystemExit(f"no surface shows the plate {plate}")
    return shown


def palest(plate: str) -> Surface:
    """The palette in which folds throw most light at each other."""
    return max(surfaces_of(plate), key=lambda one: float(srgb_to_rgb(one.base).mean()))


def grey(plate: str) -> Surface:
    """The plate as it was baked: body and sheen neutral, so that lights alone differ."""
    surface = surfaces_of(plate)[0]
    sheen = next(one for _, one in shelved() if one.name == plate).lobes.sheen.gain
    colors = {"base": _hex(plate_file.BODY), "accent": _hex(1 / max(1.0, sheen))}
    return surface.model_copy(update=colors | {"palette": "the grey it was baked in"})


def _hex(grey: float) -> str:
    """sRGB code of a linear grey."""
    return "#" + 3 * f"{round(255 * srgb_from_linear(np.array(grey)).item()):02x}"


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.plates", description=__doc__)
    cli.add_argument("--fresh", nargs="*", default=[], help="plates to path-trace again: velvet.flat")
    cli.add_argument("--rigs", nargs="*", default=["moody"], help="the lighting it is path-traced in")
    cli.add_argument("--blender", type=Path, default=ROOT / ".venv-blender" / "bin" / "python")
    args = cli.parse_args()
    cv2.setNumThreads(2)
    keep_big_blocks()  # as every process that renders
    table = Table(
        "plate",
        "MB",
        "load ms",
        "load + light ms",
        "processor ms",
        "banding",
        "clipped %",
        "painted under",
        title=f"Asked: {ASKED}",
    )
    for folder, plate in shelved():
        table.add_row(folder.name, *_row(plate, folder))
    Console(width=120).print(table)
    for name in args.fresh:
        for rig in args.rigs:
            plate = name.partition(".")[0]
            for surface in dict.fromkeys((grey(plate), surfaces_of(plate)[0], palest(plate))):
                psnr, difference = fresh(name, surface, library().rigs[rig], args.blender)
                print(
                    f"{name} in {surface.palette} against a fresh path-traced picture, {rig} with other strengths "
                    f"and colours: PSNR {psnr:.1f} dB, CIEDE2000 {difference:.2f}"
                )


def _row(plate: plate_file.Plate, folder: Path) -> list[str]:
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    surface = surfaces_of(plate.name)[0]
    rigs = {name: rig for name, rig in library().rigs.items() if _has_lamps(plate, rig)}
    stages = [_stage(surface, rig, plate.view) for rig in rigs.values()]
    load = max(statistics.median(_load_ms(plate, folder, stage.rig) for _ in range(5)) for stage in stages)
    both, busy = (max(every) for every in zip(*(_light_ms(stage) for stage in stages), strict=True))
    banding, clipped = zip(*(_finished(stage) for stage in stages), strict=True)
    lacking = ", ".join(name for name in library().rigs if name not in rigs)
    return [
        f"{size:.2f}",
        f"{load:.0f}",
        f"{both:.0f}",
        f"{busy:.0f}",
        f"{max(banding):.4f}",
        f"{max(clipped):.2f}",
        lacking,
    ]


def _has_lamps(plate: plate_file.Plate, rig: Rig) -> bool:
    try:
        return all(plate.lamp_for(light) for light in rig.lights)
    except plate_file.NotForThis:
        return False


def _stage(surface: Surface, rig: Rig, view: str) -> Stage:
    return Stage(surface, rig, view, SIDE, SIDE, 0, ground(view))


def forget() -> None:
    """What a process keeps from one picture for the next."""
    for kept in (plate_file.read_picture, interreflection.hidden_share, pile._tips, plate_backdrop._grains):
        kept.cache_clear()


def _load_ms(plate: plate_file.Plate, folder: Path, rig: Rig) -> float:
    plate_file.read_picture.cache_clear()
    start = time.perf_counter()
    needed = [plate.lamp_for(light) for light in rig.lights] + [plate.ambient]
    for picture in needed + ([plate.mask] if plate.mask else []):
        plate_file.read_picture(folder, picture)
    return 1000 * (time.perf_counter() - start)


def _light_ms(stage: Stage) -> tuple[float, float]:
    """Medians of wall time, and of processor time, which other work on the machine hardly changes."""
    wall, busy = [], []
    for _ in range(5):
        forget()
        start, begun = time.perf_counter(), time.process_time()
        plated(stage)
        wall.append(1000 * (time.perf_counter() - start))
        busy.append(1000 * (time.process_time() - begun))
    return statistics.median(wall), statistics.median(busy)


def _finished(stage: Stage) -> tuple[float, float]:
    """Banding, and percent of pixels at white, of the bare set in the finished picture's grade."""
    light = np.sum(list(plated(stage).groups.values()), axis=0)
    look = library().looks["neutral"]
    figures = technical_figures(quantize(grade(light, look), 0, look.grain))
    return figures["banding"], figures["clipped_high_pct"]


def changed(rig: Rig) -> Rig:
    """The rig with other strengths and colours."""
    lights = tuple(
        light.model_copy(
            update={
                "strength": light.strength * gain,
                "color": tuple(a * b for a, b in zip(light.color, tint, strict=True)),
            }
        )
        for light, (gain, tint) in zip(rig.lights, CHANGES, strict=False)
    )
    dome = rig.ambient.model_copy(update={"strength": 1.5 * rig.ambient.strength, "color": (1.2, 1.0, 0.8)})
    return rig.model_copy(update={"lights": lights, "ambient": dome, "exposure_ev": 0.0})


def fresh(name: str, surface: Surface, rig: Rig, blender: Path) -> tuple[float, float]:
    """PSNR (dB) and mean colour difference of the lit plate against a path-traced whole, under the rig, changed."""
    surface_name, _, view = name.partition(".")
    bake = next(one for one in QUEUE if one.name == surface_name)
    plate = plate_file.read_plate(plate_file.folder_of(surface_name, view))
    truth = _path_traced(bake, plate, surface, changed(rig), blender)
    lit = _lit_whole(plate, surface, changed(rig))
    return _psnr(lit, truth), _delta_e(lit, truth)


def _path_traced(bake: Bake, plate: plate_file.Plate, surface: Surface, rig: Rig, blender: Path) -> F32:
    stage = _stage(surface, rig, plate.view)
    lobes = {"body": plate.lobes.body, "sheen": plate.lobes.sheen, "gloss": plate.lobes.gloss}
    colors = {"base": stage.base(), "accent": stage.accent(), "detail": stage.detail()}
    with tempfile.TemporaryDirectory() as work:
        asked = order(
            bake,
            plate.view,
            {rig.name: rig},
            Path(work),
            os.cpu_count() or 2,
        )
        by_name = {f"{rig.name}-{light.name}": light for light in rig.lights}
        for lamp in asked["lights"]:
            source: Any = by_name.get(lamp["name"], rig.ambient)
            lamp["tint"] = [source.strength * part for part in source.color]
        asked |= {
            "paint": {name: lobe.tinted(colors).tolist() for name, lobe in lobes.items()},
            "samples": 3 * bake.samples,
            "scale": 1.0,
        }
        run_blender(asked, blender)
        return exposure(Path(asked["folder"]) / "fresh.exr")


def _lit_whole(plate: plate_file.Plate, surface: Surface, rig: Rig) -> F32:
    """The whole canvas at its own size, without texture."""
    canvas = plate.canvas
    # Run-time pixels count from their centres.
    origin = (canvas.origin[0] - 0.5, canvas.origin[1] - 0.5)
    at = Ground(canvas.elevation_deg, canvas.unit_px, origin)
    stage = Stage(surface, rig, plate.view, *canvas.size_px, 0, at)
    return np.sum(list(plated(stage, textured=False).groups.values()), axis=0)


def _psnr(a: F32, b: F32) -> float:
    low, span = 2.0 ** STOPS[0], STOPS[1] - STOPS[0]
    error = (np.log2(np.maximum(a, 0) + low) - np.log2(np.maximum(b, 0) + low)) / span
    return float(-10 * np.log10(np.mean(error**2)))


def _delta_e(a: F32, b: F32) -> float:
    shown = [rgb2lab(np.clip(srgb_from_linear(one), 0, 1)) for one in (a, b)]
    return float(deltaE_ciede2000(*shown).mean())


if __name__ == "__main__":
    sys.exit(main())
