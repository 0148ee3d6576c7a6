"""Several pieces in one photo: sets that belong together, rings in a row, a heap. Owns how they are set out."""

from dataclasses import replace

import numpy as np

from weights.train.atelier import earrings, neck, rings
from weights.train.atelier.shapes import at, move, rest, turn


def _reach(objs):
    """(low, high) of x and y over the objects' own boxes."""
    pts = np.array(
        [
            o.matrix_world @ v.co
            for o in objs
            for v in list(o.data.vertices)[:: max(1, len(o.data.vertices) // 60)]
        ]
    )
    return pts[:, :2].min(0), pts[:, :2].max(0)


def parure(kit):
    """A pendant on its chain with earrings of the same stones inside the loop or below it."""
    neckpiece = kit.pick((neck.pendant, neck.line_necklace))(kit)
    low, _ = _reach(neckpiece)
    kit.spec = replace(kit.spec, lie="flat")
    pair = kit.pick((earrings.stud, earrings.drop))(kit)
    _, top = _reach(pair)
    move(pair, at(kit.u(-4, 4), low[1] - top[1] - kit.u(4, 14)))
    return neckpiece + pair


def ring_row(kit):
    """Two to five rings of one kind side by side, as in a tray."""
    make = kit.pick((rings.solitaire, rings.halo_ring, rings.band, rings.eternity, rings.cocktail))
    objs, lean, tilt, x = [], kit.u(-60, 60), kit.u(5, 30), 0.0
    for _ in range(kit.n(2, 5)):
        ring = rest(move(make(kit), turn(lean + kit.u(-6, 6)) @ turn(tilt, "X")))
        low, high = _reach(ring)
        objs += move(ring, at(x - low[0], kit.u(-2, 2)))
        x += high[0] - low[0] + kit.u(2, 9)
    return objs


def bridal_set(kit):
    """An engagement ring and its band, one leaning on nothing, the other lying before it."""
    first = rest(move(rings.solitaire(kit), turn(kit.u(-50, 50)) @ turn(kit.u(0, 12), "X")))
    second = rest(move(rings.band(kit), turn(90, "X")))
    low, _ = _reach(first)
    _, top = _reach(second)
    return first + move(second, at(kit.u(-14, 14), low[1] - top[1] - kit.u(0.5, 6)))
