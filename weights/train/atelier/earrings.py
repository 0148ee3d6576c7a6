"""Earrings. Each family returns a pair, each lying or standing on the ground as a shop would put it."""

import math

import numpy as np

from weights.train.atelier import gems, mounts
from weights.train.atelier.shapes import TAU, at, disk, move, put, rest, rounded, spline, sweep, turn


def _pair(kit, make, spread, *, tilt=4.0, single=0.12):
    """Left and right, turned a little against each other; now and then one alone."""
    if kit.chance(single):
        return rest(move(make(kit, 1), turn(kit.u(-25, 25))))
    hung = kit.spec.lie == "hanging"
    lean, spin = (0.0, 2.0) if hung else (kit.u(-20, 20), 9.0)
    drift = 0.0 if hung else kit.u(-0.25, 0.25) * spread
    left = rest(
        move(
            make(kit, -1),
            at(-spread / 2, drift) @ turn(lean + kit.u(-spin, spin)) @ turn(kit.u(-tilt, tilt), "Y"),
        )
    )
    right = rest(
        move(
            make(kit, 1),
            at(spread / 2, -drift) @ turn(lean + kit.u(-spin, spin)) @ turn(kit.u(-tilt, tilt), "Y"),
        )
    )
    return left + right


def _hook(kit, x, y, z, mirror, size=1.0):
    """A shepherd's hook rising from (x, y)."""
    pts = [
        (0, 0, 0),
        (0.2, 2.6, -0.4),
        (0.9, 5.7, -0.7),
        (3.6, 8.5, -0.9),
        (7.0, 7.1, -1.0),
        (8.6, 2.5, -1.1),
        (9.2, -3.5, -1.15),
    ]
    line = [(x + mirror * size * a, y + size * b, z + c) for a, b, c in pts]
    return [put(sweep("hook", spline(line, 60), disk(0.36, 10)), kit.metal)]


def _post(kit, y, z):
    """The pin behind a stud, pointing down into the paper is impossible: it lies slanting."""
    pin = [(0, y, z), (0, y, z - 4.0), (0, y, z - 9.0)]
    return [put(sweep("post", spline(pin, 12), disk(0.42, 10)), kit.metal)]


def stud(kit):
    """A pair of stone studs, faces up, leaning on their pins."""
    cut, size, style = kit.pick(gems.CUTS), kit.u(1.6, 4), kit.pick(("claws", "bezel", "halo"))
    mark = kit.rng.bit_generator.state

    def one(k, side):
        k.rng.bit_generator.state = mark  # the two of a pair are alike
        objs, _, deep = mounts.setting(k, cut, size, style)
        objs += _post(k, 0, -deep * 0.9)
        return move(objs, turn(side * 20 + 5) @ turn(28, "X"))

    return _pair(kit, one, size * kit.u(4, 8), tilt=6)


def pearl_stud(kit):
    """Pearls on pins."""
    r = kit.u(2.5, 6)

    def one(k, _side):
        objs = [put(k.ball(r, 48), k.pearl)]
        objs += move(_post(k, 0, -0.95 * r), turn(150 + k.u(-30, 30), "X"))
        return move(objs, turn(k.u(-60, 60)))

    return _pair(kit, one, r * kit.u(3.2, 7), tilt=0)


def hoop(kit):
    """Hoops: round, square or rope section, some with stones outside."""
    radius, thick = kit.u(6, 24), kit.u(0.7, 2.6)
    kind = kit.pick(("round", "flat", "rope", "stones", "round"))
    gap = math.radians(kit.u(8, 26))
    a = np.linspace(gap, TAU - gap, 260) + math.pi / 2
    path = np.stack([radius * np.cos(a), 0 * a, radius * np.sin(a)], 1)
    swell = kit.u(0, 0.8)
    turns = kit.u(2, 9)

    def section(t):
        full = thick * (1 - swell * (1 - math.sin(math.pi * t) ** 0.8))
        full = max(full, 0.5)
        if kind in ("flat", "stones"):
            w = full * 1.3
            return rounded([(-0.5 * full, -w), (0.5 * full, -w), (0.5 * full, w), (-0.5 * full, w)], 0.3, 3)
        q = np.arange(32) * TAU / 32
        r = full * (0.92 + 0.19 * np.sqrt(np.cos(1.5 * q) ** 2 + 0.006)) if kind == "rope" else full
        q = q - (t * TAU * turns if kind == "rope" else 0)
        return np.stack([r * np.cos(q), r * np.sin(q)], 1)

    def one(k, _side):
        objs = [put(sweep("hoop", path, section, up=(0, 1, 0)), k.metal)]
        pin = [
            (radius * math.cos(v), 0, radius * math.sin(v))
            for v in np.linspace(math.pi / 2 - gap, math.pi / 2 + gap, 8)
        ]
        objs.append(put(sweep("pin", spline(pin, 24), disk(0.42, 10)), k.metal))
        if kind == "stones":
            r = thick * 0.8
            angles = np.arange(-2.4, 2.4, (2 * r + 0.15) / radius) + math.pi
            objs += mounts.pave(k, mounts.ring_frames(radius + thick * 0.55, angles), r)
        return objs

    if kit.spec.lie == "standing":
        return _pair(
            kit, lambda k, s: move(one(k, s), turn(s * 25) @ turn(12, "X")), radius * kit.u(2.0, 2.8), tilt=0
        )
    return _pair(
        kit, lambda k, s: move(one(k, s), turn(90, "X")), 2 * radius + 2 * thick + kit.u(1, radius), tilt=0
    )


