"""One Blender process for one picture: its order on standard input, the ground with and without the piece into a folder.

Owns the piece in the scene and the order of the two exposures. The lens never sees the piece itself: its pixels are the
photo's own. It blocks light, is mirrored, and glows with the light that the photo shows it giving off.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from presets.bake.atelier import exposure, lamps
from presets.bake.atelier.sets import SURFACES
from presets.bake.atelier.surfaces import Site

FEET = 0.012  # units above the lowest point: what the piece stands on
FEELERS = 200  # of the feet are tried
SETTLED = 0.7  # share of the feet that stand on the cloth; the rest sinks in
DEATH = 1  # PR_SET_PDEATHSIG, prctl(2)


def end_with(parent):
    """The kernel ends this process when the one that asked is gone; and the parent's cap on memory is not ours."""
    ctypes.CDLL(None).prctl(DEATH, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that asked is gone")
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def back_of(elevation_deg):
    """Unit vector from the set to the lens."""
    e = np.radians(elevation_deg)
    return np.array((0.0, -np.cos(e), np.sin(e)))


def rise(points, back):
    """How far to move along the line of sight, where nobody sees it, so that the feet stand on what the set's ground is there."""
    feet = points[points[:, 2] <= points[:, 2].min() + FEET]
    feet = feet[:: max(1, len(feet) // FEELERS)]
    scene = bpy.context.scene
    graph = bpy.context.evaluated_depsgraph_get()
    moves = []
    for foot in feet:
        hit, where, *_ = scene.ray_cast(graph, Vector(foot + back * 5), Vector(-back))
        if hit:
            moves.append(float((np.array(where) - foot) @ back) + foot[2] / back[2])
    return float(np.quantile(moves, SETTLED)) if moves else 0.0


def _glowing():
    """Light as the photo shows it, in mirrors; on matte ground the share that the card says."""
    material = bpy.data.materials.new("piece")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    kinds = ("Attribute", "LightPath", "MapRange", "Emission", "OutputMaterial")
    color, path, share, emit, out = (nodes.new(f"ShaderNode{kind}") for kind in kinds)
    color.attribute_name = "glow"
    share.inputs["To Min"].default_value = 1.0
    links.new(color.outputs["Alpha"], share.inputs["To Max"])
    links.new(path.outputs["Is Diffuse Ray"], share.inputs["Value"])
    links.new(share.outputs["Result"], emit.inputs["Strength"])
    links.new(color.outputs["Color"], emit.inputs["Color"])
    links.new(emit.outputs["Emission"], out.inputs["Surface"])
    material.cycles.emission_sampling = "NONE"
    return material


def piece(card, back):
    """The card as an object that the lens does not see."""
    points, faces = card["points"], card["faces"]
    points = points + back * rise(points, back)
    mesh = bpy.data.meshes.new("piece")
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", (np.arange(len(faces)) * 4).astype(np.int32))
    mesh.update(calc_edges=True)
    glow = mesh.attributes.new("glow", "FLOAT_COLOR", "POINT")
    glow.data.foreach_set("color", card["glow"].ravel())
    mesh.materials.append(_glowing())
    obj = bpy.data.objects.new("piece", mesh)
    bpy.context.scene.collection.objects.link(obj)
    obj.visible_camera = False
    return obj


def stage(order):
    """The empty set and Cycles' settings."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    SURFACES[order["surface"]](Site(order["view"], order["seed"], order["paint"], order["rough"]))
    exposure.settings(
        seed=order["seed"], samples=order["samples"], noise=order["noise"], threads=order["threads"]
    )


def _expose(order, name):
    exposure.camera(order["canvas"], order["scales"][name])
    exposure.expose(Path(order["folder"]) / f"{name}.exr")


def main():
    """Order in, two exposures out."""
    order = json.load(sys.stdin)
    end_with(order["parent"])
    stage(order)
    with np.load(Path(order["folder"]) / "card.npz") as card:
        stands = piece(card, back_of(order["canvas"]["elevation_deg"]))
    lamps.hang(order["lights"])
    _expose(order, "shaded")
    # Kept in the scene, as taking it out would build the scene anew.
    stands.visible_diffuse = stands.visible_glossy = stands.visible_transmission = False
    stands.visible_shadow = False
    _expose(order, "bare")


if __name__ == "__main__":
    main()
