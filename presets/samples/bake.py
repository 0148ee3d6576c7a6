"""Bake the sample photos: plain shop pictures of jewels that exist only as a recipe, and their exact mattes.

Run it in Blender's own environment (bpy wants its own Python and numpy), from anywhere:

    python3.11 -m venv /some/where/blender
    /some/where/blender/bin/pip install bpy==5.0.1 "pillow>=11"
    /some/where/blender/bin/python presets/samples/bake.py                  # all of them, about 5 minutes each on 2 cores
    /some/where/blender/bin/python presets/samples/bake.py ring_solitaire --samples 16 --scale 0.4 --out /tmp/proof

For each piece it writes `<name>.jpg` (sRGB, no metadata) and `alpha/<name>.png` (8 bit grey: the piece alone,
no shadow, from a second render of the same scene and pixel filter). The picture is path-traced linear light, then
developed as a camera does it: exposure for paper just under clip, a slight cast, lens fall-off, photon and read
noise, JPEG. Same recipe, same picture, up to the denoiser's rounding.
"""

import argparse
import math
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # the workshop is shared with the generator of training pictures

import pieces

from weights.train.atelier.materials import blank, gem, metal, pearl


@dataclass(frozen=True)
class Box:
    """A soft box (or with `light` 0 a black card): where it stands, its size in mm, radiance in the middle."""

    azimuth_deg: float
    elevation_deg: float
    distance: float
    width: float
    height: float
    light: float
    kelvin_tint: tuple = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Shot:
    """One photograph. Lengths in mm; azimuth 0 is behind the piece, 180 the camera, 90 the right."""

    piece: str
    elevation_deg: float
    width: float
    size: tuple
    boxes: tuple
    aim: tuple = (0.0, 0.0, 0.0)
    lens_mm: float = 100.0
    f_number: float = 32.0
    focus_before: float = 0.0  # mm in front of `aim`, along the axis of the lens
    room: float = 0.05
    paper_srgb: float = 0.89
    cast: tuple = (1.0, 1.0, 1.0)
    noise: float = 0.006
    seed: int = 1
    samples: int = 16
    paper: tuple = field(default=(0.86, 0.855, 0.84))


WARM, COOL = (1.0, 0.95, 0.88), (0.93, 0.97, 1.0)
SHOTS = {
    "ring_solitaire": Shot(
        "ring_solitaire",
        25,
        39,
        (1600, 1600),
        aim=(0, 0, 12.8),
        focus_before=2.0,
        f_number=45,
        boxes=(
            Box(-60, 46, 300, 140, 160, 14),
            Box(94, 32, 330, 60, 260, 5, COOL),
            Box(12, 78, 330, 100, 66, 4),
            Box(178, 22, 380, 120, 320, 0),
            Box(-125, 24, 250, 100, 200, 0),
        ),
        cast=(1.005, 1.0, 0.985),
        seed=11,
        samples=36,
    ),
    "earrings_drop": Shot(
        "earrings_drop",
        66,
        52,
        (1500, 1800),
        aim=(0, -1.5, 1),
        focus_before=1.5,
        boxes=(
            Box(-40, 52, 260, 150, 110, 9, WARM),
            Box(110, 34, 260, 60, 140, 3.2, COOL),
            Box(180, 60, 360, 190, 70, 0),
            Box(60, 80, 300, 58, 58, 5),
        ),
        cast=(1.005, 1.0, 0.985),
        seed=12,
        samples=24,
    ),
    "pendant_chain": Shot(
        "pendant_chain",
        78,
        76,
        (1500, 1900),
        aim=(0, 1.5, 0),
        focus_before=2.0,
        boxes=(
            Box(-58, 44, 330, 130, 150, 9),
            Box(72, 36, 330, 50, 190, 3.5, COOL),
            Box(180, 62, 420, 280, 130, 0),
            Box(0, 60, 380, 240, 46, 0),
            Box(0, 86, 400, 60, 60, 3),
        ),
        cast=(0.985, 1.0, 1.012),
        seed=13,
    ),
    "earrings_hoop": Shot(
        "earrings_hoop",
        36,
        62,
        (1800, 1500),
        aim=(0.5, 1, 3.0),
        focus_before=4.0,
        boxes=(
            Box(58, 50, 270, 135, 160, 9, WARM),
            Box(-88, 26, 270, 56, 210, 4),
            Box(-10, 82, 300, 88, 50, 3),
            Box(180, 18, 340, 270, 150, 0),
            Box(140, 30, 300, 75, 200, 0),
        ),
        cast=(1.008, 1.0, 0.975),
        seed=14,
    ),
    "bangle_stones": Shot(
        "bangle_stones",
        27,
        79,
        (1800, 1350),
        aim=(0, 0, 2),
        focus_before=21.0,
        boxes=(
            Box(-52, 50, 390, 200, 225, 9),
            Box(112, 24, 390, 70, 280, 4, COOL),
            Box(20, 80, 420, 140, 70, 3),
            Box(182, 50, 420, 90, 40, 5),
            Box(182, 20, 480, 230, 130, 0),
            Box(-130, 20, 420, 105, 230, 0),
        ),
        cast=(1.0, 1.0, 0.99),
        seed=15,
        samples=36,
    ),
    "brooch_flower": Shot(
        "brooch_flower",
        74,
        60,
        (1600, 1800),
        aim=(0, -5.0, 1),
        focus_before=2.0,
        boxes=(
            Box(48, 48, 280, 140, 140, 9),
            Box(-80, 34, 290, 54, 175, 3.5, WARM),
            Box(180, 58, 370, 220, 90, 0),
            Box(-30, 80, 340, 68, 68, 4),
        ),
        cast=(1.0, 1.0, 0.98),
        seed=16,
    ),
}


