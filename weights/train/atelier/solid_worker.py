"""One Blender process that measures many pieces: seeds in on standard input, a line out for each one made. Owns how a piece is shown.

Each piece is looked at from a few sides, as the layout would show it: rings stand on a table, bangles and bracelets lie there, all else is
seen from above, and some of each in the other ways that its family may be put down.
"""

import math
import sys
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from weights.train.atelier import pieces
from weights.train.atelier.placed import SUNK, points, put_down, sides
from weights.train.atelier.shapes import move
from weights.train.spec import draw

VIEWS = 4
SIDE_PX, UNIT_PX = 320, 280.0
TABLE_DEG, ABOVE_DEG = 30.0, 90.0
ON_A_TABLE = ("ring", "bangle", "bracelet")
ON_ITS_TABLE, ELSEWHERE = 0.8, 0.15
"""Share of lying pieces of those types, and of the others, that are seen on a table instead of from above."""


def stance(spec, rng):
    """(elevation_deg, pose) of one look."""
    if spec.lie in ("standing", "propped", "boxed", "worn"):
        return TABLE_DEG, "upright"
    if spec.lie == "hanging":
        return ABOVE_DEG, "hanging"
    share = ON_ITS_TABLE if spec.type in ON_A_TABLE else ELSEWHERE
    return (TABLE_DEG if rng.random() < share else ABOVE_DEG), "flat"


def look(spec, objs, number):
    """One look at the piece: its maps (see `placed.sides`) in the middle of the frame, and how it is shown."""
    rng = np.random.Generator(np.random.PCG64([spec.seed, 11, number]))
    elevation, pose = stance(spec, rng)
    # What stands was turned by its family; what lies may lie any way round, and is as well seen in a mirror.
    if pose == "flat":
        move(objs, Matrix.Rotation(rng.uniform(-math.pi, math.pi) if number else 0.0, 4, "Z"))
    elif number:
        move(objs, Matrix.Rotation(rng.uniform(-0.3, 0.3), 4, "Z" if pose == "upright" else "X"))
    bpy.context.view_layer.update()
    put_down(objs, elevation, pose, sunk=spec.family in SUNK)
    e = math.radians(elevation)
    pts = points(objs)
    up = pts[:, 1] * math.sin(e) + pts[:, 2] * math.cos(e)
    x, y = ((float(one.min()) + float(one.max())) / 2 for one in (pts[:, 0], up))
    middle = (SIDE_PX / 2 - UNIT_PX * x, SIDE_PX / 2 + UNIT_PX * y)
    return sides(objs, elevation, UNIT_PX, middle, (SIDE_PX, SIDE_PX), whole=True), (elevation, pose)


def make(seed, folder):
    """All looks at one piece, into one file."""
    spec = draw(seed)
    if spec.lie in ("boxed", "worn"):  # what holds them would hide them
        spec = replace(spec, lie="standing")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    objs, _, props = pieces.build(spec)
    for prop in props:
        bpy.data.objects.remove(prop)
    built = [(one, one.matrix_world.copy()) for one in objs]
    maps, shown = [], []
    for number in range(VIEWS):
        for one, matrix in built:
            one.matrix_world = matrix
        bpy.context.view_layer.update()
        seen, how = look(spec, objs, number)
        maps.append(seen)
        shown.append(how)
    part = folder / f"{seed:06d}.part.npz"
    np.savez_compressed(
        part,
        top=np.stack([one["top"] for one in maps]).astype(np.float16),
        low=np.stack([one["low"] for one in maps]).astype(np.float16),
        normal=np.rint(127 * np.stack([one["normal"] for one in maps])).astype(np.int8),
        elevation_deg=[elevation for elevation, _ in shown],
        pose=[pose for _, pose in shown],
        type=spec.type,
        family=spec.family,
    )
    part.rename(folder / f"{seed:06d}.npz")


def main():
    """Seeds in, files out."""
    folder = Path(sys.argv[1])
    for line in sys.stdin:
        seed = int(line)
        try:
            make(seed, folder)
        except Exception as error:  # noqa: BLE001 - one piece that cannot be built must not end the others
            print(f"@failed {seed} {error}", flush=True)
        else:
            print(f"@made {seed}", flush=True)


if __name__ == "__main__":
    main()
