"""From a spec to objects that rest on the ground. Owns the table of families and the way a piece comes to lie."""

import math

import bmesh
import bpy
import numpy as np
from mathutils import Matrix, Vector

from weights.train.atelier import brooches, earrings, neck, props, rings, sets, watches, wrist
from weights.train.atelier.kit import Kit
from weights.train.atelier.shapes import move, rest, turn

_MODULES = (rings, earrings, neck, wrist, watches, brooches, sets)


def _points(objs):
    """All vertices in the world, thinned: (n, 3)."""
    out = []
    for o in objs:
        co = np.empty(len(o.data.vertices) * 3, np.float32)
        o.data.vertices.foreach_get("co", co)
        p = co.reshape(-1, 3)
        if len(p) > 600:
            p = p[:: len(p) // 600]
        m = np.array(o.matrix_world)
        out.append(p @ m[:3, :3].T + m[:3, 3])
    return np.concatenate(out)


def let_go(objs):
    """Turn the piece as little as will let it lie by itself: onto the nearest face of its hull that holds its weight."""
    pts = _points(objs)
    middle = Vector(pts.mean(0))
    bm = bmesh.new()
    for p in pts:
        bm.verts.new(p)
    hull = bmesh.ops.convex_hull(bm, input=bm.verts[:])
    best, least = None, math.inf
    for face in (g for g in hull["geom"] if isinstance(g, bmesh.types.BMFace)):
        n = face.normal
        if n.dot(face.calc_center_median() - middle) < 0:
            n = -n
        foot = middle + n * n.dot(face.verts[0].co - middle)
        inside = all(
            (a.co - foot).cross(b.co - foot).dot(face.normal) >= -1e-6
            for a, b in zip(face.verts, [*face.verts[1:], face.verts[0]], strict=True)
        ) or all(
            (a.co - foot).cross(b.co - foot).dot(face.normal) <= 1e-6
            for a, b in zip(face.verts, [*face.verts[1:], face.verts[0]], strict=True)
        )
        angle = n.angle(Vector((0, 0, -1)))
        if inside and angle < least - 1e-4:
            # Rounded, as the hull's corners come in no fixed order and its normals' last bits with them.
            best, least = Vector([round(c, 4) for c in n]).normalized(), angle
    bm.free()
    if best is not None:
        move(objs, best.rotation_difference(Vector((0, 0, -1))).to_matrix().to_4x4())
    return rest(objs)


def _boxed(objs, kit):
    """Stuck between the rolls of a ring box, head up."""
    low, high = _points(objs).min(0), _points(objs).max(0)
    rolls, r = props.box_rolls(kit, min(5.0, high[1] - low[1]))
    kit.props += rolls
    return move(
        objs,
        Matrix.Translation((0, 0, 1.15 * r - low[2] - kit.u(0.3, 0.5) * (high[2] - low[2])))
        @ turn(kit.u(-8, 8), "X"),
    )


def _worn(objs, kit):
    """On a finger that lies on the ground."""
    inside = min(10.0, -float(_points(objs)[:, 2].min()) - 1.2)
    kit.props += props.fingers(kit, inside)
    yaw = turn(kit.u(-50, 50)) @ turn(kit.u(-6, 6), "X")
    move(objs, turn(kit.u(-14, 14), "Y"))
    return move(objs + kit.props, Matrix.Translation((0, 0, inside + 1.6)) @ yaw)[: len(objs)]


def _hanging(objs, kit):
    """Seen square on before a wall: the ground is the wall, the piece a little way off it, its hooks over a rod."""
    gap = kit.u(1, 12)
    move(rest(objs), Matrix.Translation((0, 0, gap)))
    box = _points(objs)
    if kit.chance(0.6):
        kit.props += props.rod(kit, 40 * kit.u(1, 3), float(box[:, 1].max()) - 1.6, gap + 1.0)
    return objs


_HELD = {"boxed": _boxed, "worn": _worn, "hanging": _hanging}


def _ring(kit, lie):
    if lie == "lying":
        return let_go, turn(kit.u(0, 360)) @ turn(kit.u(60, 85), "X")
    if lie == "propped":
        return rest, turn(kit.u(-75, 75)) @ turn(kit.u(20, 55), "X")
    # Standing on its shank, turned and leaning a little as wax holds it.
    return rest, turn(kit.u(-70, 70)) @ turn(kit.u(-4, 16), "X") @ turn(kit.u(-8, 8), "Y")


def _lay(objs, kit):
    """Put a piece down in the way the spec says."""
    lie, kind = kit.spec.lie, kit.spec.type
    if lie in _HELD:
        return _HELD[lie](objs, kit)
    settle, motion = rest, turn(0)
    if kind == "ring":
        settle, motion = _ring(kit, lie)
    elif lie == "standing" and kind in ("bangle", "bracelet"):
        motion = turn(kit.u(-60, 60)) @ turn(kit.u(0, 6), "X")
    elif kind in ("bangle", "watch", "bracelet"):
        motion = turn(kit.u(-180, 180) if kind == "bangle" else kit.u(-50, 50))
    elif kind == "brooch":
        motion = turn(kit.u(-40, 40)) @ turn(kit.u(-3, 3), "Y")
    return settle(move(objs, motion))


def build(spec):
    """The piece of the spec, on z = 0. Returns (its objects, points on them (n, 3), props that hold it)."""
    kit = Kit(spec)
    make = next(getattr(m, spec.family) for m in _MODULES if hasattr(m, spec.family))
    objs = _lay(make(kit), kit)
    box = _points(objs)
    move(objs + kit.props, Matrix.Translation((*-(box.min(0) + box.max(0))[:2] / 2, 0)))
    bpy.context.view_layer.update()
    return objs, _points(objs), kit.props