# ---------------------------------------------------------------- materials


def bench():
    """All materials of the workshop. Metal colours are measured reflectances, linear."""
    return {
        "gold": metal("gold", (1.0, 0.78, 0.34), 0.10),
        "silver": metal("silver", (0.93, 0.915, 0.88), 0.12),
        "diamond": gem("diamond", (1, 1, 1), 2.42, 0),
        "sapphire": gem("sapphire", (0.015, 0.20, 0.74), 1.76, 0.48),
        "ruby": gem("ruby", (0.85, 0.02, 0.07), 1.76, 0.28),
        "emerald": gem("emerald", (0.04, 0.72, 0.30), 1.58, 0.42),
        "amethyst": gem("amethyst", (0.40, 0.08, 0.72), 1.55, 0.24),
        # Small stones are cut from deeper material, or they would look washed out.
        "sapphire_small": gem("sapphire_small", (0.015, 0.20, 0.74), 1.76, 1.5),
        "ruby_small": gem("ruby_small", (0.85, 0.015, 0.06), 1.76, 1.1),
        "emerald_small": gem("emerald_small", (0.03, 0.70, 0.28), 1.58, 1.0),
        "aqua": gem("aqua", (0.35, 0.78, 0.92), 1.58, 0.22),
        "pearl": pearl("pearl"),
    }


# ---------------------------------------------------------------- the studio


def toward(azimuth_deg, elevation_deg):
    """Unit vector from the piece to a stand."""
    az, el = math.radians(azimuth_deg), math.radians(elevation_deg)
    return Vector((math.cos(el) * math.sin(az), math.cos(el) * math.cos(az), math.sin(el)))


