"""The jewels of the sample photos. Each function builds one piece, resting on the paper, and returns its objects."""

import math

import numpy as np
from mathutils import Matrix, Vector
from weights.train.atelier.shapes import (
    TAU,
    at,
    bead,
    brilliant,
    disk,
    facing,
    flat,
    link,
    marquise_outline,
    move,
    oval_outline,
    pear_outline,
    put,
    rest,
    round_outline,
    rounded,
    spline,
    sweep,
    trace,
    turn,
)

OVAL = oval_outline(1.25)
OVAL_MAINS = np.radians([0, 52, 90, 128, 180, 232, 270, 308])
PEAR = pear_outline()
PEAR_MAINS = np.radians([-90, -45, -135, 0, 180, 40, 140, 90])
MARQUISE = marquise_outline()
MARQUISE_MAINS = np.radians([0, 38, 142, 180, 218, 322, 90, 270])


def bezel(outline, size, metal, *, top, bottom, wall=0.42):
    """A collar around a stone whose girdle is at z = 0; leans over the crown a little."""
    section = rounded(
        [(-0.22, top), (wall, top - 0.12), (wall, bottom), (-0.3, bottom), (-0.3, -0.5), (0.0, -0.05)], 0.12
    )
    mesh = sweep("bezel", flat(trace(outline, size, n=200)), section, closed=True, up=(0, 0, 1))
    return [put(mesh, metal)]


def halo(outline, size, metal, stone, *, radius, z, gap=0.6):
    """Small brilliants in a channel around an outline, with milled beads between them."""
    objs, center = [], gap + radius
    w = radius + 0.3
    channel = rounded(
        [
            (-w, 0.1),
            (-w + 0.26, 0.1),
            (-w + 0.3, -0.9),
            (w - 0.3, -0.9),
            (w - 0.26, 0.1),
            (w, 0.1),
            (w, -1.4),
            (-w, -1.4),
        ],
        0.1,
    )
    line = trace(outline, size, center, n=300)
    objs.append(put(sweep("channel", flat(line, z), channel, closed=True, up=(0, 0, 1)), metal))
    length = np.linalg.norm(np.diff(line, axis=0, append=line[:1]), axis=1).sum()
    n = int(length / (2 * radius + 0.12))
    gem, ball = brilliant("melee", size=radius), bead("milgrain", 0.23, 14)
    for p in trace(outline, size, center, n=n):
        objs.append(put(gem, stone, at(*p, z) @ turn(float(hash_angle(p)))))
    for side in (-1, 1):
        for p in trace(outline, size, center + side * (radius + 0.08), n=n):
            objs.append(put(ball, metal, at(*p, z + 0.12)))
    return objs


def hash_angle(p):
    """A fixed, irregular turn for the stone at p: melee is never set in step."""
    return (math.sin(p[0] * 12.9898 + p[1] * 78.233) * 43758.5453) % 360


def stone(outline, mains, size, material, **cut):
    """One gem, girdle at z = 0."""
    return [put(brilliant("gem", outline, size, mains, **cut), material)]


def jump_ring(metal, x, y, z, radius=1.5, wire=0.32, tilt=0.0):
    """A round wire ring lying in the plane, tilted about x."""
    a = np.arange(60) * TAU / 60
    mesh = sweep(
        "jump", flat(radius * np.stack([np.cos(a), np.sin(a)], 1)), disk(wire, 14), closed=True, up=(0, 0, 1)
    )
    return [put(mesh, metal, at(x, y, z) @ turn(tilt, "X"))]


