"""A piece as it is shown: put down on the ground z = 0 in units of its long side, before the camera of `pipeline.rig`. And what its shape is there.

Owns the way from the workshop's millimetres to a set, and rays through the piece; refuses light.
The camera is orthographic: x = s X, y_down = -s (Y sin e + Z cos e).
"""

import math

import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

from weights.train.atelier import pieces
from weights.train.atelier.shapes import move

# Units. The generator's watches are closed, its pendants stand on the tips of their stones, its studs on their posts. What is seen
# from above lies: watch open, pendant on its side, post in foam; how thick it then is, no outline tells, so it is no more than this.
THICKEST = 0.15
SUNK = ("stud",)
"""Families whose posts go into the foam; what else is too thick is pressed flat."""
HANG_SHARE = 0.035
"""How far a hanging piece keeps from its wall, as `pipeline.shape.solid` has it."""
AWAY = 10.0
STEP, MOST_WALLS = 1e-5, 60
"""Units from one wall of a mesh to the search for the next, and how many of them a ray is followed through."""


def placed(spec, elevation_deg, pose):
    """The piece of a spec, put down. Returns (its objects, the scale from mm)."""
    objs, _, props = pieces.build(spec)
    for prop in props:
        bpy.data.objects.remove(prop)
    return objs, put_down(objs, elevation_deg, pose, sunk=spec.family in SUNK)


def put_down(objs, elevation_deg, pose, *, sunk):
    """Bring a piece to where it is shown, its picture's long side one unit: standing on the origin, else with the middle of its box there.

    pose: "upright", "flat" or "hanging". Returns the scale from mm.
    """
    e = math.radians(elevation_deg)
    pts = points(objs)
    up = pts[:, 1] * math.sin(e) + pts[:, 2] * math.cos(e)
    x, y = (pts[:, 0].min(), pts[:, 0].max()), (up.min(), up.max())
    scale = 1 / max(x[1] - x[0], y[1] - y[0])
    at = y[0] if pose == "upright" else (y[0] + y[1]) / 2
    shift = Matrix.Translation((-(x[0] + x[1]) / 2, -at / math.sin(e), -pts[:, 2].min()))
    # From above, height does not show; on a table, the layout is of the picture, so the lift goes along the line of sight.
    gap = HANG_SHARE if pose == "hanging" else 0.0
    lift = Vector((0, -math.cos(e), math.sin(e))) * (gap / math.sin(e))
    lying = pose == "flat" and elevation_deg > 80
    tall = scale * float(np.ptp(pts[:, 2]))
    down = _laid(tall, sunk=sunk) if lying else Matrix.Identity(4)
    move(objs, Matrix.Translation(lift) @ down @ Matrix.Scale(scale, 4) @ shift)
    bpy.context.view_layer.update()
    return scale


def _laid(tall, *, sunk):
    """What brings a piece that is too tall to lie down to its thickness."""
    if tall <= THICKEST:
        return Matrix.Identity(4)
    if sunk:
        return Matrix.Translation((0, 0, THICKEST - tall))
    return Matrix.Diagonal((1, 1, THICKEST / tall, 1))


def points(objs):
    """All vertices in the world, (n, 3)."""
    out = []
    for o in objs:
        co = np.empty(len(o.data.vertices) * 3, np.float32)
        o.data.vertices.foreach_get("co", co)
        m = np.array(o.matrix_world)
        out.append(co.reshape(-1, 3) @ m[:3, :3].T + m[:3, 3])
    return np.concatenate(out)


def _tree(objs):
    faces, base = [], 0
    for o in objs:
        faces += [[base + i for i in face.vertices] for face in o.data.polygons]
        base += len(o.data.vertices)
    return BVHTree.FromPolygons(points(objs).tolist(), faces)


def sides(objs, elevation_deg, unit_px, origin, size_px, *, whole):
    """What a ray through the middle of each pixel meets, all (H, W[, 3]), float32, 0 where it meets nothing.

    top, low: height over the ground where it enters the piece first and where it leaves it again, units: the part it met first, or the `whole`
    piece; normal: world axes, where it enters.
    """
    tree = _tree(objs)
    e = math.radians(elevation_deg)
    (width, height), away = size_px, (-AWAY * math.cos(e), AWAY * math.sin(e))
    toward, onward = (0.0, math.cos(e), -math.sin(e)), (0.0, -math.cos(e), math.sin(e))
    columns = [(x + 0.5 - origin[0]) / unit_px for x in range(width)]
    top, low = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    normal = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        up = (origin[1] - y - 0.5) / unit_px
        at_y, at_z = up * math.sin(e), up * math.cos(e)
        near, far = (at_y + away[0], at_z + away[1]), (at_y - away[0], at_z - away[1])
        for x, at_x in enumerate(columns):
            first, facing, _, _ = tree.ray_cast((at_x, *near), toward)
            if first is None:
                continue
            last = tree.ray_cast((at_x, *far), onward)[0] if whole else _left(tree, first, facing, toward)
            top[y, x], low[y, x] = first.z, min(last.z, first.z) if last else first.z
            normal[y, x] = facing if facing.dot(onward) >= 0 else -facing
    return {"top": top, "low": low, "normal": normal}


def _left(tree, at, facing, toward):
    """Where a ray that enters at a point is outside of all meshes again; where it is last seen if they are open."""
    way, inside = Vector(toward), 0
    for _ in range(MOST_WALLS):
        inside += 1 if facing.dot(way) < 0 else -1
        if inside <= 0:
            break
        nearer, facing, _, _ = tree.ray_cast(at + STEP * way, way)
        if nearer is None:
            break
        at = nearer
    return at
