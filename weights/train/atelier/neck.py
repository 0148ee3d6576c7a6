"""Pendants and necklaces, lying on the ground with the clasp away from the camera."""

import math

import numpy as np

from weights.train.atelier import chains, gems, mounts
from weights.train.atelier.shapes import (
    at,
    disk,
    flat,
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


def _bail(kit, y, size=1.0):
    loop = spline(
        [
            (0, y - 0.3, -0.6),
            (0, y + 0.3 * size, 0.8),
            (0, y + 1.9 * size, 1.1),
            (0, y + 2.9 * size, -0.2),
            (0, y + 2.0 * size, -1.6),
            (0, y + 0.3, -1.7),
        ],
        32,
    )
    w = 0.8 * size

    def flare(t):
        return slab(0.26, w + 0.4 * math.sin(math.pi * t), 0.2)

    return [put(sweep("bail", loop, flare, up=(1, 0, 0)), kit.metal)]


def _hung(kit, objs, top):
    """The pendant at the middle of a chain: worn, poured or alone. `top`: y of the bail's eye."""
    rest(objs)
    way = kit.pick(("worn", "worn", "worn", "short", "alone"))
    if way == "alone":
        return move(objs, turn(kit.u(-20, 20)))
    gauge = kit.u(0.28, 0.75)
    width = kit.u(18, 55) if way == "short" else kit.u(35, 95)
    line = chains.worn(kit, width, width * kit.u(0.8, 1.5))
    objs += move(chains.chain(kit, line, gauge), at(0, top + 1.4, 0))
    if kit.chance(0.75):
        objs += chains.clasp(
            kit, 0, line[-1][1] + top + 1.4, kit.pick((0, 180)) + kit.u(-25, 25), kit.u(1.0, 1.8)
        )
    return move(objs, turn(kit.u(-15, 15)))


def pendant(kit):
    """A stone with a bail on a chain."""
    cut, size = kit.pick(gems.CUTS), kit.u(2.8, 7)
    objs, half, _ = mounts.setting(kit, cut, size)
    top = gems.length_of(cut) * size + (half - size) + 0.4
    if kit.chance(0.3):
        small, r, _ = mounts.setting(kit, "round", kit.u(1, 1.8), "bezel", kit.spec.accent)
        objs += move(small, at(0, top + r, -0.3))
        top += 2 * r
    return _hung(kit, objs + _bail(kit, top), top)


def bar_pendant(kit):
    """A bar, disc, cross or heart of sheet metal, perhaps with a row of stones."""
    kind, h = kit.pick(("disc", "bar", "cross", "teardrop", "ring")), kit.u(0.6, 1.1)
    objs, size = [], kit.u(5, 11)
    section = rounded([(0, -h), (0.3, -h), (0.3, h), (0, h)], 0.12, 3)
    if kind in ("disc", "teardrop"):
        outline = gems.outline_of("round" if kind == "disc" else "pear")
        objs.append(put(gems.cabochon("sheet", outline, size, 0.09, 6), kit.metal))
        objs.append(
            put(
                sweep("rim", flat(trace(outline, size, n=140)), disk(0.5, 12), closed=True, up=(0, 0, 1)),
                kit.trim,
            )
        )
        top = gems.length_of("round" if kind == "disc" else "pear") * size
        if kit.chance(0.5):
            part, _, _ = mounts.setting(kit, kit.pick(("round", "pear", "marquise")), size * 0.3, "bezel")
            objs += move(part, at(0, 0, 0.13 * size))
    elif kind == "ring":
        objs.append(
            put(
                sweep(
                    "ring",
                    flat(trace(gems.outline_of("round"), size, n=140)),
                    disk(kit.u(0.6, 1.5), 16),
                    closed=True,
                    up=(0, 0, 1),
                ),
                kit.metal,
            )
        )
        top = size
    else:
        w = kit.u(0.9, 1.8)
        bars = [((0, size, 0), (0, -size, 0))] + (
            [((-0.62 * size, 0.35 * size, 0), (0.62 * size, 0.35 * size, 0))] if kind == "cross" else []
        )
        section = rounded([(-w, -h), (w, -h), (w, h), (-w, h)], 0.3, 3)
        for a, b in bars:
            mid = tuple((p + q) / 2 for p, q in zip(a, b, strict=True))
            objs.append(put(sweep("bar", np.array([a, mid, b]), section, up=(0, 0, 1)), kit.metal))
            if kit.chance(0.5):
                n = int(np.linalg.norm(np.subtract(a, b)) / (2 * 0.7 * w + 0.2))
                frames = [
                    at(*(np.array(a) + (np.array(b) - a) * (i + 0.5) / n)) @ at(0, 0, h + 0.05)
                    for i in range(n)
                ]
                objs += mounts.pave(kit, frames, 0.7 * w)
        top = size + w * 0.6
    objs += mounts.jump_ring(kit, 0, top + 1.0, 0, 1.1, 0.3, tilt=15)
    return _hung(kit, objs, top + 1.2)


def filigree_pendant(kit):
    """A lace of wire on a chain, perhaps with a bead below."""
    cut, size = kit.pick(("round", "pear", "oval", "heart", "marquise")), kit.u(7, 13)
    objs = mounts.filigree(kit, cut, size)
    top = gems.length_of(cut) * size
    if kit.chance(0.4):
        r = kit.u(1.5, 3)
        low = -float(abs(gems.outline_of(cut)(-math.pi / 2)[1])) * size
        objs += [put(kit.ball(r, 32), kit.pick((kit.pearl, kit.metal, kit.main(3))), at(0, low - r - 1.2))]
        objs += mounts.jump_ring(kit, 0, low - 0.5, 0, 0.8, 0.25, 30)
    objs += mounts.jump_ring(kit, 0, top + 1.0, 0, 1.1, 0.3, tilt=15)
    return _hung(kit, objs, top + 1.2)


def heart_pendant(kit):
    """An open heart of wire or sheet, some with a row of stones."""
    size, thick = kit.u(5, 10), kit.u(0.6, 1.5)
    outline = gems.outline_of("heart")
    line = flat(trace(outline, size, n=160))
    section = kit.pick((disk(thick, 16), slab(thick * 0.6, thick * 1.2, 0.2)))
    objs = [put(sweep("heart", line, section, closed=True, up=(0, 0, 1)), kit.metal)]
    if kit.chance(0.5):
        r = 0.75 * thick
        frames = [at(*p, thick * 1.02) for p in trace(outline, size, n=int(6.4 * size / (2 * r + 0.2)))]
        objs += mounts.pave(kit, frames, r)
    top = float(outline(math.pi / 2)[1]) * size
    objs += mounts.jump_ring(kit, 0, top + thick + 0.8, 0, 1.1, 0.3, tilt=15)
    return _hung(kit, objs, top + thick + 1.0)


def locket(kit):
    """A hinged case with a border and a stone or enamel in the lid."""
    cut, size = kit.pick(("round", "oval", "cushion")), kit.u(7, 12)
    outline = gems.outline_of(cut)
    objs = [put(gems.cabochon("lid", outline, size, 0.24, 12), kit.metal)]
    back = put(
        gems.cabochon("back", outline, size, 0.2, 10), kit.metal, at(0, 0, -0.26 * size) @ turn(180, "X")
    )
    objs += [
        back,
        put(
            sweep(
                "rim",
                flat(trace(outline, size, n=140), -0.13 * size),
                disk(0.6, 12),
                closed=True,
                up=(0, 0, 1),
            ),
            kit.trim,
        ),
    ]
    if kit.chance(0.7):
        face = gems.cabochon("face", outline, size * 0.55, 0.12, 8)
        objs.append(put(face, kit.enamel if kit.chance(0.6) else kit.main(3), at(0, 0, 0.19 * size)))
    n = kit.n(16, 30)
    objs += [put(kit.ball(0.4, 12), kit.trim, at(*p, 0.14 * size)) for p in trace(outline, size * 0.78, n=n)]
    top = gems.length_of(cut) * size
    return _hung(kit, objs + _bail(kit, top + 0.6), top + 0.6)


def line_necklace(kit):
    """Set stones on a line, graded to the middle, often with a fall below it."""
    cuts = (kit.pick(("round", "princess", "oval")), kit.pick(("round", "cushion", "pear")))
    width = kit.u(50, 95)
    line = chains.climbed(chains.worn(kit, width, width * kit.u(0.9, 1.3)), 1.0, closed=False)
    s = chains.measured(line)[-1]
    size, objs, here, i = kit.u(1.8, 3.2), [], 0.0, 0
    share = kit.u(0.25, 1.0)  # the rest is chain
    lo, hi = s * (0.5 - share / 2), s * (0.5 + share / 2)
    here = lo
    while here < hi:
        r = size * (0.6 + 0.4 * math.sin(math.pi * here / s) ** 2)
        q = chains.along(line, np.array([here, here + 0.5]))
        yaw = math.degrees(math.atan2(*(q[1] - q[0])[1::-1])) - 90
        cut = cuts[i % 2]
        part, _, deep = mounts.setting(
            kit, cut, r, "bezel" if i % 2 else "claws", kit.spec.accent if i % 2 else kit.spec.stone
        )
        objs += move(part, at(*q[0][:2], deep) @ turn(yaw))
        objs += move(
            mounts.jump_ring(kit, 0, 0, 0, 0.8, 0.25, 30),
            at(*chains.along(line, np.array([here + gems.length_of(cut) * r + 0.9]))[0][:2], 0.8),
        )
        here += 2 * gems.length_of(cut) * r + 2.2
        i += 1
    for part in ((0, lo), (hi, s)):
        if part[1] - part[0] > 4:
            piece = chains.along(line, np.linspace(*part, 120))
            objs += chains.chain(kit, piece[:, :2], 0.5, "cable")
    if kit.chance(0.7):
        objs += chains.clasp(kit, 0, line[-1][1], kit.pick((0, 180)) + kit.u(-25, 25), kit.u(1.0, 1.8))
    y = 0.0
    for k in range(kit.n(0, 5)):
        r = size * kit.u(0.7, 1.05)
        part, _, deep = mounts.setting(
            kit, cuts[k % 2], r, "bezel", kit.spec.accent if k % 2 else kit.spec.stone
        )
        y -= 2 * r * gems.length_of(cuts[k % 2]) + 2.2
        objs += move(part, at(0, y, deep))
        objs += mounts.jump_ring(kit, 0, y + gems.length_of(cuts[k % 2]) * r + 1.1, 0.7, 0.8, 0.25, 30)
    return objs


def bead_necklace(kit):
    """Beads of two kinds with metal between, sometimes with a tassel of drops."""
    r = kit.u(1.3, 4.2)
    mats = [kit.body] * kit.n(1, 5) + [kit.pick((kit.metal, kit.body))] * kit.n(0, 2)
    line = (
        chains.worn(kit, kit.u(60, 110), kit.u(70, 130))
        if kit.chance(0.6)
        else chains.loop(kit, kit.u(30, 50), wobble=0.35)
    )
    objs = chains.strand(kit, line, r, mats, closed=False, graded=kit.u(0, 0.4))
    if kit.chance(0.4):
        for _ in range(kit.n(3, 9)):
            x = kit.u(-12, 12)
            drop = kit.gem("pear", kit.u(1.6, 3.4))
            objs += rest(
                move(drop, at(x, -r - kit.u(3, 12)) @ turn(kit.u(-30, 30)) @ turn(kit.u(-25, 25), "Y"))
            )
    return objs


def pearl_strand(kit):
    """One or two rows of pearls: worn, in a heap of loops, or stretched."""
    r, way = kit.u(2.2, 4.6), kit.pick(("worn", "loop", "poured", "zigzag"))
    line = {
        "worn": lambda: chains.worn(kit, kit.u(60, 120), kit.u(70, 120)),
        "loop": lambda: chains.loop(kit, kit.u(28, 55), wobble=0.5),
        "poured": lambda: chains.poured(kit, kit.u(24, 36), kit.u(1.6, 2.6)),
        "zigzag": lambda: chains.zigzag(kit, kit.u(70, 120), kit.u(18, 40)),
    }[way]()
    objs = chains.strand(
        kit,
        line,
        r,
        [kit.pearl],
        closed=False,
        jitter=kit.u(0, 0.08),
        graded=kit.u(0, 0.35) if way == "worn" else 0.0,
    )
    if way == "worn" or kit.chance(0.4):
        objs += chains.clasp(
            kit,
            0 if way == "worn" else line[-1][0],
            line[-1][1],
            kit.pick((0, 180)) + kit.u(-25, 25),
            kit.u(1.6, 2.4),
        )
    return objs


def chain_necklace(kit):
    """A chain alone: worn, poured in loops or stretched."""
    way = kit.pick(("worn", "poured", "zigzag", "loop"))
    line = {
        "worn": lambda: chains.worn(kit, kit.u(45, 100), kit.u(55, 120)),
        "poured": lambda: chains.poured(kit, kit.u(18, 36), kit.u(1.4, 3.0)),
        "zigzag": lambda: chains.zigzag(kit, kit.u(60, 110), kit.u(12, 36)),
        "loop": lambda: chains.loop(kit, kit.u(22, 45), wobble=0.4),
    }[way]()
    objs = chains.chain(kit, line, kit.u(0.35, 1.6))
    if way != "loop":
        objs += chains.clasp(kit, *line[-1], kit.u(0, 360), kit.u(1.5, 2.6))
    return objs


def station_necklace(kit):
    """A fine chain with stones set into it here and there."""
    width = kit.u(50, 90)
    line = chains.worn(kit, width, width * kit.u(0.9, 1.3))
    objs = chains.chain(kit, line, kit.u(0.3, 0.5), "cable")
    p = chains.climbed(line, 1, closed=False)
    s, n = chains.measured(p)[-1], kit.n(3, 11)
    pearls = kit.chance(0.4)
    for k in range(n):
        q = chains.along(p, np.array([s * (k + 1) / (n + 1)]))[0]
        if pearls:
            objs.append(put(kit.ball(2.4, 32), kit.pearl, at(q[0], q[1], 2.4)))
        else:
            part, _, deep = mounts.setting(kit, "round", 1.6, "bezel")
            objs += move(part, at(q[0], q[1], deep))
    return objs


def bib_necklace(kit):
    """Beads with a fan of hammered plates or drops at the front."""
    r, width = kit.u(1.4, 2.4), kit.u(80, 115)
    line = chains.worn(kit, width, width * kit.u(0.9, 1.1))
    objs = chains.strand(kit, line, r, [kit.body] * 3 + [kit.metal], closed=False)
    objs += chains.clasp(kit, 0, line[-1][1], kit.pick((0, 180)), 1.6)
    p = chains.climbed(line, 1, closed=False)
    s, n, step = chains.measured(p)[-1], 2 * kit.n(2, 4) + 1, kit.u(6, 8)
    for k in range(n):
        off = (k - n // 2) * step
        q = chains.along(p, np.array([s / 2 + off]))[0]
        long = kit.u(0.9, 1.1) * (22 - 7 * abs(off) / (n // 2 * step))
        blade = [(0, 0, 0), (0, -0.5 * long, 0), (0, -long, 0)]
        mesh = sweep("plate", spline(blade, 24), lambda t: disk(1.6 + 1.2 * t, 24) * [1, 0.32], up=(0, 0, 1))
        objs += move([put(mesh, kit.metal)], at(q[0], q[1] - r - 0.6, 1.0) @ turn(1.6 * off))
    return objs