def ring_solitaire(m):
    """Yellow-gold solitaire with an oval sapphire on four claws and a gallery; stands on its shank, leaning a little."""
    metal, gem, inner = m["gold"], m["sapphire"], 8.4
    a = np.arange(360) * TAU / 360 + math.pi / 2
    path = np.stack([(inner + 0.1) * np.cos(a), 0 * a, (inner + 0.1) * np.sin(a)], 1)

    def shank(t):
        near = abs(((t + 0.5) % 1) - 0.5) * 2  # 0 at the head, 1 at the bottom
        w, h = 0.85 + 0.5 * near**0.8, 1.75 - 0.25 * near
        q = np.linspace(-math.pi / 2, math.pi / 2, 17)
        out = [(-(0.12 + h * math.cos(v) ** 0.8), w * math.sin(v)) for v in q]
        return np.array(
            [*out, (0.0, 0.82 * w), (0.10, 0.4 * w), (0.12, 0.0), (0.10, -0.4 * w), (0.0, -0.82 * w)]
        )

    objs = [put(sweep("shank", path, shank, closed=True, up=(0, 1, 0)), metal)]
    head, size = inner + 5.3, 3.3
    top = stone(OVAL, OVAL_MAINS, size, gem, depth=0.8, crown=0.34)
    for share, z, wire in ((0.86, -1.15, 0.34), (0.5, -3.35, 0.42)):
        top.append(
            put(
                sweep(
                    "gallery",
                    flat(trace(OVAL, size * share, n=120), z),
                    disk(wire, 16),
                    closed=True,
                    up=(0, 0, 1),
                ),
                metal,
            )
        )
    for deg in (48, 132, 228, 312):
        p, n = OVAL(math.radians(deg)) * size, round_outline(math.radians(deg))
        legs = [
            (*(p * f + n * o), z)
            for f, o, z in (
                (0.45, 0, -3.9),
                (0.72, 0.1, -2.2),
                (0.94, 0.25, -0.7),
                (1.0, 0.26, 0.25),
                (0.93, 0.1, 0.85),
                (0.82, 0.0, 1.12),
            )
        ]
        claw = sweep("claw", spline(legs, 48), lambda t: disk(0.5 - 0.12 * t, 18))
        top.append(put(claw, metal))
    objs += move(top, at(0, 0, head) @ turn(90))
    return rest(move(objs, turn(31) @ turn(13, "X")))


def _drop(m, mirror):
    metal = m["gold"]
    objs = stone(PEAR, PEAR_MAINS, 4.3, m["ruby"], center=(0, 0.35), depth=0.75, crown=0.3)
    objs += bezel(PEAR, 4.3, metal, top=0.62, bottom=-3.2)
    objs += halo(PEAR, 4.3, metal, m["diamond"], radius=0.72, z=-0.35)
    tip = 4.3 * float(PEAR(math.pi / 2)[1])
    objs += jump_ring(metal, 0, tip + 3.3, -1.0, 1.35, 0.33)
    small = stone(round_outline, None, 2.3, m["emerald"], table=0.55)
    small += bezel(round_outline, 2.3, metal, top=0.4, bottom=-2.1)
    ball = bead("grain", 0.36, 16)
    small += [put(ball, metal, at(*(3.05 * round_outline(v)), -0.5)) for v in np.arange(22) * TAU / 22]
    move(small, at(0, tip + 7.4, -0.9))
    objs += small
    y = tip + 10.9
    objs += jump_ring(metal, 0, y, -1.4, 0.95, 0.3)
    hook = [
        (0, y + 0.9, -1.6),
        (0.2, y + 3.5, -2.0),
        (0.9, y + 6.6, -2.3),
        (3.6, y + 9.4, -2.5),
        (7.0, y + 8.0, -2.6),
        (8.6, y + 3.4, -2.7),
        (8.8, y - 2.5, -2.75),
        (9.9, y - 5.6, -2.75),
    ]
    hook = [(mirror * x, yy, z) for x, yy, z in hook]
    objs.append(put(sweep("hook", spline(hook, 120), disk(0.37, 16)), metal))
    return objs


def earrings_drop(m):
    """A pair of drop earrings: ruby pears in a brilliant halo under emeralds, on shepherd's hooks, lying flat."""
    left = rest(move(_drop(m, -1), at(-11, -12) @ turn(13)))
    right = rest(move(_drop(m, 1), at(11.5, -14.5) @ turn(-8) @ turn(1.5, "Y")))
    return left + right