def _link_pair(kit, y, z):
    return mounts.jump_ring(kit, 0, y, z, 1.0, 0.28, tilt=25)


def drop(kit):
    """A stone in a setting below a smaller one, on a hook or a stud."""
    cut, size = (
        kit.pick(("pear", "oval", "round", "marquise", "cushion", "emerald", "princess")),
        kit.u(2.6, 5),
    )
    style, small = kit.pick(("bezel", "halo", "claws")), kit.u(1.2, 2.2)
    hook = kit.chance(0.6)
    mark = kit.rng.bit_generator.state

    def one(k, side):
        k.rng.bit_generator.state = mark
        objs, half, _ = mounts.setting(k, cut, size, style)
        tip = gems.length_of(cut) * size + (half - size)
        objs += _link_pair(k, tip + 0.8, -0.7)
        top, r, _ = mounts.setting(k, "round", small, "bezel", k.spec.accent)
        y = tip + 1.6 + r + 0.4
        objs += move(top, at(0, y, -0.7))
        if hook:
            objs += _link_pair(k, y + r + 0.8, -0.9)
            objs += _hook(k, 0, y + r + 1.5, -1.0, side)
        return move(objs, at(0, -y / 2))

    return _pair(kit, one, kit.u(2.6, 4) * (size + 2))


def long_drop(kit):
    """A long polished drop or a line of beads on a hook."""
    kind, long, wide = kit.pick(("cone", "beads", "bar")), kit.u(16, 42), kit.u(1.8, 4.2)
    mat_main, beads = kit.chance(0.6), kit.n(3, 7)

    def one(k, side):
        mat = k.body if mat_main else k.metal
        if kind == "beads":
            r = long / beads / 2
            objs = [
                put(k.ball(r, 32), (mat, k.metal)[i % 2] if k.spec.seed % 2 else mat, at(0, -r - 2 * r * i))
                for i in range(beads)
            ]
        else:
            line = [(0, -0.2, 0), (0, -0.3 * long, 0), (0, -0.7 * long, 0), (0, -long, 0)]
            grow = (lambda t: 0.45 + 0.6 * t) if kind == "cone" else (lambda _: 0.6)
            flatness = 0.55 if k.spec.seed % 3 else 1.0
            objs = [
                put(
                    sweep(
                        "drop",
                        spline(line, 40),
                        lambda t: disk(wide * grow(t), 32) * [1, flatness],
                        up=(0, 0, 1),
                    ),
                    mat,
                )
            ]
        objs += _link_pair(k, 0.9, 0.0)
        objs += _hook(k, 0, 1.7, 0, side, 0.9)
        return move(objs, at(0, long / 2))

    return _pair(kit, one, wide * kit.u(3.5, 6) + 6)


def jhumka(kit):
    """Bell earrings with a fringe of small beads under a flower stud."""
    r, h = kit.u(5, 9), kit.u(5, 9)
    beads, power = kit.n(14, 24), kit.u(0.45, 0.8)
    pearls = kit.chance(0.6)
    lying = kit.spec.lie == "flat"

    def one(k, side):
        t = np.linspace(0.02, 1, 24)
        out = np.stack([r * t**power, h * (1 - t)], 1)
        profile = np.concatenate([out, (out - [0.5, 0.35])[::-1]])
        profile[:, 0] = np.maximum(profile[:, 0], 0.15)
        a = np.arange(72) * TAU / 72
        path = np.stack([np.cos(a), np.sin(a), 0 * a], 1) * 0.01
        mesh = sweep("bell", path, profile * [1, 1], closed=True, up=(0, 0, 1))
        objs = [put(mesh, k.metal)]
        for row, (rr, z) in enumerate(((r * 1.0, 0.25), (r * 0.82, h * (1 - 0.82 ** (1 / power))))):
            ring = np.stack([rr * np.cos(a), rr * np.sin(a), 0 * a + z], 1)
            objs.append(
                put(sweep("rim", ring, disk(0.45, 10), closed=True, up=(0, 0, 1)), k.trim if row else k.metal)
            )
        drop = k.ball(0.9, 20)
        for v in np.arange(beads) * TAU / beads:
            objs.append(
                put(drop, k.pearl if pearls else k.accent(1), at(r * math.cos(v), r * math.sin(v), -1.2))
            )
        for v in np.arange(9) * TAU / 9:
            rr = r * 0.72
            z = h * (1 - 0.72 ** (1 / power))
            objs.append(
                put(
                    k.ball(0.7, 16),
                    k.accent(0.8),
                    at(rr * math.cos(v) * 1.04, rr * math.sin(v) * 1.04, z + 0.2),
                )
            )
        neck = [(0, 0, h - 0.2), (0, 0, h + 1.6)]
        objs.append(put(sweep("neck", np.array([neck[0], (0, 0, h + 0.6), neck[1]]), disk(0.5, 10)), k.metal))
        top, half, _ = mounts.setting(k, "round", 2.0, "halo")
        objs += move(top, at(0, 0.2, h + 1.8 + half) @ turn(90, "X"))
        return move(objs, turn(side * 15) @ (turn(-82, "X") if lying else turn(0)))

    return _pair(kit, one, r * kit.u(2.6, 4), tilt=0)


