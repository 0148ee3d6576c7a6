"""Chains and strands laid on the ground: the line they take, how they climb over themselves, their links. Refuses pendants."""

import math

import numpy as np
from mathutils import Matrix

from weights.train.atelier.shapes import TAU, at, bead, disk, link, put, rounded, slab, spline, sweep, turn


def measured(path):
    """Length along a polyline at each of its points."""
    return np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])


def along(path, s):
    """Points at lengths `s`."""
    at_ = measured(path)
    return np.stack([np.interp(s, at_, path[:, k]) for k in range(path.shape[1])], 1)


def even(path, step):
    """The polyline again with points `step` mm apart."""
    length = measured(path)[-1]
    return along(path, np.linspace(0, length, max(8, int(length / step))))


def climbed(path, thick, *, closed):
    """(n, 2) → (n, 3): where the line crosses itself the later part goes over the earlier one, in an easy slope."""
    p = even(np.asarray(path, float)[:, :2], max(0.4, thick / 3))
    s, n = measured(p), len(p)
    z = np.zeros(n)
    far = 6 * thick
    for i in range(n):
        back = np.flatnonzero(s[i] - s[:i] > far)
        if closed:
            back = back[s[-1] - s[i] + s[back] > far]
        if back.size:
            d = np.linalg.norm(p[back] - p[i], axis=1)
            j = back[np.argmin(d)]
            if d.min() < thick * 1.15:
                z[i] = z[j] + thick * 1.05
    step = s[1] - s[0]
    reach = max(2, int(3.0 * thick / step))
    top = np.array([z[max(0, i - reach // 3) : i + reach // 3 + 1].max() for i in range(n)])
    ease = np.hanning(2 * reach + 1)
    wide = np.pad(top, reach, mode="wrap" if closed else "edge")
    slope = np.convolve(wide, ease / ease.sum(), mode="valid")
    return np.column_stack([p, np.maximum(z, slope)])


def loop(kit, radius, *, wobble=0.25, stretch=1.0):
    """A closed easy line around the origin, about `radius` mm: (n, 2)."""
    a = np.linspace(0, TAU, 500)
    r = 1 + sum(wobble * kit.u(-1, 1) / k * np.cos(k * a + kit.u(0, TAU)) for k in range(2, 5))
    return radius * np.stack([r * np.cos(a), stretch * r * np.sin(a)], 1)


def worn(kit, width, drop):
    """As on a neck, clasp at the back: from the clasp down to the middle and up again. (n, 2), the middle at the origin."""
    bend = kit.u(0.75, 1.1)
    half = [
        (0.0, 0.0),
        (0.30 * width, 0.13 * drop),
        (0.48 * width * bend, 0.42 * drop),
        (0.5 * width, 0.68 * drop),
        (0.36 * width, 0.93 * drop),
        (0.03 * width, drop),
    ]
    right = spline([(x, y, 0) for x, y in half], 400)[:, :2]
    jitter = np.array([kit.u(0.93, 1.07), 1.0])
    left = right * [-1, 1] * jitter
    y = right[:, 1:] / drop
    sway = np.concatenate([kit.u(-0.03, 0.03) * width * np.sin(y * kit.u(3, 7)), 0 * y], 1)
    return np.concatenate([left[::-1] + sway[::-1], right[1:] + sway[1:]])


def poured(kit, size, turns):
    """A chain let down in loops that cross each other: (n, 2), open."""
    t = np.linspace(0, 1, 900)
    a = TAU * turns * t + kit.u(0, TAU)
    r = size * (0.62 + 0.38 * np.sin(TAU * kit.u(0.7, 1.6) * t + kit.u(0, TAU)))
    drift = size * 0.45 * np.stack([np.sin(3.1 * t + kit.u(0, 6)), np.cos(2.3 * t + kit.u(0, 6))], 1)
    return np.stack([r * np.cos(a), 0.8 * r * np.sin(a)], 1) + drift


def zigzag(kit, length, swing):
    """An S-shaped open line: (n, 2)."""
    n = kit.n(2, 4)
    pts = [((k / n - 0.5) * length, (1 if k % 2 else -1) * swing * kit.u(0.4, 1)) for k in range(n + 1)]
    return spline([(x, y, 0) for x, y in pts], 500)[:, :2]


def _links(kit, path, mesh, pitch, roll, lift, mats=None):
    s, objs = measured(path), []
    count = max(2, int(s[-1] / pitch))
    where = along(path, np.linspace(0, s[-1] * (1 - 1 / count), count))
    ahead = along(path, np.linspace(0, s[-1] * (1 - 1 / count), count) + 0.4 * pitch)
    for i, (p, q) in enumerate(zip(where, ahead, strict=True)):
        d = q - p
        yaw = math.degrees(math.atan2(d[1], d[0]))
        pitch_deg = -math.degrees(math.atan2(d[2], math.hypot(d[0], d[1])))
        frame = (
            at(p[0], p[1], p[2] + lift)
            @ turn(yaw + kit.u(-2.5, 2.5))
            @ turn(pitch_deg, "Y")
            @ turn(roll(i), "X")
        )
        objs.append(put(mesh, (mats or [kit.metal])[i % len(mats or [0])], frame))
    return objs


def cable(kit, path, g):
    """Oval links, each turned a quarter against the next; `g` is the wire's diameter."""
    long, wide = g * kit.u(4.2, 6.5), g * kit.u(3.3, 4.0)
    mesh = link("cable", long, wide, g / 2, 28)
    tilt = kit.u(38, 50)
    return _links(
        kit, path, mesh, long - 1.9 * g, lambda i: (tilt if i % 2 else -tilt) + kit.u(-8, 8), 0.38 * wide
    )


def curb(kit, path, g):
    """Twisted links that lie flat and overlap."""
    long, wide = g * kit.u(4.0, 4.6), g * kit.u(3.4, 3.8)
    mesh = link("curb", long, wide, g / 2, 28)
    tilt = kit.u(16, 28)
    return _links(kit, path, mesh, long - 2.1 * g, lambda _: tilt + kit.u(-3, 3), 0.24 * wide + 0.35 * g)


def paperclip(kit, path, g):
    """Long straight-sided links with small round ones between."""
    long = g * kit.u(9, 14)
    mesh = link("clip", long, 4.2 * g, g / 2, 32)
    tilt = kit.u(35, 50)
    return _links(
        kit, path, mesh, long - 2.0 * g, lambda i: (tilt if i % 2 else -tilt) + kit.u(-5, 5), 1.5 * g
    )


def box(kit, path, g):
    """Square links, close together."""
    w = 1.25 * g
    section = rounded(
        [(-0.3 * g, -0.62 * w), (0.3 * g, -0.62 * w), (0.3 * g, 0.62 * w), (-0.3 * g, 0.62 * w)], 0.2 * g, 3
    )
    corners = rounded([(-w, -w), (w, -w), (w, w), (-w, w)], 0.5 * w, 4)
    mesh = sweep(
        "boxlink", np.column_stack([0.9 * corners, 0 * corners[:, :1]]), section, closed=True, up=(0, 0, 1)
    )
    return _links(kit, path, mesh, 1.75 * w, lambda i: 90.0 * (i % 2) + 45 + kit.u(-4, 4), 1.25 * w)


def rope(kit, path, g):
    """Two strands wound about each other: swept as one grooved wire."""
    p = even(path, 0.35 * g)
    r = 1.3 * g
    wind = measured(p)[-1] / (kit.u(3.0, 4.2) * r)
    a = np.arange(24) * TAU / 24

    def section(t):
        lobes = r * (0.80 + 0.26 * np.sqrt(np.cos(a) ** 2 + 0.01))
        q = a - t * TAU * wind
        return np.stack([lobes * np.cos(q), lobes * np.sin(q)], 1)

    return [put(sweep("rope", p + [0, 0, r], section, up=(0, 0, 1)), kit.metal)]


def snake(kit, path, g):
    """A smooth round hose with fine rings."""
    p = even(path, 0.5 * g)
    a = np.arange(18) * TAU / 18
    ring = np.stack([np.cos(a), np.sin(a)], 1)
    every = len(p)
    return [
        put(
            sweep(
                "snake",
                p + [0, 0, 1.1 * g],
                lambda t: ring * g * (1.04 + 0.09 * math.cos(math.pi * round(t * every))),
                up=(0, 0, 1),
            ),
            kit.metal,
        )
    ]


def balls(kit, path, g):
    """Ball chain: hollow beads with a short wire between."""
    r = 1.3 * g
    mesh = bead("ball", r, 14)
    wire = put(sweep("thread", even(path, r) + [0, 0, r], disk(0.3 * g, 8)), kit.metal)
    return [wire, *_links(kit, path, mesh, 2.5 * r, lambda _: 0.0, r)]


STYLES = {
    "cable": cable,
    "curb": curb,
    "rope": rope,
    "box": box,
    "snake": snake,
    "balls": balls,
    "paperclip": paperclip,
}
GAIN = {"cable": 3.4, "curb": 2.6, "rope": 2.8, "box": 2.6, "snake": 2.2, "balls": 2.6, "paperclip": 3.2}


def chain(kit, line, gauge, style=None, *, closed=False):
    """A chain of wire `gauge` mm along a line in the plane, climbing over itself where it crosses."""
    style = style or kit.pick(tuple(STYLES))
    return STYLES[style](kit, climbed(line, GAIN[style] * gauge, closed=closed), gauge)


def strand(
    kit, line, radius, mats, *, closed=True, jitter=0.0, graded=0.0, mesh=None, spacing=1.02, knots=True
):
    """Beads threaded along a line; `graded` makes the middle ones larger. Beads touch the ground."""
    p = climbed(line, 2 * radius, closed=closed)
    s, objs, here = measured(p), [], 0.0
    shared = mesh or bead("bead", 1.0, 40)
    i = 0
    while True:
        r = (
            radius
            * (1 - graded + graded * math.sin(math.pi * min(1, here / s[-1])) ** 1.5)
            * (1 + jitter * kit.u(-1, 1))
        )
        if here + r > s[-1]:
            break
        q = along(p, np.array([here + r, here + 1.3 * r]))
        d = q[1] - q[0]
        frame = (
            at(q[0][0], q[0][1], q[0][2] + r)
            @ turn(math.degrees(math.atan2(d[1], d[0])))
            @ turn(kit.u(-40, 40), "X")
        )
        objs.append(put(shared, mats[i % len(mats)], frame @ Matrix.Scale(r, 4)))
        here += 2 * r * spacing
        i += 1
    thread = along(p, np.linspace(0, s[-1], max(20, int(s[-1] / radius))))
    if knots:
        objs.append(
            put(sweep("thread", thread + [0, 0, radius * 0.96], disk(0.13 * radius + 0.08, 8)), kit.metal)
        )
    return objs


def clasp(kit, x, y, yaw, size):
    """A lobster claw with its ring."""
    a = np.linspace(0.15, TAU - 0.5, 40)
    body = np.stack([1.7 * size * np.cos(a), size * np.sin(a), 0 * a], 1)

    def wide(t):
        return slab(0.35 * size, 0.4 * size, 0.2 * size) * (1.15 - 0.5 * t)

    mesh = sweep("clasp", body, wide, up=(0, 0, 1))
    a = np.arange(32) * TAU / 32
    ring = sweep(
        "ring",
        np.stack([np.cos(a), np.sin(a), 0 * a], 1) * 0.8 * size,
        disk(0.2 * size, 8),
        closed=True,
        up=(0, 0, 1),
    )
    # The line ends between the claw and its ring, which hold each other.
    frame = at(x, y, 0.5 * size) @ turn(yaw) @ at(-1.4 * size, 0, 0)
    return [put(mesh, kit.metal, frame), put(ring, kit.metal, frame @ at(2.4 * size, 0, 0) @ turn(25, "X"))]
