"""How stones are held: claws, bezels, halos, pave, channels. Owns the metal around a stone; refuses whole pieces."""

import math

import numpy as np

from weights.train.atelier import gems
from weights.train.atelier.shapes import (
    TAU,
    at,
    disk,
    facing,
    flat,
    put,
    round_outline,
    rounded,
    spline,
    sweep,
    trace,
    turn,
)


def bezel(kit, cut, size, top=0.22, wall=None):
    """A collar around a stone whose girdle is at z = 0; leans over the crown a little."""
    w = wall or 0.12 * size + 0.18
    top, deep = top * size, -0.72 * size
    section = rounded(
        [
            (-0.08 * size, top),
            (w, top - 0.1),
            (w, deep),
            (-0.1 * size, deep),
            (-0.1 * size, -0.15 * size),
            (0.0, -0.02),
        ],
        0.12,
        3,
    )
    line = trace(gems.outline_of(cut), size, 0.02, n=96)
    return [put(sweep("bezel", flat(line), section, closed=True, up=(0, 0, 1)), kit.metal)]


def claws(kit, cut, size, count=None):
    """Claws with a gallery of two wires below."""
    outline = gems.outline_of(cut)
    thick, objs = 0.085 * size + 0.14, []
    for share, z in ((0.86, -0.36 * size), (0.5, -0.95 * size)):
        wire = disk(thick * 0.8, 10)
        objs.append(
            put(
                sweep(
                    "gallery", flat(trace(outline, size * share, n=72), z), wire, closed=True, up=(0, 0, 1)
                ),
                kit.metal,
            )
        )
    count = count or kit.pick((4, 4, 4, 6))
    start = 45 if count == 4 else 0
    for deg in start + np.arange(count) * 360 / count:
        a = math.radians(deg)
        p, n = outline(a) * size, round_outline(a) * thick
        legs = [
            (*(p * f + n * o), z * size)
            for f, o, z in (
                (0.45, 0, -1.15),
                (0.72, 0.2, -0.65),
                (0.94, 0.5, -0.2),
                (1.0, 0.5, 0.08),
                (0.93, 0.2, 0.26),
                (0.82, 0.0, 0.34),
            )
        ]
        objs.append(
            put(sweep("claw", spline(legs, 24), lambda t: disk(thick * (1 - 0.25 * t), 10)), kit.metal)
        )
    return objs


def halo(kit, cut, size, radius, z, gap=0.3, material=None):
    """Small brilliants in a channel around an outline, with beads between them."""
    outline, center, w = gems.outline_of(cut), gap + radius, radius + 0.26
    channel = rounded(
        [
            (-w, 0.1),
            (0.24 - w, 0.1),
            (0.3 - w, -0.7),
            (w - 0.3, -0.7),
            (w - 0.24, 0.1),
            (w, 0.1),
            (w, -1.2),
            (-w, -1.2),
        ],
        0.08,
        3,
    )
    line = trace(outline, size, center, n=160)
    objs = [put(sweep("channel", flat(line, z), channel, closed=True, up=(0, 0, 1)), kit.metal)]
    length = np.linalg.norm(np.diff(line, axis=0, append=line[:1]), axis=1).sum()
    n = max(6, int(length / (2 * radius + 0.1)))
    stone, ball, gem = kit.melee(radius), kit.ball(0.2, 10), material or kit.accent(radius)
    for p in trace(outline, size, center, n=n):
        objs.append(put(stone, gem, at(*p, z) @ turn(kit.u(0, 360))))
    for side in (-1, 1):
        for p in trace(outline, size, center + side * (radius + 0.06), n=n):
            objs.append(put(ball, kit.metal, at(*p, z + 0.1)))
    return objs


