"""Festive sets: dark lacquer before lights out of focus or with oil lamps on it. Owns their shapes; refuses lamps and camera.

Lights that belong to a set are on a picture of their own (`GLOWS` in `sets`): red the light in the colour `accent`, green
in `detail`, blue white. Bulbs are small spheres far behind the plane of focus, so that the lens draws their disks.
The camera's lines of sight are parallel; what a flat mirror shows comes from over the frame. There a second row of lights hangs
where the mirror image of the first is expected.
"""

import math
from functools import partial

import bpy
import numpy as np

from presets.bake.atelier import forms
from presets.bake.atelier.shader import Graph
from presets.bake.atelier.surfaces import Site
from presets.bake.drape import wave

SIN, COS = 0.5, math.sqrt(0.75)  # of the table's camera, 30 degrees over the ground
EDGE = 0.47  # units over the origin in the picture, where the lacquer rolls off
ROLL, ROLLED = 2.5, 0.12  # of the rounded edge: curvature; depth as far as it is seen
NEAR, FAR, ENDLESS = 0.88, 3.0, 99.0  # where a slab begins to roll off, y in units; `NEAR` is seen at `EDGE`
WALL = 9.0  # units behind the set along the line of sight
LACQUER = 2.1  # index of refraction: several coats shine more than one
FROM_ABOVE = 1.2  # there polish mirrors the lens and its dark room, not the sky
BULB, BRIGHT = 0.034, 5.0  # radius, radiance


def _table(site, begin, material):
    """A slab that is rolled off behind `begin`: no horizon is hard."""
    X, Y = site.bed.grid()
    rng = np.random.Generator(np.random.PCG64(site.seed))
    uneven = 0.0015 * wave(rng, X.shape, 1.1 / site.bed.cell)
    heights = uneven - ROLL * np.maximum(Y - begin, 0) ** 2
    forms.field(site.bed, heights).data.materials.append(material(begin))


def _wall(material):
    """A wall square to the line of sight, far out of focus; lamps behind it shine through."""
    bpy.ops.mesh.primitive_plane_add(size=40.0, location=(0, WALL * COS, -WALL * SIN))
    obj = bpy.context.object
    obj.rotation_euler = (math.radians(60), 0, 0)
    obj.data.materials.append(material)
    obj.visible_shadow = obj.visible_diffuse = False


def _lacquer(site, name, begin):
    """Deep polish over a dark body; baked, or a mirror for the set's own lights."""
    g = Graph(name, site.paint)
    fair = g.bump(g.noise(0.9, 2.0), 0.003)
    # At a grazing angle the rolled edge would be a bright line, which is a horizon again.
    dull = g.span(
        g.node("SeparateXYZ", {"Vector": g.place}).outputs["Y"], begin - ROLLED, begin + ROLLED, 1.0, 0.04
    )
    amount = g.math(
        "MULTIPLY",
        g.node("Fresnel", {"IOR": LACQUER if site.view == "table" else FROM_ABOVE, "Normal": fair}).outputs[
            "Fac"
        ],
        dull,
    )
    return g.lobes(gloss=g.polish(rough=0.085, metal=amount, normal=fair))


def _mirror(site, name, begin):
    """What the lacquer is for lights of three colours at once."""
    body, gloss = (0.09, 0.5) if site.view == "table" else (0.35, 0.5)
    paint = {"body": (body,) * 3, "sheen": (0.0,) * 3, "gloss": (gloss,) * 3}
    return _lacquer(Site(site.view, site.seed, paint), name, begin)


def _felt(name, paint=None):
    return Graph(name, paint).lobes(body=1.0)


def lights(site):
    """Lacquer before a dark wall."""
    _table(site, NEAR if site.view == "table" else ENDLESS, partial(_lacquer, site, "lacquer"))
    if site.view == "table":
        _wall(_felt("wall", site.paint))


def lights_glow(site):
    """Strings of lights, near ones large and faint; from above a garland of tiny bulbs on the lacquer."""
    _glowing(site, 1, _strings)


