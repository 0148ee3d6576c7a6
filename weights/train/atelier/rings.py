"""Rings. Each family returns its objects with the shank around the y axis and the head at +z."""

import math

import numpy as np

from weights.train.atelier import gems, mounts
from weights.train.atelier.shapes import TAU, at, disk, move, put, rounded, sweep, turn


def near(t):
    """0 at the head, 1 at the bottom of the shank."""
    return abs(((t + 0.5) % 1) - 0.5) * 2


def shank(kit, inner, wide, tall, mat=None, profile=None):
    """A shank; `wide(n)` and `tall(n)` give mm at n = 0 (head) … 1 (bottom). Half widths along y."""
    profile = profile or kit.pick(("dome", "comfort", "flat", "knife"))
    a = np.arange(240) * TAU / 240 + math.pi / 2
    path = np.stack([inner * np.cos(a), 0 * a, inner * np.sin(a)], 1)

    def section(t):
        w, h = wide(near(t)), tall(near(t))
        if profile == "flat":
            return rounded([(0, -w), (0, w), (-h, w), (-h, -w)], 0.22, 3) * [1, 1]
        if profile == "knife":
            return rounded([(0, -w), (0, w), (-0.5 * h, w), (-h, 0.0), (-0.5 * h, -w)], 0.18, 3)
        q = np.linspace(-math.pi / 2, math.pi / 2, 13)
        power = 0.8 if profile == "dome" else 0.5
        out = [(-h * (0.12 + 0.88 * max(0.0, math.cos(v)) ** power), w * math.sin(v)) for v in q]
        return np.array([*out, (0.0, 0.8 * w), (0.08, 0.0), (0.0, -0.8 * w)])

    return [put(sweep("shank", path, section, closed=True, up=(0, 1, 0)), mat or kit.metal)]


def _tapered(kit, inner):
    w0, w1, h0, h1 = kit.u(0.7, 1.2), kit.u(0.9, 1.6), kit.u(1.2, 1.9), kit.u(1.0, 1.5)
    return shank(kit, inner, lambda n: w0 + (w1 - w0) * n, lambda n: h0 + (h1 - h0) * n), h0


def _shoulders(kit, inner, tall, radius, start):
    """Pave from the head down both shoulders."""
    if not kit.chance(0.5):
        return []
    step = (2 * radius + 0.12) / (inner + tall)
    angles = start + step * np.arange(kit.n(4, 9))
    frames = mounts.ring_frames(inner + tall + 0.02, [*angles, *-angles])
    return mounts.pave(kit, frames, radius)


def _head(kit, inner, cut, size, style, *, sideways=False):
    objs, half, deep = mounts.setting(kit, cut, size, style)
    move(objs, at(0, 0, inner + deep + 0.6) @ turn(90 if sideways else 0))
    return objs, half


def solitaire(kit):
    """One stone on a shank."""
    inner, size = kit.u(7.6, 9.6), kit.u(1.9, 3.8)
    base, tall = _tapered(kit, inner)
    top, _ = _head(
        kit, inner, kit.pick(gems.CUTS), size, kit.pick(("claws", "claws", "bezel")), sideways=kit.chance(0.4)
    )
    return base + top + _shoulders(kit, inner, tall, 0.5, 0.25)


def halo_ring(kit):
    """One stone in a halo."""
    inner, size = kit.u(7.6, 9.6), kit.u(1.8, 3.6)
    base, tall = _tapered(kit, inner)
    top, half = _head(kit, inner, kit.pick(gems.CUTS[:7]), size, kit.pick(("halo", "halo_claws")))
    return base + top + _shoulders(kit, inner, tall, 0.55, half / (inner + tall + 1) * 0.6)


