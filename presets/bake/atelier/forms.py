"""Height fields as meshes. Owns geometry; refuses materials."""

import bpy
import numpy as np


def field(bed, heights):
    """A smooth mesh of heights (rows near to far, columns) over a `drape.Bed`."""
    X, Y = bed.grid()
    rows, columns = X.shape
    points = np.stack([X, Y, np.asarray(heights, np.float32)], -1).reshape(-1, 3)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None]).ravel()
    faces = np.stack([corner, corner + 1, corner + columns + 1, corner + columns], -1)
    mesh = bpy.data.meshes.new("field")
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", points.ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.ravel().astype(np.int32))
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", (np.arange(len(faces)) * 4).astype(np.int32))
    mesh.update(calc_edges=True)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    obj = bpy.data.objects.new("field", mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def slab(bed):
    """The bed itself, flat."""
    bpy.ops.mesh.primitive_plane_add(
        size=1.0, location=(bed.left + bed.width / 2, bed.near + bed.depth / 2, 0.0)
    )
    obj = bpy.context.object
    obj.scale = (bed.width, bed.depth, 1.0)
    return obj
