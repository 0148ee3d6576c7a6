"""Surfaces of jewels: metal, clear and opaque stone, nacre, enamel, hide. Owns shader nodes; refuses shapes and light."""

import bpy

from weights.train.catalogue import METALS, PARTS, STONES


def blank(name):
    """A new material with nothing but its output. Returns (material, nodes, links, output)."""
    mat = bpy.data.materials.new(name)
    if not mat.node_tree:
        mat.use_nodes = True
    nodes = mat.node_tree.nodes
    nodes.clear()
    return mat, nodes, mat.node_tree.links, nodes.new("ShaderNodeOutputMaterial")


def metal(name, color, roughness, finish="polished", detail=5):
    """Polished by hand: roughness wanders a little and the surface is not perfectly fair. `detail`: octaves of the smears."""
    mat, nodes, links, out = blank(name)
    bsdf = nodes.new("ShaderNodeBsdfPrincipled")
    bsdf.inputs["Base Color"].default_value = (*color, 1)
    bsdf.inputs["Metallic"].default_value = 1
    where = nodes.new("ShaderNodeTexCoord")
    smear, fair = nodes.new("ShaderNodeTexNoise"), nodes.new("ShaderNodeTexNoise")
    smear.inputs["Scale"].default_value, smear.inputs["Detail"].default_value = 0.9, detail
    fair.inputs["Scale"].default_value, fair.inputs["Detail"].default_value = 0.55, 2
    span = nodes.new("ShaderNodeMapRange")
    span.inputs["From Min"].default_value, span.inputs["From Max"].default_value = 0.35, 0.7
    span.inputs["To Min"].default_value, span.inputs["To Max"].default_value = (
        roughness * 0.7,
        roughness * 1.5,
    )
    bump = nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.25, 0.06
    for noise in (smear, fair):
        links.new(where.outputs["Object"], noise.inputs["Vector"])
    links.new(smear.outputs["Fac"], span.inputs["Value"])
    links.new(span.outputs["Result"], bsdf.inputs["Roughness"])
    links.new(fair.outputs["Fac"], bump.inputs["Height"])
    links.new(bump.outputs["Normal"], bsdf.inputs["Normal"])
    links.new(bsdf.outputs["BSDF"], out.inputs["Surface"])
    if finish != "polished":
        _FINISH[finish](nodes, links, bsdf, bump, where, color)
    return mat


def _hammered(nodes, links, _bsdf, bump, where, _color):
    """Flat dents of a planishing hammer, 1.5 mm wide."""
    dent = nodes.new("ShaderNodeTexVoronoi")
    dent.feature, dent.inputs["Scale"].default_value = "F1", 0.65
    links.new(where.outputs["Object"], dent.inputs["Vector"])
    links.new(dent.outputs["Distance"], bump.inputs["Height"])
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.8, 0.22


def _brushed(nodes, links, _bsdf, bump, where, _color):
    """Fine parallel scratches."""
    stretch, grain = nodes.new("ShaderNodeMapping"), nodes.new("ShaderNodeTexNoise")
    stretch.inputs["Scale"].default_value = (0.4, 14.0, 14.0)
    links.new(where.outputs["Object"], stretch.inputs["Vector"])
    links.new(stretch.outputs["Vector"], grain.inputs["Vector"])
    grain.inputs["Scale"].default_value, grain.inputs["Detail"].default_value = 1.0, 3
    links.new(grain.outputs["Fac"], bump.inputs["Height"])
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.5, 0.03


def _satin(nodes, links, _bsdf, bump, where, _color):
    """Sand blasted: a fine tooth."""
    tooth = nodes.new("ShaderNodeTexNoise")
    tooth.inputs["Scale"].default_value, tooth.inputs["Detail"].default_value = 12.0, 2
    links.new(where.outputs["Object"], tooth.inputs["Vector"])
    links.new(tooth.outputs["Fac"], bump.inputs["Height"])
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.15, 0.04