def _plane(name, width, height, mat):
    mesh = bpy.data.meshes.new(name)
    w, h = width / 2, height / 2
    mesh.from_pydata([(-w, -h, 0), (w, -h, 0), (w, h, 0), (-w, h, 0)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new()
    for loop, uv in zip(mesh.uv_layers[0].data, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        loop.uv = uv
    mesh.materials.append(mat)
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def stand(box, aim):
    """A soft box whose cloth is hottest in the middle, or a black card; the camera itself does not see it."""
    mat, nodes, links, out = blank("box")
    if box.light > 0:
        emit, uv, grad, span = (
            nodes.new(f"ShaderNode{k}") for k in ("Emission", "TexCoord", "TexGradient", "MapRange")
        )
        shift = nodes.new("ShaderNodeMapping")
        shift.inputs["Location"].default_value, shift.inputs["Scale"].default_value = (
            (-0.85, -0.85, 0),
            (1.7, 1.7, 0),
        )
        grad.gradient_type = "SPHERICAL"
        span.inputs["To Min"].default_value, span.inputs["To Max"].default_value = box.light * 0.22, box.light
        emit.inputs["Color"].default_value = (*box.kelvin_tint, 1)
        links.new(uv.outputs["UV"], shift.inputs["Vector"])
        links.new(shift.outputs["Vector"], grad.inputs["Vector"])
        links.new(grad.outputs["Fac"], span.inputs["Value"])
        links.new(span.outputs["Result"], emit.inputs["Strength"])
        links.new(emit.outputs["Emission"], out.inputs["Surface"])
    else:
        dull = nodes.new("ShaderNodeBsdfDiffuse")
        dull.inputs["Color"].default_value = (0.012, 0.012, 0.012, 1)
        links.new(dull.outputs["BSDF"], out.inputs["Surface"])
    obj = _plane("box", box.width, box.height, mat)
    d = toward(box.azimuth_deg, box.elevation_deg)
    obj.matrix_world = d.to_track_quat("Z", "Y").to_matrix().to_4x4()
    obj.matrix_world.translation = Vector(aim) + d * box.distance
    obj.visible_camera = False


def sweep_paper(shot):
    """A paper sweep: flat under the piece, rising behind it in a wide curve; fine tooth."""
    mat, nodes, links, out = blank("paper")
    bsdf, noise, bump, where = (
        nodes.new(f"ShaderNode{k}") for k in ("BsdfPrincipled", "TexNoise", "Bump", "TexCoord")
    )
    bsdf.inputs["Base Color"].default_value = (*shot.paper, 1)
    bsdf.inputs["Roughness"].default_value, bsdf.inputs["Specular IOR Level"].default_value = 0.62, 0.28
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = 3.0, 6
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.16, 0.05
    links.new(where.outputs["Object"], noise.inputs["Vector"])
    links.new(noise.outputs["Fac"], bump.inputs["Height"])
    links.new(bump.outputs["Normal"], bsdf.inputs["Normal"])
    links.new(bsdf.outputs["BSDF"], out.inputs["Surface"])
    far, r = 3.2 * shot.width, 3.0 * shot.width
    line = [(-9 * shot.width, 0.0), (far, 0.0)]
    line += [(far + r * math.sin(v), r - r * math.cos(v)) for v in np.linspace(0, 0.5 * math.pi, 40)[1:]]
    line.append((far + r, 5 * shot.width))
    half = 9 * shot.width
    verts = [(x, y, z) for y, z in line for x in (-half, half)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(line) - 1)]
    mesh = bpy.data.meshes.new("paper")
    mesh.from_pydata(verts, [], faces)
    mesh.shade_smooth()
    mesh.materials.append(mat)
    obj = bpy.data.objects.new("paper", mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def camera(shot):
    """A macro lens at its true distance, with its true depth of field."""
    cam = bpy.data.cameras.new("camera")
    cam.lens, cam.sensor_width, cam.sensor_fit = shot.lens_mm, 36.0, "HORIZONTAL"
    d, distance = toward(180, shot.elevation_deg), shot.width * shot.lens_mm / 36.0
    obj = bpy.data.objects.new("camera", cam)
    obj.matrix_world = d.to_track_quat("Z", "Y").to_matrix().to_4x4()
    obj.matrix_world.translation = Vector(shot.aim) + d * distance
    cam.clip_start, cam.clip_end = 1, 1e5
    cam.dof.use_dof, cam.dof.focus_distance = True, distance - shot.focus_before
    cam.dof.aperture_fstop = shot.f_number / 1000  # Blender's lens is in mm but its unit would be a metre
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.scene.camera = obj


def build(shot):
    """An empty studio, the piece on its paper, the lights. Returns (piece objects, paper)."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    world = bpy.data.worlds.new("room")
    if not world.node_tree:
        world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 0.98, 0.95, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = shot.room
    scene.world = world
    objs = getattr(pieces, shot.piece)(bench())
    paper = sweep_paper(shot)
    for box in shot.boxes:
        stand(box, (0, 0, 0))
    camera(shot)
    return objs, paper


# ---------------------------------------------------------------- rendering


def cycles(shot, samples, scale, threads):
    """Renderer settings; the pixel filter is the same for the picture and its matte."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = shot.size
    scene.render.resolution_percentage = round(100 * scale)
    if threads:
        scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.use_persistent_data = True  # the matte reuses the scene
    scene.view_settings.view_transform = "Raw"
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.image_settings.color_depth = "32"
    c = scene.cycles
    c.device, c.seed, c.samples, c.adaptive_threshold = "CPU", shot.seed, samples, 0.07
    c.adaptive_min_samples = 8  # the paper is smooth and done early; metal and stones get the rest
    c.use_denoising, c.denoiser, c.denoising_input_passes = True, "OPENIMAGEDENOISE", "RGB_ALBEDO_NORMAL"
    c.max_bounces, c.transmission_bounces, c.glossy_bounces, c.diffuse_bounces = 14, 12, 6, 3
    c.transparent_max_bounces = 16
    c.caustics_reflective = c.caustics_refractive = True
    c.blur_glossy, c.sample_clamp_indirect = 0.4, 6.0


def shoot(path):
    """Render to EXR and read it back as linear (H, W, 4), rows downwards."""
    scene = bpy.context.scene
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    w, h = image.size
    pixels = np.empty(w * h * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(h, w, 4)[::-1]


def matte(objs, paper, path):
    """The piece alone as alpha: same camera, lens and filter, everything else out of sight."""
    scene = bpy.context.scene
    flat, nodes, links, out = blank("flat")
    links.new(nodes.new("ShaderNodeEmission").outputs["Emission"], out.inputs["Surface"])
    bpy.context.view_layer.material_override = flat
    paper.hide_render = True
    scene.render.film_transparent = True
    scene.cycles.use_denoising, scene.cycles.samples, scene.cycles.use_adaptive_sampling = False, 64, False
    return np.clip(shoot(path)[..., 3], 0, 1)


def develop(linear, alpha, shot):
    """From scene light to a JPEG's pixels: expose for the paper, cast, fall-off, noise, tone, sRGB. uint8 (H, W, 3)."""
    rng = np.random.Generator(np.random.PCG64(shot.seed))
    h, w, _ = linear.shape
    middle = np.zeros((h, w), bool)
    middle[h // 8 : -h // 8, w // 8 : -w // 8] = True
    paper = np.median(linear[middle & (alpha < 0.004)], axis=0)
    gain = ((shot.paper_srgb + 0.055) / 1.055) ** 2.4 / paper.mean()
    x = linear * gain * np.asarray(shot.cast, np.float32)
    yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    x *= (1 - 0.05 * (xx**2 + yy**2) / 2)[..., None]  # the lens' own fall-off
    coarse = rng.normal(0, 1, ((h + 1) // 2, (w + 1) // 2, 3)).repeat(2, 0).repeat(2, 1)[:h, :w]
    grain = 0.75 * rng.normal(0, 1, (h, w, 3)) + 0.5 * coarse  # demosaicing spreads noise over neighbours
    x += grain * shot.noise * np.sqrt(np.maximum(x, 0) + 0.004)
    knee = 0.80  # a camera's shoulder: highlights roll off instead of breaking
    over = np.maximum(x - knee, 0)
    x = np.where(x > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee) * 0.85)), np.maximum(x, 0))
    srgb = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(srgb * 255 + rng.uniform(0, 1, x.shape), 0, 255).astype(np.uint8)


def bake(name, out, samples, scale, threads):
    """One photo and its matte."""
    shot, start = SHOTS[name], time.time()
    objs, paper = build(shot)
    cycles(shot, samples or shot.samples, scale, threads)
    with tempfile.TemporaryDirectory() as work:
        linear = shoot(Path(work) / "photo.exr")[..., :3].astype(np.float64)
        alpha = matte(objs, paper, Path(work) / "alpha.exr")
    (out / "alpha").mkdir(parents=True, exist_ok=True)
    Image.fromarray(develop(linear, alpha, shot)).save(
        out / f"{name}.jpg", quality=92, subsampling=2, optimize=True
    )
    Image.fromarray(np.round(alpha * 255).astype(np.uint8)).save(out / "alpha" / f"{name}.png", optimize=True)
    print(
        f"{name}: {time.time() - start:.0f} s, {(out / f'{name}.jpg').stat().st_size / 1024:.0f} KB",
        flush=True,
    )


def main():
    """Command line."""
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("names", nargs="*", default=list(SHOTS), help="which photos; all of them by default")
    cli.add_argument("--out", type=Path, default=HERE)
    cli.add_argument("--samples", type=int, default=0, help="paths per pixel; 0 takes the recipe's own")
    cli.add_argument("--scale", type=float, default=1.0, help="share of the full size, for proofs")
    cli.add_argument("--threads", type=int, default=0)
    args = cli.parse_args()
    for name in args.names:
        bake(name, args.out, args.samples, args.scale, args.threads)


if __name__ == "__main__":
    main()