def pendant_chain(m):
    """Silver pendant: an oval amethyst in a brilliant halo on a fine cable chain with a spring ring, lying flat."""
    metal = m["silver"]
    rng = np.random.Generator(np.random.PCG64(7))
    size = 5.2
    objs = stone(OVAL, OVAL_MAINS, size, m["amethyst"], depth=0.72, crown=0.3)
    objs += bezel(OVAL, size, metal, top=0.7, bottom=-3.3, wall=0.5)
    objs += halo(OVAL, size, metal, m["diamond"], radius=0.85, z=-0.3, gap=0.75)
    top = size * 1.25 + 3.1
    bail = spline(
        [
            (0, top - 0.3, -0.9),
            (0, top + 0.3, 0.6),
            (0, top + 1.9, 0.9),
            (0, top + 2.9, -0.5),
            (0, top + 2.0, -2.0),
            (0, top + 0.3, -2.1),
        ],
        60,
    )
    flare = lambda t: rounded(
        [
            (-0.3, -0.9 - 0.5 * math.sin(math.pi * t)),
            (0.3, -0.9 - 0.5 * math.sin(math.pi * t)),
            (0.3, 0.9 + 0.5 * math.sin(math.pi * t)),
            (-0.3, 0.9 + 0.5 * math.sin(math.pi * t)),
        ],
        0.25,
    )
    objs.append(put(sweep("bail", bail, flare, up=(1, 0, 0)), metal))
    rest(objs)
    half = [(0, top + 2.0), (4.5, 15.5), (12, 24), (21, 35), (24, 47), (19, 59), (8, 65.5), (1.7, 66.6)]
    right = spline([(x, y, 0) for x, y in half], 1500)[:, :2]
    left = spline(
        [(-x * (1.0 + 0.07 * math.sin(y / 9)), y - 0.6 * math.sin(y / 7), 0) for x, y in half], 1500
    )[:, :2]
    loop = link("link", 2.5, 1.75, 0.24)
    for branch in (right, left):
        s = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(branch, axis=0), axis=1))])
        count = int(s[-1] / 1.88)
        for i in range(count):
            w = 0.6 + i * (s[-1] - 0.6) / count
            p = np.array([np.interp(w, s, branch[:, k]) for k in (0, 1)])
            q = np.array([np.interp(w + 0.2, s, branch[:, k]) for k in (0, 1)])
            heading = math.degrees(math.atan2(*(q - p)[::-1]))
            roll = (46 if i % 2 else -44) + rng.normal(0, 7)
            high = 1.1 if i < 3 else 0.74 + abs(rng.normal(0, 0.04))
            objs.append(put(loop, metal, at(*p, high) @ turn(heading + rng.normal(0, 2.5)) @ turn(roll, "X")))
    objs += jump_ring(metal, 0, 68.6, 0.75, 2.6, 0.62, tilt=3)
    objs += [put(bead("trigger", 0.6, 16), metal, at(2.3, 70.6, 0.9))]
    return move(objs, turn(4) @ at(0, -30))


def _hoop(m):
    metal, radius = m["gold"], 12.5
    gap = math.radians(24)
    a = np.linspace(gap, TAU - gap, 520) + math.pi / 2
    path = np.stack([radius * np.cos(a), 0 * a, radius * np.sin(a)], 1)

    def rope(t):
        strand = (
            np.arange(96) * TAU / 96
        )  # turns with the twist, so that the grooves run along the mesh's rows
        full = 1.35 + 1.35 * math.sin(math.pi * t) ** 0.8
        r = full * (0.92 + 0.19 * np.sqrt(np.cos(1.5 * strand) ** 2 + 0.006))
        q = strand - t * TAU * 2.6
        return np.stack([r * np.cos(q), r * np.sin(q)], 1)

    objs = [put(sweep("rope", path, rope, up=(0, 1, 0)), metal)]
    post = [
        (radius * math.cos(v), 0, radius * math.sin(v) - 0.25 * math.cos((v - math.pi / 2) * 3))
        for v in np.linspace(math.pi / 2 - gap * 1.02, math.pi / 2 + gap * 1.02, 12)
    ]
    objs.append(put(sweep("post", spline(post, 50), disk(0.42, 16)), metal))
    for side in (-1, 1):
        v = math.pi / 2 + side * gap
        objs.append(put(bead("cap", 1.45, 32), metal, at(radius * math.cos(v), 0, radius * math.sin(v))))
    return objs


def earrings_hoop(m):
    """A pair of twisted gold hoops: one lies flat, the other lies half over it."""
    flat_one = rest(move(_hoop(m), at(-8, -4) @ turn(40) @ turn(90, "X")))
    # Circles of 12.5 mm whose middles are 18.9 mm apart cross where the upper one has climbed one wire's thickness
    # when it is tilted by 13.5 degrees; its far edge stays on the paper.
    across = math.degrees(math.atan2(10, 16))
    over = move(_hoop(m), at(8, 6) @ turn(across) @ turn(13.5, "Y") @ turn(50 - across) @ turn(90, "X"))
    return flat_one + rest(over)


