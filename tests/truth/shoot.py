"""One Blender process for one piece of the truth set: its order on standard input, EXRs into a folder.

Owns the piece in the scene and the order of exposures: the photo with its geometry, the share of each light that reaches plain
ground, the mirror image's place, the piece on its set. Everything is in the world of `pipeline.rig`, seen by its camera.
"""

import json
import math
import sys
from pathlib import Path

import bpy
import numpy as np
import OpenEXR
from mathutils import Matrix, Vector

from presets.bake.atelier import exposure, forms, lamps, shot
from presets.bake.atelier.shader import Graph
from presets.bake.drape import Bed
from weights.train.atelier import lights
from weights.train.atelier.placed import placed, points, sides
from weights.train.atelier.shapes import move
from weights.train.atelier.shoot import filled, settled, stacked
from weights.train.spec import Shot, Spec

CARDS = (  # azimuth, elevation, half width, half height (units), radiance: what the metal mirrors, as a studio sets it up
    (0.0, 78.0, 1.6, 1.1, 1.5),
    (-65.0, 32.0, 0.8, 1.3, 1.3),
    (65.0, 32.0, 0.8, 1.3, 1.1),
    (180.0, 35.0, 1.4, 0.5, 0.5),
)
CARDS_AWAY = 3.0
DEPTH = 8  # bounces inside stones


def _spec(order):
    raw = dict(order["spec"])
    raw.pop("version", None)
    raw["shot"] = Shot(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw["shot"].items()})
    return Spec(**raw)


def _piece(order):
    """The piece where the layout puts it. Returns its objects."""
    objs, scale = placed(_spec(order), order["canvas"]["elevation_deg"], order["pose"])
    _rescaled(objs, scale)
    bpy.context.view_layer.update()
    return objs


def _rescaled(objs, scale):
    """Lengths inside the materials, which are in millimetres."""
    for material in {slot.material for o in objs for slot in o.material_slots}:
        for node in material.node_tree.nodes:
            if node.bl_idname in {"ShaderNodeBump", "ShaderNodeAmbientOcclusion"}:
                node.inputs["Distance"].default_value *= scale
            elif node.bl_idname == "ShaderNodeVolumeAbsorption":
                node.inputs["Density"].default_value /= scale


def _seen(objs, *, camera=True, light=True):
    for o in objs:
        o.visible_camera = camera
        o.visible_diffuse = o.visible_glossy = o.visible_transmission = o.visible_shadow = light


def _depth(bounces):
    c = bpy.context.scene.cycles
    c.max_bounces, c.transmission_bounces, c.glossy_bounces = bounces, bounces, min(bounces, 4)
    c.diffuse_bounces = min(bounces, 2)


def _layers(on):
    """Whether exposures hold all passes of the piece, or the picture alone."""
    image = bpy.context.scene.render.image_settings
    layer = bpy.context.view_layer
    layer.use_pass_normal = layer.use_pass_position = layer.use_pass_material_index = on
    bpy.context.scene.render.film_transparent = on
    if on:
        image.media_type = "MULTI_LAYER_IMAGE"
        image.file_format = "OPEN_EXR_MULTILAYER"
    else:
        image.media_type = "IMAGE"
        image.file_format, image.color_mode = "OPEN_EXR", "RGB"
    image.color_depth, image.exr_codec = "32", "NONE"


def _expose(order, name, scale=1.0, samples=16):
    bpy.context.scene.cycles.samples = samples
    bpy.context.scene.cycles.adaptive_min_samples = samples // 2
    exposure.camera(order["canvas"], scale)
    path = Path(order["folder"]) / f"{name}.exr"
    exposure.expose(path)
    return path


def _read(path):
    with OpenEXR.File(str(path)) as exr:
        parts = [(k.split(".", 1)[1], v.pixels) for part in exr.parts for k, v in part.channels.items()]
    b = exposure.BORDER
    return {k: np.array(v, np.float32)[b:-b, b:-b] for k, v in parts}


def _paper():
    g = Graph("paper", {"body": (0.86, 0.86, 0.86), "sheen": (0, 0, 0), "gloss": (0, 0, 0)})
    ground = forms.slab(Bed(-6, -6, 12, 14))
    ground.data.materials.append(g.lobes())
    return ground


