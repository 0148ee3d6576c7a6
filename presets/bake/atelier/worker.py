"""One Blender process for one plate: its order on standard input, EXRs of all lamps into a folder. Owns the order of exposures.

An exposure that is there already is not made again, so a bake that was cut off goes on. Lines that start with @ are for
the parent.
"""

import json
import sys
import time
from pathlib import Path

import bpy
import numpy as np

from presets.bake.atelier import exposure, lamps
from presets.bake.atelier.sets import GLOWS, MASKS, SURFACES
from presets.bake.atelier.surfaces import Site


def _empty():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def _light(light):
    """Nothing but this lamp. Returns what must go again."""
    scene = bpy.context.scene
    if light["name"] == "ambient":
        scene.world = bpy.data.worlds["dome"]
        return []
    scene.world = bpy.data.worlds["night"]
    pattern = np.load(light["pattern"]) if light["pattern"] else None
    return lamps.lamp(light, pattern)


def expose_all(order, folder):
    """Every lamp of the order on the surface, each into its file."""
    todo = [light for light in order["lights"] if not (folder / light["file"]).exists()]
    if not todo:
        return
    _empty()
    SURFACES[order["surface"]](Site(order["view"], order["seed"]))
    lamps.dome(), lamps.night()
    for light in todo:
        start = time.monotonic()
        samples = order["samples"] * (2 if light["name"] == "ambient" else 1)  # the whole sky is noisier
        exposure.settings(seed=order["seed"], samples=samples, noise=order["noise"], threads=order["threads"])
        exposure.camera(order["canvas"], light["scale"])
        hung = _light(light)
        exposure.expose(folder / light["file"])
        for obj in hung:
            bpy.data.objects.remove(obj)
        print(f"@lit {light['name']} {time.monotonic() - start:.1f} s", flush=True)


def expose_mask(order, folder):
    """Where the body has the palette's other colours, as light of its own, into `mask.exr`."""
    if order["surface"] in MASKS:
        denoised = order.get("mask_denoised", False)
        _expose_alone(order, folder / "mask.exr", MASKS, order["mask_samples"], order["mask_scale"], denoised)


def expose_glow(order, folder):
    """The lights that are part of the set, into `glow.exr`."""
    if order["surface"] in GLOWS:
        _expose_alone(order, folder / "glow.exr", GLOWS, order["glow_samples"], 1.0, denoised=True)


def _expose_alone(order, path, sets, samples, scale, denoised):
    """A set that shines by itself, at night."""
    if path.exists():
        return
    _empty()
    sets[order["surface"]](Site(order["view"], order["seed"]))
    bpy.context.scene.world = lamps.night()
    exposure.settings(seed=order["seed"], samples=samples, noise=0.01, threads=order["threads"])
    bpy.context.scene.cycles.use_denoising = denoised
    exposure.camera(order["canvas"], scale)
    exposure.expose(path)
    print(f"@{path.stem}", flush=True)


def expose_together(order, folder):
    """The set as it would be: all lamps of one rig at once, in their colours, on the surface in its own, into `fresh.exr`."""
    _empty()
    SURFACES[order["surface"]](Site(order["view"], order["seed"], order["paint"]))
    exposure.settings(
        seed=order["seed"] + 1, samples=order["samples"], noise=order["noise"], threads=order["threads"]
    )
    exposure.camera(order["canvas"], order["scale"])
    lamps.hang(order["lights"])
    exposure.expose(folder / "fresh.exr")


def main():
    """Order in, exposures out."""
    order = json.load(sys.stdin)
    folder = Path(order["folder"])
    if "paint" in order:
        expose_together(order, folder)
    else:
        expose_mask(order, folder)
        expose_glow(order, folder)
        expose_all(order, folder)
    print(f"@blender {bpy.app.version_string}", flush=True)


if __name__ == "__main__":
    main()
