"""Cuts of stones: brilliant and step cuts over any outline, cabochons. Owns their meshes; refuses settings and colour."""

import math

import bmesh
import bpy
import numpy as np

from weights.train.atelier.shapes import (
    TAU,
    _solid,
    brilliant,
    marquise_outline,
    ordered,
    oval_outline,
    pear_outline,
    round_outline,
)


def polygon_outline(points):
    """Support of a convex polygon: azimuth of the normal -> the corner that reaches farthest."""
    pts = np.asarray(points, float)

    def point(a):
        return pts[np.argmax(pts @ round_outline(a))]

    return point


def octagon(ratio, corner):
    """Rectangle of half width 1 and half length `ratio`, its corners cut by `corner`."""
    c, r = corner, ratio
    return [
        (1, r - c),
        (1 - c, r),
        (c - 1, r),
        (-1, r - c),
        (-1, c - r),
        (c - 1, -r),
        (1 - c, -r),
        (1, c - r),
    ]


def cushion_outline(ratio=1.0, power=3.0):
    """Superellipse: a square whose sides and corners are both round."""
    q = power / (power - 1)

    def point(a):
        n = np.array([math.cos(a), ratio * math.sin(a)])
        norm = (np.abs(n) ** q).sum() ** (1 / q)
        p = np.sign(n) * (np.abs(n) / norm) ** (q - 1)
        return p * np.array([1, ratio])

    return point


def heart_outline():
    """A heart, point at -y, by polar angle: not convex, so its metal is traced, not supported."""
    t = np.linspace(0, TAU, 2000)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    angle, reach = np.arctan2(y, x), np.hypot(x, y) / 16
    order = np.argsort(angle)

    def point(a):
        return round_outline(a) * np.interp(a, angle[order], reach[order], period=TAU)

    return point


def lofted(name, outline, size, sides=22):
    """A faceted stone over an outline that need not be convex: table, one tier of crown, a pavilion of triangles."""
    az = np.arange(sides) * TAU / sides + math.pi / 2
    rim = np.array([outline(a) for a in az]) * size
    verts = [(*(0.58 * p), 0.34 * size) for p in rim] + [(*p, 0.03 * size) for p in rim]
    verts += [(*p, 0.0) for p in rim] + [(0, -0.1 * size, -0.75 * size)]
    faces = [tuple(range(sides))]
    for i in range(sides):
        j = (i + 1) % sides
        faces += [(i, sides + i, j), (j, sides + i, sides + j)]
        faces.append((sides + i, 2 * sides + i, 2 * sides + j, sides + j))
        faces.append((2 * sides + i, 3 * sides, 2 * sides + j))
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(verts, [], faces)
    bm = bmesh.new()
    bm.from_mesh(mesh)
    bmesh.ops.recalc_face_normals(bm, faces=bm.faces[:])
    return ordered(bm, name)


def step_cut(name, ratio, corner, size):
    """Emerald cut and baguette: three tiers of facets parallel to the girdle, above and below."""
    pts = np.array(octagon(ratio, corner))
    mids, planes, g = [], [], 0.03
    for p, q in zip(pts, np.roll(pts, -1, 0), strict=True):
        edge = q - p
        n = np.array([edge[1], -edge[0]]) / np.linalg.norm(edge)
        n = n if n @ (p + q) > 0 else -n
        mids.append((n, float(n @ p)))
    planes.append(((0, 0, 1), 0.32))
    for n, d in mids:
        planes.append(((*n, 0.0), d))
        for z0, inset, slope in ((g, 0.0, 0.75), (0.14, 0.11, 1.25), (0.22, 0.21, 2.1)):
            planes.append(((*n, slope), d - inset + slope * z0))
        for z0, inset, slope in ((g, 0.0, 0.75), (0.34, 0.27, 1.0), (0.62, 0.58, 1.5)):
            planes.append(((*n, -slope), d - inset + slope * z0))
    return _solid(name, planes, size)


def cabochon(name, outline, size, height, steps=14, n=72):
    """A polished dome over an outline, flat below: girdle at z = 0, top at `height` half widths."""
    az = np.arange(n) * TAU / n
    rim = np.array([outline(a) for a in az]) * size
    verts, faces = [(*p, -0.12 * size) for p in rim], []
    for k in range(steps):
        v = k / steps * math.pi / 2
        verts += [(*(p * math.cos(v) ** 0.9), size * height * math.sin(v)) for p in rim]
    for k in range(steps):
        for i in range(n):
            j = (i + 1) % n
            faces.append((k * n + i, k * n + j, (k + 1) * n + j, (k + 1) * n + i))
    faces += [tuple(range(n))[::-1], tuple(steps * n + i for i in range(n))]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(verts, [], faces)
    bm = bmesh.new()
    bm.from_mesh(mesh)
    bmesh.ops.remove_doubles(bm, verts=bm.verts[:], dist=1e-4)
    bmesh.ops.recalc_face_normals(bm, faces=bm.faces[:])
    mesh = ordered(bm, name)
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=math.radians(55))
    return mesh


EIGHT = np.arange(8) * TAU / 8
_BRILLIANT = {
    # outline, azimuths of the mains, place of the culet
    "round": (round_outline, EIGHT, (0, 0)),
    "oval": (oval_outline(1.28), np.radians([0, 52, 90, 128, 180, 232, 270, 308]), (0, 0)),
    "pear": (pear_outline(), np.radians([-90, -45, -135, 0, 180, 40, 140, 90]), (0, 0.35)),
    "marquise": (marquise_outline(), np.radians([0, 38, 142, 180, 218, 322, 90, 270]), (0, 0)),
    "cushion": (cushion_outline(), EIGHT, (0, 0)),
    "cushion_long": (cushion_outline(1.25), np.radians([0, 50, 90, 130, 180, 230, 270, 310]), (0, 0)),
    "princess": (cushion_outline(1.0, 9.0), EIGHT + TAU / 16, (0, 0)),
}
_STEP = {"emerald": (1.35, 0.32), "asscher": (1.0, 0.34), "baguette": (2.1, 0.06)}
_HEART = heart_outline()
CUTS = (*_BRILLIANT, *_STEP, "heart")


def outline_of(cut):
    """The support function of a cut, for the metal around it."""
    if cut == "heart":
        return _HEART
    if cut in _STEP:
        return polygon_outline(octagon(*_STEP[cut]))
    return _BRILLIANT[cut][0]


def length_of(cut):
    """Half length of a cut of half width 1, along y."""
    return max(float(outline_of(cut)(a)[1]) for a in (math.pi / 2, 0.3 * math.pi))


def faceted(cut, size, rng):
    """A cut stone, girdle at z = 0, proportions a little different every time."""
    if cut == "heart":
        return lofted(cut, _HEART, size, 2 * int(rng.integers(9, 14)))
    if cut in _STEP:
        return step_cut(cut, *_STEP[cut], size)
    outline, mains, center = _BRILLIANT[cut]
    return brilliant(
        cut,
        outline,
        size,
        mains,
        center=center,
        table=rng.uniform(0.53, 0.62),
        crown=rng.uniform(0.27, 0.35),
        depth=rng.uniform(0.74, 0.88),
    )


def melee(size):
    """A small round brilliant with few facets: seen at a few pixels."""
    return brilliant("melee", round_outline, size)