def _strings(rng):
    points, powers = [], []
    for _ in range(17):
        away = rng.uniform(1.1, 3.1)
        x0, span, top = rng.uniform(-1.9, 0.5), rng.uniform(1.1, 2.2), rng.uniform(0.64, 1.8)
        tilt, sag, count = rng.uniform(-0.3, 0.3), rng.uniform(0.03, 0.22), int(rng.integers(6, 11))
        for k in range(count):
            t = (k + rng.uniform(-0.25, 0.25)) / (count - 1)
            up = top + tilt * t - sag * 4 * t * (1 - t) + rng.uniform(-0.02, 0.02)
            if up > EDGE + 0.06:
                points.append((x0 + span * t, up, away))
                powers.append(rng.lognormal(0.0, 0.6) * (0.12 + 0.2 * away))
    return points, powers


def curtain_glow(site):
    """A curtain of small lights, threads that hang straight down, two rows deep."""
    _glowing(site, 2, _threads)


def _threads(rng):
    points, powers = [], []
    for away, count, step in ((0.75, 21, 0.1), (1.7, 11, 0.17)):
        for k in range(count):
            x = -1.35 + 2.7 * (k + 0.5 + rng.uniform(-0.28, 0.28)) / count
            up = 2.4
            foot = EDGE + 0.04 + 0.12 * rng.random()
            while up > foot:
                points.append((x + rng.normal(0, 0.006), up, away))
                powers.append(rng.lognormal(0.0, 0.5) * (0.07 + 0.11 * away))
                up -= step * rng.uniform(0.85, 1.15)
    return points, powers


def _glowing(site, stream, hang):
    """The lacquer as a mirror and its lights; stream: of the seed's randomness. hang: rng to (points, powers), see `_hung`."""
    _table(site, NEAR if site.view == "table" else ENDLESS, partial(_mirror, site, "mirror"))
    if site.view == "table":
        g = Graph("haze")
        warm = g.span(g.noise(0.35, 2.0), 0.35, 0.7, 0.0, 0.05)
        _wall(g.emit(warm, 0.0, 0.0))
    rng = np.random.Generator(np.random.PCG64([site.seed, stream]))
    _bulbs(*(_garland(rng) if site.view == "flat" else _hung(*hang(rng), rng)))


def _hung(points, powers, rng):
    """(x, height in the picture, depth) to places in the set; each twice, see the module's words."""
    x, up, away = np.array(points).T
    power = np.array(powers)
    places = []
    for height, turned in ((up, 1.0), (2 * EDGE - up, -1.0)):
        # Seen at `height` and `away` along the line of sight; a mirrored one is that place below the ground, turned up.
        y, z = height * SIN + away * COS, height * COS - away * SIN
        if turned < 0:
            z = -z
        places.append(np.stack([x, y, z], -1))
    kind = np.where(rng.random(len(power)) < 0.78, 0, 1)
    return np.concatenate(places), np.full(2 * len(power), BULB), np.tile(power, 2), np.tile(kind, 2)


def _garland(rng):
    """Tiny bulbs along two wires laid around the piece."""
    places, powers = [], []
    for k in range(2):
        wave_at, turn = rng.uniform(0.05, 0.1), rng.uniform(0, 2 * math.pi)
        for j in range(34):
            angle = (j + rng.uniform(-0.3, 0.3)) * 2 * math.pi / 34 + k * 0.7
            c, d = math.cos(angle), math.sin(angle)
            away = 0.78 / (c**4 + d**4) ** 0.25 + wave_at * math.sin((3 + k) * angle + turn) + 0.12 * k
            places.append((away * c, away * d, 0.02))
            powers.append(rng.lognormal(0.0, 0.4) * 0.8)
    kind = np.where(rng.random(len(places)) < 0.8, 0, 1)
    return np.array(places), np.full(len(places), 0.011), np.array(powers), kind


def _bulbs(places, radii, powers, kinds, bleach=0.15):
    """Glowing spheres; kind 0 in `accent`, 1 in `detail`. A strong light bleaches towards white."""
    g = Graph("bulb")
    light = g.node("Attribute", attribute_name="light").outputs["Color"]
    emit = g.node("Emission", {"Color": light, "Strength": BRIGHT})
    g.links.new(emit.outputs["Emission"], g.out.inputs["Surface"])
    color = np.zeros((len(places), 3), np.float32)
    color[np.arange(len(places)), kinds] = powers
    color[:, 2] = bleach * np.minimum(powers, 2.0) ** 2
    forms.beads(places, radii, color).data.materials.append(g.material)


