"""The path tracer: one scene to layers that are kept apart. Owns Cycles' settings and passes; refuses development.

Three exposures of the same scene:
1. the piece, the ground unseen by the camera but still lighting it: premultiplied light, exact alpha, geometry;
2. the ground, the piece unseen by the camera but still casting its shadow, its reflection and its glow;
3. the ground alone.
The photo is `piece + (1 - alpha) · shadowed`, exactly, because light adds up.
"""

import tempfile
from pathlib import Path

import bpy
import numpy as np
import OpenEXR
from PIL import Image

from weights.train.atelier import grounds, lens, lights, pieces
from weights.train.catalogue import GROUNDS


def _cycles(seed, size, threads):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Raw"
    image = scene.render.image_settings
    image.media_type = "MULTI_LAYER_IMAGE"
    image.file_format, image.color_depth, image.exr_codec = "OPEN_EXR_MULTILAYER", "32", "NONE"
    c = scene.cycles
    c.device, c.seed, c.use_adaptive_sampling = "CPU", seed % (1 << 31), False
    c.use_denoising, c.denoiser, c.denoising_input_passes = True, "OPENIMAGEDENOISE", "RGB_ALBEDO_NORMAL"
    c.denoising_prefilter, c.denoising_quality = "FAST", "BALANCED"
    c.max_bounces, c.transmission_bounces, c.glossy_bounces, c.diffuse_bounces = 8, 8, 3, 2
    c.transparent_max_bounces = 8
    c.caustics_reflective = c.caustics_refractive = True
    c.blur_glossy, c.sample_clamp_indirect, c.sample_clamp_direct = 0.6, 5.0, 0.0
    c.use_light_tree = False
    c.pixel_filter_type, c.filter_width = "BLACKMAN_HARRIS", 1.5


def expose(path, rays, scale=1.0):
    """Render at a share of the full size, read back: {pass: (H, W, n) float32}, rows downwards."""
    scene = bpy.context.scene
    scene.cycles.samples = rays
    scene.render.resolution_percentage = round(100 * scale)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(str(path)) as exr:
        parts = [(k.split(".", 1)[1], v.pixels) for part in exr.parts for k, v in part.channels.items()]
    return {k: np.array(v, np.float32) for k, v in parts}


def stacked(raw, name, axes):
    """One pass of several channels, (H, W, n)."""
    if name in raw:  # the reader joins R, G, B, A by itself
        return raw[name][..., : len(axes)]
    return np.stack([raw[f"{name}.{a}"] for a in axes], -1)


def _enlarged(image, size):
    """To the full size, bicubic, channel by channel; the outermost 2 px, where the denoiser frays, are made from the next."""
    image = np.ascontiguousarray(np.pad(image[2:-2, 2:-2], ((2, 2), (2, 2), (0, 0)), mode="edge"))
    if image.shape[:2] == (size[1], size[0]):
        return image
    bands = [
        Image.fromarray(image[..., k]).resize(size, Image.Resampling.BICUBIC) for k in range(image.shape[2])
    ]
    return np.stack([np.asarray(b) for b in bands], -1)


