"""Watches: a case with its dial on leather, mesh or links; stretched flat, or closed as on a wrist."""

import math

import numpy as np
from mathutils import Matrix

from weights.train.atelier import chains, gems, mounts
from weights.train.atelier.shapes import (
    TAU,
    at,
    disk,
    move,
    put,
    rest,
    rounded,
    slab,
    spline,
    sweep,
    trace,
    turn,
)
from weights.train.atelier.wrist import circle

ROUND = gems.outline_of("round")


def _rod(name, a, b, section, up=(0, 0, 1)):
    """A straight bar between two points."""
    mid = tuple((p + q) / 2 for p, q in zip(a, b, strict=True))
    return sweep(name, np.array([a, mid, b]), section, up=up)


def _dial(kit, r, z):
    """Dial, twelve marks, three hands."""
    face = kit.pick((kit.enamel, kit.enamel, kit.pearl, kit.trim))
    dark = kit.metal if face is kit.trim else kit.trim
    objs = [put(gems.cabochon("dial", ROUND, r - 1.7, 0.003, 4), face, at(0, 0, z))]
    for i in range(12):
        bar = disk(0.22 if i % 3 else 0.36, 8) * [1, 0.5]
        objs.append(
            put(
                _rod("mark", (0, 0.66 * r, 0), (0, 0.78 * r, 0), bar), dark, at(0, 0, z + 0.25) @ turn(30 * i)
            )
        )
    for long, wide in ((0.45, 0.5), (0.68, 0.34), (0.75, 0.14)):
        hand = _rod("hand", (0, -0.12 * r, 0), (0, long * r, 0), disk(wide, 8) * [1, 0.3])
        objs.append(put(hand, dark, at(0, 0, z + 0.45) @ turn(kit.u(0, 360))))
    return objs


def _case(kit, r):
    """The head of a watch, face up, its back at z = 0. Returns its objects."""
    h = kit.u(2.6, 3.8)
    inner, lip = r * 0.6, h + 0.8
    # The path runs anticlockwise, so that the section's first axis points outward.
    side = [
        (-inner, 0),
        (0, 0),
        (0.5, 0.4 * h),
        (0, h),
        (-0.9, lip),
        (-1.9, lip),
        (-2.1, h + 0.2),
        (-inner, h),
    ]
    mesh = sweep("case", circle(r, 160), rounded(side, 0.3, 3), closed=True, up=(0, 0, 1))
    objs = [put(mesh, kit.metal), *_dial(kit, r, h + 0.15)]
    rim = trace(ROUND, r - 0.9, n=max(24, int(TAU * (r - 0.9) / 1.5)))
    if kit.chance(0.35):
        objs += mounts.pave(kit, [at(*p, lip + 0.05) for p in rim], 0.62)
    elif kit.chance(0.5):  # a fluted bezel
        tooth, count = kit.ball(0.45, 10), kit.n(50, 90)
        objs += [put(tooth, kit.metal, at(*p, h + 0.5)) for p in trace(ROUND, r - 0.3, n=count)]
    crown = _rod("crown", (r + 0.2, 0, 0.5 * h), (r + 2.3, 0, 0.5 * h), disk(1.2, 16))
    return [*objs, put(crown, kit.metal)]


def _line(r, *, closed):
    """The line of the strap from each lug: flat out, or bent round to the other. Two (n, 3) in the plane of y and z."""
    if not closed:
        flat = [(0, r + x, z) for x, z in ((0, 1.2), (12, 0.9), (40, 0.8), (70, 0.8))]
        one = spline(flat, 80)
    else:
        a = np.linspace(0, 1, 60) * math.pi
        wide, deep = r + 9, 22.0
        y = np.where(a < math.pi / 2, r + (wide - r) * np.sin(a), wide * np.sin(a))
        one = np.stack([0 * a, y, 1.2 - deep + deep * np.cos(a)], 1)
    return [one, one * [1, -1, 1]]