def _oxidised(nodes, links, bsdf, _bump, where, color):
    """Dark where the cloth did not reach: in patches, and in crevices as ambient occlusion finds them."""
    deep, patch, both, mix = (
        nodes.new(f"ShaderNode{k}") for k in ("AmbientOcclusion", "TexNoise", "Math", "Mix")
    )
    deep.inputs["Distance"].default_value, deep.samples = 0.9, 4
    patch.inputs["Scale"].default_value, patch.inputs["Detail"].default_value = 0.8, 4
    links.new(where.outputs["Object"], patch.inputs["Vector"])
    span = nodes.new("ShaderNodeMapRange")
    span.inputs["From Min"].default_value, span.inputs["From Max"].default_value = 0.35, 0.6
    span.inputs["To Min"].default_value, span.inputs["To Max"].default_value = 0.55, 1.0
    links.new(patch.outputs["Fac"], span.inputs["Value"])
    both.operation = "MULTIPLY"
    links.new(deep.outputs["AO"], both.inputs[0])
    links.new(span.outputs["Result"], both.inputs[1])
    mix.data_type = "RGBA"
    mix.inputs[6].default_value = (0.05, 0.045, 0.04, 1)
    mix.inputs[7].default_value = (*color, 1)
    links.new(both.outputs["Value"], mix.inputs[0])
    links.new(mix.outputs[2], bsdf.inputs["Base Color"])


_FINISH = {"hammered": _hammered, "brushed": _brushed, "satin": _satin, "oxidised": _oxidised}


def gem(name, color, ior, density):
    """Clear stone with body colour by absorption (`density` per mm); lets its shadow through, tinted."""
    mat, nodes, links, out = blank(name)
    glass, clear, ray, mix = (
        nodes.new(f"ShaderNode{k}") for k in ("BsdfGlass", "BsdfTransparent", "LightPath", "MixShader")
    )
    glass.inputs["IOR"].default_value, glass.inputs["Roughness"].default_value = ior, 0.0
    clear.inputs["Color"].default_value = (*[0.25 + 0.6 * c for c in color], 1)
    links.new(ray.outputs["Is Shadow Ray"], mix.inputs["Fac"])
    links.new(glass.outputs["BSDF"], mix.inputs[1])
    links.new(clear.outputs["BSDF"], mix.inputs[2])
    links.new(mix.outputs["Shader"], out.inputs["Surface"])
    if density > 0:
        body = nodes.new("ShaderNodeVolumeAbsorption")
        body.inputs["Color"].default_value, body.inputs["Density"].default_value = (*color, 1), density
        links.new(body.outputs["Volume"], out.inputs["Volume"])
    return mat


def pearl(name, body=(0.86, 0.80, 0.72), overtone=(0.80, 0.62, 0.62), lustre=0.6):
    """Nacre: a satin body under a thin clear coat with a faint overtone at the rim."""
    mat, nodes, links, out = blank(name)
    bsdf = nodes.new("ShaderNodeBsdfPrincipled")
    rim, ramp = nodes.new("ShaderNodeLayerWeight"), nodes.new("ShaderNodeMix")
    ramp.data_type = "RGBA"
    ramp.inputs[6].default_value, ramp.inputs[7].default_value = (*body, 1), (*overtone, 1)
    rim.inputs["Blend"].default_value = 0.35
    links.new(rim.outputs["Facing"], ramp.inputs[0])
    links.new(ramp.outputs[2], bsdf.inputs["Base Color"])
    bsdf.inputs["Roughness"].default_value = 0.32 - 0.3 * max(0.0, lustre - 0.6)
    bsdf.inputs["Specular IOR Level"].default_value = 0.75
    bsdf.inputs["Coat Weight"].default_value, bsdf.inputs["Coat Roughness"].default_value = lustre, 0.06
    bsdf.inputs["Coat IOR"].default_value = 1.5 + max(0.0, lustre - 0.6)
    links.new(bsdf.outputs["BSDF"], out.inputs["Surface"])
    return mat


