"""Bracelets and bangles. Each family returns its objects with the wrist along z."""

import math

import numpy as np
from mathutils import Matrix, Vector

from weights.train.atelier import chains, gems, mounts
from weights.train.atelier.shapes import (
    TAU,
    at,
    disk,
    facing,
    flat,
    move,
    put,
    rest,
    rounded,
    slab,
    sweep,
    trace,
    turn,
)


def circle(radius, n=360):
    """Closed path around z, anticlockwise: (n, 3)."""
    a = np.arange(n) * TAU / n
    return np.stack([radius * np.cos(a), radius * np.sin(a), 0 * a], 1)


def chain_bracelet(kit):
    """A heavy chain with a clasp, closed in an oval or open in a curve."""
    line = (
        chains.loop(kit, kit.u(20, 32), wobble=0.2, stretch=kit.u(0.6, 1))
        if kit.chance(0.5)
        else chains.zigzag(kit, kit.u(80, 150), kit.u(5, 22))
    )
    objs = chains.chain(kit, line, kit.u(0.6, 2.2))
    return objs + chains.clasp(kit, *line[-1], kit.u(0, 360), kit.u(2, 3.2))


def tennis(kit):
    """Stones in a row, each in its box, closed in an oval that stands on edge or lies."""
    r, radius, oval = kit.u(0.9, 2.2), kit.u(22, 30), kit.u(0.7, 1.0)
    a = np.linspace(0, TAU, 600)
    path = np.stack([radius * np.cos(a), oval * radius * np.sin(a), 0 * a], 1)
    s = chains.measured(path)[-1]
    open_ = kit.chance(0.4)
    n = int(s * (0.9 if open_ else 1.0) / (2 * r + 0.5))
    where = chains.along(path, np.arange(n) * (2 * r + 0.5))
    objs, seat = (
        [],
        rounded([(-0.25, 0.25 * r), (0.25, 0.25 * r), (0.25, -1.05 * r), (-0.25, -1.05 * r)], 0.1, 3),
    )
    box = sweep(
        "seat", flat(trace(gems.outline_of("cushion"), r * 0.98, n=40)), seat, closed=True, up=(0, 0, 1)
    )
    bar = sweep("bar", np.array([(-r, 0, 0), (0, 0, 0), (r, 0, 0)]), disk(0.35 * r, 8))
    stone, ball = kit.melee(r * 0.98), kit.ball(0.2 * r + 0.06, 10)
    standing = kit.spec.lie == "standing"
    for i, p in enumerate(where):
        out = Vector((p[0], p[1], 0)).normalized()
        if standing:
            frame = Matrix.Translation(p) @ facing(out)
        else:
            frame = Matrix.Translation(p) @ turn(math.degrees(math.atan2(out.y, out.x)) + 90)
        frame = frame @ turn(kit.u(-2, 2), "X")
        mat = kit.main(r) if i % 2 and kit.spec.seed % 3 == 0 else kit.accent(r)
        objs += [
            put(stone, mat, frame @ turn(kit.u(0, 90))),
            put(box, kit.metal, frame),
            put(bar, kit.metal, frame @ at(r, 0, -0.6 * r)),
        ]
        objs += [
            put(ball, kit.metal, frame @ at(0.78 * r * x, 0.78 * r * y, 0.3 * r))
            for x in (-1, 1)
            for y in (-1, 1)
        ]
    return objs


def bead_bracelet(kit):
    """Round beads on elastic: one stone, or with metal rondelles."""
    r = kit.u(2.5, 5)
    mats = [kit.pick((kit.body, kit.pearl))] * kit.n(3, 9) + [kit.metal] * kit.n(0, 1)
    line = chains.loop(kit, kit.u(22, 30), wobble=0.08)
    return chains.strand(kit, line, r, mats, closed=True, jitter=0.01)