def _put_down(kit, objs, *, closed):
    """A closed watch lies on its side with the dial to the camera, or stands on its strap."""
    if not closed:
        return objs
    if kit.chance(0.6):
        return rest(move(objs, turn(kit.u(-30, 30)) @ turn(90, "Y") @ turn(90, "X")))
    return rest(move(objs, turn(kit.u(-25, 25)) @ turn(kit.u(35, 65), "X")))


def strap_watch(kit):
    """A round watch on leather, stretched flat, with its buckle; or closed."""
    r, closed = kit.u(11, 19), kit.chance(0.3)
    w, taper, objs = r * kit.u(0.42, 0.55), kit.u(0.75, 1.0), _case(kit, r)

    def section(t):
        half = w * (1 - (1 - taper) * t)
        return rounded([(-half, -1.0), (half, -1.0), (half, 0.9), (0, 1.15), (-half, 0.9)], 0.5, 3)

    lines = _line(r * 0.92, closed=closed)
    for line in lines:
        objs.append(put(sweep("strap", line, section), kit.hide))
        for side in (-1, 1):
            s, y = side * (w + 0.6), line[0][1]
            lug = [(s, 0.75 * y, 2.0), (s, 1.05 * y, 1.8), (s, 1.22 * y, 1.0)]
            objs.append(put(sweep("lug", spline(lug, 12), disk(1.0, 12)), kit.metal))
    if not closed:
        frame = rounded([(-w - 1, -5), (w + 1, -5), (w + 1, 5), (-w - 1, 5)], 2, 4)
        loop = np.column_stack([frame, 0 * frame[:, :1]])
        buckle = sweep("buckle", loop, disk(0.8, 12), closed=True, up=(0, 0, 1))
        objs.append(put(buckle, kit.metal, at(0, lines[0][-1][1] + 1, 1.0)))
    return _put_down(kit, objs, closed=closed)


def mesh_watch(kit):
    """A slim watch on a woven metal band, which shows as fine ribs across."""
    r, closed = kit.u(9, 17), kit.chance(0.4)
    w, objs = r * kit.u(0.35, 0.5), _case(kit, r)
    for line in _line(r * 0.92, closed=closed):
        p = chains.even(line, 0.45)
        n = len(p)

        def section(t, n=n):
            rib = 1 + 0.22 * math.cos(math.pi * round(t * n))
            return slab(w, 0.55 * rib)

        objs.append(put(sweep("mesh", p, section), kit.metal))
    return _put_down(kit, objs, closed=closed)


def link_watch(kit):
    """A watch on a bracelet of three or five rows of links."""
    r, closed, rows = kit.u(13, 19), kit.chance(0.5), kit.pick((3, 5))
    w, pitch, objs = r * kit.u(0.45, 0.55), kit.u(2.6, 4.4), _case(kit, r)
    each, half = 2 * w / rows, 0.46 * pitch
    section = slab(half, 1.1, 0.5)
    block = _rod("block", (-each * 0.4, 0, 0), (each * 0.4, 0, 0), section)
    for line in _line(r * 0.95, closed=closed):
        s = chains.measured(line)[-1]
        for i in range(int(s / pitch)):
            p, q = chains.along(line, np.array([(i + 0.5) * pitch, (i + 0.5) * pitch + 0.4]))
            frame = at(*p) @ turn(math.degrees(math.atan2(q[2] - p[2], q[1] - p[1])), "X")
            narrow = 1 - 0.25 * i * pitch / s
            for k in range(rows):
                x, shift = (k - (rows - 1) / 2) * each * narrow, 0.5 * pitch * (k % 2)
                mat = kit.trim if k == rows // 2 else kit.metal
                objs.append(put(block, mat, frame @ at(x, shift, 0) @ Matrix.Diagonal((narrow, 1, 1, 1))))
    return _put_down(kit, objs, closed=closed)
