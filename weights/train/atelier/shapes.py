"""Goldsmith's shapes as Blender meshes: swept wire, cut gems, beads, chain links. Owns geometry; refuses light and colour.

One Blender unit is one millimetre. A shape is made in its own frame and placed by the caller through `matrix_world`.
"""

import math

import bmesh
import bpy
import numpy as np
from mathutils import Matrix, Vector

TAU = math.tau


# ---------------------------------------------------------------- outlines
# An outline is given by its support: azimuth of the normal -> point of tangency, for a unit half width.


def round_outline(a):
    """Circle of radius 1."""
    return np.array([math.cos(a), math.sin(a)])


def oval_outline(ratio):
    """Ellipse, half width 1, half length `ratio` (along y)."""

    def point(a):
        c, s = math.cos(a), math.sin(a)
        return np.array([c, ratio**2 * s]) / math.hypot(c, ratio * s)

    return point


def _arcs(rho, both):
    tip = math.acos((rho - 1) / rho)

    def point(a):
        a = (a + math.pi) % TAU - math.pi
        if a < 0 and not both:
            return round_outline(a)
        up, b = (1, a) if a >= 0 else (-1, -a)
        if tip <= b <= math.pi - tip:
            return np.array([0, up * rho * math.sin(tip)])
        side = 1 if b < math.pi / 2 else -1
        return np.array([side * (rho * abs(math.cos(b)) - rho + 1), up * rho * math.sin(b)])

    return point


def pear_outline(rho=2.4):
    """Round below, pointed at +y; `rho` is the radius of the two flanks."""
    return _arcs(rho, both=False)


def marquise_outline(rho=2.6):
    """Pointed at both ends."""
    return _arcs(rho, both=True)


def trace(outline, size, offset=0.0, n=240):
    """Closed polyline of the outline scaled by `size` and grown by `offset`, evenly spaced by length: (n, 2)."""
    az = np.linspace(0, TAU, 4001)[:-1]
    pts = np.array([outline(a) * size + offset * round_outline(a) for a in az])
    step = np.linalg.norm(np.diff(np.vstack([pts, pts[:1]]), axis=0), axis=1)
    s = np.concatenate([[0], np.cumsum(step)])
    want = np.linspace(0, s[-1], n + 1)[:-1]
    ring = np.vstack([pts, pts[:1]])
    return np.stack([np.interp(want, s, ring[:, k]) for k in (0, 1)], axis=1)


# ---------------------------------------------------------------- gems


def brilliant(
    name, outline=round_outline, size=1.0, mains=None, center=(0.0, 0.0), table=0.57, crown=0.30, depth=0.86
):
    """A brilliant cut as the intersection of its facet planes; girdle at z = 0, table up.

    `mains`: azimuths of the main facets. All pavilion mains meet in the culet under `center`, which gives the
    round brilliant its textbook angles (crown 34.5 deg, pavilion 40.75 deg) and adapts them to other outlines.
    """
    mains = np.asarray(mains if mains is not None else np.arange(8) * TAU / 8)
    mains = np.sort(mains % TAU)
    c, g = np.asarray(center), 0.025
    following = np.concatenate([mains[1:], [mains[0] + TAU]])
    halves = (mains + following) / 2
    quarters = np.concatenate([mains + (following - mains) * 0.25, mains + (following - mains) * 0.75])
    planes = [((0, 0, 1), g + crown)]

    def add(a, up, at, slope):  # plane through the girdle share `at`, leaning by `slope` times its distance
        n = round_outline(a)
        d = float(n @ (outline(a) - c))
        k = slope * d
        z = g if at is None else g + crown
        reach = d * (1.0 if at is None else at)
        planes.append(((n[0], n[1], up * k), float(n @ c) + reach + k * z))

    for a in mains:
        add(a, 1, None, (1 - table) / crown)
        add(a, -1, None, 1 / depth)
    for a in quarters:
        add(a, 1, None, 0.74 * (1 - table) / crown)
        add(a, -1, None, 0.955 / depth)
    for a in halves:
        add(a, 1, table * 0.93, 1.75 * (1 - table) / crown)
    for a in np.arange(96) * TAU / 96:
        planes.append(((math.cos(a), math.sin(a), 0), float(round_outline(a) @ outline(a))))
    return _solid(name, planes, size)