def three_stone(kit):
    """A stone between two smaller ones."""
    inner, size = kit.u(8, 9.4), kit.u(1.9, 2.9)
    base, _ = _tapered(kit, inner)
    cut = kit.pick(gems.CUTS[:7])
    top, half = _head(kit, inner, cut, size, "claws")
    small = size * kit.u(0.6, 0.8)
    for side in (-1, 1):
        part, _, deep = mounts.setting(kit, kit.pick((cut, "round", "pear")), small, "claws", kit.spec.accent)
        reach = inner + deep + 0.9
        lean = side * math.degrees((half + small) / (reach + 1.5))
        top += move(part, turn(lean, "Y") @ at(0, 0, reach))
    return base + top


def band(kit):
    """Wedding band, plain, grooved or with a row of stones."""
    inner, w, h = kit.u(7.8, 10.5), kit.u(1.0, 3.6), kit.u(1.1, 1.9)
    objs = shank(kit, inner, lambda _: w, lambda _: h)
    if kit.chance(0.35) and w > 1.8:
        for y in (-0.62 * w, 0.62 * w):
            a = np.arange(160) * TAU / 160
            ring = np.stack([(inner + h * 0.9) * np.cos(a), 0 * a + y, (inner + h * 0.9) * np.sin(a)], 1)
            objs.append(put(sweep("line", ring, disk(0.26, 10), closed=True, up=(0, 1, 0)), kit.trim))
    elif kit.chance(0.4):
        r = min(0.7, 0.45 * w)
        step = (2 * r + 0.15) / (inner + h)
        angles = step * np.arange(-kit.n(2, 6), kit.n(3, 7))
        objs += mounts.pave(kit, mounts.ring_frames(inner + h + 0.02, angles), r)
    return objs


def eternity(kit):
    """Stones all around."""
    inner, r = kit.u(7.8, 9.2), kit.u(0.75, 1.5)
    n = int(TAU * (inner + 1.2 * r) / (2 * r + 0.12))
    objs = shank(kit, inner, lambda _: r * 0.95, lambda _: 0.75 * r, profile="flat")
    frames = mounts.ring_frames(inner + 1.05 * r, np.arange(n) * TAU / n)
    return objs + mounts.pave(kit, frames, r, kit.accent(r) if kit.chance(0.6) else kit.main(r))


def twisted_ring(kit):
    """Two or three wires wound about each other, with or without a stone."""
    inner, wires, r = kit.u(8, 9.4), kit.n(2, 3), kit.u(0.55, 0.9)
    turns, objs = kit.n(3, 9), []
    a = np.arange(420) * TAU / 420
    for k in range(wires):
        ph = turns * a + TAU * k / wires
        rad = inner + 1.6 * r + 0.9 * r * np.cos(ph)
        path = np.stack([rad * np.cos(a), 0.95 * r * np.sin(ph), rad * np.sin(a)], 1)
        objs.append(
            put(sweep("wire", path, disk(r, 14), closed=True, up=(0, 1, 0)), kit.trim if k else kit.metal)
        )
    if kit.chance(0.5):
        top, _ = _head(
            kit, inner + 0.6, kit.pick(gems.CUTS[:5]), kit.u(1.6, 2.8), kit.pick(("claws", "bezel"))
        )
        objs += top
    return objs


def signet(kit):
    """A seal: a flat table, plain or with a flat stone."""
    inner, long, wide = kit.u(8.4, 10.2), kit.u(4.2, 6.5), kit.u(4.0, 6.0)
    h = kit.u(1.3, 1.9)
    objs = shank(
        kit,
        inner,
        lambda n: 1.5 + (wide * 0.8 - 1.5) * max(0.0, 1 - 1.9 * n) ** 1.6,
        lambda n: h + max(0.0, 0.9 - 3 * n),
        profile="comfort",
    )
    cut = kit.pick(("round", "oval", "cushion"))
    outline = gems.outline_of(cut)
    table = gems.cabochon("seal", outline, wide, kit.u(0.10, 0.2), steps=8)
    plate = put(table, kit.metal, at(0, 0, inner + h + 0.7) @ turn(90 if long > wide else 0))
    objs.append(plate)
    if kit.chance(0.5):
        face = gems.cabochon("face", outline, wide * 0.78, 0.12, steps=8)
        mat = kit.enamel if kit.chance(0.5) else kit.main(3)
        objs.append(put(face, mat, at(0, 0, inner + h + 0.7 + 0.12 * wide) @ turn(90 if long > wide else 0)))
    return objs