def filigree_drop(kit):
    """Lace of wire on hooks."""
    cut, size = kit.pick(("round", "pear", "marquise", "oval")), kit.u(5, 11)
    mark = kit.rng.bit_generator.state

    def one(k, side):
        k.rng.bit_generator.state = mark
        objs = mounts.filigree(k, cut, size)
        top = gems.length_of(cut) * size
        objs += mounts.jump_ring(k, 0, top + 1.0, 0, 1.0, 0.28, tilt=25) + _hook(k, 0, top + 1.8, 0, side)
        return move(objs, at(0, -4))

    return _pair(kit, one, size * kit.u(2.4, 3.6))


def chandelier(kit):
    """A frame with rows of drops that grow towards the middle."""
    wide, rows = kit.u(7, 11), kit.n(3, 5)
    cut, r = kit.pick(("pear", "round", "marquise")), kit.u(0.9, 1.5)
    mark = kit.rng.bit_generator.state

    def one(k, side):
        k.rng.bit_generator.state = mark
        objs = []
        for share in (1.0, 0.6):
            arc = [
                (share * wide * math.cos(v), share * 0.9 * wide * math.sin(v), 0)
                for v in np.linspace(math.pi, TAU, 15)
            ]
            arc = arc + [(0, wide * 0.75 * share, 0)]
            objs.append(
                put(sweep("frame", spline([*arc, arc[0]], 90), disk(0.45, 10), up=(0, 0, 1)), k.metal)
            )
        for i in range(2 * rows - 1):
            v = math.pi + math.pi * (i + 0.5) / (2 * rows - 1)
            x, y = wide * math.cos(v), 0.9 * wide * math.sin(v)
            for step in range(1 + (rows - 1 - abs(i - rows + 1)) // 2 + 1):
                yy = y - 1.6 - step * (2 * gems.length_of(cut) * r + 1.8)
                part = k.gem(cut, r, k.spec.accent if step % 2 else k.spec.stone) + mounts.bezel(
                    k, cut, r, wall=0.3
                )
                objs += move(part, at(x, yy - r, -0.2))
                objs += mounts.jump_ring(k, x, yy + 0.9 * r, -0.5, 0.6, 0.2, tilt=20)
        top, _, _ = mounts.setting(k, "round", 2.2, "bezel")
        objs += move(top, at(0, 0, 0))
        objs += _hook(k, 0, wide * 0.75 + 0.4, 0, side)
        return move(objs, at(0, wide * 0.4))

    return _pair(kit, one, wide * kit.u(2.4, 3.2))


def cuff_earring(kit):
    """Ear cuffs: an open band of two or three rails, with small stones."""
    r, w, rails = kit.u(5, 7), kit.u(1.6, 3.2), kit.n(2, 3)

    def one(k, side):
        a = np.linspace(0.5, TAU - 0.5, 120) + math.pi / 2
        objs = []
        for i in range(rails):
            y = (i / (rails - 1) - 0.5) * 2 * w
            path = np.stack([r * np.cos(a), 0 * a + y, r * np.sin(a)], 1)
            objs.append(put(sweep("rail", path, disk(0.6, 12), up=(0, 1, 0)), k.metal))
        for end in (0, -1):
            bar = [(r * math.cos(a[end]), y, r * math.sin(a[end])) for y in (-w, 0, w)]
            objs.append(put(sweep("end", np.array(bar), disk(0.65, 12)), k.metal))
        frames = mounts.ring_frames(r + 0.6, np.arange(-1.6, 1.6, 0.24) + math.pi, 0.0)
        objs += mounts.pave(k, frames, 0.62)
        return move(objs, turn(side * 30) @ turn(60, "X"))

    return _pair(kit, one, r * kit.u(2.6, 4), tilt=0)