def ordered(bm, name):
    """The mesh of a bmesh, which is freed, in an order of its own.

    Blender's operators number corners by memory address, so that the last bit of the normals, and with it the picture,
    would change from run to run.
    """
    verts = sorted(bm.verts, key=lambda v: tuple(round(c, 5) for c in v.co))
    place = {v: i for i, v in enumerate(verts)}
    faces = []
    for face in bm.faces:
        loop = [place[v] for v in face.verts]
        first = loop.index(min(loop))
        faces.append(loop[first:] + loop[:first])
    points = [tuple(v.co) for v in verts]
    bm.free()
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points, [], sorted(faces))
    return mesh


def _solid(name, planes, size):
    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=12)
    for normal, reach in planes:
        n = Vector(normal)
        bmesh.ops.bisect_plane(
            bm,
            geom=bm.verts[:] + bm.edges[:] + bm.faces[:],
            dist=1e-5,
            plane_co=n * (reach / n.length_squared),
            plane_no=n.normalized(),
            clear_outer=True,
        )
        bmesh.ops.holes_fill(bm, edges=bm.edges[:], sides=0)
    bmesh.ops.recalc_face_normals(bm, faces=bm.faces[:])
    bmesh.ops.scale(bm, vec=(size, size, size), verts=bm.verts[:])
    return ordered(bm, name)


# ---------------------------------------------------------------- wire and sheet


def disk(radius, n=20):
    """Round section, (n, 2)."""
    a = np.arange(n) * TAU / n
    return radius * np.stack([np.cos(a), np.sin(a)], axis=1)


def rounded(points, radius, steps=5):
    """A polygon section with its corners rounded by quadratic arcs, (m, 2): worked metal has no sharp edge."""
    pts, out = np.asarray(points, float), []
    for i, p in enumerate(pts):
        for_, back = pts[(i + 1) % len(pts)] - p, pts[i - 1] - p
        r = min(radius, 0.49 * np.linalg.norm(for_), 0.49 * np.linalg.norm(back))
        a, b = p + back / np.linalg.norm(back) * r, p + for_ / np.linalg.norm(for_) * r
        for t in np.linspace(0, 1, steps):
            out.append((1 - t) ** 2 * a + 2 * t * (1 - t) * p + t**2 * b)
    return np.array(out)


def slab(wide, tall, radius=0.3):
    """A rectangular section of half width `wide` and half height `tall` with rounded corners, (m, 2)."""
    return rounded([(-wide, -tall), (wide, -tall), (wide, tall), (-wide, tall)], radius, 3)


