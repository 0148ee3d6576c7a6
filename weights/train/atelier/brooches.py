"""Brooches, face up."""

import math

import numpy as np

from weights.train.atelier import gems, mounts
from weights.train.atelier.shapes import (
    at,
    disk,
    flat,
    move,
    put,
    round_outline,
    spline,
    sweep,
    trace,
    turn,
)


def flower_brooch(kit):
    """A flower of stone petals around a pearl or a stone, with a stem."""
    n, r, cut = kit.n(5, 8), kit.u(2.2, 3.6), kit.pick(("marquise", "pear", "oval", "round"))
    long = gems.length_of(cut) * r
    middle = kit.u(2.4, 4.4)
    reach = max(middle + long + 0.6, n * (r + 0.5) / math.pi)
    objs = []
    for i in range(n):
        petal = kit.gem(cut, r, kit.spec.stone if i % 2 else kit.spec.accent) + mounts.bezel(kit, cut, r)
        objs += move(petal, turn(360 / n * i) @ at(0, reach, 0) @ turn(7, "X"))
        stalk = spline([(0, 2.0, -1.6), (0.4, reach / 2, -2.0), (0, reach, -1.7)], 16)
        objs += move([put(sweep("stalk", stalk, disk(0.55, 10)), kit.metal)], turn(360 / n * i))
    if kit.chance(0.5):
        objs.append(put(kit.ball(middle, 48), kit.pearl, at(0, 0, 0.3 * middle)))
        objs.append(
            put(
                sweep(
                    "cup",
                    flat(trace(round_outline, middle, n=90), -0.9),
                    disk(0.6, 12),
                    closed=True,
                    up=(0, 0, 1),
                ),
                kit.metal,
            )
        )
    else:
        objs += mounts.setting(kit, "round", middle * 0.8, "halo")[0]
    if kit.chance(0.6):
        side = kit.pick((-1, 1))
        stem = spline(
            [(0, -reach * 0.9, -1.8), (1.5 * side, -reach - 7, -1.9), (5.5 * side, -reach - 15, -2.0)], 40
        )
        objs.append(put(sweep("stem", stem, lambda t: disk(0.7 + 0.25 * t, 12)), kit.metal))
        for x, y, deg in ((3.2, -reach - 8, -62), (-1.0, -reach - 10, 48)):
            leaf = kit.gem("marquise", 1.8, kit.spec.accent) + mounts.bezel(kit, "marquise", 1.8)
            objs += move(leaf, at(x * side, y, -0.3) @ turn(deg * side))
    return objs


def wreath_brooch(kit):
    """A ring of leaves, pearls or stones."""
    n, radius, r = kit.n(9, 18), kit.u(10, 16), kit.u(1.4, 2.4)
    objs = [
        put(
            sweep(
                "ring",
                flat(trace(round_outline, radius, n=160), -1.2),
                disk(0.9, 12),
                closed=True,
                up=(0, 0, 1),
            ),
            kit.metal,
        )
    ]
    for i in range(n):
        a = 360 / n * i
        if i % 2 and kit.spec.seed % 2:
            part = [put(kit.ball(r * 0.9, 32), kit.pearl, at(0, radius, 0.3))]
        else:
            cut = ("round", "marquise", "pear")[kit.spec.seed % 3]
            part = move(kit.gem(cut, r) + mounts.bezel(kit, cut, r), at(0, radius) @ turn(45))
        objs += move(part, turn(a))
    return objs


def bar_brooch(kit):
    """A bar with a row of stones, pearls at the ends."""
    half, w = kit.u(16, 28), kit.u(1.2, 2.6)
    bar = spline(
        [(-half, 0, -1), (-half / 3, kit.u(-2, 2), -1), (half / 3, kit.u(-2, 2), -1), (half, 0, -1)], 60
    )
    objs = [put(sweep("bar", bar, disk(w, 16) * [1, 0.5], up=(0, 0, 1)), kit.metal)]
    n = kit.n(1, 7)
    for i in range(n):
        x = (i - (n - 1) / 2) * (half * 1.5 / n)
        y = float(np.interp(x, bar[:, 0], bar[:, 1]))
        objs += move(mounts.setting(kit, kit.pick(("round", "oval")), w * 1.1, "bezel")[0], at(x, y, 0.6))
    for x in (-half, half):
        objs.append(put(kit.ball(w * 1.5, 32), kit.pearl if kit.spec.seed % 2 else kit.metal, at(x, 0, 0)))
    return objs