def charm_bracelet(kit):
    """A chain with charms hanging inward and outward."""
    radius = kit.u(24, 32)
    line = chains.loop(kit, radius, wobble=0.12)
    objs = chains.chain(kit, line, kit.u(0.7, 1.1), "cable")
    p = chains.climbed(line, 1, closed=False)
    s, n = chains.measured(p)[-1], kit.n(4, 9)
    for k in range(n):
        q = chains.along(p, np.array([s * (k + 0.5) / n]))[0]
        yaw = math.degrees(math.atan2(q[1], q[0])) - 90 + (0 if kit.chance(0.7) else 180)
        part = mounts.jump_ring(kit, 0, 2.2, 1.0, 1.3, 0.3, 35)
        kind = kit.pick(("pearl", "stone", "disc", "ball", "enamel"))
        if kind == "pearl":
            part.append(put(kit.ball(3.0, 32), kit.pearl, at(0, 6.4, 3.0)))
        elif kind == "stone":
            gem, _, deep = mounts.setting(kit, kit.pick(("pear", "round", "cushion")), 2.4, "bezel")
            part += move(gem, at(0, 6.6, deep) @ turn(180))
        elif kind == "ball":
            part.append(put(kit.ball(2.4, 24), kit.trim, at(0, 5.8, 2.4)))
        else:
            sheet = gems.cabochon("charm", gems.outline_of(kit.pick(("round", "oval", "pear"))), 3.6, 0.14, 6)
            part.append(put(sheet, kit.enamel if kind == "enamel" else kit.metal, at(0, 7.4, 0.5)))
            part.append(
                put(
                    sweep(
                        "rim",
                        flat(trace(gems.outline_of("round"), 3.6, n=60), 0.0),
                        disk(0.35, 8),
                        closed=True,
                        up=(0, 0, 1),
                    ),
                    kit.metal,
                    at(0, 7.4, 0.5),
                )
            )
        objs += move(part, at(q[0], q[1]) @ turn(yaw))
    return objs


def _bangle(kit, radius, w, h, kind=None):
    """One bangle lying: height 2w, thickness h."""
    kind = kind or kit.pick(("round", "flat", "dome", "twist", "rope"))
    n, turns = 420, kit.n(9, 30)

    def section(t):
        if kind == "flat":
            return rounded([(-h, -w), (h, -w), (h, w), (-h, w)], 0.3, 3)
        q = np.arange(28) * TAU / 28
        r = np.ones(28)
        if kind in ("twist", "rope"):
            lobes = 2 if kind == "twist" else 3
            r = 0.86 + 0.2 * np.abs(np.cos(lobes / 2 * (q - t * TAU * turns)))
        return np.stack([r * h * np.cos(q), r * w * np.sin(q)], 1)

    return [put(sweep("bangle", circle(radius, n), section, closed=True, up=(0, 0, 1)), kit.metal)]


def bangle(kit):
    """A plain or twisted bangle, lying or leaning."""
    radius, h = kit.u(26, 34), kit.u(0.9, 2.6)
    objs = _bangle(kit, radius, h * kit.u(0.8, 2.6), h)
    if kit.chance(0.4):
        beads = kit.n(8, 30)
        for v in np.arange(beads) * TAU / beads:
            objs.append(
                put(
                    kit.ball(h * 0.8, 16),
                    kit.trim,
                    at((radius + h) * math.cos(v), (radius + h) * math.sin(v), 0),
                )
            )
    return objs