FLAME = 0.55  # a flame's middle is nearly white
# Oil lamps: (x, y, radius) on the table; from above around the piece.
DIYAS = {
    "table": (
        (-0.86, 0.78, 0.2),
        (0.9, 0.6, 0.2),
        (-0.36, 1.55, 0.19),
        (0.45, 1.72, 0.19),
        (1.2, 1.65, 0.19),
        (-1.25, 2.1, 0.19),
        (0.05, 2.6, 0.19),
        (-0.75, 3.2, 0.19),
        (0.85, 3.3, 0.19),
    ),
    "flat": (
        (-0.68, 0.66, 0.15),
        (0.72, 0.6, 0.14),
        (-0.66, -0.7, 0.14),
        (0.7, -0.68, 0.15),
        (0.0, 1.2, 0.15),
        (0.1, -1.25, 0.15),
    ),
}


def diyas(site):
    """Clay lamps on lacquer, behind the piece and beside it."""
    _table(site, FAR if site.view == "table" else ENDLESS, partial(_lacquer, site, "lacquer"))
    if site.view == "table":
        _wall(_felt("wall", site.paint))
    clay = Graph("clay", site.paint)
    tooth = clay.bump(clay.noise(30.0, 3.0, 0.6), 0.01)
    material = clay.lobes(body_normal=tooth)
    for x, y, radius in DIYAS[site.view]:
        _bowl(x, y, radius, material)


def diyas_mask(site):
    """The bowls are of clay."""
    g = Graph("mask")
    _table(site, FAR if site.view == "table" else ENDLESS, lambda _: g.emit(0.0, 0.0, 0.0))
    if site.view == "table":
        _wall(Graph("none").emit(0.0, 0.0, 0.0))
    clay = Graph("clay").emit(0.0, 0.4, 0.0)
    for x, y, radius in DIYAS[site.view]:
        _bowl(x, y, radius, clay)


def diyas_glow(site):
    """Their flames, and what these light up."""
    _table(site, FAR if site.view == "table" else ENDLESS, partial(_mirror, site, "mirror"))
    clay = _felt("clay", {"body": (0.4, 0.4, 0.4), "sheen": (0.0,) * 3, "gloss": (0.0,) * 3})
    rng = np.random.Generator(np.random.PCG64([site.seed, 3]))
    places, radii, powers = [], [], []
    for x, y, radius in DIYAS[site.view]:
        _bowl(x, y, radius, clay)
        power = rng.uniform(2.2, 3.6)
        for k in range(7):  # a flame, thick below the middle, thin at the tip
            t = k / 6
            places.append((x, y - 0.8 * radius, 0.42 * radius + 0.75 * radius * t))
            radii.append(radius * 0.17 * math.sin(math.pi * (0.2 + 0.75 * t)) * (1.2 - 0.7 * t) + 0.004)
            powers.append(power * (1.25 - 0.6 * t))
    _bulbs(np.array(places), np.array(radii), np.array(powers), np.zeros(len(places), int), FLAME)


def _bowl(x, y, radius, material):
    """A shallow clay bowl with a spout towards the lens, turned around its axis."""
    profile = np.array(
        [(0.0, 0.02), (0.45, 0.0), (0.8, 0.14), (1.0, 0.4), (0.96, 0.43), (0.9, 0.4), (0.7, 0.24), (0.0, 0.2)]
    )
    around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    spout = 1 + 0.28 * np.exp(-(((around - 1.5 * np.pi) / 0.3) ** 2))
    r = profile[:, :1] * (1 + (spout - 1)[None] * (profile[:, :1] > 0.75))
    points = np.stack(
        [
            x + radius * r * np.cos(around),
            y + radius * r * np.sin(around),
            np.broadcast_to(radius * profile[:, 1:], r.shape),
        ],
        -1,
    )
    forms.sheet(np.concatenate([points, points[:, :1]], 1)).data.materials.append(material)