def setting(kit, cut, size, style=None, name=None):
    """A stone with its metal, girdle at z = 0. Returns (objects, half width with the metal, depth below the girdle)."""
    style = style or kit.pick(("claws", "claws", "bezel", "halo", "halo_claws"))
    objs = kit.gem(cut, size, name)
    if style == "claws":
        return objs + claws(kit, cut, size), size * 1.06, 1.15 * size
    if style == "bezel":
        return objs + bezel(kit, cut, size), size * 1.12 + 0.2, 0.75 * size
    radius = kit.u(0.45, 0.75) if size > 2 else kit.u(0.35, 0.5)
    objs += bezel(kit, cut, size, wall=0.3) if style == "halo" else claws(kit, cut, size)
    return objs + halo(kit, cut, size, radius, -0.1 * size), size + 2 * radius + 0.7, 1.15 * size


def pave(kit, frames, radius, material=None):
    """Small brilliants at the given frames (z outward), each held by four grains."""
    gem, ball, objs = material or kit.accent(radius), kit.ball(0.22 * radius + 0.08, 10), []
    for f in frames:
        objs.append(put(kit.melee(radius), gem, f @ turn(kit.u(0, 360))))
        for q in range(4):
            v = math.radians(45 + 90 * q)
            objs.append(
                put(ball, kit.metal, f @ at(radius * 1.08 * math.cos(v), radius * 1.08 * math.sin(v), 0.05))
            )
    return objs


def ring_frames(radius, angles, y=0.0):
    """Frames on a circle about the y axis (0 at the top, z outward)."""
    out = []
    for a in angles:
        d = (math.sin(a), 0.0, math.cos(a))
        out.append(at(d[0] * radius, y, d[2] * radius) @ facing(d))
    return out


def filigree(kit, cut, size):
    """A flat lace of wire: twin rims, scrolls around the middle, granules, perhaps a stone. Face up at z = 0."""
    outline, r, n = gems.outline_of(cut), 0.045 * size + 0.12, kit.n(6, 12)
    objs = [
        put(
            sweep("rim", flat(trace(outline, size * f, n=140)), disk(r, 10), closed=True, up=(0, 0, 1)),
            kit.metal,
        )
        for f in (1.0, 0.88)
    ]
    t, sense = np.linspace(0, 1, 40), kit.pick((-1, 1))
    curl = (
        np.stack([np.cos(sense * t * 1.4 * TAU), np.sin(sense * t * 1.4 * TAU)], 1) * (1 - 0.75 * t)[:, None]
    )
    for k, p in enumerate(trace(outline, size * 0.62, n=n)):
        wide = 0.72 * math.pi * 0.62 * size / n
        angle = math.atan2(p[1], p[0])
        spin = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        objs.append(
            put(sweep("scroll", flat(curl * wide @ spin.T + p), disk(0.7 * r, 8), up=(0, 0, 1)), kit.metal)
        )
        spoke = flat(np.array([0.3 * p, 0.7 * p, 1.42 * p]))
        objs.append(
            put(sweep("spoke", spoke, disk(0.8 * r, 8), up=(0, 0, 1)), kit.trim if k % 2 else kit.metal)
        )
    grain = kit.ball(1.5 * r, 12)
    objs += [
        put(grain, kit.metal, at(*p, 0.6 * r)) for p in trace(outline, size * 0.94, n=int(5 * size / (3 * r)))
    ]
    middle = (
        setting(kit, "round", 0.24 * size, "bezel")[0]
        if kit.chance(0.6)
        else [put(kit.ball(0.24 * size, 24), kit.metal)]
    )
    return objs + middle


def jump_ring(kit, x, y, z, radius=1.5, wire=0.3, tilt=0.0):
    """A round wire ring lying in the plane, tilted about x."""
    a = np.arange(40) * TAU / 40
    path = flat(radius * np.stack([np.cos(a), np.sin(a)], 1))
    mesh = sweep("jump", path, disk(wire, 10), closed=True, up=(0, 0, 1))
    return [put(mesh, kit.metal, at(x, y, z) @ turn(tilt, "X"))]