def stone_bangle(kit, radius=None):
    """Stones or enamel between two rims, all around."""
    radius, r = radius or kit.u(27, 33), kit.u(0.8, 2.2)
    w, h = 1.75 * r + 0.5, 0.9
    u = rounded(
        [(-h, -w), (h, -w), (h, -0.62 * w), (0.2, -0.6 * w), (0.2, 0.6 * w), (h, 0.62 * w), (h, w), (-h, w)],
        0.25,
        3,
    )
    objs = [put(sweep("band", circle(radius), u, closed=True, up=(0, 0, 1)), kit.metal)]
    if kit.chance(0.3):  # enamel instead of stones, with a row of dots
        inlay = circle(radius + 0.35)
        objs.append(
            put(sweep("enamel", inlay, slab(0.35, 0.6 * w, 0.1), closed=True, up=(0, 0, 1)), kit.enamel)
        )
        dots = int(TAU * radius / kit.u(2.5, 6))
        for v in np.arange(dots) * TAU / dots:
            objs.append(
                put(
                    kit.ball(0.5, 14),
                    kit.metal,
                    at((radius + 0.7) * math.cos(v), (radius + 0.7) * math.sin(v)),
                )
            )
        return objs
    n = int(TAU * (radius + 0.9) / (2 * r + 0.3))
    mats = [kit.main(r), kit.accent(r)] if kit.chance(0.5) else [kit.accent(r)]
    gem, ball = kit.melee(r), kit.ball(0.24 * r + 0.08, 10)
    for i in range(n):
        v = i * TAU / n
        d = Vector((math.cos(v), math.sin(v), 0))
        objs.append(
            put(
                gem,
                mats[i % len(mats)],
                Matrix.Translation(d * (radius + 0.85)) @ facing(d) @ turn(kit.u(0, 90)),
            )
        )
        e = Vector((math.cos(v + math.pi / n), math.sin(v + math.pi / n), 0)) * (radius + 0.95)
        objs += [put(ball, kit.metal, at(e.x, e.y, z)) for z in (-0.7 * r, 0.7 * r)]
    return objs


def bangle_stack(kit):
    """Two to five bangles: stacked askew, or leaning across each other so that paper shows between them."""
    radius, count = kit.u(27, 33), kit.n(2, 5)
    spread, objs, z = kit.u(2, 16), [], 0.0
    fancy = kit.chance(0.4)
    for k in range(count):
        h = kit.u(0.9, 2.2)
        w = h * kit.u(0.8, 1.6)
        if fancy and k % 2 == 0:
            part, w, h = stone_bangle(kit, radius), 4.0, 1.2
        else:
            part = _bangle(kit, radius + kit.u(-1, 1), w, h)
        shift = (kit.u(-spread, spread), kit.u(-spread, spread)) if k else (0, 0)
        off = math.hypot(*shift)
        # It lies on the one below on one side and on the paper on the other when it is shifted far enough.
        lean = math.degrees(math.atan2(z, 2 * radius - off)) if off > 6 and k == 1 else 0.0
        rest(move(part, turn(lean, "Y") @ turn(kit.u(0, 360))))
        towards = math.degrees(math.atan2(shift[1], shift[0]))
        if lean:
            move(part, turn(180 + towards))
            move(part, at(shift[0], shift[1], 0))
        else:
            move(part, at(shift[0], shift[1], z))
        z = (
            max((o.matrix_world @ Vector(c)).z for o in part for c in o.bound_box)
            if lean
            else z + 2 * w + 0.02
        )
        objs += part
    return objs


def cuff(kit):
    """An open cuff, flat or of several rails."""
    radius, w = kit.u(26, 31), kit.u(3, 14)
    gap = math.radians(kit.u(22, 40))
    a = np.linspace(gap, TAU - gap, 260)
    path = np.stack([radius * np.cos(a), 0.82 * radius * np.sin(a), 0 * a], 1)
    if kit.chance(0.5):
        narrow = kit.u(0.5, 1)

        def section(t):
            return slab(0.7, w) * [1, narrow + (1 - narrow) * math.sin(math.pi * t)]

        objs = [put(sweep("cuff", path, section, up=(0, 0, 1)), kit.metal)]
    else:
        n = kit.n(2, 5)
        objs = [
            put(
                sweep("rail", path + [0, 0, w * (2 * i / (n - 1) - 1) * 0.6], disk(1.1, 14), up=(0, 0, 1)),
                kit.metal,
            )
            for i in range(n)
        ]
        for end in (0, -1):
            post = np.array([path[end] + [0, 0, z] for z in (-0.6 * w, 0, 0.6 * w)])
            objs.append(put(sweep("post", post, disk(1.4, 14)), kit.metal))
    for end in (0, -1):
        if kit.chance(0.5):
            objs.append(put(kit.ball(2.2, 24), kit.metal if kit.chance(0.5) else kit.pearl, at(*path[end])))
    return objs