def bangle_stones(m):
    """Gold bangle, lying, with emeralds, rubies and sapphires in a channel all around."""
    metal, radius = m["gold"], 29.5
    a = np.arange(720) * TAU / 720
    ring = np.stack([radius * np.cos(a), radius * np.sin(a), 0 * a], 1)
    # outward is -x of the section for an anticlockwise path seen from above
    u = rounded(
        [
            (0.55, -3.3),
            (0.55, 3.3),
            (-2.0, 3.3),
            (-2.2, 2.6),
            (-2.0, 2.0),
            (-0.2, 1.9),
            (-0.2, -1.9),
            (-2.0, -2.0),
            (-2.2, -2.6),
            (-2.0, -3.3),
        ],
        0.35,
    )
    # the section's first axis is t x up, which points outward here
    objs = [put(sweep("band", ring, u * np.array([-1, 1]), closed=True, up=(0, 0, 1)), metal)]
    n, colours = 42, ("emerald_small", "diamond", "ruby_small", "diamond", "sapphire_small", "diamond")
    gem, ball = brilliant("stone", size=1.78), bead("claw", 0.5, 18)
    seat = sweep(
        "seat",
        flat(trace(round_outline, 1.72, n=72), -0.55),
        rounded([(-0.25, -1.2), (-0.1, 0.5), (0.22, 0.5), (0.22, -1.2)], 0.1),
        closed=True,
        up=(0, 0, 1),
    )
    for i in range(n):
        v = i * TAU / n
        d = Vector((math.cos(v), math.sin(v), 0))
        frame = Matrix.Translation(d * (radius + 1.75)) @ facing(d)
        objs.append(put(gem, m[colours[i % len(colours)]], frame @ turn(hash_angle((v, 1)))))
        objs.append(put(seat, metal, frame))
        e = Vector((math.cos(v + math.pi / n), math.sin(v + math.pi / n), 0)) * (radius + 1.85)
        for z in (-1.25, 1.25):
            objs.append(put(ball, metal, at(e.x, e.y, z)))
    return rest(move(objs, turn(11)))


def brooch_flower(m):
    """Flower brooch: a pearl among sapphire and topaz marquise petals with brilliants, gold, lying flat."""
    metal, objs = m["gold"], []
    for i in range(6):
        petal = stone(
            MARQUISE, MARQUISE_MAINS, 3.0, m["sapphire" if i % 2 else "aqua"], depth=0.8, crown=0.32
        )
        petal += bezel(MARQUISE, 3.0, metal, top=0.55, bottom=-2.0, wall=0.5)
        objs += move(petal, turn(60 * i) @ at(0, 10.6, 0) @ turn(7, "X"))
        small = stone(round_outline, None, 1.35, m["diamond"]) + bezel(
            round_outline, 1.35, metal, top=0.32, bottom=-1.6, wall=0.38
        )
        objs += move(small, turn(60 * i + 30) @ at(0, 9.3, -0.4))
        stalk = spline([(0, 2.0, -1.6), (0.4, 5.0, -2.0), (0, 8.4, -1.7)], 24)
        objs += move([put(sweep("stalk", stalk, disk(0.55, 14)), metal)], turn(60 * i + 30))
    objs.append(put(bead("pearl", 4.4, 64), m["pearl"], at(0, 0, 1.4)))
    ring = trace(round_outline, 4.3, n=120)
    objs.append(put(sweep("cup", flat(ring, -0.9), disk(0.6, 18), closed=True, up=(0, 0, 1)), metal))
    grain = bead("grain", 0.42, 16)
    objs += [put(grain, metal, at(*(5.15 * round_outline(v)), -0.5)) for v in np.arange(34) * TAU / 34]
    stem = spline([(0, -14.5, -1.8), (1.5, -20, -1.9), (5.5, -27, -2.0), (7.5, -29.5, -2.0)], 60)
    objs.append(put(sweep("stem", stem, lambda t: disk(0.7 + 0.25 * t, 18)), metal))
    for x, y, deg in ((5.2, -20.2, -62), (-1.0, -23.2, 48)):
        leaf = stone(MARQUISE, MARQUISE_MAINS, 2.0, m["emerald"], depth=0.8) + bezel(
            MARQUISE, 2.0, metal, top=0.42, bottom=-1.8, wall=0.42
        )
        objs += move(leaf, at(x, y, -0.3) @ turn(deg))
    return rest(move(objs, at(-1, 4) @ turn(14)))
