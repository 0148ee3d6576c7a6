"""What holds a piece and is not the piece: box rolls, fingers, a rod to hang from. Owns their shape; they belong to the ground.

A prop hides what is behind it, so the tracer holds the piece's alpha out there.
"""

import numpy as np

from weights.train.atelier.materials import opaque
from weights.train.atelier.shapes import disk, put, spline, sweep

SKIN = ((0.62, 0.36, 0.25), (0.45, 0.24, 0.15), (0.22, 0.11, 0.065), (0.74, 0.48, 0.37))


def _roll(name, a, b, radius, mat, taper=0.0):
    """A round bar with domed ends."""
    line = spline([a, tuple((p + q) / 2 for p, q in zip(a, b, strict=True)), b], 24)
    return put(sweep(name, line, lambda t: disk(radius * (1 - taper * t), 40), up=None), mat)


def _skin(kit):
    colour = np.array(kit.pick(SKIN)) * kit.u(0.85, 1.15)
    mat, _, _, bsdf = opaque("skin", tuple(colour), 0.45, 0.0)
    bsdf.inputs["Subsurface Weight"].default_value = 0.15
    bsdf.inputs["Subsurface Radius"].default_value = (1.2, 0.5, 0.3)
    return mat


def box_rolls(kit, width):
    """The two rolls of a ring box, along x, touching where the ring is stuck between them; `width`: of the shank, mm."""
    tone = kit.pick(((0.75, 0.74, 0.72), (0.03, 0.03, 0.035), (0.55, 0.48, 0.38), (0.05, 0.02, 0.06)))
    mat, _, _, bsdf = opaque("velour", tone, 0.9, 0.0)
    bsdf.inputs["Sheen Weight"].default_value = 0.6
    r = kit.u(5.5, 9)
    half = kit.u(26, 60)
    return [
        _roll("roll", (-half, side * (r + 0.4 * width), r), (half, side * (r + 0.4 * width), r), r, mat)
        for side in (-1, 1)
    ], r


def fingers(kit, radius):
    """A finger through the ring along y and perhaps its neighbours; `radius`: of the ring's inside, mm."""
    mat, r = _skin(kit), radius * 0.985
    long = kit.u(55, 90)
    objs = [_roll("finger", (0, long, -1.5), (0, -kit.u(26, 44), 0), r, mat, 0.12)]
    for side in (-1, 1):
        if kit.chance(0.75):
            x, slant = side * (2.02 * r + kit.u(0, 1.5)), side * kit.u(-3, 4)
            objs.append(
                _roll(
                    "finger", (x + slant, long, -2), (x, -kit.u(14, 40), -1), r * kit.u(0.9, 1.02), mat, 0.12
                )
            )
    return objs


def rod(kit, width, y, z):
    """The bar of a stand, across the picture behind the hooks."""
    mat = (
        kit.trim
        if kit.chance(0.5)
        else opaque("stand", kit.pick(((0.02, 0.02, 0.02), (0.8, 0.8, 0.8))), 0.2, 0.5)[0]
    )
    return [_roll("rod", (-width, y, z), (width, y, z), kit.u(0.8, 2.2), mat)]
