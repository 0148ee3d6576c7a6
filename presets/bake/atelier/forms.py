"""Height fields, sheets and beads as meshes. Owns geometry; refuses materials."""

import bpy
import numpy as np


def field(bed, heights):
    """A smooth mesh of heights (rows near to far, columns) over a `drape.Bed`."""
    X, Y = bed.grid()
    return sheet(np.stack([X, Y, np.asarray(heights, np.float32)], -1))


def sheet(points):
    """A smooth mesh of points (rows, columns, 3), each joined with its neighbours."""
    rows, columns = points.shape[:2]
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None]).ravel()
    return _mesh(
        points.reshape(-1, 3), np.stack([corner, corner + 1, corner + columns + 1, corner + columns], -1)
    )


def beads(places, radii, colors):
    """Spheres in one mesh. places (n, 3), radii (n,), units; colors (n, 3): the attribute `light` of each."""
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=2, radius=1.0)
    one = bpy.context.object
    unit = np.array([v.co for v in one.data.vertices], np.float32)
    faces = np.array([p.vertices for p in one.data.polygons], np.int32)
    bpy.data.objects.remove(one)
    count = len(places)
    points = (
        unit[None] * np.asarray(radii, np.float32)[:, None, None] + np.asarray(places, np.float32)[:, None]
    )
    corners = faces[None] + (np.arange(count) * len(unit))[:, None, None]
    obj = _mesh(points.reshape(-1, 3), corners.reshape(-1, 3))
    shade = np.ones((count, len(unit), 4), np.float32)
    shade[..., :3] = np.asarray(colors, np.float32)[:, None]
    light = obj.data.attributes.new("light", "FLOAT_COLOR", "POINT")
    light.data.foreach_set("color", shade.ravel())
    return obj


def _mesh(points, faces):
    """A smooth mesh; points (n, 3), faces (m, corners)."""
    mesh = bpy.data.meshes.new("mesh")
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.ravel().astype(np.int32))
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", (np.arange(len(faces)) * faces.shape[1]).astype(np.int32))
    mesh.update(calc_edges=True)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    obj = bpy.data.objects.new("mesh", mesh)
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
