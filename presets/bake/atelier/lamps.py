"""The lamps of a rig, one at a time. Owns their radiometry and the gobo in front of them; refuses everything that is lit.

Each lamp gives a white matte ground at the origin, facing it, radiance 1. A lamp with a pattern (window, spot) is a sun
behind a real mask; the penumbra comes from the sun's size. The others are disks a few units away, and fall off as such.
"""

import math

import bpy
import numpy as np
from mathutils import Vector

SUN_AWAY = 5.0  # units; where a sun stands does not matter
MASK_HEIGHT = 0.55  # units over the ground, above the highest fold
MASK_REACH = 6.0  # half side of the mask's image on the ground, units
ZENITH, HORIZON = (
    1.25,
    0.5,
)  # the dome is brighter overhead; irradiance of the open ground is HORIZON + (ZENITH - HORIZON) 2/3 = 1


def dome(tint=(1.0, 1.0, 1.0)):
    """The sky alone, as a world of its own. tint: colour times strength."""
    world = bpy.data.worlds.new("dome")
    world.cycles.sampling_method = "NONE"  # no shadow rays to the sky: a window's mask is not before it
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    where, split, span = (nodes.new(f"ShaderNode{kind}") for kind in ("TexCoord", "SeparateXYZ", "MapRange"))
    span.inputs["To Min"].default_value, span.inputs["To Max"].default_value = HORIZON, ZENITH
    links.new(where.outputs["Generated"], split.inputs["Vector"])
    links.new(split.outputs["Z"], span.inputs["Value"])
    color = nodes.new("ShaderNodeVectorMath")
    color.operation = "MULTIPLY"
    color.inputs[1].default_value = tint
    links.new(span.outputs["Result"], color.inputs[0])
    links.new(color.outputs[0], nodes["Background"].inputs["Color"])
    return world


def night():
    """No sky."""
    world = bpy.data.worlds.new("night")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.0
    return world


def hang(lights):
    """All lamps of a rig at once, and the sky, in their tints. No window keeps another lamp's light out."""
    hung = []
    for light in lights:
        if light["name"] == "ambient":
            bpy.context.scene.world = dome(light["tint"])
        else:
            hung.append(lamp(light, np.load(light["pattern"]) if light["pattern"] else None))
    for obj, *own in hung:
        others = [mask for _, *masks in hung for mask in masks if mask not in own]
        if others:
            obj.light_linking.blocker_collection = _all_but(others)


def _all_but(objects):
    """A collection for light linking: everything blocks a light but these."""
    collection = bpy.data.collections.new("all but")
    for number, obj in enumerate(objects):
        collection.objects.link(obj)
        collection.collection_objects[number].light_linking.link_state = "EXCLUDE"
    return collection


def lamp(light, pattern=None):
    """A lamp as in the rig: a disk at its `distance`, a sun if that is None. Returns its objects.

    pattern: (n, n) what gets through a mask before it, over the ground square of `MASK_REACH`. Its light is white and of
    strength 1, unless it has a `tint`, colour times strength.
    """
    axis = Vector(light["direction"])
    away = light["distance"]
    data = bpy.data.lights.new(light["name"], "AREA" if away else "SUN")
    data.color = light.get("tint", (1.0, 1.0, 1.0))
    size = math.radians(light["size_deg"])
    if away:
        radius = away * math.tan(size)
        data.shape, data.size = "DISK", 2 * radius
        data.energy = math.pi * math.pi * (radius**2 + away**2)
    else:
        data.energy, data.angle = math.pi, 2 * size
    obj = bpy.data.objects.new(light["name"], data)
    obj.rotation_mode = "QUATERNION"
    obj.rotation_quaternion = axis.to_track_quat("Z", "Y")
    obj.location = axis * (away or SUN_AWAY)
    obj.visible_camera = False
    bpy.context.scene.collection.objects.link(obj)
    return [obj] if pattern is None else [obj, _mask(light, pattern)]


def _mask(light, pattern):
    """A plate over the set that lets through what the pattern says, seen by shadow rays alone."""
    lx, ly, lz = light["direction"]
    shift = Vector((lx, ly, 0)) * (MASK_HEIGHT / lz)
    bpy.ops.mesh.primitive_plane_add(size=2 * MASK_REACH, location=shift + Vector((0, 0, MASK_HEIGHT)))
    obj = bpy.context.object
    n = len(pattern)
    image = bpy.data.images.new("mask", n, n, float_buffer=True, alpha=False)
    image.colorspace_settings.name = "Non-Color"
    pixels = np.ones((n, n, 4), np.float32)
    pixels[..., :3] = pattern[..., None]
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    material = bpy.data.materials.new("mask")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    texture, clear, out = (
        nodes.new(f"ShaderNode{kind}") for kind in ("TexImage", "BsdfTransparent", "OutputMaterial")
    )
    texture.image, texture.extension = image, "EXTEND"
    links.new(texture.outputs["Color"], clear.inputs["Color"])
    links.new(clear.outputs["BSDF"], out.inputs["Surface"])
    obj.data.materials.append(material)
    obj.visible_camera = obj.visible_diffuse = obj.visible_glossy = obj.visible_transmission = False
    return obj