def spline(points, n=60):
    """Catmull-Rom through the points, (n, 3)."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out = []
    for u in np.linspace(0, len(p) - 3 - 1e-9, n):
        i, t = int(u), u - int(u)
        a, b, c, d = p[i : i + 4]
        out.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.array(out)


def sweep(name, path, section, *, closed=False, up=None):
    """Mesh of a section carried along a path.

    path: (n, 3). section: (m, 2) or a function of 0..1 giving it; its axes are (outward, up). up: fixed direction
    for planar paths (outward then lies in the plane), else the frame is carried without twist. Open ends are domed.
    """
    path = np.asarray(path, float)
    if not closed:
        path, grow = _domes(path, section)
    else:
        grow = np.ones(len(path))
    t = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        t[0], t[-1] = path[1] - path[0], path[-1] - path[-2]
    t /= np.linalg.norm(t, axis=1, keepdims=True)
    b = np.array(up if up is not None else _normal_to(t[0]), float)
    rings = []
    for i, p in enumerate(path):
        axis = np.array(up, float) if up is not None else b
        b = axis - t[i] * (axis @ t[i])
        b /= np.linalg.norm(b)
        a = np.cross(t[i], b)
        s = section(i / (len(path) - (0 if closed else 1))) if callable(section) else section
        rings.append(p + grow[i] * (s[:, :1] * a + s[:, 1:] * b))
    return _skin(name, np.array(rings), closed)


def _normal_to(t):
    e = np.eye(3)[np.argmin(np.abs(t))]
    return np.cross(t, e)


def _domes(path, section, steps=6):
    """Extra stations at both ends on which the section shrinks like a half sphere."""
    s0 = section(0.0) if callable(section) else section
    s1 = section(1.0) if callable(section) else section
    q = np.linspace(0, math.pi / 2, steps + 1)[1:]
    head, tail = path[0] - path[1], path[-1] - path[-2]
    head, tail = head / np.linalg.norm(head), tail / np.linalg.norm(tail)
    r0, r1 = (float(np.abs(s).max()) * 0.8 for s in (s0, s1))
    front = path[0] + np.outer(np.sin(q), head)[::-1] * r0
    back = path[-1] + np.outer(np.sin(q), tail) * r1
    shrink = np.maximum(np.cos(q), 0.02)
    return np.vstack([front, path, back]), np.concatenate([shrink[::-1], np.ones(len(path)), shrink])


def _skin(name, rings, closed):
    n, m, _ = rings.shape
    faces = []
    for i in range(n if closed else n - 1):
        j = (i + 1) % n
        for k in range(m):
            q = (k + 1) % m
            faces.append((i * m + k, i * m + q, j * m + q, j * m + k))
    if not closed:
        faces += [tuple(range(m))[::-1], tuple((n - 1) * m + k for k in range(m))]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(rings.reshape(-1, 3).tolist(), [], faces)
    bm = bmesh.new()
    bm.from_mesh(mesh)
    bmesh.ops.recalc_face_normals(bm, faces=bm.faces[:])
    bm.to_mesh(mesh)
    bm.free()
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=math.radians(50))
    return mesh


def bead(name, radius, segments=24):
    """Ball."""
    bm = bmesh.new()
    bmesh.ops.create_uvsphere(bm, u_segments=segments, v_segments=segments // 2, radius=radius)
    mesh = ordered(bm, name)
    mesh.shade_smooth()
    return mesh


def link(name, length, width, wire, n=40):
    """One oval chain link along x, of outer size length x width."""
    straight, r = (length - width) / 2, width / 2 - wire
    a = np.arange(n) * TAU / n
    path = np.stack([r * np.cos(a) + np.sign(np.cos(a)) * straight, r * np.sin(a), 0 * a], axis=1)
    return sweep(name, path, disk(wire, 12), closed=True, up=(0, 0, 1))


def flat(points, z=0.0):
    """(n, 2) -> (n, 3) at height z."""
    return np.column_stack([points, np.full(len(points), z)])


def put(mesh, material, matrix=None):
    """A new object of the mesh in the scene."""
    obj = bpy.data.objects.new(mesh.name, mesh)
    if material is not None:
        if not mesh.materials:
            mesh.materials.append(material)
        elif mesh.materials[0] != material:
            obj.material_slots[0].link = "OBJECT"
            obj.material_slots[0].material = material
    bpy.context.scene.collection.objects.link(obj)
    obj.matrix_world = matrix if matrix is not None else Matrix.Identity(4)
    return obj


def move(objs, matrix):
    """Carry all objects by one rigid motion."""
    for o in objs:
        o.matrix_world = matrix @ o.matrix_world
    return objs


def rest(objs):
    """Let the group down (or up) until its lowest point touches the paper at z = 0."""
    low = min((o.matrix_world @ v.co).z for o in objs for v in o.data.vertices)
    return move(objs, Matrix.Translation((0, 0, -low)))


def at(x=0.0, y=0.0, z=0.0):
    """Translation."""
    return Matrix.Translation((x, y, z))


def turn(deg, axis="Z"):
    """Rotation about an axis through the origin."""
    return Matrix.Rotation(math.radians(deg), 4, axis)


def facing(direction):
    """Rotation that carries +z to `direction`, +y staying as near to up as it can."""
    return Vector(direction).to_track_quat("Z", "Y").to_matrix().to_4x4()