def opaque(name, color, roughness=0.12, coat=0.5):
    """Polished opaque stone, enamel, lacquer."""
    mat, nodes, links, out = blank(name)
    bsdf = nodes.new("ShaderNodeBsdfPrincipled")
    bsdf.inputs["Base Color"].default_value, bsdf.inputs["Roughness"].default_value = (*color, 1), roughness
    bsdf.inputs["Coat Weight"].default_value, bsdf.inputs["Coat Roughness"].default_value = coat, 0.03
    links.new(bsdf.outputs["BSDF"], out.inputs["Surface"])
    return mat, nodes, links, bsdf


def milky(name, color):
    """Moonstone, opal, jade: light gets in a little; a glow at the rim stands for scattering."""
    mat, nodes, links, bsdf = opaque(name, color, 0.1, 0.8)
    bsdf.inputs["Transmission Weight"].default_value = 0.35
    bsdf.inputs["IOR"].default_value = 1.5
    sheen, ramp = nodes.new("ShaderNodeLayerWeight"), nodes.new("ShaderNodeMix")
    ramp.data_type = "RGBA"
    ramp.inputs[6].default_value = (*[0.8 * c + 0.1 for c in color], 1)
    ramp.inputs[7].default_value = (*[min(1.0, 1.15 * c) for c in color], 1)
    links.new(sheen.outputs["Facing"], ramp.inputs[0])
    links.new(ramp.outputs[2], bsdf.inputs["Base Color"])
    return mat


def veined(name, color):
    """Turquoise and lapis: opaque with veins of host rock."""
    mat, nodes, links, bsdf = opaque(name, color, 0.18, 0.3)
    where, noise, ramp, mix = (
        nodes.new(f"ShaderNode{k}") for k in ("TexCoord", "TexNoise", "MapRange", "Mix")
    )
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = 0.6, 6
    ramp.inputs["From Min"].default_value, ramp.inputs["From Max"].default_value = 0.60, 0.66
    mix.data_type = "RGBA"
    mix.inputs[6].default_value, mix.inputs[7].default_value = (*color, 1), (0.30, 0.22, 0.10, 1)
    links.new(where.outputs["Object"], noise.inputs["Vector"])
    links.new(noise.outputs["Fac"], ramp.inputs["Value"])
    links.new(ramp.outputs["Result"], mix.inputs[0])
    links.new(mix.outputs[2], bsdf.inputs["Base Color"])
    return mat


def hide(name, color):
    """Leather: grain and a dull shine."""
    mat, nodes, links, bsdf = opaque(name, color, 0.45, 0.0)
    where, cells, bump = (nodes.new(f"ShaderNode{k}") for k in ("TexCoord", "TexVoronoi", "Bump"))
    cells.inputs["Scale"].default_value = 1.6
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.5, 0.08
    links.new(where.outputs["Object"], cells.inputs["Vector"])
    links.new(cells.outputs["Distance"], bump.inputs["Height"])
    links.new(bump.outputs["Normal"], bsdf.inputs["Normal"])
    return mat


def metal_of(name):
    """The material of a metal in the catalogue, marked with its part."""
    m = METALS[name]
    mat = metal(name, m.colour, m.roughness, m.finish, 2)
    mat.pass_index = PARTS.index("metal")
    return mat


def stone_of(name, size=3.0):
    """The material of a stone of half width `size` mm: small stones are cut from deeper rough, or would look washed out."""
    s = STONES[name]
    if s.look == "clear":
        mat = gem(name, s.colour, s.ior, s.density * min(4.0, 3.0 / max(size, 0.3)))
    elif s.look == "nacre":
        mat = pearl(name, s.colour, (s.colour[0] * 0.93, s.colour[1] * 0.78, s.colour[2] * 0.86), 1.0)
    elif s.look == "milky":
        mat = milky(name, s.colour)
    elif s.look == "veined":
        mat = veined(name, s.colour)
    elif s.look == "hide":
        mat = hide(name, s.colour)
    else:
        mat = opaque(name, s.colour)[0]
    mat.pass_index = PARTS.index(s.part)
    return mat