def openwork_ring(kit):
    """A band of scrolls between two wires."""
    inner, w, n = kit.u(8.2, 9.8), kit.u(2.2, 4.0), kit.n(9, 16)
    r, objs = kit.u(0.32, 0.48), []
    a = np.arange(300) * TAU / 300
    for y in (-w, w):
        ring = np.stack([(inner + r) * np.cos(a), 0 * a + y, (inner + r) * np.sin(a)], 1)
        objs.append(put(sweep("rail", ring, disk(r, 10), closed=True, up=(0, 1, 0)), kit.metal))
    lobes = kit.pick((1.0, 2.0))
    for phase in (0, math.pi):
        wave = np.stack(
            [
                (inner + r) * np.cos(a),
                0.92 * w * np.sin(n * a / lobes * lobes + phase),
                (inner + r) * np.sin(a),
            ],
            1,
        )
        objs.append(put(sweep("scroll", wave, disk(r * 0.85, 10), closed=True, up=(0, 1, 0)), kit.metal))
    if kit.chance(0.6):
        ball = kit.ball(0.6, 16)
        for k in range(n * 2):
            v = (k + 0.5) * TAU / (2 * n)
            objs.append(put(ball, kit.trim, at((inner + r) * math.cos(v), 0, (inner + r) * math.sin(v))))
    return objs


def cocktail(kit):
    """A wide flower of small stones around a big one (kundan, cluster, princess rings)."""
    inner, size = kit.u(8.2, 9.4), kit.u(2.6, 4.6)
    base, _ = _tapered(kit, inner)
    cut = kit.pick(("round", "oval", "pear", "cushion"))
    top, half, deep = mounts.setting(kit, cut, size, kit.pick(("bezel", "halo", "claws")))
    rows, reach = kit.n(1, 2), half
    for row in range(rows):
        petal = kit.pick(("marquise", "pear", "round", "oval"))
        r = kit.u(0.8, 1.5)
        long = gems.length_of(petal) * r
        n = int(TAU * (reach + long) / (2 * r + 0.9))
        name = kit.spec.accent if (row + kit.n(0, 1)) % 2 else kit.spec.stone
        for k in range(n):
            part = kit.gem(petal, r, name) + mounts.bezel(kit, petal, r)
            top += move(
                part, turn(360 * k / n) @ at(0, reach + long * 0.9, -0.5 - 0.9 * row) @ turn(-14, "X")
            )
        reach += 2 * long + 0.4
    back = gems.cabochon("back", gems.outline_of("round"), reach * 0.8, 0.06, 6)
    top.append(put(back, kit.metal, at(0, 0, -1.6 - 0.8 * rows)))
    move(top, at(0, 0, inner + max(deep, 1.6 + 0.9 * rows) + 1.2))
    return base + top


def pearl_ring(kit):
    """One pearl on a cup, often with leaves of small stones."""
    inner, r = kit.u(7.8, 9), kit.u(2.8, 4.8)
    base, tall = _tapered(kit, inner)
    z = inner + tall + r * 0.95
    top = [put(kit.ball(r, 48), kit.pearl, at(0, 0, z))]
    cup = gems.cabochon("cup", gems.outline_of("round"), r * 0.6, 0.2, 8)
    top.append(put(cup, kit.metal, at(0, 0, z - r * 0.98)))
    if kit.chance(0.6):
        for side in (-1, 1):
            for k in range(kit.n(1, 3)):
                v = side * (0.42 + 0.16 * k)
                top += mounts.pave(kit, mounts.ring_frames(inner + tall + 0.3, [v]), 0.8 - 0.12 * k)
    return base + top
