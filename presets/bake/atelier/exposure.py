"""The path tracer: one lit set to pixels. Owns Cycles' settings, the camera and reading back; refuses shapes, materials, lamps.

The camera is orthographic, as it is at run time (`pipeline.rig`): x = s X, y_down = -s (Y sin e + Z cos e).
"""

import math
from pathlib import Path

import bpy
import numpy as np
import OpenEXR
from mathutils import Matrix, Vector

AWAY = 10.0  # of the camera, units; nothing of a set is higher
BORDER = 4  # px around the canvas that are rendered and thrown away: there the denoiser frays


def settings(*, seed, samples, noise, threads):
    """Cycles on the CPU with Open Image Denoise, guided by albedo and normal."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Raw"
    image = scene.render.image_settings
    image.file_format, image.color_mode, image.color_depth, image.exr_codec = "OPEN_EXR", "RGB", "32", "NONE"
    c = scene.cycles
    c.device, c.seed = "CPU", seed
    c.samples, c.use_adaptive_sampling, c.adaptive_threshold = samples, True, noise
    c.adaptive_min_samples = max(8, samples // 4)
    c.use_denoising, c.denoiser, c.denoising_input_passes = True, "OPENIMAGEDENOISE", "RGB_ALBEDO_NORMAL"
    c.denoising_prefilter, c.denoising_quality = "ACCURATE", "HIGH"
    c.max_bounces, c.diffuse_bounces, c.glossy_bounces, c.transparent_max_bounces = 2, 1, 1, 8
    c.caustics_reflective = c.caustics_refractive = False
    c.blur_glossy, c.sample_clamp_indirect, c.sample_clamp_direct = 0.8, 4.0, 0.0
    c.use_light_tree = False
    c.pixel_filter_type, c.filter_width = "BLACKMAN_HARRIS", 1.5


def camera(canvas, scale):
    """An orthographic camera over the canvas of an order (see `Canvas`), `scale` of its pixels to each side.

    Its lens_blur is the radius of the blur disk per unit of depth out of focus.
    """
    unit_px, origin = canvas["unit_px"] * scale, [v * scale for v in canvas["origin"]]
    size_px, lens_blur = [round(v * scale) for v in canvas["size_px"]], canvas["lens_blur"]
    scene = bpy.context.scene
    width, height = size_px[0] + 2 * BORDER, size_px[1] + 2 * BORDER
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    e = math.radians(canvas["elevation_deg"])
    back, up = Vector((0, -math.cos(e), math.sin(e))), Vector((0, math.sin(e), math.cos(e)))
    right = Vector((1, 0, 0))
    data = bpy.data.cameras.new("camera")
    data.type, data.ortho_scale = "ORTHO", max(width, height) / unit_px
    data.clip_start, data.clip_end = 0.01, 100.0
    # Blender's aperture radius of an orthographic camera is 1 / (2 f-stop); blur = radius * depth / focus distance.
    data.dof.use_dof = lens_blur > 0
    data.dof.focus_distance = AWAY
    data.dof.aperture_fstop = 1 / (2 * max(lens_blur, 1e-6) * AWAY)
    middle = right * ((size_px[0] / 2 - origin[0]) / unit_px) - up * ((size_px[1] / 2 - origin[1]) / unit_px)
    obj = bpy.data.objects.new("camera", data)
    obj.matrix_world = (
        Matrix.Translation(middle + back * AWAY) @ Matrix((right, up, back)).transposed().to_4x4()
    )
    scene.collection.objects.link(obj)
    scene.camera = obj


def expose(path: Path):
    """Render to `path`, EXR."""
    part = path.with_name("part-" + path.name)  # Blender adds no suffix when there is one
    bpy.context.scene.render.filepath = str(part)
    bpy.ops.render.render(write_still=True)
    part.replace(path)


def read(path: Path):
    """(H, W, 3) float32 without the border, rows downwards."""
    with OpenEXR.File(str(path)) as exr:
        pixels = np.array(exr.channels()["RGB"].pixels, np.float32)
    return pixels[BORDER:-BORDER, BORDER:-BORDER]