def photo(order):
    """As shops do it, on white paper in a tent: `photo.npz` holds light and geometry of the piece, `paper.exr` what is behind it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    objs, ground = _piece(order), _paper()
    lights.hang(_spec(order), Vector(shot.back_of(order["canvas"]["elevation_deg"]) * 12), 1.0)
    exposure.settings(seed=order["seed"], samples=32, noise=0.02, threads=order["threads"])
    _depth(DEPTH)
    ground.visible_camera = False
    _layers(on=True)
    path = _expose(order, "layers", samples=order["rays"])
    first = _read(path)
    path.unlink()
    rgba = stacked(first, "Combined", "RGBA")
    alpha = np.clip(rgba[..., 3], 0, 1)
    position, part = filled(first, alpha)
    canvas = order["canvas"]
    met = sides(
        objs, canvas["elevation_deg"], canvas["unit_px"], canvas["origin"], canvas["size_px"], whole=False
    )
    np.savez_compressed(
        Path(order["folder"]) / "photo.npz",
        premul=settled(np.maximum(rgba[..., :3], 0), alpha).astype(np.float16),
        alpha=alpha.astype(np.float16),
        height=np.where(alpha > 0, np.maximum(position[..., 2], 0), 0).astype(np.float16),
        low=met["low"].astype(np.float16),
        normal=stacked(first, "Normal", "XYZ").astype(np.float16),
        part=part.astype(np.uint8),
    )
    _layers(on=False)
    ground.visible_camera = True
    _seen(objs, camera=False)
    _expose(order, "paper", 0.5, 8)


def shade(order):
    """Each of key and dome alone on plain ground, with the piece and without, nothing bouncing."""
    for o in [o for o in bpy.data.objects if o.type == "LIGHT"]:
        bpy.data.objects.remove(o)
    objs = [o for o in bpy.data.objects if o.type == "MESH" and o.name.split(".")[0] != "Plane"]
    _depth(0)
    bpy.context.view_layer.material_override = Graph("white", {"body": (0.8, 0.8, 0.8)} | _NO_SHINE).lobes()
    for name in ("key", "dome"):
        bpy.context.scene.world = lamps.dome() if name == "dome" else lamps.night()
        if name == "key":
            hung = lamps.lamp(order["key"])  # without its pattern
        _seen(objs, camera=False)
        _expose(order, f"{name}-shaded", 1.0, 12)
        _seen(objs, camera=False, light=False)
        _expose(order, f"{name}-bare", 0.25, 6)
        if name == "key":
            for o in hung:
                bpy.data.objects.remove(o)
    bpy.context.view_layer.material_override = None


_NO_SHINE = {"sheen": (0, 0, 0), "gloss": (0, 0, 0)}


def mirror(order):
    """Where the mirror image of the piece is seen beside the piece: alpha of `mirror.npz`."""
    objs = [o for o in bpy.data.objects if o.type == "MESH" and o.name.split(".")[0] != "Plane"]
    for o in bpy.data.objects:
        if o not in objs and o.type == "MESH":
            o.hide_render = True
    for o in objs:
        twin = o.copy()
        bpy.context.scene.collection.objects.link(twin)
        twin.matrix_world = Matrix.Diagonal((1, 1, -1, 1)) @ o.matrix_world
        _seen([twin])
        _seen([o])
        o.is_holdout = True
    bpy.context.scene.world = lamps.night()
    bpy.context.scene.cycles.use_denoising = False
    _depth(0)
    _layers(on=True)
    path = _expose(order, "mirrored", samples=8)
    alpha = np.clip(stacked(_read(path), "Combined", "RGBA")[..., 3], 0, 1)
    path.unlink()
    np.savez_compressed(Path(order["folder"]) / "mirror.npz", alpha=alpha.astype(np.float16))
    _layers(on=False)


def _cards(objs, level):
    """Soft boxes that light the piece alone."""
    mine = bpy.data.collections.new("piece")
    for o in objs:
        mine.objects.link(o)
    for azimuth, elevation, wide, tall, radiance in CARDS:
        az, el = math.radians(azimuth), math.radians(elevation)
        axis = Vector((math.cos(el) * math.sin(az), math.cos(el) * math.cos(az), math.sin(el)))
        data = bpy.data.lights.new("card", "AREA")
        data.shape, data.size, data.size_y = "RECTANGLE", 2 * wide, 2 * tall
        data.energy = math.pi * 4 * wide * tall * radiance * level
        card = bpy.data.objects.new("card", data)
        card.rotation_mode = "QUATERNION"
        card.rotation_quaternion = axis.to_track_quat("Z", "Y")
        card.location = axis * CARDS_AWAY
        card.visible_camera = False
        card.light_linking.receiver_collection = mine
        bpy.context.scene.collection.objects.link(card)


def on_the_set(order):
    """The piece on the set under the rig: `set.exr`; the set alone: `bare.exr`."""
    shot.stage(order)
    objs = _piece(order)
    feet = points(objs)
    back = shot.back_of(order["canvas"]["elevation_deg"])
    _seen(objs, camera=True)
    for o in objs:
        o.hide_viewport = True  # the feelers must meet the ground
    bpy.context.view_layer.update()
    up = shot.rise(feet, back)
    for o in objs:
        o.hide_viewport = False
    move(objs, Matrix.Translation(Vector(back * up)))
    lamps.hang(order["lights"])
    _cards(objs, 2.0 ** -order["exposure_ev"])
    _depth(DEPTH)
    _expose(order, "set", 1.0, order["set_rays"])
    _seen(objs, camera=False, light=False)
    _depth(2)
    _expose(order, "bare", 0.5, order["set_rays"] // 2)
    return up


def main():
    """Order in, exposures out; the record is written last."""
    order = json.load(sys.stdin)
    sharp = order | {"canvas": order["canvas"] | {"lens_blur": 0.0}}  # shops stop down; geometry has no lens
    photo(sharp)
    shade(sharp)
    mirror(sharp)
    facts = {"rise": on_the_set(order), "blender": bpy.app.version_string}
    (Path(order["folder"]) / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
