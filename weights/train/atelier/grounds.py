"""What the piece lies on: paper, cloth, wood, acrylic, velvet, marble, swept up behind. Owns surface and tone; refuses light."""

import math

import bpy
import numpy as np

from weights.train.atelier.materials import blank
from weights.train.catalogue import GROUNDS


def _base(rng, spec):
    ground = GROUNDS[spec.ground]
    tone = math.exp(rng.uniform(-1, 1) * ground.spread)
    return [min(0.92, c * tone * (1 + rng.normal(0, 0.012))) for c in ground.colour]


def _surface(name, colour, roughness, specular):
    mat, nodes, links, out = blank(name)
    bsdf, where = nodes.new("ShaderNodeBsdfPrincipled"), nodes.new("ShaderNodeTexCoord")
    bsdf.inputs["Base Color"].default_value = (*colour, 1)
    bsdf.inputs["Roughness"].default_value, bsdf.inputs["Specular IOR Level"].default_value = (
        roughness,
        specular,
    )
    links.new(bsdf.outputs["BSDF"], out.inputs["Surface"])
    return mat, nodes, links, bsdf, where


def _bump(nodes, links, bsdf, value, strength, distance):
    bump = nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = strength, distance
    links.new(value, bump.inputs["Height"])
    links.new(bump.outputs["Normal"], bsdf.inputs["Normal"])


def _noise(nodes, links, where, scale, detail=2.0, stretch=None):
    noise = nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = scale, detail
    vector = where.outputs["Object"]
    if stretch:
        m = nodes.new("ShaderNodeMapping")
        m.inputs["Scale"].default_value = stretch
        links.new(vector, m.inputs["Vector"])
        vector = m.outputs["Vector"]
    links.new(vector, noise.inputs["Vector"])
    return noise.outputs["Fac"]


def _mixed(nodes, links, bsdf, fac, a, b, low=0.3, high=0.7):
    span, mix = nodes.new("ShaderNodeMapRange"), nodes.new("ShaderNodeMix")
    span.inputs["From Min"].default_value, span.inputs["From Max"].default_value = low, high
    mix.data_type = "RGBA"
    mix.inputs[6].default_value, mix.inputs[7].default_value = (*a, 1), (*b, 1)
    links.new(fac, span.inputs["Value"])
    links.new(span.outputs["Result"], mix.inputs[0])
    links.new(mix.outputs[2], bsdf.inputs["Base Color"])


def _paper(rng, c):
    mat, nodes, links, bsdf, where = _surface("paper", c, rng.uniform(0.45, 0.75), rng.uniform(0.1, 0.4))
    _bump(nodes, links, bsdf, _noise(nodes, links, where, rng.uniform(1.5, 6)), rng.uniform(0.02, 0.2), 0.05)
    return mat


def _acrylic(rng, c):
    return _surface("acrylic", c, rng.uniform(0.0, 0.18), rng.uniform(0.4, 0.6))[0]


def _cloth(rng, c):
    mat, nodes, links, bsdf, where = _surface("cloth", c, 0.85, 0.1)
    bsdf.inputs["Sheen Weight"].default_value = 0.3
    size = rng.uniform(2.5, 7)
    waves = []
    for axis in ("X", "Y"):
        w = nodes.new("ShaderNodeTexWave")
        w.bands_direction, w.inputs["Scale"].default_value = axis, size
        w.inputs["Distortion"].default_value, w.inputs["Detail Scale"].default_value = 1.2, 0.6
        links.new(where.outputs["Object"], w.inputs["Vector"])
        waves.append(w.outputs["Fac"])
    top = nodes.new("ShaderNodeMath")
    top.operation = "MAXIMUM"
    links.new(waves[0], top.inputs[0])
    links.new(waves[1], top.inputs[1])
    _bump(nodes, links, bsdf, top.outputs["Value"], 0.6, rng.uniform(0.08, 0.2))
    _mixed(nodes, links, bsdf, top.outputs["Value"], [0.72 * x for x in c], c, 0.2, 0.9)
    return mat


def _velvet(rng, c):
    mat, nodes, links, bsdf, where = _surface("velvet", c, 0.95, 0.05)
    bsdf.inputs["Sheen Weight"].default_value, bsdf.inputs["Sheen Roughness"].default_value = 1.0, 0.35
    bsdf.inputs["Sheen Tint"].default_value = (*[min(1.0, 4 * x + 0.1) for x in c], 1)
    _bump(nodes, links, bsdf, _noise(nodes, links, where, rng.uniform(0.05, 0.2), 3), 0.5, 2.5)
    return mat


def _wood(rng, c):
    mat, nodes, links, bsdf, where = _surface("wood", c, rng.uniform(0.3, 0.6), 0.35)
    rays = _noise(nodes, links, where, rng.uniform(0.15, 0.4), 7, (1.0, rng.uniform(8, 16), 1))
    _mixed(nodes, links, bsdf, rays, [0.55 * x for x in c], [min(0.9, 1.25 * x) for x in c], 0.3, 0.7)
    _bump(nodes, links, bsdf, rays, 0.25, 0.15)
    return mat


def _marble(rng, c):
    mat, nodes, links, bsdf, where = _surface("marble", c, rng.uniform(0.05, 0.25), 0.5)
    vein, depth = nodes.new("ShaderNodeTexWave"), rng.uniform(0.7, 0.92)
    faint = [depth * x for x in c]
    vein.inputs["Scale"].default_value = rng.uniform(0.012, 0.03)
    vein.inputs["Distortion"].default_value, vein.inputs["Detail"].default_value = rng.uniform(8, 18), 6
    vein.inputs["Detail Scale"].default_value = rng.uniform(0.6, 1.4)
    links.new(where.outputs["Object"], vein.inputs["Vector"])
    _mixed(nodes, links, bsdf, vein.outputs["Fac"], faint, c, 0.0, rng.uniform(0.2, 0.7))
    return mat


_MAKE = {
    "paper": _paper,
    "acrylic": _acrylic,
    "cloth": _cloth,
    "velvet": _velvet,
    "wood": _wood,
    "marble": _marble,
}


def spread(spec, width):
    """The ground, flat under the piece and risen behind it in a wide curve. `width`: of the view, mm. Returns [object]."""
    rng = np.random.Generator(np.random.PCG64([spec.seed, 4]))
    mat = _MAKE[GROUNDS[spec.ground].kind](rng, _base(rng, spec))
    far, r, half = rng.uniform(1.2, 3.2) * width, 2.5 * width, 14 * width
    line = [(-14 * width, 0.0), (far, 0.0)]
    line += [(far + r * math.sin(v), r - r * math.cos(v)) for v in np.linspace(0, 0.5 * math.pi, 32)[1:]]
    line.append((far + r, 10 * width))
    verts = [(x, y, z) for y, z in line for x in (-half, half)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(line) - 1)]
    mesh = bpy.data.meshes.new("ground")
    mesh.from_pydata(verts, [], faces)
    mesh.shade_smooth()
    mesh.materials.append(mat)
    obj = bpy.data.objects.new("ground", mesh)
    bpy.context.scene.collection.objects.link(obj)
    return [obj]