def _grained(bare, shadowed):
    """A coarse look at the bare ground given the grain of the fine one, where the shadow leaves enough light to see it."""
    h, w, _ = shadowed.shape
    coarse = shadowed.reshape(h // 4, 4, w // 4, 4, 3).mean((1, 3)).astype(np.float32)
    ratio = bare / np.maximum(_enlarged(coarse, (w, h)), 1e-4)
    return np.where(ratio < 3, np.maximum(shadowed, 0) * ratio, bare)


def _scene(spec, size):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    piece, points, props = pieces.build(spec)
    eye, width, matrix = lens.stand(spec, points, size)
    ground = grounds.spread(spec, width)
    lights.hang(spec, eye, float(np.ptp(points, axis=0).max()))
    return piece, ground, props, matrix, width


def _seen(objs, *, camera):
    for o in objs:
        o.visible_camera = camera


def settled(premul, alpha):
    """The piece's light with its edge made of the same coverage as alpha. Both (H, W, …) in, premultiplied out.

    The denoiser smooths colour but not alpha, so that at an edge the two would disagree from pixel to pixel: colour
    there is taken from the neighbourhood, weighted by coverage.
    """

    def near(x):
        for axis in (0, 1):
            x = 0.25 * np.roll(x, 1, axis) + 0.5 * x + 0.25 * np.roll(x, -1, axis)
        return x

    straight = near(premul) / np.maximum(near(alpha), 1e-4)[..., None]
    return np.where(alpha[..., None] < 0.995, straight * alpha[..., None], premul)


def filled(first, alpha):
    """Position and part of every pixel the piece touches.

    Both come from one ray a pixel, which at thin wires and edges may have passed the piece by: such pixels take what
    a neighbour saw, as far as 4 px away.
    """
    data = np.concatenate([stacked(first, "Position", "XYZ"), stacked(first, "Material Index", "X")], -1)
    known = (data[..., 3] > 0) & (alpha > 0)
    data[~known] = 0
    for _ in range(4):
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            take = np.roll(known, (dy, dx), (0, 1)) & ~known & (alpha > 0)
            data[take] = np.roll(data, (dy, dx), (0, 1))[take]
            known |= take
    return data[..., :3].astype(np.float64), np.rint(data[..., 3])


def _height(position, alpha, matrix):
    """Picture distance of each point from its own foot on the ground, px ≥ 0, and its height in mm."""
    foot = position.copy()
    foot[..., 2] = 0
    with np.errstate(invalid="ignore", divide="ignore"):
        px = np.linalg.norm(lens.pixel(matrix, position) - lens.pixel(matrix, foot), axis=-1)
    on = alpha > 0
    return np.where(on, np.nan_to_num(px), 0), np.where(on, np.maximum(position[..., 2], 0), 0)


def _normals(raw, alpha, matrix):
    """In camera space: x right, y up, z to the eye; unit where the piece is, else 0."""
    n = stacked(raw, "Normal", "XYZ")
    axes = matrix[:, :3] - np.array([[0, 0, 1]]).T * 0  # rows hold K·R
    right = axes[0] - axes[2] * (axes[0] @ axes[2])
    down = axes[1] - axes[2] * (axes[1] @ axes[2])
    rot = np.stack([right / np.linalg.norm(right), -down / np.linalg.norm(down), -axes[2]])
    out = n @ rot.T
    length = np.linalg.norm(out, axis=-1, keepdims=True)
    return np.where((alpha[..., None] > 0) & (length > 1e-4), out / np.maximum(length, 1e-6), 0)


def shoot(spec, size, *, rays=16, threads=2):
    """All layers of one sample, linear Rec.709 float32; `size` in multiples of 4 px. Returns (layers by name, facts)."""
    piece, ground, props, matrix, width = _scene(spec, size)
    scene, layer = bpy.context.scene, bpy.context.view_layer
    _cycles(spec.seed, size, threads)
    # Most grounds are smooth but for their shadows, so a coarser look at them is enough; the grain of wood and cloth is not.
    fine = GROUNDS[spec.ground].kind in ("cloth", "wood")
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "x.exr"
        layer.use_pass_normal = layer.use_pass_position = layer.use_pass_material_index = True
        scene.render.film_transparent = True
        _seen(ground, camera=False)
        for o in props:
            o.is_holdout = True
        first = expose(out, rays)
        layer.use_pass_normal = layer.use_pass_position = layer.use_pass_material_index = False
        scene.render.film_transparent = False
        for o in props:
            o.is_holdout = False
        _seen(ground, camera=True)
        _seen(piece, camera=False)
        shadowed = stacked(expose(out, 4, 1.0 if fine else 0.5), "Combined", "RGB")
        for o in piece:  # kept in the scene, as taking it out would build the scene anew
            o.visible_diffuse = o.visible_glossy = o.visible_transmission = o.visible_shadow = False
        bare = stacked(expose(out, 4, 0.25), "Combined", "RGB")
    shadowed, bare = _enlarged(shadowed, size), _enlarged(bare, size)
    if fine:
        bare = _grained(bare, shadowed)
    rgba = stacked(first, "Combined", "RGBA")
    alpha = np.clip(rgba[..., 3], 0, 1)
    position, part = filled(first, alpha)
    height_px, height_mm = _height(position, alpha, matrix)
    layers = {
        "piece": settled(np.maximum(rgba[..., :3], 0), alpha),
        "alpha": alpha,
        "shadowed": np.maximum(shadowed, 0),
        "ground": np.maximum(bare, 0),
        "normal": _normals(first, alpha, matrix),
        "height_px": height_px,
        "height_mm": height_mm,
        "part": part.astype(np.uint8),
    }
    facts = {
        "blender": bpy.app.version_string,
        "mm_per_px": width / max(size),
        "objects": len(piece),
        "rays": rays,
    }
    return {k: np.ascontiguousarray(v) for k, v in layers.items()}, facts
